/* SPDX-License-Identifier: MIT */
#include "common/json_check.h"

#include "common/clock.h"
#include "common/file.h"
#include "common/json.h"
#include "common/text.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int tm_json_file_parse(struct tm_json_file *f, const char *data, size_t len, const char *name,
                       struct tm_error *err)
{
  f->name = name;
  if (f->text.max == 0)
    f->text.max = len + 1;
  int rc = tm_buf_add(&f->text, data, len);
  if (rc < 0)
    return tm_fail(err, rc, "%s: larger than %zu bytes", name, f->text.max);
  f->root = tm_json_parse(f->text.ptr != NULL ? f->text.ptr : "", f->text.len, name, err);
  return f->root != NULL ? 0 : -EBADMSG;
}

int tm_json_file_read(struct tm_json_file *f, const char *path, size_t max_bytes,
                      struct tm_error *err)
{
  f->name = path;
  f->text.max = max_bytes;
  int rc = tm_file_read(path, &f->text, err);
  if (rc < 0)
    return rc;
  f->root = tm_json_parse(f->text.ptr != NULL ? f->text.ptr : "", f->text.len, path, err);
  return f->root != NULL ? 0 : -EBADMSG;
}

void tm_json_file_release(struct tm_json_file *f)
{
  json_decref(f->root);
  f->root = NULL;
  tm_buf_release(&f->text);
}

/*
 * Where a value stands is found by counting: the n-th value of the tree in document order is the
 * n-th value of the text, for Jansson keeps members in the order of the text and duplicates are
 * refused. true, false and null are shared nodes, so that a value is named by its container.
 */
struct place {
  const json_t *container;
  const char *key;
  size_t index;
  size_t count; /* values met so far, the present one included */
  bool found;
};

static void find_place(const json_t *value, struct place *p)
{
  p->count++;
  bool here = value == p->container;
  const char *key;
  json_t *child;
  size_t i;
  if (json_is_object(value)) {
    if (here && (p->key == NULL || json_object_get(value, p->key) == NULL)) {
      p->found = true;
      return;
    }
    json_object_foreach((json_t *)value, key, child)
    {
      if (here && strcmp(key, p->key) == 0) {
        p->count++;
        p->found = true;
        return;
      }
      find_place(child, p);
      if (p->found)
        return;
    }
  } else if (json_is_array(value)) {
    if (here && p->index >= json_array_size(value)) {
      p->found = true;
      return;
    }
    json_array_foreach(value, i, child)
    {
      if (here && i == p->index) {
        p->count++;
        p->found = true;
        return;
      }
      find_place(child, p);
      if (p->found)
        return;
    }
  } else if (here) {
    p->found = true;
  }
}

static const char *skip_string(const char *s, const char *end)
{
  for (s++; s < end && *s != '"'; s++)
    if (*s == '\\')
      s++;
  return s < end ? s + 1 : end;
}

static const char *skip_blanks(const char *s, const char *end, size_t *line)
{
  for (; s < end && strchr(" \t\r\n", *s) != NULL && *s != '\0'; s++)
    if (*s == '\n')
      (*line)++;
  return s;
}

/* The text parsed, so that tokens need no check of their own. */
static size_t line_of_value(const char *s, const char *end, size_t n)
{
  size_t line = 1;
  size_t count = 0;
  for (s = skip_blanks(s, end, &line); s < end; s = skip_blanks(s, end, &line)) {
    bool value = false;
    if (*s == '"') {
      size_t after = line;
      const char *next = skip_string(s, end);
      const char *colon = skip_blanks(next, end, &after);
      value = colon >= end || *colon != ':';
      s = next;
    } else if (strchr("]},:", *s) != NULL) {
      s++;
    } else {
      value = true;
      bool open = *s == '{' || *s == '[';
      s++;
      while (!open && s < end && strchr(" \t\r\n]},:[{\"", *s) == NULL)
        s++;
    }
    if (value && ++count == n)
      return line;
  }
  return line;
}

size_t tm_json_line(const struct tm_json_file *f, const json_t *container, const char *key,
                    size_t index)
{
  struct place p = {.container = container, .key = key, .index = index};
  find_place(f->root, &p);
  if (!p.found || f->text.ptr == NULL)
    return 1;
  return line_of_value(f->text.ptr, f->text.ptr + f->text.len, p.count);
}

__attribute__((format(printf, 4, 0))) static int
refuse(const struct tm_json_file *f, size_t line, struct tm_error *err, const char *fmt, va_list ap)
{
  char text[sizeof(err->text)];
  if (vsnprintf(text, sizeof(text), fmt, ap) >= (int)sizeof(text))
    tm_text_end_whole(text, sizeof(text) - 1);
  return tm_fail(err, -EBADMSG, "%s:%zu: %s", f->name, line, text);
}

int tm_json_refuse(const struct tm_json_file *f, const json_t *container, const char *key,
                   struct tm_error *err, const char *fmt, ...)
{
  va_list ap;
  va_start(ap, fmt);
  int rc = refuse(f, tm_json_line(f, container, key, SIZE_MAX), err, fmt, ap);
  va_end(ap);
  return rc;
}

int tm_json_refuse_at(const struct tm_json_file *f, const json_t *array, size_t index,
                      struct tm_error *err, const char *fmt, ...)
{
  va_list ap;
  va_start(ap, fmt);
  int rc = refuse(f, tm_json_line(f, array, NULL, index), err, fmt, ap);
  va_end(ap);
  return rc;
}

