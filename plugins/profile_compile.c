/* SPDX-License-Identifier: MIT */
#include "plugins/profile_compile.h"

#include "common/json.h"
#include "common/text.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *profile_alloc(struct profile_loader *l, size_t count, size_t size)
{
  size_t bytes = 0;
  struct profile_block *b = NULL;
  if (!__builtin_mul_overflow(count, size, &bytes) && bytes < (1U << 20))
    b = calloc(1, sizeof(*b) + bytes);
  if (b == NULL) {
    tm_fail(l->err, -ENOMEM, "%s: %s", l->file, strerror(ENOMEM));
    return NULL;
  }
  b->next = *l->memory;
  *l->memory = b;
  return b->data;
}

void profile_memory_release(struct profile_block **memory)
{
  while (*memory != NULL) {
    struct profile_block *b = *memory;
    *memory = b->next;
    if (b->is_regex)
      regfree((regex_t *)b->data);
    free(b);
  }
}

static int refuse(struct profile_loader *l, const char *member, const char *why)
{
  return tm_fail(l->err, -EINVAL, "%s: %s: %s", l->file, member, why);
}

/* Refuses members that are not in the NULL-terminated list: a typing mistake is not passed over. */
static int only(struct profile_loader *l, const json_t *object, const char *member,
                const char *const *names)
{
  if (!json_is_object(object))
    return refuse(l, member, "must be an object");
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)object, key, value)
  {
    size_t i = 0;
    while (names[i] != NULL && strcmp(names[i], key) != 0)
      i++;
    if (names[i] != NULL)
      continue;
    const char *near = tm_text_nearest(key, names);
    return tm_fail(l->err, -EINVAL, "%s: %s: unknown member '%s'%s%s%s", l->file, member, key,
                   near != NULL ? " (did you mean '" : "", near != NULL ? near : "",
                   near != NULL ? "'?)" : "");
  }
  return 0;
}

/* The elements of an array, or a single value as an array of one. */
static size_t count_of(const json_t *j)
{
  return j == NULL ? 0 : json_is_array(j) ? json_array_size(j) : 1;
}

static json_t *element(json_t *j, size_t i)
{
  return json_is_array(j) ? json_array_get(j, i) : j;
}

static int compile_oid(struct profile_loader *l, const json_t *j, const char *member,
                       struct oid_path *oid)
{
  const char *text = json_string_value(j);
  if (text == NULL || oid_parse(text, oid) < 0)
    return refuse(l, member, "is not an object identifier of at most 32 arcs in dotted form");
  return 0;
}

/* "oid" or "column"; 0 also when neither is there (oid->len stays 0). */
static int compile_place(struct profile_loader *l, json_t *o, const char *member,
                         struct oid_path *oid, bool *column)
{
  json_t *scalar = json_object_get(o, "oid");
  json_t *col = json_object_get(o, "column");
  if (scalar != NULL && col != NULL)
    return refuse(l, member, "has both an oid and a column");
  *column = col != NULL;
  if (scalar == NULL && col == NULL)
    return 0;
  return compile_oid(l, scalar != NULL ? scalar : col, member, oid);
}

static int compile_regex(struct profile_loader *l, const json_t *j, const char *member,
                         regex_t **regex)
{
  if (j == NULL)
    return 0;
  const char *text = json_string_value(j);
  if (text == NULL)
    return refuse(l, member, "an expression must be a string");
  regex_t *r = profile_alloc(l, 1, sizeof(*r));
  if (r == NULL)
    return -ENOMEM;
  int code = regcomp(r, text, REG_EXTENDED | REG_NEWLINE);
  if (code != 0) {
    char why[128];
    regerror(code, r, why, sizeof(why));
    return refuse(l, member, why);
  }
  (*l->memory)->is_regex = true;
  *regex = r;
  return 0;
}

static int compile_string(struct profile_loader *l, const json_t *j, const char *member, char **out)
{
  const char *text = json_string_value(j);
  if (text == NULL)
    return refuse(l, member, "must be a string");
  size_t size = strlen(text) + 1;
  *out = profile_alloc(l, size, 1);
  if (*out == NULL)
    return -ENOMEM;
  memcpy(*out, text, size);
  return 0;
}

