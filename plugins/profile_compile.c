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

int profile_refuse(struct profile_loader *l, const char *member, const char *why)
{
  return tm_fail(l->err, -EINVAL, "%s: %s: %s", l->file, member, why);
}

int profile_only(struct profile_loader *l, const json_t *object, const char *member,
                 const char *const *names)
{
  if (!json_is_object(object))
    return profile_refuse(l, member, "must be an object");
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

int profile_compile_list(struct profile_loader *l, json_t *j, const char *member, size_t size,
                         profile_compile_one *one, struct profile_list *out)
{
  size_t len = j == NULL ? 0 : json_is_array(j) ? json_array_size(j) : 1;
  *out = (struct profile_list){0};
  if (len == 0)
    return 0;
  unsigned char *list = profile_alloc(l, len, size);
  if (list == NULL)
    return -ENOMEM;
  for (size_t i = 0; i < len; i++) {
    int rc = one(l, json_is_array(j) ? json_array_get(j, i) : j, member, list + i * size);
    if (rc < 0)
      return rc;
  }
  *out = (struct profile_list){list, len};
  return 0;
}

int profile_compile_oid(struct profile_loader *l, const json_t *j, const char *member,
                        struct oid_path *oid)
{
  const char *text = json_string_value(j);
  if (text == NULL || oid_parse(text, oid) < 0)
    return profile_refuse(l, member,
                          "is not an object identifier of at most 32 arcs in dotted form");
  return 0;
}

/* "oid" or "column"; 0 also when neither is there (oid->len stays 0). */
static int compile_place(struct profile_loader *l, json_t *o, const char *member,
                         struct oid_path *oid, bool *column)
{
  json_t *scalar = json_object_get(o, "oid");
  json_t *col = json_object_get(o, "column");
  if (scalar != NULL && col != NULL)
    return profile_refuse(l, member, "has both an oid and a column");
  *column = col != NULL;
  if (scalar == NULL && col == NULL)
    return 0;
  return profile_compile_oid(l, scalar != NULL ? scalar : col, member, oid);
}

int profile_compile_regex(struct profile_loader *l, const json_t *j, const char *member,
                          regex_t **regex)
{
  if (j == NULL)
    return 0;
  const char *text = json_string_value(j);
  if (text == NULL)
    return profile_refuse(l, member, "an expression must be a string");
  if (!profile_regex_is_modest(text))
    return profile_refuse(l, member,
                          "an expression must not repeat what repeats too often, nor refer back");
  regex_t *r = profile_alloc(l, 1, sizeof(*r));
  if (r == NULL)
    return -ENOMEM;
  int code = regcomp(r, text, REG_EXTENDED | REG_NEWLINE);
  if (code == REG_ESPACE)
    return profile_refuse(l, member, "out of memory");
  if (code != 0) {
    char why[128];
    regerror(code, r, why, sizeof(why));
    return profile_refuse(l, member, why);
  }
  (*l->memory)->is_regex = true;
  *regex = r;
  return 0;
}

static int compile_string(struct profile_loader *l, const json_t *j, const char *member, char **out)
{
  const char *text = json_string_value(j);
  if (text == NULL)
    return profile_refuse(l, member, "must be a string");
  size_t size = strlen(text) + 1;
  *out = profile_alloc(l, size, 1);
  if (*out == NULL)
    return -ENOMEM;
  memcpy(*out, text, size);
  return 0;
}

static int compile_test(struct profile_loader *l, json_t *o, const char *member, void *out)
{
  static const char *const names[] = {"oid", "column", "match", "not", "above", NULL};
  struct profile_test *t = out;
  int rc = profile_only(l, o, member, names);
  if (rc == 0)
    rc = compile_place(l, o, member, &t->oid, &t->column);
  if (rc == 0 && t->oid.len == 0)
    rc = profile_refuse(l, member, "a condition needs an oid or a column");
  if (rc == 0)
    rc = profile_compile_regex(l, json_object_get(o, "match"), member, &t->match);
  if (rc == 0)
    rc = profile_compile_regex(l, json_object_get(o, "not"), member, &t->unlike);
  t->above = tm_json_get_number(o, "above");
  return rc;
}

int profile_compile_tests(struct profile_loader *l, json_t *j, const char *member,
                          struct profile_tests *out)
{
  struct profile_list list;
  int rc = profile_compile_list(l, j, member, sizeof(*out->list), compile_test, &list);
  if (rc == 0)
    *out = (struct profile_tests){list.first, list.len};
  return rc;
}

static int compile_key(struct profile_loader *l, json_t *o, const char *member,
                       struct profile_key *key)
{
  static const char *const names[] = {"by", "skip", "parts", NULL};
  json_t *j = json_object_get(o, "index");
  if (j == NULL)
    return 0;
  int rc = profile_only(l, j, member, names);
  if (rc < 0)
    return rc;
  if (json_object_get(j, "by") != NULL)
    return profile_compile_oid(l, json_object_get(j, "by"), member, &key->by);
  json_int_t skip = json_integer_value(json_object_get(j, "skip"));
  json_int_t parts = json_integer_value(json_object_get(j, "parts"));
  if (skip < 0 || skip > SNMP_ARCS || parts < 0 || parts > SNMP_ARCS)
    return profile_refuse(l, member, "skip and parts of an index are counts of arcs");
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
  return profile_refuse(l, member,
                        "unknown unit; a name like MiB, MB or blocks, or a number of bytes");
}

static int compile_number(struct profile_loader *l, json_t *o, const char *member, void *out);

int profile_compile_numbers(struct profile_loader *l, json_t *j, const char *member,
                            struct profile_numbers *out)
{
  struct profile_list list;
  int rc = profile_compile_list(l, j, member, sizeof(*out->list), compile_number, &list);
  if (rc == 0)
    *out = (struct profile_numbers){list.first, list.len};
  return rc;
}

static int compile_terms(struct profile_loader *l, json_t *j, const char *member,
                         struct profile_numbers **out)
{
  if (j == NULL)
    return 0;
  *out = profile_alloc(l, 1, sizeof(**out));
  return *out == NULL ? -ENOMEM : profile_compile_numbers(l, j, member, *out);
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
  return n->factor > 0 ? 0 : profile_refuse(l, member, "a unit is greater than 0");
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
  return profile_refuse(l, member, "take is one of first, last, sum, min, max, count");
}

static int compile_number(struct profile_loader *l, json_t *o, const char *member, void *out)
{
  static const char *const names[] = {"oid",        "column", "low",    "unit",  "index",
                                      "take",       "where",  "plus",   "minus", "match",
                                      "percent_of", "signed", "sum_of", NULL};
  struct profile_number *n = out;
  if (json_is_number(o)) {
    n->constant = true;
    n->factor = json_number_value(o);
    return 0;
  }
  int rc = profile_only(l, o, member, names);
  if (rc == 0)
    rc = compile_place(l, o, member, &n->oid, &n->column);
  if (rc == 0)
    rc = compile_terms(l, json_object_get(o, "sum_of"), member, &n->sum_of);
  if (rc == 0 && (n->oid.len == 0) == (n->sum_of == NULL))
    rc = profile_refuse(l, member, "a number needs an oid, a column or a sum_of");
  if (rc == 0 && json_object_get(o, "low") != NULL)
    rc = profile_compile_oid(l, json_object_get(o, "low"), member, &n->low);
  if (rc == 0)
    rc = compile_unit(l, o, member, n);
  if (rc == 0)
    rc = compile_key(l, o, member, &n->key);
  if (rc == 0)
    rc = compile_take(l, o, member, &n->take);
  if (rc == 0)
    rc = profile_compile_tests(l, json_object_get(o, "where"), member, &n->where);
  if (rc == 0)
    rc = compile_terms(l, json_object_get(o, "plus"), member, &n->plus);
  if (rc == 0)
    rc = compile_terms(l, json_object_get(o, "minus"), member, &n->minus);
  if (rc == 0)
    rc = compile_one(l, json_object_get(o, "percent_of"), member, &n->per);
  if (rc == 0)
    rc = profile_compile_regex(l, json_object_get(o, "match"), member, &n->match);
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
      return profile_refuse(l, member,
                            "words are short strings keyed by the number that they stand for");
    snprintf(w->word, sizeof(w->word), "%s", word);
  }
  return 0;
}

