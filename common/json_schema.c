/* SPDX-License-Identifier: MIT */
#include "common/json_schema.h"

#include "common/json.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <regex.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  OBJECT = 1,
  ARRAY = 2,
  STRING = 4,
  NUMBER = 8,
  BOOLEAN = 16,
  NOTHING = 32,
  INTEGER = 64,
  ANY = 127,
};

struct list {
  struct node **nodes;
  size_t len;
};

struct member {
  const char *name;
  struct node *node; /* NULL: only required */
  bool required;
};

struct by_pattern {
  regex_t name;
  struct node *node;
};

struct node {
  unsigned types;
  const json_t *constant, *allowed; /* borrowed from the document */
  double minimum, maximum, above;
  size_t min_length, max_length, min_items, max_items;
  bool has_pattern, closed;
  regex_t pattern;
  struct node *ref, *items, *names, *others, *condition, *then, *otherwise;
  struct member *members;
  size_t members_len;
  struct by_pattern *patterns;
  size_t patterns_len;
  struct list all, any, one;
};

struct json_schema {
  json_t *document; /* owns all names */
  struct node *root;
  struct {
    const char *name;
    struct node *node;
  } * defs;
  size_t defs_len;
};

/* What a load is about. */
struct load {
  struct json_schema *schema;
  const char *name;
  struct tm_error *err;
};

static int load_node(struct load *l, struct node *n, const json_t *json);

/* --- loading ------------------------------------------------------------------------------ */

static int refuse(struct load *l, const char *keyword)
{
  return tm_fail(l->err, -EINVAL, "%s: keyword '%s' cannot be obeyed", l->name, keyword);
}

static struct node *new_node(void)
{
  struct node *n = calloc(1, sizeof(*n));
  if (n != NULL) {
    n->types = ANY;
    n->minimum = n->above = -INFINITY;
    n->maximum = INFINITY;
    n->max_length = n->max_items = SIZE_MAX;
  }
  return n;
}

static int load_new(struct load *l, struct node **out, const json_t *json)
{
  *out = new_node();
  return *out == NULL ? tm_fail(l->err, -ENOMEM, "out of memory") : load_node(l, *out, json);
}

static unsigned type_of_name(const char *name)
{
  static const struct {
    const char *name;
    unsigned type;
  } types[] = {
      {"object", OBJECT},   {"array", ARRAY},     {"string", STRING}, {"number", NUMBER | INTEGER},
      {"integer", INTEGER}, {"boolean", BOOLEAN}, {"null", NOTHING}};
  for (size_t i = 0; name != NULL && i < sizeof(types) / sizeof(types[0]); i++) {
    if (strcmp(types[i].name, name) == 0)
      return types[i].type;
  }
  return 0;
}

static int load_types(struct load *l, struct node *n, const json_t *json)
{
  size_t i;
  json_t *name;
  if (json_is_string(json)) {
    n->types = type_of_name(json_string_value(json));
    return n->types != 0 ? 0 : refuse(l, "type");
  }
  n->types = 0;
  json_array_foreach(json, i, name)
  {
    unsigned type = type_of_name(json_string_value(name));
    if (type == 0)
      return refuse(l, "type");
    n->types |= type;
  }
  return n->types != 0 ? 0 : refuse(l, "type");
}

static struct member *member_of(struct node *n, const char *name)
{
  for (size_t i = 0; i < n->members_len; i++) {
    if (strcmp(n->members[i].name, name) == 0)
      return &n->members[i];
  }
  struct member *more = realloc(n->members, (n->members_len + 1) * sizeof(*more));
  if (more == NULL)
    return NULL;
  n->members = more;
  more[n->members_len] = (struct member){.name = name};
  return &more[n->members_len++];
}

static int load_members(struct load *l, struct node *n, const json_t *json)
{
  const char *name;
  json_t *child;
  json_object_foreach((json_t *)json, name, child)
  {
    struct node *node = NULL;
    int rc = load_new(l, &node, child);
    struct member *m = member_of(n, name);
    if (m == NULL)
      return tm_fail(l->err, -ENOMEM, "out of memory");
    m->node = node;
    if (rc < 0)
      return rc;
  }
  return 0;
}

static int load_required(struct load *l, struct node *n, const json_t *json)
{
  size_t i;
  json_t *name;
  json_array_foreach(json, i, name)
  {
    struct member *m = json_is_string(name) ? member_of(n, json_string_value(name)) : NULL;
    if (m == NULL)
      return refuse(l, "required");
    m->required = true;
  }
  return 0;
}