static int compile_tests(struct profile_loader *l, json_t *j, const char *member,
                         struct profile_tests *out)
{
  static const char *const names[] = {"oid", "column", "match", "not", "above", NULL};
  size_t len = count_of(j);
  if (len == 0)
    return 0;
  out->list = profile_alloc(l, len, sizeof(*out->list));
  if (out->list == NULL)
    return -ENOMEM;
  for (size_t i = 0; i < len; i++) {
    struct profile_test *t = &out->list[i];
    json_t *o = element(j, i);
    int rc = only(l, o, member, names);
    if (rc == 0)
      rc = compile_place(l, o, member, &t->oid, &t->column);
    if (rc == 0 && t->oid.len == 0)
      rc = refuse(l, member, "a condition needs an oid or a column");
    if (rc == 0)
      rc = compile_regex(l, json_object_get(o, "match"), member, &t->match);
    if (rc == 0)
      rc = compile_regex(l, json_object_get(o, "not"), member, &t->unlike);
    if (rc < 0)
      return rc;
    t->above = tm_json_get_number(o, "above");
  }
  out->len = len;
  return 0;
}

static int compile_key(struct profile_loader *l, json_t *o, const char *member,
                       struct profile_key *key)
{
  static const char *const names[] = {"by", "skip", "parts", NULL};
  json_t *j = json_object_get(o, "index");
  if (j == NULL)
    return 0;
  int rc = only(l, j, member, names);
  if (rc < 0)
    return rc;
  if (json_object_get(j, "by") != NULL)
    return compile_oid(l, json_object_get(j, "by"), member, &key->by);
  json_int_t skip = json_integer_value(json_object_get(j, "skip"));
  json_int_t parts = json_integer_value(json_object_get(j, "parts"));
  if (skip < 0 || skip > SNMP_ARCS || parts < 0 || parts > SNMP_ARCS)
    return refuse(l, member, "skip and parts of an index are counts of arcs");
  key->skip = (size_t)skip;
  key->parts = (size_t)parts;
  return 0;
}

static int compile_unit_name(struct profile_loader *l, const char *text, const char *member,
                             double *factor)
{
  static const struct {
    const char *name;
    double bytes;
  } units[] = {{"B", 1},        {"blocks", 512}, {"KiB", 0x1p10}, {"MiB", 0x1p20}, {"GiB", 0x1p30},
               {"TiB", 0x1p40}, {"KB", 1e3},     {"MB", 1e6},     {"GB", 1e9},     {"TB", 1e12}};
  for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
    if (strcmp(units[i].name, text) == 0) {
      *factor = units[i].bytes;
      return 0;
    }
  return refuse(l, member, "unknown unit; a name like MiB, MB or blocks, or a number of bytes");
}

static int compile_number(struct profile_loader *l, json_t *o, const char *member,
                          struct profile_number *n);

static int compile_numbers(struct profile_loader *l, json_t *j, const char *member,
                           struct profile_numbers *out)
{
  size_t len = count_of(j);
  if (len == 0)
    return 0;
  out->list = profile_alloc(l, len, sizeof(*out->list));
  if (out->list == NULL)
    return -ENOMEM;
  for (size_t i = 0; i < len; i++) {
    int rc = compile_number(l, element(j, i), member, &out->list[i]);
    if (rc < 0)
      return rc;
  }
  out->len = len;
  return 0;
}

static int compile_terms(struct profile_loader *l, json_t *j, const char *member,
                         struct profile_numbers **out)
{
  if (j == NULL)
    return 0;
  *out = profile_alloc(l, 1, sizeof(**out));
  return *out == NULL ? -ENOMEM : compile_numbers(l, j, member, *out);
}

static int compile_one(struct profile_loader *l, json_t *j, const char *member,
                       struct profile_number **out)
{
  if (j == NULL)
    return 0;
  *out = profile_alloc(l, 1, sizeof(**out));
  return *out == NULL ? -ENOMEM : compile_number(l, j, member, *out);
}

static int compile_unit(struct profile_loader *l, json_t *o, const char *member,
                        struct profile_number *n)
{
  json_t *unit = json_object_get(o, "unit");
  n->factor = 1;
  if (json_is_string(unit))
    return compile_unit_name(l, json_string_value(unit), member, &n->factor);
  if (json_is_number(unit))
    n->factor = json_number_value(unit);
  else
    return compile_one(l, unit, member, &n->unit);
  return n->factor > 0 ? 0 : refuse(l, member, "a unit is greater than 0");
}

static int compile_take(struct profile_loader *l, json_t *o, const char *member,
                        enum profile_take *take)
{
  static const char *const names[] = {"first", "last", "sum", "min", "max", "count", NULL};
  const json_t *j = json_object_get(o, "take");
  if (j == NULL)
    return 0;
  const char *text = json_string_value(j);
  for (size_t i = 0; text != NULL && names[i] != NULL; i++)
    if (strcmp(names[i], text) == 0) {
      *take = (enum profile_take)i;
      return 0;
    }
  return refuse(l, member, "take is one of first, last, sum, min, max, count");
}

