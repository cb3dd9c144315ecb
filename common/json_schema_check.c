/* SPDX-License-Identifier: MIT */
#include "common/json_schema_own.h"

#include "common/json_memory.h"
#include "common/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

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

static int check_node(const struct check *c, const struct schema_part *n, const json_t *v,
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

static const char *wanted_type(unsigned types)
{
  return types & TM_TYPE_STRING     ? "text is wanted"
         : types & TM_TYPE_FRACTION ? "a number is wanted"
         : types & TM_TYPE_INTEGER  ? "a whole number is wanted"
         : types & TM_TYPE_OBJECT   ? "an object is wanted"
         : types & TM_TYPE_ARRAY    ? "a list is wanted"
         : types & TM_TYPE_BOOLEAN  ? "true or false is wanted"
         : types & TM_TYPE_NULL     ? "null is wanted"
                                    : "not allowed here";
}

static int check_string(const struct check *c, const struct schema_part *n, const char *text,
                        const struct place *at)
{
  if (n->max_length != SIZE_MAX && tm_text_characters(text) > n->max_length)
    return fault(c, at, "longer than %zu characters", n->max_length);
  if (n->min_length > 0 && tm_text_characters(text) < n->min_length)
    return fault(c, at, n->min_length == 1 ? "empty" : "shorter than %zu characters",
                 n->min_length);
  if (n->pattern != NULL && !tm_pattern_fits(n->pattern, text))
    return fault(c, at, "not of the form that is wanted");
  return 0;
}

static int check_number(const struct check *c, const struct schema_part *n, double v,
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

static int check_array(const struct check *c, const struct schema_part *n, const json_t *v,
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
static int check_other(const struct check *c, const struct schema_part *n, const char *name,
                       const json_t *v, const struct place *at)
{
  bool known = false;
  int rc = 0;
  for (size_t i = 0; rc == 0 && i < n->patterns_len; i++) {
    if (tm_pattern_fits(n->patterns[i].name, name)) {
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

static int check_object(const struct check *c, const struct schema_part *n, const json_t *v,
                        const struct place *at)
{
  const char *name = NULL;
  json_t *value;
  size_t seen = 0;
  int rc = 0;
  for (size_t i = 0; rc == 0 && i < n->members_len; i++) {
    const struct schema_member *m = &n->members[i];
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

static int check_composed(const struct check *c, const struct schema_part *n, const json_t *v,
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
    const struct schema_part *next =
        check_node(&quiet, n->condition, v, at) == 0 ? n->then : n->otherwise;
    rc = next != NULL ? check_node(c, next, v, at) : 0;
  }
  return rc;
}

static int check_node(const struct check *c, const struct schema_part *n, const json_t *v,
                      const struct place *at)
{
  unsigned type = tm_json_type(v);
  int rc = 0;
  if ((type & n->types) == 0)
    return fault(c, at, "%s", wanted_type(n->types));
  if (n->constant != NULL && !json_equal(n->constant, v))
    return json_is_string(n->constant)
               ? fault(c, at, "'%.80s' is wanted", json_string_value(n->constant))
               : fault(c, at, "not the value that is wanted");
  if (n->allowed != NULL && !tm_json_is_listed(n->allowed, v))
    return fault(c, at, "none of the values that are allowed");
  if (type == TM_TYPE_STRING)
    rc = check_string(c, n, json_string_value(v), at);
  else if (type & TM_TYPE_NUMBER)
    rc = check_number(c, n, json_number_value(v), at);
  else if (type == TM_TYPE_ARRAY)
    rc = check_array(c, n, v, at);
  else if (type == TM_TYPE_OBJECT)
    rc = check_object(c, n, v, at);
  return rc < 0 ? rc : check_composed(c, n, v, at);
}

int json_schema_check(const struct json_schema *schema, const json_t *value, unsigned flags,
                      struct json_fault *fault_out)
{
  const struct check c = {.flags = flags, .fault = fault_out};
  if (schema == NULL) {
    tm_json_starve();
    return fault(&c, NULL, "out of memory");
  }
  return check_node(&c, schema->root, value, NULL);
}
