/* SPDX-License-Identifier: MIT */
#include "plugins/reading.h"

#include "common/address.h"
#include "common/json.h"
#include "common/number.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ELEMENTS 10000

void reading_init(struct reading *r, enum reading_kind kind)
{
  *r = (struct reading){
      .kind = kind,
      .observed_at = INT64_MIN,
      .capacity_bytes = NAN,
      .used_bytes = NAN,
      .transfers = NAN,
      .transfers_per_s = NAN,
      .reads = NAN,
      .read_bytes = NAN,
      .write_bytes = NAN,
      .slots_total = NAN,
      .slots_used = NAN,
      .drives = NAN,
      .pages_total = NAN,
      .pages_color = NAN,
  };
}

void reading_release(struct reading *r)
{
  free(r->volumes);
  free(r->drive_list);
  free(r->supplies);
  free(r->trays);
  free(r->items);
  free(r->counters);
  reading_init(r, r->kind);
}

/* The list grown by one element (all zero), or NULL with the old list untouched. */
static void *grow(void *list, size_t *len, size_t size)
{
  if (*len >= MAX_ELEMENTS)
    return NULL;
  /* Room is doubled at powers of two, so that no capacity has to be kept. */
  if ((*len & (*len - 1)) == 0) {
    list = realloc(list, (*len == 0 ? 1 : *len * 2) * size);
    if (list == NULL)
      return NULL;
  }
  memset((char *)list + *len * size, 0, size);
  (*len)++;
  return list;
}

