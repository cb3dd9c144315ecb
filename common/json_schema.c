/* SPDX-License-Identifier: MIT */
#include "common/json_schema.h"

#include "common/json.h"
#include "common/json_schema_own.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* What a load is about. */
struct load {
  struct json_schema *schema;
  const char *name;
  struct tm_error *err;
};

static int load_node(struct load *l, struct schema_part *n, const json_t *json);

/* --- loading ------------------------------------------------------------------------------ */

static int refuse(struct load *l, const char *keyword)
{
  return tm_fail(l->err, -EINVAL, "%s: keyword '%s' cannot be obeyed", l->name, keyword);
}

static struct schema_part *new_node(void)
{
  struct schema_part *n = calloc(1, sizeof(*n));
  if (n != NULL) {
    n->types = TM_TYPE_ANY;
    n->minimum = n->above = -INFINITY;
    n->maximum = INFINITY;
    n->max_length = n->max_items = SIZE_MAX;
  }
  return n;
}

static int load_new(struct load *l, struct schema_part **out, const json_t *json)
{
  *out = new_node();
  return *out == NULL ? tm_fail(l->err, -ENOMEM, "out of memory") : load_node(l, *out, json);
}

static int load_types(struct load *l, struct schema_part *n, const json_t *json)
{
  size_t i;
  json_t *name;
  if (json_is_string(json)) {
    n->types = tm_json_type_named(json_string_value(json));
    return n->types != 0 ? 0 : refuse(l, "type");
  }
  n->types = 0;
  json_array_foreach(json, i, name)
  {
    unsigned type = tm_json_type_named(json_string_value(name));
    if (type == 0)
      return refuse(l, "type");
    n->types |= type;
  }
  return n->types != 0 ? 0 : refuse(l, "type");
}

static struct schema_member *member_of(struct schema_part *n, const char *name)
{
  for (size_t i = 0; i < n->members_len; i++) {
    if (strcmp(n->members[i].name, name) == 0)
      return &n->members[i];
  }
  struct schema_member *more = realloc(n->members, (n->members_len + 1) * sizeof(*more));
  if (more == NULL)
    return NULL;
  n->members = more;
  more[n->members_len] = (struct schema_member){.name = name};
  return &more[n->members_len++];
}

static int load_members(struct load *l, struct schema_part *n, const json_t *json)
{
  const char *name;
  json_t *child;
  json_object_foreach((json_t *)json, name, child)
  {
    struct schema_part *node = NULL;
    int rc = load_new(l, &node, child);
    struct schema_member *m = member_of(n, name);
    if (m == NULL)
      return tm_fail(l->err, -ENOMEM, "out of memory");
    m->node = node;
    if (rc < 0)
      return rc;
  }
  return 0;
}

static int load_required(struct load *l, struct schema_part *n, const json_t *json)
{
  size_t i;
  json_t *name;
  json_array_foreach(json, i, name)
  {
    if (!json_is_string(name))
      return refuse(l, "required");
    struct schema_member *m = member_of(n, json_string_value(name));
    if (m == NULL)
      return tm_fail(l->err, -ENOMEM, "out of memory");
    m->required = true;
  }
  return 0;
}

static int load_patterns(struct load *l, struct schema_part *n, const json_t *json)
{
  const char *name;
  json_t *child;
  n->patterns = calloc(json_object_size(json) + 1, sizeof(*n->patterns));
  if (n->patterns == NULL)
    return tm_fail(l->err, -ENOMEM, "out of memory");
  json_object_foreach((json_t *)json, name, child)
  {
    struct schema_pattern *p = &n->patterns[n->patterns_len];
    int rc = tm_pattern_new(&p->name, name);
    if (rc < 0)
      return rc == -ENOMEM ? tm_fail(l->err, rc, "out of memory") : refuse(l, "patternProperties");
    n->patterns_len++;
    rc = load_new(l, &p->node, child);
    if (rc < 0)
      return rc;
  }
  return 0;
}

static int load_list(struct load *l, struct schema_list *list, const json_t *json)
{
  size_t i;
  json_t *child;
  list->nodes = calloc(json_array_size(json) + 1, sizeof(struct schema_part *));
  if (list->nodes == NULL)
    return tm_fail(l->err, -ENOMEM, "out of memory");
  json_array_foreach(json, i, child)
  {
    int rc = load_new(l, &list->nodes[list->len++], child);
    if (rc < 0)
      return rc;
  }
  return 0;
}