/* The member, NULL when absent or null; *rc tells a missing required one. */
static const json_t *want(const struct tm_json_file *f, const json_t *object, const char *key,
                          bool required, int *rc, struct tm_error *err)
{
  const json_t *v = json_object_get(object, key);
  *rc = 0;
  if (v != NULL && !json_is_null(v))
    return v;
  if (required)
    *rc = tm_json_refuse(f, object, key, err, "\"%s\" is missing", key);
  return NULL;
}

/* Why a text may not stand in names and messages; NULL when it may. */
static const char *text_fault(const char *text, size_t max_characters)
{
  if (text[0] == '\0')
    return "is empty";
  if (tm_text_characters(text) > max_characters)
    return "is too long";
  return tm_text_has_control(text) ? "holds a control character" : NULL;
}

int tm_json_want_string(const struct tm_json_file *f, const json_t *object, const char *key,
                        bool required, size_t max_characters, const char **out,
                        struct tm_error *err)
{
  int rc;
  const json_t *v = want(f, object, key, required, &rc, err);
  if (v == NULL)
    return rc;
  if (!json_is_string(v))
    return tm_json_refuse(f, object, key, err, "\"%s\" is not a string", key);
  const char *fault = text_fault(json_string_value(v), max_characters);
  if (fault != NULL)
    return tm_json_refuse(f, object, key, err, "\"%s\" %s", key, fault);
  *out = json_string_value(v);
  return 0;
}

int tm_json_want_name(const struct tm_json_file *f, const json_t *object, const char *key,
                      bool required, size_t max_characters, const char **out, struct tm_error *err)
{
  const char *name = NULL;
  int rc = tm_json_want_string(f, object, key, required, max_characters, &name, err);
  if (rc < 0 || name == NULL)
    return rc;
  if (strlen(name) > NAME_MAX)
    return tm_json_refuse(f, object, key, err, "\"%s\" is too long", key);
  *out = name;
  return 0;
}

int tm_json_want_number(const struct tm_json_file *f, const json_t *object, const char *key,
                        bool required, double min, double max, double *out, struct tm_error *err)
{
  int rc;
  const json_t *v = want(f, object, key, required, &rc, err);
  if (v == NULL)
    return rc;
  if (!json_is_number(v))
    return tm_json_refuse(f, object, key, err, "\"%s\" is not a number", key);
  double d = json_number_value(v);
  if (!(d >= min && d <= max))
    return tm_json_refuse(f, object, key, err, "\"%s\" is %g; it must lie between %g and %g", key,
                          d, min, max);
  *out = d;
  return 0;
}

int tm_json_want_date(const struct tm_json_file *f, const json_t *object, const char *key,
                      bool required, int64_t *out, struct tm_error *err)
{
  int rc;
  const json_t *v = want(f, object, key, required, &rc, err);
  if (v == NULL)
    return rc;
  const char *text = json_string_value(v);
  if (text == NULL || strlen(text) != 10 || tm_time_parse(text, out) < 0)
    return tm_json_refuse(f, object, key, err, "\"%s\" is not a date such as \"2026-11-20\"", key);
  return 0;
}

int tm_json_want_strings(const struct tm_json_file *f, const json_t *object, const char *key,
                         bool required, size_t max, const json_t **out, struct tm_error *err)
{
  int rc;
  const json_t *v = want(f, object, key, required, &rc, err);
  if (v == NULL)
    return rc;
  if (!json_is_array(v))
    return tm_json_refuse(f, object, key, err, "\"%s\" is not a list", key);
  if (json_array_size(v) > max)
    return tm_json_refuse(f, object, key, err, "\"%s\" has more than %zu entries", key, max);
  for (size_t i = 0; i < json_array_size(v); i++) {
    const char *text = json_string_value(json_array_get(v, i));
    if (text == NULL)
      return tm_json_refuse_at(f, v, i, err, "\"%s\" holds what is not a string", key);
    const char *fault = text_fault(text, 200);
    if (fault != NULL)
      return tm_json_refuse_at(f, v, i, err, "an entry of \"%s\" %s", key, fault);
  }
  *out = v;
  return 0;
}

int tm_json_known_keys(const struct tm_json_file *f, const json_t *object, const char *const *known,
                       struct tm_error *err)
{
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)object, key, value)
  {
    size_t i = 0;
    while (known[i] != NULL && strcmp(known[i], key) != 0)
      i++;
    if (known[i] != NULL)
      continue;
    const char *near = strlen(key) < 100 ? tm_text_nearest(key, known) : NULL;
    if (near != NULL)
      return tm_json_refuse(f, object, key, err, "unknown member \"%s\"; is \"%s\" meant?", key,
                            near);
    return tm_json_refuse(f, object, key, err, "unknown member \"%s\"", key);
  }
  return 0;
}

int tm_json_want_schema(const struct tm_json_file *f, const char *schema, struct tm_error *err)
{
  if (!json_is_object(f->root))
    return tm_json_refuse(f, f->root, NULL, err, "not a JSON object");
  const char *given = "";
  int rc = tm_json_want_string(f, f->root, "schema", true, 100, &given, err);
  if (rc < 0)
    return rc;
  if (strcmp(given, schema) != 0)
    return tm_json_refuse(f, f->root, "schema", err, "\"schema\" is \"%s\", not \"%s\"", given,
                          schema);
  return 0;
}
