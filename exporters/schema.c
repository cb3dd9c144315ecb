/* SPDX-License-Identifier: MIT */
#include "exporters/schema.h"

#include "common/conf.h"
#include "common/embed.h"
#include "common/json.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TM_EMBED(schema_summary, "contrib/schema/summary.schema.json");
TM_EMBED(schema_history, "contrib/schema/history.schema.json");

static const char *schema_text(enum schema_document which, size_t *len)
{
  *len = which == SCHEMA_HISTORY ? schema_history_size : schema_summary_size;
  return which == SCHEMA_HISTORY ? schema_history_text : schema_summary_text;
}

/* --- reading ------------------------------------------------------------------------------ */

static int load_node(struct schema_node *node, const json_t *json, struct tm_error *err);

/* A string or an array of strings, each turned into a bit. False for a word that is not known. */
static bool read_set(const json_t *json, unsigned (*bit)(const char *), unsigned *set)
{
  size_t i;
  json_t *word;
  if (json_is_string(json)) {
    *set = bit(json_string_value(json));
    return *set != 0;
  }
  json_array_foreach(json, i, word)
  {
    unsigned b = json_is_string(word) ? bit(json_string_value(word)) : 0;
    if (b == 0)
      return false;
    *set |= b;
  }
  return json_array_size(json) > 0;
}

