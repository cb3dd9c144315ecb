/* SPDX-License-Identifier: MIT */
#include "plugins/part_name.h"

#include "plugins/reading.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t checksum(const char *text) /* FNV-1a */
{
  uint32_t sum = 2166136261U;
  for (; *text != '\0'; text++)
    sum = (sum ^ (unsigned char)*text) * 16777619U;
  return sum;
}

/* Puts ~MARK and the suffix behind as much of the stem as there is room for. */
static void join_marked(char out[PART_INSTANCE], const char *stem, const char *mark,
                        const char *suffix)
{
  char tail[PART_INSTANCE];
  snprintf(tail, sizeof(tail), "~%s%s", mark, suffix);
  size_t room = PART_INSTANCE - 1 - strlen(tail);
  size_t len = strlen(stem);
  if (len > room) {
    len = room;
    while (len > 0 && ((unsigned char)stem[len] & 0xc0) == 0x80) /* not within a character */
      len--;
  }
  int n = snprintf(out, PART_INSTANCE, "%.*s%s", (int)len, stem, tail);
  assert(n < PART_INSTANCE);
}

static void join_checksum(char out[PART_INSTANCE], const char *stem, const char *name,
                          const char *suffix)
{
  char mark[16];
  snprintf(mark, sizeof(mark), "%08x", (unsigned)checksum(name));
  join_marked(out, stem, mark, suffix);
}

static void make_stem(char *stem, size_t size, const char *name)
{
  while (name[0] == '/' && name[1] != '\0')
    name++;
  snprintf(stem, size, "%s", strcmp(name, "/") == 0 ? "root" : name);
  for (char *p = stem; *p != '\0'; p++) {
    if (*p == '/')
      *p = '_';
  }
}

void part_instance(char out[PART_INSTANCE], const char *name, const char *suffix)
{
  char stem[READING_NAME];
  make_stem(stem, sizeof(stem), name);
  int n = snprintf(out, PART_INSTANCE, "%s%s", stem, suffix);
  if (n >= PART_INSTANCE)
    join_checksum(out, stem, name, suffix);
}

/* --- those that would have the same ----------------------------------------------------------- */

static int by_instance(const void *a, const void *b)
{
  const struct part_name *const *x = a;
  const struct part_name *const *y = b;
  int order = strcmp((*x)->instance, (*y)->instance);
  return order != 0 ? order : strcmp((*x)->name, (*y)->name);
}

static const char *last_arc(const char *id)
{
  const char *dot = strrchr(id, '.');
  return dot != NULL ? dot + 1 : id;
}

static int by_last_arc(const void *a, const void *b)
{
  const struct part_name *const *x = a;
  const struct part_name *const *y = b;
  return strcmp(last_arc((*x)->id), last_arc((*y)->id));
}

/* Of "1.1", "1.2", "1.3" the last numbers are enough; of "1.1" and "2.1" they are not. */
static bool last_arcs_differ(struct part_name **parts, size_t len)
{
  qsort(parts, len, sizeof(struct part_name *), by_last_arc);
  for (size_t i = 1; i < len; i++)
    if (by_last_arc(&parts[i - 1], &parts[i]) == 0)
      return false;
  return true;
}

/* Parts of one name. */
static void mark_by_id(struct part_name **parts, size_t len, const char *suffix)
{
  char stem[READING_NAME];
  bool short_ids = last_arcs_differ(parts, len);
  make_stem(stem, sizeof(stem), parts[0]->name);
  for (size_t i = 0; i < len; i++) {
    const char *id = short_ids ? last_arc(parts[i]->id) : parts[i]->id;
    if (stem[0] == '\0')
      part_instance(parts[i]->instance, id, suffix);
    else
      join_marked(parts[i]->instance, stem, id, suffix);
    for (char *p = strchr(parts[i]->instance, '/'); p != NULL; p = strchr(p, '/'))
      *p = '_';
  }
}

/* Names that became the same. */
static void mark_by_name(struct part_name *part, const char *suffix)
{
  char stem[READING_NAME];
  make_stem(stem, sizeof(stem), part->name);
  if (strcmp(stem, part->name) != 0)
    join_checksum(part->instance, stem, part->name, suffix);
}

/* What `type`s of a device are called by: their names, and the names that were shared once. */
struct naming {
  const char *type;
  const char *suffix;
  json_t *shared;
};

enum { BY_ID = 'i', BY_NAME = 'n', BY_BOTH = 'b', ALL_BY_BOTH = 'a', MAX_SHARED = 10000 };

static void shared_key(char *key, size_t size, const struct naming *n, char how, const char *name)
{
  snprintf(key, size, "%s %c %s", n->type, how, name);
}

static bool was_shared(const struct naming *n, char how, const char *name)
{
  char key[2 * READING_NAME];
  if (json_object_size(n->shared) == 0)
    return false;
  shared_key(key, sizeof(key), n, how, name);
  return json_object_get(n->shared, key) != NULL;
}

static int remember(const struct naming *n, char how, const char *name)
{
  char key[2 * READING_NAME];
  shared_key(key, sizeof(key), n, how, name);
  if (json_object_size(n->shared) >= MAX_SHARED && json_object_get(n->shared, key) == NULL)
    return 0; /* a device that always thinks of new names */
  return json_object_set_new(n->shared, key, json_true()) == 0 ? 0 : -ENOMEM;
}