static int compile_number(struct profile_loader *l, json_t *o, const char *member,
                          struct profile_number *n)
{
  static const char *const names[] = {"oid",        "column", "low",    "unit",  "index",
                                      "take",       "where",  "plus",   "minus", "match",
                                      "percent_of", "signed", "sum_of", NULL};
  if (json_is_number(o)) {
    n->constant = true;
    n->factor = json_number_value(o);
    return 0;
  }
  int rc = only(l, o, member, names);
  if (rc == 0)
    rc = compile_place(l, o, member, &n->oid, &n->column);
  if (rc == 0)
    rc = compile_terms(l, json_object_get(o, "sum_of"), member, &n->sum_of);
  if (rc == 0 && (n->oid.len == 0) == (n->sum_of == NULL))
    rc = refuse(l, member, "a number needs an oid, a column or a sum_of");
  if (rc == 0 && json_object_get(o, "low") != NULL)
    rc = compile_oid(l, json_object_get(o, "low"), member, &n->low);
  if (rc == 0)
    rc = compile_unit(l, o, member, n);
  if (rc == 0)
    rc = compile_key(l, o, member, &n->key);
  if (rc == 0)
    rc = compile_take(l, o, member, &n->take);
  if (rc == 0)
    rc = compile_tests(l, json_object_get(o, "where"), member, &n->where);
  if (rc == 0)
    rc = compile_terms(l, json_object_get(o, "plus"), member, &n->plus);
  if (rc == 0)
    rc = compile_terms(l, json_object_get(o, "minus"), member, &n->minus);
  if (rc == 0)
    rc = compile_one(l, json_object_get(o, "percent_of"), member, &n->per);
  if (rc == 0)
    rc = compile_regex(l, json_object_get(o, "match"), member, &n->match);
  n->exact = tm_json_get_bool(o, "signed", false);
  return rc;
}

static int compile_words(struct profile_loader *l, json_t *j, const char *member,
                         struct profile_text *t)
{
  if (j == NULL)
    return 0;
  size_t len = json_object_size(j);
  t->words = profile_alloc(l, len, sizeof(*t->words));
  if (t->words == NULL)
    return -ENOMEM;
  const char *key;
  json_t *value;
  json_object_foreach(j, key, value)
  {
    struct profile_name *w = &t->words[t->words_len++];
    const char *word = json_string_value(value);
    char *end = NULL;
    w->code = strtod(key, &end);
    if (end == key || *end != '\0' || word == NULL || strlen(word) >= sizeof(w->word))
      return refuse(l, member, "words are short strings keyed by the number that they stand for");
    snprintf(w->word, sizeof(w->word), "%s", word);
  }
  return 0;
}

static int compile_text(struct profile_loader *l, json_t *o, const char *member,
                        struct profile_text *t)
{
  static const char *const names[] = {"oid",   "column", "index",  "match", "not",
                                      "where", "words",  "prefix", NULL};
  if (json_is_string(o))
    return compile_string(l, o, member, &t->constant);
  int rc = only(l, o, member, names);
  if (rc == 0)
    rc = compile_place(l, o, member, &t->oid, &t->column);
  if (rc == 0 && t->oid.len == 0)
    rc = refuse(l, member, "a text is a string, or has an oid or a column");
  if (rc == 0)
    rc = compile_key(l, o, member, &t->key);
  if (rc == 0)
    rc = compile_regex(l, json_object_get(o, "match"), member, &t->match);
  if (rc == 0)
    rc = compile_regex(l, json_object_get(o, "not"), member, &t->unlike);
  if (rc == 0)
    rc = compile_tests(l, json_object_get(o, "where"), member, &t->where);
  if (rc == 0)
    rc = compile_words(l, json_object_get(o, "words"), member, t);
  if (rc == 0 && json_object_get(o, "prefix") != NULL)
    rc = compile_string(l, json_object_get(o, "prefix"), member, &t->prefix);
  return rc;
}

static int compile_texts(struct profile_loader *l, json_t *j, const char *member,
                         struct profile_texts *out)
{
  size_t len = count_of(j);
  if (len == 0)
    return 0;
  out->list = profile_alloc(l, len, sizeof(*out->list));
  if (out->list == NULL)
    return -ENOMEM;
  for (size_t i = 0; i < len; i++) {
    int rc = compile_text(l, element(j, i), member, &out->list[i]);
    if (rc < 0)
      return rc;
  }
  out->len = len;
  return 0;
}

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
      rc = compile_texts(l, j, parts->name, place);
    else if (parts->kind == NUMBERS)
      rc = compile_numbers(l, j, parts->name, place);
    else if (parts->kind == TESTS)
      rc = compile_tests(l, j, parts->name, place);
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