#define GROW(r, list)                                                                              \
  do {                                                                                             \
    void *grown = grow((r)->list, &(r)->list##_len, sizeof(*(r)->list));                           \
    if (grown == NULL)                                                                             \
      return NULL;                                                                                 \
    (r)->list = grown;                                                                             \
  } while (0)

struct reading_volume *reading_add_volume(struct reading *r)
{
  GROW(r, volumes);
  struct reading_volume *v = &r->volumes[r->volumes_len - 1];
  v->capacity_bytes = v->used_bytes = NAN;
  return v;
}

struct reading_drive *reading_add_drive(struct reading *r)
{
  GROW(r, drive_list);
  struct reading_drive *d = &r->drive_list[r->drive_list_len - 1];
  d->capacity_bytes = d->life_left_percent = d->read_bytes = d->written_bytes = NAN;
  return d;
}

struct reading_supply *reading_add_supply(struct reading *r)
{
  GROW(r, supplies);
  struct reading_supply *s = &r->supplies[r->supplies_len - 1];
  s->max = s->level = NAN;
  return s;
}

struct reading_tray *reading_add_tray(struct reading *r)
{
  GROW(r, trays);
  struct reading_tray *t = &r->trays[r->trays_len - 1];
  t->capacity = t->level = NAN;
  return t;
}

struct reading_item *reading_add_item(struct reading *r)
{
  GROW(r, items);
  struct reading_item *i = &r->items[r->items_len - 1];
  i->number = NAN;
  return i;
}

struct reading_counter *reading_add_counter(struct reading *r)
{
  GROW(r, counters);
  return &r->counters[r->counters_len - 1];
}

const char *reading_level_state(double level)
{
  if (isnan(level))
    return "";
  if (level >= 0)
    return "measured";
  return level == -1 ? "unrestricted" : level == -3 ? "some_remaining" : "unknown";
}

const char *reading_kind_name(enum reading_kind kind)
{
  static const char *const names[] = {"disk_array", "media_library", "printer"};
  return names[kind];
}

json_t *reading_drives_to_json(const struct reading *r)
{
  json_t *drives = json_array();
  for (size_t i = 0; i < r->drive_list_len; i++) {
    const struct reading_drive *d = &r->drive_list[i];
    json_t *e = json_object();
    tm_json_put(&e, "name", tm_json_text(d->name));
    tm_json_put(&e, "vendor", tm_json_text(d->vendor));
    tm_json_put(&e, "model", tm_json_text(d->model));
    tm_json_put(&e, "serial", tm_json_text(d->serial));
    tm_json_put(&e, "state", tm_json_text(d->state));
    tm_json_put(&e, "capacity_bytes", tm_json_number(d->capacity_bytes));
    tm_json_put(&e, "life_left_percent", tm_json_number(d->life_left_percent));
    tm_json_put(&e, "read_bytes", tm_json_number(d->read_bytes));
    tm_json_put(&e, "written_bytes", tm_json_number(d->written_bytes));
    tm_json_push(&drives, e);
  }
  return drives;
}

static void put_disk_array(json_t **o, const struct reading *r)
{
  tm_json_put(o, "capacity_bytes", tm_json_number(r->capacity_bytes));
  tm_json_put(o, "used_bytes", tm_json_number(r->used_bytes));
  tm_json_put(o, "transfers", tm_json_number(r->transfers));
  tm_json_put(o, "transfers_per_s", tm_json_number(r->transfers_per_s));
  json_t *volumes = json_array();
  for (size_t i = 0; i < r->volumes_len; i++) {
    const struct reading_volume *v = &r->volumes[i];
    json_t *e = json_object();
    tm_json_put(&e, "name", tm_json_text(v->name));
    tm_json_put(&e, "capacity_bytes", tm_json_number(v->capacity_bytes));
    tm_json_put(&e, "used_bytes", tm_json_number(v->used_bytes));
    tm_json_push(&volumes, e);
  }
  tm_json_put(o, "volumes", volumes);
  tm_json_put(o, "drive_list", reading_drives_to_json(r));
}

static void put_media_library(json_t **o, const struct reading *r)
{
  tm_json_put(o, "slots_total", tm_json_number(r->slots_total));
  tm_json_put(o, "slots_used", tm_json_number(r->slots_used));
  tm_json_put(o, "drives", tm_json_number(r->drives));
  tm_json_put(o, "drive_list", reading_drives_to_json(r));
}

/* A unit by its name; a code that has none is a number. */
static json_t *unit_of(const char *unit)
{
  uint64_t code = 0;
  return tm_parse_u64(unit, 0, INT32_MAX, &code) == 0 ? json_integer((json_int_t)code)
                                                      : tm_json_text(unit);
}

static void put_supplies(json_t **o, const struct reading *r)
{
  json_t *supplies = json_array();
  for (size_t i = 0; i < r->supplies_len; i++) {
    const struct reading_supply *s = &r->supplies[i];
    json_t *e = json_object();
    tm_json_put(&e, "name", tm_json_text(s->name));
    tm_json_put(&e, "max", tm_json_number(s->max));
    tm_json_put(&e, "level", tm_json_number(s->level));
    tm_json_put(&e, "state", tm_json_text(s->state));
    tm_json_put(&e, "unit", unit_of(s->unit));
    tm_json_push(&supplies, e);
  }
  tm_json_put(o, "supplies", supplies);
}

static void put_printer(json_t **o, const struct reading *r)
{
  tm_json_put(o, "pages_total", tm_json_number(r->pages_total));
  tm_json_put(o, "pages_unit", tm_json_text(r->pages_unit));
  tm_json_put(o, "pages_color", tm_json_number(r->pages_color));
  put_supplies(o, r);
  json_t *trays = json_array();
  for (size_t i = 0; i < r->trays_len; i++) {
    const struct reading_tray *t = &r->trays[i];
    json_t *e = json_object();
    tm_json_put(&e, "name", tm_json_text(t->name));
    tm_json_put(&e, "capacity", tm_json_number(t->capacity));
    tm_json_put(&e, "level", tm_json_number(t->level));
    tm_json_push(&trays, e);
  }
  tm_json_put(o, "trays", trays);
}

static void put_items(json_t **o, const struct reading *r)
{
  json_t *items = json_array();
  char shown[READING_NAME + 64];
  for (size_t i = 0; i < r->items_len; i++) {
    const struct reading_item *it = &r->items[i];
    json_t *e = json_object();
    tm_json_put(&e, "name", tm_json_text(it->name));
    tm_address_hide(shown, sizeof(shown), it->text);
    tm_json_put(&e, "value", shown[0] != '\0' ? tm_json_text(shown) : tm_json_number(it->number));
    tm_json_put(&e, "unit", tm_json_text(it->unit));
    tm_json_put(&e, "nature", tm_json_text(it->nature));
    tm_json_put(&e, "state", tm_json_text(it->state));
    tm_json_push(&items, e);
  }
  tm_json_put(o, "items", items);
}

void reading_put_identity(json_t **o, const struct reading *r)
{
  tm_json_put(o, "kind", json_string(reading_kind_name(r->kind)));
  tm_json_put(o, "vendor", tm_json_text(r->vendor));
  tm_json_put(o, "model", tm_json_text(r->model));
  tm_json_put(o, "serial", tm_json_text(r->serial));
  tm_json_put(o, "firmware", tm_json_text(r->firmware));
  tm_json_put(o, "profile", tm_json_text(r->profile));
}

json_t *reading_to_json(const struct reading *r)
{
  json_t *o = json_object();
  tm_json_put(&o, "schema", json_string("tidemark.reading/1"));
  reading_put_identity(&o, r);
  tm_json_put(&o, "observed_at", tm_json_time(r->observed_at));
  tm_json_put(&o, "error", r->error.code != 0 ? tm_json_text(r->error.text) : json_null());
  if (r->kind == READING_DISK_ARRAY)
    put_disk_array(&o, r);
  else if (r->kind == READING_MEDIA_LIBRARY)
    put_media_library(&o, r);
  else
    put_printer(&o, r);
  if (r->items_len > 0)
    put_items(&o, r);
  return o;
}
