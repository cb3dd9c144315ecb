/* SPDX-License-Identifier: MIT */
#include "plugins/dispatch.h"

#include "plugins/part_name.h"

#include "collectd/core/daemon/plugin.h"
#include "collectd/core/utils/common/common.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(PART_INSTANCE == DATA_MAX_NAME_LEN, "the lengths of names differ");

enum { MAX_SOURCES = 2, MAX_TOLD = 65536 };

/* --- the tables ----------------------------------------------------------------------------- */

struct value_row {
  enum reading_kind kind;
  const char *type;
  const char *instance;
  bool derive;
  size_t fields;
  size_t field[MAX_SOURCES]; /* doubles of struct reading, in the order of the data sources */
};

#define ONE(member)                                                                                \
  1,                                                                                               \
  {                                                                                                \
    offsetof(struct reading, member)                                                               \
  }
#define TWO(first, next)                                                                           \
  2,                                                                                               \
  {                                                                                                \
    offsetof(struct reading, first), offsetof(struct reading, next)                                \
  }

static const struct value_row value_rows[] = {
    {READING_DISK_ARRAY, "capacity", "total", false, ONE(capacity_bytes)},
    {READING_DISK_ARRAY, "capacity", "used", false, ONE(used_bytes)},
    {READING_DISK_ARRAY, "transfers", "completed", true, ONE(transfers)},
    {READING_DISK_ARRAY, "disk_ops", "", true, TWO(reads, transfers)},
    {READING_DISK_ARRAY, "disk_octets", "", true, TWO(read_bytes, write_bytes)},
    {READING_MEDIA_LIBRARY, "slots", "total", false, ONE(slots_total)},
    {READING_MEDIA_LIBRARY, "slots", "used", false, ONE(slots_used)},
    {READING_MEDIA_LIBRARY, "drives", "total", false, ONE(drives)},
    {READING_MEDIA_LIBRARY, "capacity", "total", false, ONE(capacity_bytes)},
    {READING_MEDIA_LIBRARY, "capacity", "used", false, ONE(used_bytes)},
    {READING_MEDIA_LIBRARY, "transfers", "completed", true, ONE(transfers)},
    {READING_PRINTER, "pages", "total", true, ONE(pages_total)},
    {READING_PRINTER, "page_count", "total", false, ONE(pages_total)},
    {READING_PRINTER, "page_count", "color", false, ONE(pages_color)},
};

struct part_row { /* one value of each element of a list */
  enum reading_kind kind;
  const char *type;
  const char *suffix; /* after the element's name */
  size_t list;        /* offsets in struct reading */
  size_t len;
  size_t size; /* of an element */
  size_t name; /* offsets in the element */
  size_t id;
  size_t field;
};