static int compile_text(struct profile_loader *l, json_t *o, const char *member, void *out)
{
  static const char *const names[] = {"oid",   "column", "index",  "match", "not",
                                      "where", "words",  "prefix", NULL};
  struct profile_text *t = out;
  if (json_is_string(o))
    return compile_string(l, o, member, &t->constant);
  int rc = profile_only(l, o, member, names);
  if (rc == 0)
    rc = compile_place(l, o, member, &t->oid, &t->column);
  if (rc == 0 && t->oid.len == 0)
    rc = profile_refuse(l, member, "a text is a string, or has an oid or a column");
  if (rc == 0)
    rc = compile_key(l, o, member, &t->key);
  if (rc == 0)
    rc = profile_compile_regex(l, json_object_get(o, "match"), member, &t->match);
  if (rc == 0)
    rc = profile_compile_regex(l, json_object_get(o, "not"), member, &t->unlike);
  if (rc == 0)
    rc = profile_compile_tests(l, json_object_get(o, "where"), member, &t->where);
  if (rc == 0)
    rc = compile_words(l, json_object_get(o, "words"), member, t);
  if (rc == 0 && json_object_get(o, "prefix") != NULL)
    rc = compile_string(l, json_object_get(o, "prefix"), member, &t->prefix);
  return rc;
}

int profile_compile_texts(struct profile_loader *l, json_t *j, const char *member,
                          struct profile_texts *out)
{
  struct profile_list list;
  int rc = profile_compile_list(l, j, member, sizeof(*out->list), compile_text, &list);
  if (rc == 0)
    *out = (struct profile_texts){list.first, list.len};
  return rc;
}