static int load_patterns(struct load *l, struct node *n, const json_t *json)
{
  const char *name;
  json_t *child;
  n->patterns = calloc(json_object_size(json) + 1, sizeof(*n->patterns));
  if (n->patterns == NULL)
    return tm_fail(l->err, -ENOMEM, "out of memory");
  json_object_foreach((json_t *)json, name, child)
  {
    struct by_pattern *p = &n->patterns[n->patterns_len];
    if (regcomp(&p->name, name, REG_EXTENDED | REG_NOSUB) != 0)
      return refuse(l, "patternProperties");
    n->patterns_len++;
    int rc = load_new(l, &p->node, child);
    if (rc < 0)
      return rc;
  }
  return 0;
}

static int load_list(struct load *l, struct list *list, const json_t *json)
{
  size_t i;
  json_t *child;
  list->nodes = calloc(json_array_size(json) + 1, sizeof(struct node *));
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

static int load_ref(struct load *l, struct node *n, const json_t *json)
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

static int load_others(struct load *l, struct node *n, const json_t *json)
{
  if (json_is_boolean(json)) {
    n->closed = json_is_false(json);
    return 0;
  }
  return load_new(l, &n->others, json);
}

/* Keywords that hold a number. True when it was one of them. */
static bool load_number(struct node *n, const char *key, const json_t *json, bool *good)
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

static int load_pattern(struct load *l, struct node *n, const json_t *json)
{
  n->has_pattern = json_is_string(json) &&
                   regcomp(&n->pattern, json_string_value(json), REG_EXTENDED | REG_NOSUB) == 0;
  return n->has_pattern ? 0 : refuse(l, "pattern");
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
static int load_schemas(struct load *l, struct node *n, const char *key, const json_t *json)
{
  const struct {
    const char *key;
    struct node **node;
  } single[] = {{"items", &n->items},
                {"propertyNames", &n->names},
                {"if", &n->condition},
                {"then", &n->then},
                {"else", &n->otherwise}};
  const struct {
    const char *key;
    struct list *list;
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

static int load_keyword(struct load *l, struct node *n, const char *key, const json_t *json)
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

static int load_node(struct load *l, struct node *n, const json_t *json)
{
  const char *key;
  json_t *value;
  if (json_is_boolean(json)) {
    n->types = json_is_true(json) ? ANY : 0;
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

/* Patterns are compiled for bytes: with the characters of a UTF-8 locale matching takes three times
 * as long, and the classes of the schemas are of ASCII. NULL when the locale cannot be had. */
static locale_t use_bytes(locale_t *bytes)
{
  *bytes = newlocale(LC_CTYPE_MASK, "C", (locale_t)0);
  return *bytes != (locale_t)0 ? uselocale(*bytes) : (locale_t)0;
}

int json_schema_new(struct json_schema **schema, const char *text, size_t len, const char *name,
                    struct tm_error *err)
{
  struct json_schema *s = calloc(1, sizeof(*s));
  struct load l = {.schema = s, .name = name, .err = err};
  if (s == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  locale_t bytes, before = use_bytes(&bytes);
  s->document = tm_json_parse(text, len, name, err);
  int rc = s->document == NULL ? -EINVAL : load_defs(&l);
  if (rc == 0)
    rc = load_new(&l, &s->root, s->document);
  if (bytes != (locale_t)0) {
    uselocale(before);
    freelocale(bytes);
  }
  if (rc < 0)
    json_schema_free(s);
  else
    *schema = s;
  return rc;
}

/* --- freeing ------------------------------------------------------------------------------ */

static void free_node(struct node *n);

static void free_list(struct list *list)
{
  for (size_t i = 0; i < list->len; i++)
    free_node(list->nodes[i]);
  free(list->nodes);
}

static void free_node(struct node *n)
{
  if (n == NULL)
    return;
  for (size_t i = 0; i < n->members_len; i++)
    free_node(n->members[i].node);
  free(n->members);
  for (size_t i = 0; i < n->patterns_len; i++) {
    regfree(&n->patterns[i].name);
    free_node(n->patterns[i].node);
  }
  free(n->patterns);
  struct node *const single[] = {n->items,     n->names, n->others,
                                 n->condition, n->then,  n->otherwise};
  for (size_t i = 0; i < sizeof(single) / sizeof(single[0]); i++)
    free_node(single[i]);
  free_list(&n->all);
  free_list(&n->any);
  free_list(&n->one);
  if (n->has_pattern)
    regfree(&n->pattern);
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

/* --- checking ----------------------------------------------------------------------------- */

/* Where one stands, as a chain on the stack: the text is only made for a fault. */
struct place {
  const struct place *above;
  const char *name; /* NULL: an element */
  size_t index;
};

struct check {
  unsigned flags;
  struct json_fault *fault; /* NULL: only whether */
};

static int check_node(const struct check *c, const struct node *n, const json_t *v,
                      const struct place *at);

static size_t write_place(char *out, size_t size, const struct place *at)
{
  if (at == NULL)
    return 0;
  size_t used = write_place(out, size, at->above);
  int n = at->name != NULL
              ? snprintf(out + used, size - used, "%s%s", used > 0 ? "." : "", at->name)
              : snprintf(out + used, size - used, "[%zu]", at->index);
  used += n > 0 ? (size_t)n : 0;
  return used < size ? used : size - 1;
}

static int __attribute__((format(printf, 3, 4)))
fault(const struct check *c, const struct place *at, const char *fmt, ...)
{
  va_list args;
  if (c->fault != NULL) {
    c->fault->field[0] = '\0';
    write_place(c->fault->field, sizeof(c->fault->field), at);
    va_start(args, fmt);
    vsnprintf(c->fault->why, sizeof(c->fault->why), fmt, args);
    va_end(args);
  }
  return -EBADMSG;
}

static unsigned type_of(const json_t *v)
{
  switch (json_typeof(v)) {
  case JSON_OBJECT:
    return OBJECT;
  case JSON_ARRAY:
    return ARRAY;
  case JSON_STRING:
    return STRING;
  case JSON_INTEGER:
    return INTEGER;
  case JSON_REAL: /* 1.0 is a whole number too */
    return json_real_value(v) == floor(json_real_value(v)) ? INTEGER : NUMBER;
  case JSON_TRUE:
  case JSON_FALSE:
    return BOOLEAN;
  case JSON_NULL:
    break;
  }
  return NOTHING;
}

static const char *wanted_type(unsigned types)
{
  return types & STRING    ? "text is wanted"
         : types & NUMBER  ? "a number is wanted"
         : types & INTEGER ? "a whole number is wanted"
         : types & OBJECT  ? "an object is wanted"
         : types & ARRAY   ? "a list is wanted"
         : types & BOOLEAN ? "true or false is wanted"
         : types & NOTHING ? "null is wanted"
                           : "not allowed here";
}

static size_t characters(const char *s)
{
  size_t n = 0;
  for (; *s != '\0'; s++)
    n += ((unsigned char)*s & 0xc0) != 0x80;
  return n;
}

static int check_string(const struct check *c, const struct node *n, const char *text,
                        const struct place *at)
{
  if (n->max_length != SIZE_MAX && characters(text) > n->max_length)
    return fault(c, at, "longer than %zu characters", n->max_length);
  if (n->min_length > 0 && characters(text) < n->min_length)
    return fault(c, at, n->min_length == 1 ? "empty" : "shorter than %zu characters",
                 n->min_length);
  if (n->has_pattern && regexec(&n->pattern, text, 0, NULL, 0) != 0)
    return fault(c, at, "not of the form that is wanted");
  return 0;
}

static int check_number(const struct check *c, const struct node *n, double v,
                        const struct place *at)
{
  if (v < n->minimum)
    return fault(c, at, "less than %.15g", n->minimum);
  if (v <= n->above)
    return fault(c, at, "not more than %.15g", n->above);
  if (v > n->maximum)
    return fault(c, at, "more than %.15g", n->maximum);
  return 0;
}

static int check_array(const struct check *c, const struct node *n, const json_t *v,
                       const struct place *at)
{
  size_t size = json_array_size(v);
  int rc = 0;
  if (size > n->max_items)
    return fault(c, at, "more than %zu elements", n->max_items);
  if (size < n->min_items)
    return fault(c, at, "fewer than %zu elements", n->min_items);
  for (size_t i = 0; rc == 0 && n->items != NULL && i < size; i++) {
    const struct place element = {.above = at, .index = i};
    rc = check_node(c, n->items, json_array_get(v, i), &element);
  }
  return rc;
}

/* A member that is not listed by name. */
static int check_other(const struct check *c, const struct node *n, const char *name,
                       const json_t *v, const struct place *at)
{
  bool known = false;
  int rc = 0;
  for (size_t i = 0; rc == 0 && i < n->patterns_len; i++) {
    if (regexec(&n->patterns[i].name, name, 0, NULL, 0) == 0) {
      known = true;
      rc = check_node(c, n->patterns[i].node, v, at);
    }
  }
  if (rc < 0 || known)
    return rc;
  if (n->others != NULL)
    return check_node(c, n->others, v, at);
  if (n->closed && (c->flags & JSON_SCHEMA_UNKNOWN_PASS) == 0)
    return fault(c, at, "not known here");
  return 0;
}

static int check_object(const struct check *c, const struct node *n, const json_t *v,
                        const struct place *at)
{
  const char *name;
  json_t *value;
  size_t seen = 0;
  int rc = 0;
  for (size_t i = 0; rc == 0 && i < n->members_len; i++) {
    const struct member *m = &n->members[i];
    const struct place here = {.above = at, .name = m->name};
    value = json_object_get(v, m->name);
    seen += value != NULL;
    if (value == NULL)
      rc = m->required ? fault(c, &here, "missing") : 0;
    else if (m->node != NULL)
      rc = check_node(c, m->node, value, &here);
  }
  /* All members were listed by name: nothing is left to look at. */
  if (rc < 0 || (seen == json_object_size(v) && n->names == NULL))
    return rc;
  json_object_foreach((json_t *)v, name, value)
  {
    const struct place here = {.above = at, .name = name};
    if (n->names != NULL) {
      json_t *text = json_string(name);
      rc = check_node(c, n->names, text, &here);
      json_decref(text);
    }
    size_t i = 0;
    while (i < n->members_len &&
           (n->members[i].node == NULL || strcmp(n->members[i].name, name) != 0))
      i++;
    if (rc == 0 && i == n->members_len)
      rc = check_other(c, n, name, value, &here);
    if (rc < 0)
      return rc;
  }
  return 0;
}

static int check_composed(const struct check *c, const struct node *n, const json_t *v,
                          const struct place *at)
{
  const struct check quiet = {.flags = c->flags};
  size_t fits = 0;
  int rc = n->ref != NULL ? check_node(c, n->ref, v, at) : 0;
  for (size_t i = 0; rc == 0 && i < n->all.len; i++)
    rc = check_node(c, n->all.nodes[i], v, at);
  for (size_t i = 0; rc == 0 && fits == 0 && i < n->any.len; i++)
    fits += check_node(&quiet, n->any.nodes[i], v, at) == 0;
  if (rc == 0 && n->any.len > 0 && fits == 0)
    rc = fault(c, at, "fits none of the forms that are allowed");
  fits = 0;
  for (size_t i = 0; rc == 0 && i < n->one.len; i++)
    fits += check_node(&quiet, n->one.nodes[i], v, at) == 0;
  if (rc == 0 && n->one.len > 0 && fits != 1)
    rc = fault(c, at, "fits %s of the forms that are allowed", fits == 0 ? "none" : "several");
  if (rc == 0 && n->condition != NULL) {
    const struct node *next = check_node(&quiet, n->condition, v, at) == 0 ? n->then : n->otherwise;
    rc = next != NULL ? check_node(c, next, v, at) : 0;
  }
  return rc;
}

static bool is_listed(const json_t *list, const json_t *v)
{
  size_t i;
  json_t *one;
  json_array_foreach(list, i, one)
  {
    if (json_equal(one, v))
      return true;
  }
  return false;
}

static int check_node(const struct check *c, const struct node *n, const json_t *v,
                      const struct place *at)
{
  unsigned type = type_of(v);
  int rc = 0;
  if ((type & n->types) == 0)
    return fault(c, at, "%s", wanted_type(n->types));
  if (n->constant != NULL && !json_equal(n->constant, v))
    return json_is_string(n->constant)
               ? fault(c, at, "'%.80s' is wanted", json_string_value(n->constant))
               : fault(c, at, "not the value that is wanted");
  if (n->allowed != NULL && !is_listed(n->allowed, v))
    return fault(c, at, "none of the values that are allowed");
  if (type == STRING)
    rc = check_string(c, n, json_string_value(v), at);
  else if (type == NUMBER || type == INTEGER)
    rc = check_number(c, n, json_number_value(v), at);
  else if (type == ARRAY)
    rc = check_array(c, n, v, at);
  else if (type == OBJECT)
    rc = check_object(c, n, v, at);
  return rc < 0 ? rc : check_composed(c, n, v, at);
}

int json_schema_check(const struct json_schema *schema, const json_t *value, unsigned flags,
                      struct json_fault *fault_out)
{
  const struct check c = {.flags = flags, .fault = fault_out};
  return check_node(&c, schema->root, value, NULL);
}