static int load_ref(struct load *l, struct schema_part *n, const json_t *json)
{
  const char *ref = json_string_value(json);
  for (size_t i = 0; ref != NULL && strncmp(ref, "#/$defs/", 8) == 0 && i < l->schema->defs_len;
       i++) {
    if (strcmp(l->schema->defs[i].name, ref + 8) == 0) {
      n->ref = l->schema->defs[i].node;
      return 0;
    }
  }
  return refuse(l, "$ref");
}

static int load_others(struct load *l, struct schema_part *n, const json_t *json)
{
  if (json_is_boolean(json)) {
    n->closed = json_is_false(json);
    return 0;
  }
  return load_new(l, &n->others, json);
}

/* Keywords that hold a number. True when it was one of them. */
static bool load_number(struct schema_part *n, const char *key, const json_t *json, bool *good)
{
  double v = json_number_value(json);
  size_t size = (size_t)json_integer_value(json);
  bool whole = json_is_integer(json) && json_integer_value(json) >= 0;
  *good = json_is_number(json);
  if (strcmp(key, "minimum") == 0)
    n->minimum = v;
  else if (strcmp(key, "maximum") == 0)
    n->maximum = v;
  else if (strcmp(key, "exclusiveMinimum") == 0)
    n->above = v;
  else if (*good = whole, strcmp(key, "minLength") == 0)
    n->min_length = size;
  else if (strcmp(key, "maxLength") == 0)
    n->max_length = size;
  else if (strcmp(key, "minItems") == 0)
    n->min_items = size;
  else if (strcmp(key, "maxItems") == 0)
    n->max_items = size;
  else
    return false;
  return true;
}

static int load_pattern(struct load *l, struct schema_part *n, const json_t *json)
{
  int rc = json_is_string(json) ? tm_pattern_new(&n->pattern, json_string_value(json)) : -EINVAL;
  return rc == 0 ? 0 : rc == -ENOMEM ? tm_fail(l->err, rc, "out of memory") : refuse(l, "pattern");
}

static bool only_describes(const char *key)
{
  static const char *const words[] = {"$schema", "$id",      "$comment", "$defs",      "title",
                                      "default", "examples", "format",   "description"};
  for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
    if (strcmp(key, words[i]) == 0)
      return true;
  }
  return strncmp(key, "x-", 2) == 0;
}

/* Keywords that hold schemas. -ENOKEY when it is none of them. */
static int load_schemas(struct load *l, struct schema_part *n, const char *key, const json_t *json)
{
  const struct {
    const char *key;
    struct schema_part **node;
  } single[] = {{"items", &n->items},
                {"propertyNames", &n->names},
                {"if", &n->condition},
                {"then", &n->then},
                {"else", &n->otherwise}};
  const struct {
    const char *key;
    struct schema_list *list;
  } several[] = {{"allOf", &n->all}, {"anyOf", &n->any}, {"oneOf", &n->one}};
  for (size_t i = 0; i < sizeof(single) / sizeof(single[0]); i++) {
    if (strcmp(key, single[i].key) == 0)
      return load_new(l, single[i].node, json);
  }
  for (size_t i = 0; i < sizeof(several) / sizeof(several[0]); i++) {
    if (strcmp(key, several[i].key) == 0)
      return load_list(l, several[i].list, json);
  }
  return -ENOKEY;
}

static int load_keyword(struct load *l, struct schema_part *n, const char *key, const json_t *json)
{
  bool good = true;
  if (only_describes(key))
    return 0;
  if (strcmp(key, "type") == 0)
    return load_types(l, n, json);
  if (strcmp(key, "properties") == 0)
    return load_members(l, n, json);
  if (strcmp(key, "required") == 0)
    return load_required(l, n, json);
  if (strcmp(key, "patternProperties") == 0)
    return load_patterns(l, n, json);
  if (strcmp(key, "additionalProperties") == 0)
    return load_others(l, n, json);
  if (strcmp(key, "pattern") == 0)
    return load_pattern(l, n, json);
  if (strcmp(key, "$ref") == 0)
    return load_ref(l, n, json);
  if (strcmp(key, "const") == 0)
    n->constant = json;
  else if (strcmp(key, "enum") == 0)
    n->allowed = json;
  else if (load_number(n, key, json, &good))
    return good ? 0 : refuse(l, key);
  else {
    int rc = load_schemas(l, n, key, json);
    return rc == -ENOKEY ? refuse(l, key) : rc;
  }
  return 0;
}

