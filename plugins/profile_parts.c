/* SPDX-License-Identifier: MIT */
/* From JSON to a profile's parts: tables, rules, items, and the whole. */
#include "plugins/profile_compile.h"

#include "common/json.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Which member fills which part: of a table, and of the profile. */
struct part {
  const char *name;
  enum { TEXTS, NUMBERS, TABLES, TESTS } kind;
  size_t offset;
};

static int compile_tables(struct profile_loader *l, json_t *j, const char *member,
                          struct profile_tables *out);

static int compile_parts(struct profile_loader *l, json_t *o, const struct part *parts, void *base)
{
  int rc = 0;
  for (; rc == 0 && parts->name != NULL; parts++) {
    json_t *j = json_object_get(o, parts->name);
    void *place = (char *)base + parts->offset;
    if (j == NULL || json_is_null(j))
      continue;
    if (parts->kind == TEXTS)
      rc = profile_compile_texts(l, j, parts->name, place);
    else if (parts->kind == NUMBERS)
      rc = profile_compile_numbers(l, j, parts->name, place);
    else if (parts->kind == TESTS)
      rc = profile_compile_tests(l, j, parts->name, place);
    else
      rc = compile_tables(l, j, parts->name, place);
  }
  return rc;
}

static const struct part table_parts[] = {
    {"where", TESTS, offsetof(struct profile_table, where)},
    {"group", TEXTS, offsetof(struct profile_table, group)},
    {"name", TEXTS, offsetof(struct profile_table, name)},
    {"serial", TEXTS, offsetof(struct profile_table, serial)},
    {"state", TEXTS, offsetof(struct profile_table, state)},
    {"vendor", TEXTS, offsetof(struct profile_table, vendor)},
    {"model", TEXTS, offsetof(struct profile_table, model)},
    {"unit", TEXTS, offsetof(struct profile_table, unit)},
    {"capacity_bytes", NUMBERS, offsetof(struct profile_table, capacity)},
    {"capacity", NUMBERS, offsetof(struct profile_table, capacity)},
    {"max", NUMBERS, offsetof(struct profile_table, capacity)},
    {"used_bytes", NUMBERS, offsetof(struct profile_table, used)},
    {"free_bytes", NUMBERS, offsetof(struct profile_table, free)},
    {"level", NUMBERS, offsetof(struct profile_table, level)},
    {"read_bytes", NUMBERS, offsetof(struct profile_table, read)},
    {"written_bytes", NUMBERS, offsetof(struct profile_table, written)},
    {NULL, TEXTS, 0},
};

static int compile_table(struct profile_loader *l, json_t *o, const char *member, void *out)
{
  static const char *const names[] = {
      "rows",     "where",          "counts",     "distinct", "otherwise",  "group",
      "name",     "serial",         "state",      "vendor",   "model",      "unit",
      "capacity", "used_bytes",     "free_bytes", "level",    "read_bytes", "written_bytes",
      "max",      "capacity_bytes", NULL};
  struct profile_table *t = out;
  int rc = profile_only(l, o, member, names);
  if (rc == 0)
    rc = profile_compile_oid(l, json_object_get(o, "rows"), member, &t->rows);
  if (rc == 0)
    rc = compile_parts(l, o, table_parts, t);
  json_t *counts = json_object_get(o, "counts");
  if (json_is_false(counts))
    t->uncounted = true;
  else if (rc == 0)
    rc = profile_compile_tests(l, counts, member, &t->counts);
  t->distinct = tm_json_get_bool(o, "distinct", false);
  t->otherwise = tm_json_get_bool(o, "otherwise", false);
  return rc;
}

static int compile_tables(struct profile_loader *l, json_t *j, const char *member,
                          struct profile_tables *out)
{
  struct profile_list list;
  int rc = profile_compile_list(l, j, member, sizeof(*out->list), compile_table, &list);
  if (rc == 0)
    *out = (struct profile_tables){list.first, list.len};
  return rc;
}

static int compile_rule(struct profile_loader *l, json_t *o, const char *member, void *out)
{
  static const char *const names[] = {"object_id", "descr", "not_descr", "probe", "prefer", NULL};
  struct profile_rule *r = out;
  int rc = profile_only(l, o, member, names);
  if (rc == 0 && json_object_get(o, "object_id") != NULL)
    rc = profile_compile_oid(l, json_object_get(o, "object_id"), member, &r->object_id);
  if (rc == 0)
    rc = profile_compile_regex(l, json_object_get(o, "descr"), member, &r->descr);
  if (rc == 0)
    rc = profile_compile_regex(l, json_object_get(o, "not_descr"), member, &r->not_descr);
  if (rc == 0)
    rc = profile_compile_tests(l, json_object_get(o, "probe"), member, &r->probes);
  if (rc == 0 && r->object_id.len == 0 && r->descr == NULL && r->probes.len == 0)
    rc = profile_refuse(l, member, "a rule needs an object_id, a descr or a probe");
  double prefer = tm_json_get_number(o, "prefer");
  r->prefer = isnan(prefer) ? 0 : prefer;
  return rc;
}

static int compile_rules(struct profile_loader *l, json_t *j, struct profile *p)
{
  struct profile_list list;
  int rc = profile_compile_list(l, j, "recognise", sizeof(*p->rules), compile_rule, &list);
  if (rc == 0) {
    p->rules = list.first;
    p->rules_len = list.len;
  }
  return rc;
}

/* Names go into requests and answers (contrib/schema/request.schema.json); there is room left for
 * the label of a row. */
static bool is_item_name(const char *name)
{
  size_t len = strlen(name);
  return len >= 1 && len <= 48 &&
         name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")] ==
             '\0';
}

