/* SPDX-License-Identifier: MIT */
#include "analyzer/newest.h"

#include "common/clock.h"
#include "common/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

struct newest_entry {
  char *device; /* the four names, each ended by a newline, which no name holds */
  int64_t at;
  json_t *value;
  UT_hash_handle hh;
};

static const char *part(const json_t *object, const char *key)
{
  const char *text = tm_json_get_string(object, key);
  return text != NULL ? text : "";
}

static struct newest_entry *add_entry(struct newest *n, char *device)
{
  if (n->n == n->cap) {
    size_t cap = n->cap > 0 ? 2 * n->cap : 64;
    struct newest_entry **grown = realloc(n->list, cap * sizeof(*grown));
    if (grown == NULL)
      return NULL;
    n->list = grown;
    n->cap = cap;
  }
  struct newest_entry *e = calloc(1, sizeof(*e));
  if (e == NULL)
    return NULL;
  e->device = device;
  e->at = INT64_MIN;
  HASH_ADD_KEYPTR(hh, n->index, e->device, strlen(e->device), e);
  n->list[n->n++] = e;
  return e;
}

int newest_put(struct newest *n, const json_t *summary, json_t *value, struct tm_error *err)
{
  const json_t *customer = json_object_get(summary, "customer");
  const json_t *product = json_object_get(summary, "product");
  const char *made = tm_json_get_string(summary, "generated_at");
  struct newest_entry *e = NULL;
  char *device = NULL;
  int64_t at = INT64_MIN;
  if (made != NULL)
    tm_time_parse(made, &at);
  if (value == NULL ||
      asprintf(&device, "%s\n%s\n%s\n%s\n", part(customer, "id"), part(customer, "site"),
               part(customer, "host"), part(product, "device")) < 0) {
    json_decref(value);
    return tm_fail(err, -ENOMEM, "out of memory");
  }
  HASH_FIND_STR(n->index, device, e);
  if (e != NULL)
    free(device);
  else
    e = add_entry(n, device);
  if (e == NULL) {
    free(device);
    json_decref(value);
    return tm_fail(err, -ENOMEM, "out of memory");
  }
  if (at < e->at) {
    json_decref(value);
    return 0;
  }
  json_decref(e->value);
  e->value = value;
  e->at = at;
  return 0;
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
    free(n->list[i]->device);
    free(n->list[i]);
  }
  free(n->list);
  *n = (struct newest){0};
}
