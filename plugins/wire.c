/* SPDX-License-Identifier: MIT */
#include "plugins/wire.h"

#include "common/json.h"
#include "common/text.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* Every member of the reading and of its lists, once, for both directions. */
enum kind { NUMBER, TEXT, TIME, WORD64, WORD32 };

struct field {
  const char *name; /* NULL ends a table */
  enum kind kind;
  size_t offset;
  size_t size; /* of a TEXT */
};

#define FIELD(type, kind, member)                                                                  \
  {                                                                                                \
#member, kind, offsetof(struct type, member), sizeof(((struct type *)0)->member)               \
  }

static const struct field reading_fields[] = {
    FIELD(reading, TEXT, vendor),           FIELD(reading, TEXT, model),
    FIELD(reading, TEXT, serial),           FIELD(reading, TEXT, firmware),
    FIELD(reading, TEXT, profile),          FIELD(reading, TIME, observed_at),
    FIELD(reading, NUMBER, capacity_bytes), FIELD(reading, NUMBER, used_bytes),
    FIELD(reading, NUMBER, transfers),      FIELD(reading, NUMBER, transfers_per_s),
    FIELD(reading, NUMBER, reads),          FIELD(reading, NUMBER, read_bytes),
    FIELD(reading, NUMBER, write_bytes),    FIELD(reading, NUMBER, slots_total),
    FIELD(reading, NUMBER, slots_used),     FIELD(reading, NUMBER, drives),
    FIELD(reading, NUMBER, pages_total),    FIELD(reading, TEXT, pages_unit),
    FIELD(reading, NUMBER, pages_color),    {0}};
static const struct field volume_fields[] = {FIELD(reading_volume, TEXT, name),
                                             FIELD(reading_volume, TEXT, id),
                                             FIELD(reading_volume, NUMBER, capacity_bytes),
                                             FIELD(reading_volume, NUMBER, used_bytes),
                                             {0}};
static const struct field drive_fields[] = {FIELD(reading_drive, TEXT, name),
                                            FIELD(reading_drive, TEXT, vendor),
                                            FIELD(reading_drive, TEXT, model),
                                            FIELD(reading_drive, TEXT, serial),
                                            FIELD(reading_drive, TEXT, state),
                                            FIELD(reading_drive, NUMBER, capacity_bytes),
                                            FIELD(reading_drive, NUMBER, life_left_percent),
                                            FIELD(reading_drive, NUMBER, read_bytes),
                                            FIELD(reading_drive, NUMBER, written_bytes),
                                            {0}};
static const struct field supply_fields[] = {FIELD(reading_supply, TEXT, name),
                                             FIELD(reading_supply, TEXT, id),
                                             FIELD(reading_supply, NUMBER, max),
                                             FIELD(reading_supply, NUMBER, level),
                                             FIELD(reading_supply, TEXT, state),
                                             FIELD(reading_supply, TEXT, unit),
                                             {0}};
static const struct field tray_fields[] = {FIELD(reading_tray, TEXT, name),
                                           FIELD(reading_tray, TEXT, id),
                                           FIELD(reading_tray, NUMBER, capacity),
                                           FIELD(reading_tray, NUMBER, level),
                                           {0}};
static const struct field item_fields[] = {FIELD(reading_item, TEXT, name),
                                           FIELD(reading_item, NUMBER, number),
                                           FIELD(reading_item, TEXT, text),
                                           FIELD(reading_item, TEXT, unit),
                                           FIELD(reading_item, TEXT, nature),
                                           FIELD(reading_item, TEXT, state),
                                           {0}};
static const struct field counter_fields[] = {FIELD(reading_counter, TEXT, name),
                                              FIELD(reading_counter, WORD64, value),
                                              FIELD(reading_counter, WORD32, bits),
                                              FIELD(reading_counter, WORD64, epoch),
                                              {0}};

#define ADD(what)                                                                                  \
  static void *add_##what(struct reading *r)                                                       \
  {                                                                                                \
    return reading_add_##what(r);                                                                  \
  }
ADD(volume)
ADD(drive)
ADD(supply)
ADD(tray)
ADD(item)
ADD(counter)

struct list {
  const char *name;
  const struct field *fields;
  size_t list, len; /* offsets in struct reading */
  size_t size;      /* of one element */
  void *(*add)(struct reading *r);
};