/* How many from here on have the same name. */
static size_t run_of_names(struct part_name *const *parts, size_t len)
{
  size_t n = 1;
  while (n < len && strcmp(parts[n]->name, parts[0]->name) == 0)
    n++;
  return n;
}

/* All that got one instance; len parts, sorted by their names. */
static int name_group(struct part_name **parts, size_t len, const struct naming *n)
{
  int rc = 0;
  bool several = run_of_names(parts, len) < len;
  for (size_t i = 0, run = 0; rc == 0 && i < len; i += run) {
    const char *name = parts[i]->name;
    run = run_of_names(parts + i, len - i);
    bool by_id = name[0] == '\0' || run > 1;
    bool by_name = several;
    if (by_id)
      rc = remember(n, BY_ID, name);
    if (rc == 0 && by_name)
      rc = remember(n, BY_NAME, name);
    if (by_id || was_shared(n, BY_ID, name))
      mark_by_id(parts + i, run, n->suffix);
    else if (by_name || was_shared(n, BY_NAME, name))
      mark_by_name(parts[i], n->suffix);
  }
  return rc;
}

static int name_all(struct part_name **order, size_t len, const struct naming *n)
{
  char instance[PART_INSTANCE];
  int rc = 0;
  qsort(order, len, sizeof(struct part_name *), by_instance);
  for (size_t i = 0, group = 0; rc == 0 && i < len; i += group) {
    memcpy(instance, order[i]->instance, sizeof(instance)); /* it will change */
    group = 1;
    while (i + group < len && strcmp(order[i + group]->instance, instance) == 0)
      group++;
    rc = name_group(order + i, group, n);
  }
  return rc;
}

/* Name and id as one text, which no two different parts have in common. */
static void whole_name(char *out, size_t size, const struct part_name *part)
{
  snprintf(out, size, "%s\n%s", part->name, part->id);
}

/* By name and id together; how BY_BOTH: unless the instance is what the name alone gives. */
static int mark_by_both(struct part_name *part, const struct naming *n, char how)
{
  char plain[PART_INSTANCE], stem[READING_NAME], whole[READING_NAME + READING_ID];
  part_instance(plain, part->name, n->suffix);
  if (how == BY_BOTH && part->name[0] != '\0' && strcmp(plain, part->instance) == 0)
    return 0;
  whole_name(whole, sizeof(whole), part);
  make_stem(stem, sizeof(stem), part->name);
  join_checksum(part->instance, stem, whole, n->suffix);
  return remember(n, how, whole);
}

static bool is_same_part(const struct part_name *a, const struct part_name *b)
{
  return strcmp(a->name, b->name) == 0 && strcmp(a->id, b->id) == 0;
}

/* Different parts that have one instance. */
static int part_again(struct part_name **order, size_t len, const struct naming *n, char how)
{
  char instance[PART_INSTANCE];
  int rc = 0;
  qsort(order, len, sizeof(struct part_name *), by_instance);
  for (size_t i = 0, group = 0; rc == 0 && i < len; i += group) {
    bool several = false;
    memcpy(instance, order[i]->instance, sizeof(instance));
    for (group = 1; i + group < len && strcmp(order[i + group]->instance, instance) == 0; group++)
      several = several || !is_same_part(order[i], order[i + group]);
    for (size_t k = 0; rc == 0 && several && k < group; k++)
      rc = mark_by_both(order[i + k], n, how);
  }
  return rc;
}

/* What was marked may have become what another part is called: "b" beside one without a name that
 * is counted as "2.b", "a~1" beside two of the name "a"; and what was marked then may be what a
 * device that means it calls a third one. */
static int part_what_meets(struct part_name **order, size_t len, const struct naming *n)
{
  static const char ways[] = {BY_BOTH, ALL_BY_BOTH};
  char whole[READING_NAME + READING_ID];
  int rc = 0;
  for (size_t i = 0; rc == 0 && i < len; i++) {
    whole_name(whole, sizeof(whole), order[i]);
    for (size_t k = 0; rc == 0 && k < sizeof(ways); k++)
      if (was_shared(n, ways[k], whole))
        rc = mark_by_both(order[i], n, ways[k]);
  }
  for (size_t k = 0; rc == 0 && k < sizeof(ways); k++)
    rc = part_again(order, len, n, ways[k]);
  return rc;
}

int part_names_make(struct part_name *parts, size_t len, const char *type, const char *suffix,
                    json_t **shared)
{
  struct part_name **order = calloc(len + 1, sizeof(struct part_name *));
  if (*shared == NULL)
    *shared = json_object();
  if (order == NULL || *shared == NULL) {
    free(order);
    return -ENOMEM;
  }
  for (size_t i = 0; i < len; i++) {
    if (parts[i].id[0] == '\0') {
      snprintf(parts[i].place, sizeof(parts[i].place), "%zu", i + 1);
      parts[i].id = parts[i].place;
    }
    part_instance(parts[i].instance, parts[i].name, suffix);
    order[i] = &parts[i];
  }
  const struct naming n = {type, suffix, *shared};
  int rc = name_all(order, len, &n);
  if (rc == 0)
    rc = part_what_meets(order, len, &n);
  free(order);
  return rc;
}