static int compile_items(struct profile_loader *l, json_t *j, struct profile *p)
{
  static const char *const names[] = {"number", "text", "unit", "nature", "rows", "label", NULL};
  static const char *const natures[] = {"measurement", "setting", "counter"};
  if (j == NULL)
    return 0;
  p->items = profile_alloc(l, json_object_size(j), sizeof(*p->items));
  if (p->items == NULL)
    return -ENOMEM;
  const char *key;
  json_t *o;
  json_object_foreach(j, key, o)
  {
    struct profile_item *it = &p->items[p->items_len++];
    int rc = profile_only(l, o, key, names);
    if (rc == 0)
      rc = profile_compile_numbers(l, json_object_get(o, "number"), key, &it->number);
    if (rc == 0)
      rc = profile_compile_texts(l, json_object_get(o, "text"), key, &it->text);
    if (rc == 0 && it->number.len + it->text.len == 0)
      rc = profile_refuse(l, key, "an item needs a number or a text");
    if (rc == 0 && json_object_get(o, "rows") != NULL)
      rc = profile_compile_oid(l, json_object_get(o, "rows"), key, &it->rows);
    if (rc == 0)
      rc = profile_compile_texts(l, json_object_get(o, "label"), key, &it->label);
    const char *nature = tm_json_get_string(o, "nature");
    for (size_t i = 0; nature != NULL && i < sizeof(natures) / sizeof(natures[0]); i++)
      if (strcmp(nature, natures[i]) == 0)
        snprintf(it->nature, sizeof(it->nature), "%s", nature);
    if (rc == 0 && it->nature[0] == '\0')
      rc = profile_refuse(l, key, "nature is measurement, setting or counter");
    if (rc == 0 && !is_item_name(key))
      rc = profile_refuse(l, key, "a name has 1 to 48 letters, digits, hyphens or underscores");
    if (rc < 0)
      return rc;
    const char *unit = tm_json_get_string(o, "unit");
    snprintf(it->name, sizeof(it->name), "%s", key);
    snprintf(it->unit, sizeof(it->unit), "%s", unit != NULL ? unit : "");
  }
  return 0;
}

static const struct part profile_parts[] = {
    {"vendor", TEXTS, offsetof(struct profile, vendor)},
    {"model", TEXTS, offsetof(struct profile, model)},
    {"serial", TEXTS, offsetof(struct profile, serial)},
    {"firmware", TEXTS, offsetof(struct profile, firmware)},
    {"capacity_bytes", NUMBERS, offsetof(struct profile, capacity)},
    {"used_bytes", NUMBERS, offsetof(struct profile, used)},
    {"transfers", NUMBERS, offsetof(struct profile, transfers)},
    {"transfers_per_s", NUMBERS, offsetof(struct profile, transfers_per_s)},
    {"reads", NUMBERS, offsetof(struct profile, reads)},
    {"read_bytes", NUMBERS, offsetof(struct profile, read_bytes)},
    {"write_bytes", NUMBERS, offsetof(struct profile, write_bytes)},
    {"pools", TABLES, offsetof(struct profile, pools)},
    {"volumes", TABLES, offsetof(struct profile, volumes)},
    {"slots_total", NUMBERS, offsetof(struct profile, slots_total)},
    {"slots_used", NUMBERS, offsetof(struct profile, slots_used)},
    {"drives", NUMBERS, offsetof(struct profile, drives)},
    {"drive_list", TABLES, offsetof(struct profile, drive_list)},
    {"pages_total", NUMBERS, offsetof(struct profile, pages_total)},
    {"pages_unit", TEXTS, offsetof(struct profile, pages_unit)},
    {"pages_color", NUMBERS, offsetof(struct profile, pages_color)},
    {"supplies", TABLES, offsetof(struct profile, supplies)},
    {"trays", TABLES, offsetof(struct profile, trays)},
    {NULL, TEXTS, 0},
};

int profile_compile(struct profile_loader *l, const char *name, json_t *json, struct profile *p)
{
  enum { PARTS = sizeof(profile_parts) / sizeof(profile_parts[0]) - 1 };
  static const char *const others[] = {"schema", "description", "inherit",
                                       "kind",   "recognise",   "items"};
  enum { OTHERS = sizeof(others) / sizeof(others[0]) };
  const char *names[PARTS + OTHERS + 1] = {0};
  for (size_t i = 0; i < PARTS; i++)
    names[i] = profile_parts[i].name;
  for (size_t i = 0; i < OTHERS; i++)
    names[PARTS + i] = others[i];
  int rc = profile_only(l, json, "profile", names);
  if (rc < 0)
    return rc;
  snprintf(p->name, sizeof(p->name), "%s", name);
  const char *kind = tm_json_get_string(json, "kind");
  bool known = false;
  for (int k = READING_DISK_ARRAY; kind != NULL && k <= READING_PRINTER; k++)
    if (strcmp(kind, reading_kind_name((enum reading_kind)k)) == 0) {
      p->kind = (enum reading_kind)k;
      known = true;
    }
  json_t *rules = json_object_get(json, "recognise");
  if ((kind != NULL && !known) || (kind == NULL && rules != NULL))
    return profile_refuse(l, "kind", "is disk_array, media_library or printer");
  rc = compile_rules(l, rules, p);
  if (rc == 0)
    rc = compile_parts(l, json, profile_parts, p);
  if (rc == 0)
    rc = compile_items(l, json_object_get(json, "items"), p);
  return rc == 0 ? profile_compile_wants(l, p) : rc;
}
