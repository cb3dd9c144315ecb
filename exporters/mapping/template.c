/* SPDX-License-Identifier: MIT */
/* Whether the templates of a mapping file can be filled: names, pointers, formats. */
#include "exporters/mapping/check.h"

#include "common/json.h"
#include "common/text.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

enum { MAX_NAMES = 128, MAX_DEPTH = 24 };

int mapping_refuse(const struct mapping_check *c, const struct mapping_place *at,
                   struct tm_error *err, const char *what, const char *value, const char *near)
{
  const char *mean = near != NULL ? "; did you mean '" : "";
  const char *end = near != NULL ? "'?" : "";
  near = near != NULL ? near : "";
  if (at->key == NULL)
    return tm_json_refuse_at(c->f, at->container, at->index, err, "'%s': %s%s%s%s", value, what,
                             mean, near, end);
  return tm_json_refuse(c->f, at->container, at->key, err, "'%s': %s%s%s%s", value, what, mean,
                        near, end);
}

/* --- fields of an opportunity ----------------------------------------------------------------- */

/* Those that come from the summary around the recommendation. */
static const char *const around[] = {"customer", "product", "status",       "forecast",
                                     "period",   "consent", "generated_at", NULL};

static bool is_around(const char *name)
{
  size_t i = 0;
  while (around[i] != NULL && strcmp(around[i], name) != 0)
    i++;
  return around[i] != NULL;
}

json_t *mapping_opportunity(const json_t *summary, const json_t *recommendation)
{
  json_t *o = json_copy((json_t *)recommendation);
  for (size_t i = 0; around[i] != NULL; i++) {
    json_t *part = json_object_get(summary, around[i]);
    if (part != NULL)
      json_object_set(o, around[i], part);
  }
  return o;
}

static const struct schema_node *member_of(const struct schema_node *node, const char *name)
{
  for (size_t i = 0; i < node->members_len; i++) {
    if (strcmp(node->members[i].name, name) == 0)
      return &node->members[i];
  }
  if (node->by_pattern != NULL && tm_pattern_fits(node->by_pattern_key, name))
    return node->by_pattern;
  return node->items != NULL && isdigit((unsigned char)name[0]) ? node->items : NULL;
}

/* The nearest name that could have been meant. */
static const char *near_member(const struct mapping_check *c, const struct schema_node *node,
                               const char *typed)
{
  const char *names[MAX_NAMES + 1];
  size_t n = 0;
  for (size_t i = 0; i < node->members_len && n < MAX_NAMES; i++)
    names[n++] = node->members[i].name;
  for (size_t i = 0; node == c->advice && around[i] != NULL && n < MAX_NAMES; i++)
    names[n++] = around[i];
  names[n] = NULL;
  return tm_text_nearest(typed, names);
}

int mapping_find_field(const struct mapping_check *c, const struct mapping_place *at,
                       const char *pointer, const struct schema_node **node, struct tm_error *err)
{
  const struct schema_node *n = c->advice;
  const char *p = pointer;
  if (*p == '.') {
    n = c->item;
    p++;
  }
  if (n == NULL)
    return mapping_refuse(c, at, err, "is of an element, and stands outside of $each", pointer,
                          NULL);
  if (*p != '/' && !(*p == '\0' && p != pointer))
    return mapping_refuse(c, at, err, "a pointer begins with '/', or with './' within $each",
                          pointer, NULL);
  while (*p == '/') {
    char token[MAPPING_MAX_TOKEN];
    size_t len = strcspn(p + 1, "/");
    if (len >= sizeof(token))
      return mapping_refuse(c, at, err, "is too long", pointer, NULL);
    memcpy(token, p + 1, len);
    token[len] = '\0';
    const struct schema_node *base = n == c->advice && is_around(token) ? c->summary : n;
    const struct schema_node *next = member_of(base, token);
    if (next == NULL)
      return mapping_refuse(c, at, err, "no opportunity has this field", pointer,
                            near_member(c, n, token));
    n = next;
    p += 1 + len;
  }
  if (node != NULL)
    *node = n;
  return 0;
}

/* --- templates -------------------------------------------------------------------------------- */

static int check_template(const struct mapping_check *c, const struct mapping_place *at,
                          const json_t *t, int depth, struct tm_error *err);

int mapping_check_member(const struct mapping_check *c, const json_t *t, const char *key, int depth,
                         struct tm_error *err)
{
  struct mapping_place at = {.container = t, .key = key};
  const json_t *value = json_object_get(t, key);
  return value != NULL ? check_template(c, &at, value, depth, err) : 0;
}

static int check_from(const struct mapping_check *c, const json_t *t, int depth,
                      struct tm_error *err)
{
  static const char *const known[] = {"$from", "format", "map", "max", "else", "required", NULL};
  const char *pointer = NULL, *format = NULL;
  double max = NAN;
  int rc = tm_json_known_keys(c->f, t, known, err);
  if (rc == 0)
    rc = tm_json_want_string(c->f, t, "$from", true, 1000, &pointer, err);
  struct mapping_place at = {.container = t, .key = "$from"};
  if (rc == 0)
    rc = mapping_find_field(c, &at, pointer, NULL, err);
  if (rc == 0)
    rc = tm_json_want_string(c->f, t, "format", false, 40, &format, err);
  for (size_t i = 0; rc == 0 && format != NULL; i++) {
    struct mapping_place of = {.container = t, .key = "format"};
    if (mapping_formats[i] == NULL)
      return mapping_refuse(c, &of, err, "no such format", format,
                            tm_text_nearest(format, mapping_formats));
    if (strcmp(format, mapping_formats[i]) == 0)
      break;
  }
  if (rc == 0)
    rc = tm_json_want_number(c->f, t, "max", false, 1, 65535, &max, err);
  if (rc == 0 && json_object_get(t, "map") != NULL && !json_is_object(json_object_get(t, "map")))
    rc = tm_json_refuse(c->f, t, "map", err, "map: an object from value to value is wanted");
  return rc == 0 ? mapping_check_member(c, t, "else", depth, err) : rc;
}