static int load_members(struct schema_node *node, const json_t *properties, struct tm_error *err)
{
  const char *name;
  json_t *child;
  node->members = calloc(json_object_size(properties) + 1, sizeof(*node->members));
  if (node->members == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  json_object_foreach((json_t *)properties, name, child)
  {
    struct schema_node *member = &node->members[node->members_len++];
    member->name = name;
    int rc = load_node(member, child, err);
    if (rc < 0)
      return rc;
  }
  return 0;
}

static int load_one(struct schema_node **out, const json_t *json, struct tm_error *err)
{
  *out = calloc(1, sizeof(**out));
  return *out == NULL ? tm_fail(err, -ENOMEM, "out of memory") : load_node(*out, json, err);
}

static int load_pattern_members(struct schema_node *node, const json_t *json, struct tm_error *err)
{
  void *it = json_object_iter((json_t *)json);
  int rc = json_object_size(json) != 1
               ? -EINVAL
               : tm_pattern_new(&node->by_pattern_key, json_object_iter_key(it));
  if (rc == -ENOMEM)
    return tm_fail(err, rc, "out of memory");
  if (rc < 0)
    return tm_fail(err, rc, "schema: patternProperties: one valid pattern is wanted");
  return load_one(&node->by_pattern, json_object_iter_value(it), err);
}

static int load_pattern(struct schema_node *n, const json_t *value, struct tm_error *err)
{
  int rc = json_is_string(value) ? tm_pattern_new(&n->pattern, json_string_value(value)) : -EINVAL;
  return rc == 0         ? 0
         : rc == -ENOMEM ? tm_fail(err, rc, "out of memory")
                         : tm_fail(err, rc, "schema: keyword 'pattern' cannot be obeyed");
}

static int load_required(struct schema_node *node, const json_t *names, struct tm_error *err)
{
  size_t i;
  json_t *name;
  json_array_foreach(names, i, name)
  {
    size_t m = 0;
    while (m < node->members_len &&
           strcmp(node->members[m].name, json_is_string(name) ? json_string_value(name) : "") != 0)
      m++;
    if (m == node->members_len)
      return tm_fail(err, -EINVAL, "schema: a required member is not listed");
    node->members[m].required = true;
  }
  return 0;
}

/* One keyword of a node. -EINVAL for one that is not known, or of a wrong type. */
static int load_keyword(struct schema_node *n, const char *key, const json_t *value,
                        struct tm_error *err)
{
  bool good = true;
  if (strcmp(key, "type") == 0)
    good = read_set(value, tm_json_type_named, &n->types);
  else if (strcmp(key, "x-purposes") == 0)
    good = read_set(value, tm_purpose_of, &n->purposes);
  else if (strcmp(key, "x-pseudonym") == 0)
    good = read_set(value, tm_purpose_of, &n->pseudonym);
  else if (strcmp(key, "x-name") == 0)
    n->is_name = json_is_true(value);
  else if (strcmp(key, "x-name-path") == 0)
    n->is_name_path = json_is_true(value);
  else if (strcmp(key, "const") == 0)
    n->constant = value;
  else if (strcmp(key, "enum") == 0)
    n->allowed = value;
  else if (strcmp(key, "maxLength") == 0)
    n->max_length = (size_t)json_integer_value(value);
  else if (strcmp(key, "maxItems") == 0)
    n->max_items = (size_t)json_integer_value(value);
  else if (strcmp(key, "minimum") == 0)
    n->minimum = json_number_value(value);
  else if (strcmp(key, "maximum") == 0)
    n->maximum = json_number_value(value);
  else if (strcmp(key, "additionalProperties") == 0)
    good = json_is_false(value);
  else if (strcmp(key, "pattern") == 0)
    return load_pattern(n, value, err);
  else if (strcmp(key, "properties") == 0)
    return load_members(n, value, err);
  else if (strcmp(key, "patternProperties") == 0)
    return load_pattern_members(n, value, err);
  else if (strcmp(key, "items") == 0)
    return load_one(&n->items, value, err);
  else
    good = strcmp(key, "description") == 0 || strcmp(key, "title") == 0 ||
           strcmp(key, "required") == 0 || key[0] == '$';
  return good ? 0 : tm_fail(err, -EINVAL, "schema: keyword '%s' cannot be obeyed", key);
}

static int load_node(struct schema_node *node, const json_t *json, struct tm_error *err)
{
  const char *key;
  json_t *value;
  node->max_length = node->max_items = SIZE_MAX;
  node->minimum = -INFINITY;
  node->maximum = INFINITY;
  json_object_foreach((json_t *)json, key, value)
  {
    int rc = load_keyword(node, key, value, err);
    if (rc < 0)
      return rc;
  }
  if (node->types == 0 || (node->types & TM_TYPE_ARRAY && node->items == NULL))
    return tm_fail(err, -EINVAL, "schema: '%s' has no type", node->name != NULL ? node->name : "");
  return load_required(node, json_object_get(json, "required"), err);
}

/* The root has no purposes of its own: it leaves with any. */
int schema_load(struct schema *s, enum schema_document which, struct tm_error *err)
{
  size_t len = 0;
  const char *text = schema_text(which, &len);
  *s = (struct schema){0};
  s->document = tm_json_parse(text, len, "schema", err);
  if (s->document == NULL)
    return -EINVAL;
  int rc = load_node(&s->root, s->document, err);
  s->root.purposes = (1u << TM_PURPOSES) - 1;
  if (rc < 0)
    schema_release(s);
  return rc;
}

static void release_node(struct schema_node *node)
{
  for (size_t i = 0; i < node->members_len; i++)
    release_node(&node->members[i]);
  free(node->members);
  if (node->items != NULL)
    release_node(node->items);
  free(node->items);
  if (node->by_pattern != NULL)
    release_node(node->by_pattern);
  tm_pattern_free(node->by_pattern_key);
  free(node->by_pattern);
  tm_pattern_free(node->pattern);
}

void schema_release(struct schema *s)
{
  release_node(&s->root);
  json_decref(s->document);
  *s = (struct schema){0};
}

/* --- fields ------------------------------------------------------------------------------- */

static void list_fields(const struct schema_node *node, const char *path, unsigned purpose,
                        json_t *out)
{
  char child[SCHEMA_PATH_SIZE];
  if (((node->purposes | node->pseudonym) & purpose) == 0)
    return;
  for (size_t i = 0; i < node->members_len; i++) {
    snprintf(child, sizeof(child), "%s%s%s", path, path[0] != '\0' ? "." : "",
             node->members[i].name);
    list_fields(&node->members[i], child, purpose, out);
  }
  if (node->by_pattern != NULL) {
    snprintf(child, sizeof(child), "%s.*", path);
    list_fields(node->by_pattern, child, purpose, out);
  }
  if (node->items != NULL) {
    snprintf(child, sizeof(child), "%s[]", path);
    list_fields(node->items, child, purpose, out);
  }
  if (node->members_len == 0 && node->by_pattern == NULL && node->items == NULL)
    json_array_append_new(out, json_string(path));
}

static int compare_strings(const void *a, const void *b)
{
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

json_t *schema_fields(const struct schema *s, unsigned purpose)
{
  json_t *found = json_array();
  json_t *out = json_array();
  list_fields(&s->root, "", purpose, found);
  size_t n = json_array_size(found);
  const char **sorted = calloc(n + 1, sizeof(char *));
  if (sorted != NULL) {
    for (size_t i = 0; i < n; i++)
      sorted[i] = json_string_value(json_array_get(found, i));
    qsort(sorted, n, sizeof(char *), compare_strings);
    for (size_t i = 0; i < n; i++)
      json_array_append_new(out, json_string(sorted[i]));
  }
  free(sorted);
  json_decref(found);
  return out;
}