static int compile_table(struct profile_loader *l, json_t *o, const char *member,
                         struct profile_table *t)
{
  static const char *const names[] = {
      "rows",     "where",          "counts",     "distinct", "otherwise",  "group",
      "name",     "serial",         "state",      "vendor",   "model",      "unit",
      "capacity", "used_bytes",     "free_bytes", "level",    "read_bytes", "written_bytes",
      "max",      "capacity_bytes", NULL};
  int rc = only(l, o, member, names);
  if (rc == 0)
    rc = compile_oid(l, json_object_get(o, "rows"), member, &t->rows);
  if (rc == 0)
    rc = compile_parts(l, o, table_parts, t);
  json_t *counts = json_object_get(o, "counts");
  if (json_is_false(counts))
    t->uncounted = true;
  else if (rc == 0)
    rc = compile_tests(l, counts, member, &t->counts);
  t->distinct = tm_json_get_bool(o, "distinct", false);
  t->otherwise = tm_json_get_bool(o, "otherwise", false);
  return rc;
}

static int compile_tables(struct profile_loader *l, json_t *j, const char *member,
                          struct profile_tables *out)
{
  size_t len = count_of(j);
  if (len == 0)
    return 0;
  out->list = profile_alloc(l, len, sizeof(*out->list));
  if (out->list == NULL)
    return -ENOMEM;
  for (size_t i = 0; i < len; i++) {
    int rc = compile_table(l, element(j, i), member, &out->list[i]);
    if (rc < 0)
      return rc;
  }
  out->len = len;
  return 0;
}

static int compile_rules(struct profile_loader *l, json_t *j, struct profile *p)
{
  static const char *const names[] = {"object_id", "descr", "not_descr", "probe", "prefer", NULL};
  p->rules_len = count_of(j);
  if (p->rules_len == 0)
    return 0;
  p->rules = profile_alloc(l, p->rules_len, sizeof(*p->rules));
  if (p->rules == NULL)
    return -ENOMEM;
  for (size_t i = 0; i < p->rules_len; i++) {
    struct profile_rule *r = &p->rules[i];
    json_t *o = element(j, i);
    int rc = only(l, o, "recognise", names);
    if (rc == 0 && json_object_get(o, "object_id") != NULL)
      rc = compile_oid(l, json_object_get(o, "object_id"), "recognise", &r->object_id);
    if (rc == 0)
      rc = compile_regex(l, json_object_get(o, "descr"), "recognise", &r->descr);
    if (rc == 0)
      rc = compile_regex(l, json_object_get(o, "not_descr"), "recognise", &r->not_descr);
    if (rc == 0)
      rc = compile_tests(l, json_object_get(o, "probe"), "recognise", &r->probes);
    if (rc == 0 && r->object_id.len == 0 && r->descr == NULL && r->probes.len == 0)
      rc = refuse(l, "recognise", "a rule needs an object_id, a descr or a probe");
    if (rc < 0)
      return rc;
    double prefer = tm_json_get_number(o, "prefer");
    r->prefer = isnan(prefer) ? 0 : prefer;
  }
  return 0;
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
    int rc = only(l, o, key, names);
    if (rc == 0)
      rc = compile_numbers(l, json_object_get(o, "number"), key, &it->number);
    if (rc == 0)
      rc = compile_texts(l, json_object_get(o, "text"), key, &it->text);
    if (rc == 0 && it->number.len + it->text.len == 0)
      rc = refuse(l, key, "an item needs a number or a text");
    if (rc == 0 && json_object_get(o, "rows") != NULL)
      rc = compile_oid(l, json_object_get(o, "rows"), key, &it->rows);
    if (rc == 0)
      rc = compile_texts(l, json_object_get(o, "label"), key, &it->label);
    const char *nature = tm_json_get_string(o, "nature");
    for (size_t i = 0; nature != NULL && i < sizeof(natures) / sizeof(natures[0]); i++)
      if (strcmp(nature, natures[i]) == 0)
        snprintf(it->nature, sizeof(it->nature), "%s", nature);
    if (rc == 0 && it->nature[0] == '\0')
      rc = refuse(l, key, "nature is measurement, setting or counter");
    if (rc == 0 && !is_item_name(key))
      rc = refuse(l, key, "a name has 1 to 48 letters, digits, hyphens or underscores");
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
  int rc = only(l, json, "profile", names);
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
    return refuse(l, "kind", "is disk_array, media_library or printer");
  rc = compile_rules(l, rules, p);
  if (rc == 0)
    rc = compile_parts(l, json, profile_parts, p);
  if (rc == 0)
    rc = compile_items(l, json_object_get(json, "items"), p);
  return rc == 0 ? profile_compile_wants(l, p) : rc;
}