static int check_list(const struct mapping_check *c, const json_t *list, int depth,
                      struct tm_error *err)
{
  size_t i;
  json_t *element;
  json_array_foreach(list, i, element)
  {
    struct mapping_place at = {.container = list, .index = i};
    int rc = check_template(c, &at, element, depth, err);
    if (rc < 0)
      return rc;
  }
  return 0;
}

static int check_join(const struct mapping_check *c, const json_t *t, int depth,
                      struct tm_error *err)
{
  static const char *const known[] = {"$join", "max", NULL};
  double max = NAN;
  const json_t *list = json_object_get(t, "$join");
  int rc = tm_json_known_keys(c->f, t, known, err);
  if (rc == 0)
    rc = tm_json_want_number(c->f, t, "max", false, 1, 65535, &max, err);
  if (rc == 0 && !json_is_array(list))
    rc = tm_json_refuse(c->f, t, "$join", err, "$join: an array of texts is wanted");
  return rc == 0 ? check_list(c, list, depth, err) : rc;
}

static int check_each(const struct mapping_check *c, const json_t *t, int depth,
                      struct tm_error *err)
{
  static const char *const known[] = {"$each", "item", NULL};
  const char *pointer = NULL;
  const struct schema_node *node = NULL;
  struct mapping_check inner = *c;
  struct mapping_place at = {.container = t, .key = "$each"};
  int rc = tm_json_known_keys(c->f, t, known, err);
  if (rc == 0)
    rc = tm_json_want_string(c->f, t, "$each", true, 1000, &pointer, err);
  if (rc == 0)
    rc = mapping_find_field(c, &at, pointer, &node, err);
  if (rc == 0 && (node == NULL || node->items == NULL))
    rc = mapping_refuse(c, &at, err, "is no array", pointer, NULL);
  if (rc == 0 && json_object_get(t, "item") == NULL)
    rc = tm_json_refuse(c->f, t, "$each", err, "item: is wanted beside $each");
  if (rc < 0 || node == NULL)
    return rc;
  inner.item = node->items;
  return mapping_check_member(&inner, t, "item", depth, err);
}

static int check_answer(const struct mapping_check *c, const json_t *t, int depth,
                        struct tm_error *err)
{
  static const char *const known[] = {"$record", "$lookup", "else", "required", NULL};
  const json_t *record = json_object_get(t, "$record");
  const char *lookup = tm_json_get_string(t, "$lookup");
  struct mapping_place at = {.container = t, .key = record != NULL ? "$record" : "$lookup"};
  int rc = tm_json_known_keys(c->f, t, known, err);
  if (rc == 0 && record != NULL && (!json_is_string(record) || !c->has_record))
    rc = tm_json_refuse(c->f, t, "$record", err,
                        "$record: a pointer is wanted, and only an update knows a record");
  if (rc == 0 && record == NULL &&
      json_object_get(c->lookups, lookup != NULL ? lookup : "") == NULL)
    rc = mapping_refuse(c, &at, err, "there is no such lookup", lookup != NULL ? lookup : "", NULL);
  return rc == 0 ? mapping_check_member(c, t, "else", depth, err) : rc;
}

/* A plain object, or what looks like a value and is none. */
static int check_object(const struct mapping_check *c, const json_t *t, int depth,
                        struct tm_error *err)
{
  static const char *const values[] = {"$from",   "$key",    "$join", "$each",
                                       "$record", "$lookup", NULL};
  const char *key;
  json_t *member;
  json_object_foreach((json_t *)t, key, member)
  {
    struct mapping_place at = {.container = t, .key = key};
    int rc = key[0] == '$'
                 ? mapping_refuse(c, &at, err, "no such value", key, tm_text_nearest(key, values))
                 : check_template(c, &at, member, depth, err);
    if (rc < 0)
      return rc;
  }
  return 0;
}

static int check_template(const struct mapping_check *c, const struct mapping_place *at,
                          const json_t *t, int depth, struct tm_error *err)
{
  if (depth == MAX_DEPTH)
    return mapping_refuse(c, at, err, "is nested too deeply", at->key != NULL ? at->key : "", NULL);
  depth++;
  if (json_is_array(t))
    return check_list(c, t, depth, err);
  if (!json_is_object(t))
    return 0;
  if (json_object_get(t, "$from") != NULL)
    return check_from(c, t, depth, err);
  if (json_object_get(t, "$join") != NULL)
    return check_join(c, t, depth, err);
  if (json_object_get(t, "$each") != NULL)
    return check_each(c, t, depth, err);
  if (json_object_get(t, "$record") != NULL || json_object_get(t, "$lookup") != NULL)
    return check_answer(c, t, depth, err);
  if (json_object_get(t, "$key") != NULL)
    return json_object_size(t) == 1
               ? 0
               : tm_json_refuse(c->f, t, "$key", err, "$key: nothing may stand beside it");
  return check_object(c, t, depth, err);
}