#define PART(list, element, member)                                                                \
  offsetof(struct reading, list), offsetof(struct reading, list##_len), sizeof(struct element),    \
      offsetof(struct element, name), offsetof(struct element, id),                                \
      offsetof(struct element, member)

static const struct part_row part_rows[] = {
    {READING_DISK_ARRAY, "capacity", "_total", PART(volumes, reading_volume, capacity_bytes)},
    {READING_DISK_ARRAY, "capacity", "_used", PART(volumes, reading_volume, used_bytes)},
    {READING_PRINTER, "supply_level", "", PART(supplies, reading_supply, level)},
    {READING_PRINTER, "supply_max", "", PART(supplies, reading_supply, max)},
    {READING_PRINTER, "tray_level", "", PART(trays, reading_tray, level)},
};

static const char *const count_instances[] = {
    [READING_DISK_ARRAY] = "transfers",
    [READING_MEDIA_LIBRARY] = "transfers",
    [READING_PRINTER] = "pages",
};

/* --- what was told ---------------------------------------------------------------------------- */

struct dispatch_told {
  const char *type; /* of a table */
  char instance[PART_INSTANCE];
  bool derive;
  unsigned cycle; /* when it was told last */
};

static struct dispatch_told *find_told(struct dispatch *d, const char *type, const char *instance)
{
  /* The same values come in the same order at each reading: the next one is the likely one. */
  for (size_t i = 0; i < d->told_len; i++) {
    size_t at = (d->likely + i) % d->told_len;
    struct dispatch_told *t = &d->told[at];
    if (strcmp(t->type, type) == 0 && strcmp(t->instance, instance) == 0) {
      d->likely = at;
      return t;
    }
  }
  return NULL;
}

static void remember(struct dispatch *d, const char *type, const char *instance, bool derive)
{
  struct dispatch_told *t = find_told(d, type, instance);
  if (t == NULL && d->told_len < MAX_TOLD) {
    struct dispatch_told *list = realloc(d->told, (d->told_len + 1) * sizeof(*list));
    if (list == NULL)
      return;
    d->told = list;
    t = &list[d->told_len++];
    *t = (struct dispatch_told){.type = type, .derive = derive};
    snprintf(t->instance, sizeof(t->instance), "%s", instance);
  }
  if (t == NULL)
    return;
  t->cycle = d->cycle;
  d->likely = (size_t)(t - d->told) + 1;
}

/* --- sending ---------------------------------------------------------------------------------- */

static void send_values(const struct dispatch *d, const char *type, const char *instance,
                        value_t *values, size_t len, cdtime_t time, cdtime_t interval)
{
  value_list_t vl = VALUE_LIST_INIT;
  vl.values = values;
  vl.values_len = len;
  vl.time = time; /* 0: now, and the interval of the read callback */
  vl.interval = interval;
  if (d->host != NULL)
    sstrncpy(vl.host, d->host, sizeof(vl.host));
  sstrncpy(vl.plugin, d->plugin, sizeof(vl.plugin));
  sstrncpy(vl.plugin_instance, d->device, sizeof(vl.plugin_instance));
  sstrncpy(vl.type, type, sizeof(vl.type));
  sstrncpy(vl.type_instance, instance, sizeof(vl.type_instance));
  plugin_dispatch_values(&vl);
}

static void put(struct dispatch *d, const char *type, const char *instance, bool derive,
                const double *numbers, size_t len)
{
  value_t values[MAX_SOURCES];
  for (size_t i = 0; i < len; i++) {
    if (isnan(numbers[i]) || (derive && !(numbers[i] >= 0 && numbers[i] < 0x1p64)))
      return;
    if (derive)
      values[i].derive = (derive_t)(uint64_t)numbers[i];
    else
      values[i].gauge = numbers[i];
  }
  remember(d, type, instance, derive);
  send_values(d, type, instance, values, len, 0, 0);
}

static bool told_in_this_cycle(struct dispatch *d, const char *type, const char *instance)
{
  const struct dispatch_told *t = find_told(d, type, instance);
  return t != NULL && t->cycle == d->cycle;
}

static void put_parts(struct dispatch *d, const struct reading *r, const struct part_row *row)
{
  const char *base = (const char *)r;
  const char *list = *(const char *const *)(base + row->list);
  size_t len = *(const size_t *)(base + row->len);
  struct part_name *names = len > 0 ? calloc(len, sizeof(*names)) : NULL;
  for (size_t i = 0; names != NULL && i < len; i++) {
    names[i].name = list + i * row->size + row->name;
    names[i].id = list + i * row->size + row->id;
  }
  if (names == NULL || part_names_make(names, len, row->type, row->suffix, &d->shared) < 0) {
    free(names);
    return;
  }
  for (size_t i = 0; i < len; i++) {
    double number = NAN;
    memcpy(&number, list + i * row->size + row->field, sizeof(number));
    if (!told_in_this_cycle(d, row->type, names[i].instance)) /* the same part a second time */
      put(d, row->type, names[i].instance, false, &number, 1);
  }
  free(names);
}

/* What was told before and not in this cycle is unknown now; said as long as the device is silent,
 * once when only this part of it is gone. */
static void put_unknown(struct dispatch *d, bool silent)
{
  size_t kept = 0;
  for (size_t i = 0; i < d->told_len; i++) {
    struct dispatch_told *t = &d->told[i];
    bool now = t->cycle == d->cycle;
    if (!now && !t->derive) /* a rate becomes unknown by itself when nothing comes */
      send_values(d, t->type, t->instance, &(value_t){.gauge = NAN}, 1, 0, 0);
    if (now || silent)
      d->told[kept++] = *t;
  }
  d->told_len = kept;
}

void dispatch_reading(struct dispatch *d, const struct reading *r)
{
  d->cycle++;
  for (size_t i = 0; r != NULL && i < sizeof(value_rows) / sizeof(value_rows[0]); i++) {
    const struct value_row *row = &value_rows[i];
    double numbers[MAX_SOURCES];
    for (size_t f = 0; f < row->fields; f++)
      memcpy(&numbers[f], (const char *)r + row->field[f], sizeof(double));
    if (row->kind == r->kind)
      put(d, row->type, row->instance, row->derive, numbers, row->fields);
  }
  for (size_t i = 0; r != NULL && i < sizeof(part_rows) / sizeof(part_rows[0]); i++) {
    if (part_rows[i].kind == r->kind)
      put_parts(d, r, &part_rows[i]);
  }
  put_unknown(d, r == NULL);
}

void dispatch_count(const struct dispatch *d, enum reading_kind kind, int64_t border, int64_t t,
                    double count)
{
  send_values(d, "interval_count", count_instances[kind], &(value_t){.gauge = count}, 1,
              TIME_T_TO_CDTIME_T((time_t)border), TIME_T_TO_CDTIME_T((time_t)t));
}

void dispatch_release(struct dispatch *d)
{
  free(d->told);
  json_decref(d->shared);
  d->shared = NULL;
  d->told = NULL;
  d->told_len = 0;
}
