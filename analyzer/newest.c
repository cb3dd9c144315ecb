/* SPDX-License-Identifier: MIT */
#include "analyzer/newest.h"

#include "common/clock.h"
#include "common/hash.h"
#include "common/json.h"
#include "common/room.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* gcc's analyzer loses sight of the table that the first HASH_ADD allocates. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wanalyzer-malloc-leak"
#endif

struct newest_entry {
  int64_t at;
  json_t *value;
  UT_hash_handle hh;
  char device[]; /* the four names, each ended by a newline, which no name holds */
};

static const char *part(const json_t *object, const char *key)
{
  const char *text = tm_json_get_string(object, key);
  return text != NULL ? text : "";
}

static struct newest_entry *add_entry(struct newest *n, const char *device)
{
  size_t len = strlen(device);
  if (TM_ROOM(n->list, n->cap, n->n) < 0)
    return NULL;
  struct newest_entry *e = calloc(1, sizeof(*e) + len + 1);
  if (e == NULL)
    return NULL;
  memcpy(e->device, device, len + 1);
  e->at = INT64_MIN;
  HASH_ADD_KEYPTR(hh, n->index, e->device, len, e);
  if (TM_HASH_MISSED(e)) {
    free(e);
    return NULL;
  }
  n->list[n->n++] = e;
  return e;
}

/* The four names of a summary's device, to be freed; NULL when memory is out. */
static char *device_of(const json_t *summary)
{
  const json_t *customer = json_object_get(summary, "customer");
  char *device = NULL;
  if (asprintf(&device, "%s\n%s\n%s\n%s\n", part(customer, "id"), part(customer, "site"),
               part(customer, "host"), part(json_object_get(summary, "product"), "device")) < 0)
    return NULL;
  return device;
}

/* The entry of a summary's device, made when there is none; NULL when memory is out. */
static struct newest_entry *entry_of(struct newest *n, const json_t *summary)
{
  struct newest_entry *e = NULL;
  char *device = device_of(summary);
  if (device == NULL)
    return NULL;
  HASH_FIND_STR(n->index, device, e);
  if (e == NULL)
    e = add_entry(n, device);
  free(device);
  return e;
}

int newest_put(struct newest *n, const json_t *summary, json_t *value, struct tm_error *err)
{
  const char *made = tm_json_get_string(summary, "generated_at");
  int64_t at = INT64_MIN;
  if (made != NULL)
    tm_time_parse(made, &at);
  struct newest_entry *e = value != NULL ? entry_of(n, summary) : NULL;
  if (e == NULL) {
    json_decref(value);
    return tm_fail(err, -ENOMEM, "out of memory");
  }
  json_t *old = at < e->at ? value : e->value;
  if (at >= e->at) {
    e->value = value;
    e->at = at;
  }
  json_decref(old);
  return 0;
}

json_t *newest_find(const struct newest *n, const json_t *summary)
{
  struct newest_entry *e = NULL;
  char *device = n->n > 0 ? device_of(summary) : NULL;
  if (device != NULL)
    HASH_FIND_STR(n->index, device, e);
  free(device);
  return e != NULL ? e->value : NULL;
}

json_t *newest_at(const struct newest *n, size_t i)
{
  return n->list[i]->value;
}

void newest_release(struct newest *n)
{
  HASH_CLEAR(hh, n->index);
  for (size_t i = 0; i < n->n; i++) {
    json_decref(n->list[i]->value);
    free(n->list[i]);
  }
  free(n->list);
  *n = (struct newest){0};
}