#define LIST(member, one)                                                                          \
  {                                                                                                \
#member, one##_fields, offsetof(struct reading, member),                                       \
        offsetof(struct reading, member##_len), sizeof(*((struct reading *)0)->member), add_##one  \
  }

static const struct list lists[] = {LIST(volumes, volume),  LIST(drive_list, drive),
                                    LIST(supplies, supply), LIST(trays, tray),
                                    LIST(items, item),      LIST(counters, counter)};

#if __SIZEOF_POINTER__ == 8
/* Whoever adds a member gives it a row above, and the new size here. */
_Static_assert(sizeof(struct reading) == 1496, "a member of struct reading has no row here");
#endif

/* --- to JSON ------------------------------------------------------------------------------ */

static void put(json_t *o, const struct field *f, const void *base)
{
  const char *at = (const char *)base + f->offset;
  double number;
  int64_t time;
  uint64_t word64;
  unsigned word32;
  switch (f->kind) {
  case NUMBER:
    memcpy(&number, at, sizeof(number));
    if (isfinite(number))
      json_object_set_new(o, f->name, tm_json_number(number));
    break;
  case TEXT:
    if (at[0] != '\0')
      json_object_set_new(o, f->name, json_string(at));
    break;
  case TIME:
    memcpy(&time, at, sizeof(time));
    if (time != INT64_MIN)
      json_object_set_new(o, f->name, json_integer(time));
    break;
  case WORD64: /* Jansson's integers are signed: the bits are the same */
    memcpy(&word64, at, sizeof(word64));
    json_object_set_new(o, f->name, json_integer((json_int_t)word64));
    break;
  case WORD32:
    memcpy(&word32, at, sizeof(word32));
    json_object_set_new(o, f->name, json_integer(word32));
    break;
  }
}

static json_t *from_list(const struct reading *r, const struct list *l)
{
  const char *element;
  size_t len;
  memcpy(&element, (const char *)r + l->list, sizeof(element));
  memcpy(&len, (const char *)r + l->len, sizeof(len));
  json_t *out = json_array();
  for (size_t i = 0; i < len; i++, element += l->size) {
    json_t *o = json_object();
    for (const struct field *f = l->fields; f->name != NULL; f++)
      put(o, f, element);
    json_array_append_new(out, o);
  }
  return out;
}

json_t *wire_from_reading(const struct reading *r)
{
  json_t *o = json_object();
  if (o == NULL)
    return NULL;
  json_object_set_new(o, "kind", json_string(reading_kind_name(r->kind)));
  for (const struct field *f = reading_fields; f->name != NULL; f++)
    put(o, f, r);
  for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
    json_object_set_new(o, lists[i].name, from_list(r, &lists[i]));
  if (r->error.code != 0) {
    json_object_set_new(o, "error_code", json_integer(r->error.code));
    json_object_set_new(o, "error", tm_json_text(r->error.text));
  }
  return o;
}

/* --- from JSON ---------------------------------------------------------------------------- */

static void take(const json_t *o, const struct field *f, void *base)
{
  char *at = (char *)base + f->offset;
  const json_t *v = json_object_get(o, f->name);
  json_int_t integer = json_integer_value(v);
  double number = json_is_number(v) ? json_number_value(v) : NAN;
  uint64_t word64 = (uint64_t)integer;
  unsigned word32 = (unsigned)integer;
  int64_t time = json_is_integer(v) ? integer : INT64_MIN;
  switch (f->kind) {
  case NUMBER:
    memcpy(at, &number, sizeof(number));
    break;
  case TEXT:
    at[0] = '\0';
    if (json_is_string(v))
      tm_text_clean(at, f->size, json_string_value(v), json_string_length(v));
    break;
  case TIME:
    memcpy(at, &time, sizeof(time));
    break;
  case WORD64:
    memcpy(at, &word64, sizeof(word64));
    break;
  case WORD32:
    memcpy(at, &word32, sizeof(word32));
    break;
  }
}

static int to_list(const json_t *array, const struct list *l, struct reading *r)
{
  for (size_t i = 0; i < json_array_size(array); i++) {
    void *element = l->add(r);
    if (element == NULL)
      return -ENOMEM;
    for (const struct field *f = l->fields; f->name != NULL; f++)
      take(json_array_get(array, i), f, element);
  }
  return 0;
}

static bool find_kind(const char *name, enum reading_kind *kind)
{
  static const enum reading_kind kinds[] = {READING_DISK_ARRAY, READING_MEDIA_LIBRARY,
                                            READING_PRINTER};
  for (size_t i = 0; name != NULL && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
    if (strcmp(reading_kind_name(kinds[i]), name) == 0) {
      *kind = kinds[i];
      return true;
    }
  }
  return false;
}

int wire_to_reading(const json_t *o, struct reading *r)
{
  enum reading_kind kind = READING_DISK_ARRAY;
  bool known = find_kind(tm_json_get_string(o, "kind"), &kind);
  reading_init(r, kind);
  if (!known)
    return -EBADMSG;
  for (const struct field *f = reading_fields; f->name != NULL; f++)
    take(o, f, r);
  int rc = 0;
  for (size_t i = 0; rc == 0 && i < sizeof(lists) / sizeof(lists[0]); i++)
    rc = to_list(json_object_get(o, lists[i].name), &lists[i], r);
  if (rc < 0) {
    reading_release(r);
    return rc;
  }
  json_int_t code = json_integer_value(json_object_get(o, "error_code"));
  const char *why = tm_json_get_string(o, "error");
  if (code != 0)
    tm_fail(&r->error, code < 0 && code > -4096 ? (int)code : -EIO, "%s",
            why != NULL ? why : "no reason was told");
  return 0;
}