static int load_node(struct load *l, struct schema_part *n, const json_t *json)
{
  const char *key;
  json_t *value;
  if (json_is_boolean(json)) {
    n->types = json_is_true(json) ? TM_TYPE_ANY : 0;
    return 0;
  }
  if (!json_is_object(json))
    return tm_fail(l->err, -EINVAL, "%s: a schema is an object", l->name);
  json_object_foreach((json_t *)json, key, value)
  {
    int rc = load_keyword(l, n, key, value);
    if (rc < 0)
      return rc;
  }
  return 0;
}

/* All definitions exist before the first is read, so that they may name one another. */
static int load_defs(struct load *l)
{
  json_t *defs = json_object_get(l->schema->document, "$defs");
  struct json_schema *s = l->schema;
  const char *name;
  json_t *json;
  int rc = 0;
  s->defs = calloc(json_object_size(defs) + 1, sizeof(*s->defs));
  if (s->defs == NULL)
    return tm_fail(l->err, -ENOMEM, "out of memory");
  json_object_foreach(defs, name, json)
  {
    s->defs[s->defs_len].name = name;
    if ((s->defs[s->defs_len++].node = new_node()) == NULL)
      return tm_fail(l->err, -ENOMEM, "out of memory");
  }
  for (size_t i = 0; rc == 0 && i < s->defs_len; i++)
    rc = load_node(l, s->defs[i].node, json_object_get(defs, s->defs[i].name));
  return rc;
}

/* What is checked at the same place of a document as this part. A part that comes back to itself in
 * that way would be checked for ever; one that takes a thousand steps is as good as that. */
enum { STEPS_AT_ONE_PLACE = 1000 };

static bool comes_to_an_end(const struct schema_part *n, unsigned *steps)
{
  if (n == NULL)
    return true;
  if (++*steps > STEPS_AT_ONE_PLACE)
    return false;
  const struct schema_part *const single[] = {n->ref, n->condition, n->then, n->otherwise};
  const struct schema_list *const lists[] = {&n->all, &n->any, &n->one};
  for (size_t i = 0; i < sizeof(single) / sizeof(single[0]); i++)
    if (!comes_to_an_end(single[i], steps))
      return false;
  for (size_t k = 0; k < sizeof(lists) / sizeof(lists[0]); k++)
    for (size_t i = 0; i < lists[k]->len; i++)
      if (!comes_to_an_end(lists[k]->nodes[i], steps))
        return false;
  return true;
}

/* Every circle leads through a definition. */
static int check_circles(struct load *l)
{
  unsigned steps = 0;
  bool good = comes_to_an_end(l->schema->root, &steps);
  for (size_t i = 0; good && i < l->schema->defs_len; i++) {
    steps = 0;
    good = comes_to_an_end(l->schema->defs[i].node, &steps);
  }
  return good ? 0 : refuse(l, "$ref");
}

int json_schema_new(struct json_schema **schema, const char *text, size_t len, const char *name,
                    struct tm_error *err)
{
  struct json_schema *s = calloc(1, sizeof(*s));
  struct load l = {.schema = s, .name = name, .err = err};
  if (s == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  s->document = tm_json_parse(text, len, name, err);
  int rc = s->document == NULL ? -EINVAL : load_defs(&l);
  if (rc == 0)
    rc = load_new(&l, &s->root, s->document);
  if (rc == 0)
    rc = check_circles(&l);
  if (rc < 0)
    json_schema_free(s);
  else
    *schema = s;
  return rc;
}

/* --- freeing ------------------------------------------------------------------------------ */

static void free_node(struct schema_part *n);

static void free_list(struct schema_list *list)
{
  for (size_t i = 0; i < list->len; i++)
    free_node(list->nodes[i]);
  free(list->nodes);
}

static void free_node(struct schema_part *n)
{
  if (n == NULL)
    return;
  for (size_t i = 0; i < n->members_len; i++)
    free_node(n->members[i].node);
  free(n->members);
  for (size_t i = 0; i < n->patterns_len; i++) {
    tm_pattern_free(n->patterns[i].name);
    free_node(n->patterns[i].node);
  }
  free(n->patterns);
  struct schema_part *const single[] = {n->items,     n->names, n->others,
                                        n->condition, n->then,  n->otherwise};
  for (size_t i = 0; i < sizeof(single) / sizeof(single[0]); i++)
    free_node(single[i]);
  free_list(&n->all);
  free_list(&n->any);
  free_list(&n->one);
  tm_pattern_free(n->pattern);
  free(n);
}

void json_schema_free(struct json_schema *schema)
{
  if (schema == NULL)
    return;
  free_node(schema->root);
  for (size_t i = 0; i < schema->defs_len; i++)
    free_node(schema->defs[i].node);
  free(schema->defs);
  json_decref(schema->document);
  free(schema);
}
