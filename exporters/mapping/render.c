/* SPDX-License-Identifier: MIT */
#include "exporters/mapping/mapping.h"

#include "common/json.h"
#include "common/number.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TEXT = 65536, MAX_SEGMENT = 256 };

/* --- pointers --------------------------------------------------------------------------------- */

/* The next reference token of a pointer, "~1" and "~0" undone. Returns what follows it; NULL when
 * it is too long. */
static const char *next_token(const char *p, char token[MAX_SEGMENT])
{
  size_t n = 0;
  for (; *p != '\0' && *p != '/'; p++) {
    char c = *p;
    if (c == '~' && (p[1] == '0' || p[1] == '1'))
      c = *++p == '0' ? '~' : '/';
    if (n + 1 == MAX_SEGMENT)
      return NULL;
    token[n++] = c;
  }
  token[n] = '\0';
  return p;
}

const json_t *mapping_point(const json_t *root, const char *pointer)
{
  char token[MAX_SEGMENT];
  for (const char *p = pointer; root != NULL && *p != '\0';) {
    uint64_t index = 0;
    if (*p != '/' || (p = next_token(p + 1, token)) == NULL)
      return NULL;
    if (!json_is_array(root))
      root = json_object_get(root, token);
    else if (tm_parse_u64(token, 0, UINT32_MAX, &index) == 0)
      root = json_array_get(root, (size_t)index);
    else
      root = NULL;
  }
  return root;
}

/* "./sku" is of the element at hand. */
static const json_t *point_from(const struct mapping_scope *s, const char *pointer)
{
  if (pointer[0] == '.')
    return mapping_point(s->item, pointer + 1);
  return mapping_point(s->opportunity, pointer);
}

/* --- values ----------------------------------------------------------------------------------- */

/* At most n characters, never half of one. */
static json_t *cut(json_t *text, size_t n)
{
  const char *s = json_string_value(text);
  size_t characters = 0, at = 0;
  for (; s != NULL && s[at] != '\0'; at++) {
    if (((unsigned char)s[at] & 0xc0) != 0x80 && characters++ == n)
      break;
  }
  if (s == NULL || s[at] == '\0')
    return text;
  json_t *shorter = json_stringn(s, at);
  json_decref(text);
  return shorter;
}

static int otherwise(json_t **out, const json_t *t, const struct mapping_scope *s,
                     const char *pointer, struct tm_error *err)
{
  const json_t *instead = json_object_get(t, "else");
  if (instead != NULL)
    return mapping_render(out, instead, s, err);
  if (json_is_true(json_object_get(t, "required")))
    return tm_fail(err, -EBADMSG, "%s: is wanted there, and missing", pointer);
  *out = NULL;
  return 0;
}

static int render_from(json_t **out, const json_t *t, const struct mapping_scope *s,
                       struct tm_error *err)
{
  const char *pointer = tm_json_get_string(t, "$from");
  const char *format = tm_json_get_string(t, "format");
  const json_t *map = json_object_get(t, "map");
  const json_t *value = point_from(s, pointer);
  double max = tm_json_get_number(t, "max");
  json_t *made = NULL;
  if (map != NULL && json_is_string(value))
    value = json_object_get(map, json_string_value(value));
  if (value == NULL || json_is_null(value))
    return otherwise(out, t, s, pointer, err);
  int rc = 0;
  if (format != NULL)
    rc = mapping_format(&made, format, value, err);
  else
    made = json_incref((json_t *)value);
  if (rc < 0)
    return tm_fail_prefix(err, pointer);
  *out = max >= 1 ? cut(made, (size_t)max) : made;
  return 0;
}

static int render_join(json_t **out, const json_t *t, const struct mapping_scope *s,
                       struct tm_error *err)
{
  struct tm_buf text = TM_BUF_INIT(MAX_TEXT);
  double max = tm_json_get_number(t, "max");
  size_t i;
  json_t *part;
  int rc = 0;
  json_array_foreach(json_object_get(t, "$join"), i, part)
  {
    json_t *value = NULL, *as_text = NULL;
    rc = mapping_render(&value, part, s, err);
    if (rc == 0 && value != NULL)
      rc = mapping_format(&as_text, "text", value, err);
    if (rc == 0 && as_text != NULL && tm_buf_puts(&text, json_string_value(as_text)) < 0)
      rc = tm_fail(err, -EBADMSG, "the joined text is too long");
    json_decref(value);
    json_decref(as_text);
    if (rc < 0)
      break;
  }
  if (rc == 0)
    *out = cut(json_string(text.ptr != NULL ? text.ptr : ""), max >= 1 ? (size_t)max : MAX_TEXT);
  tm_buf_release(&text);
  return rc;
}

static int render_each(json_t **out, const json_t *t, const struct mapping_scope *s,
                       struct tm_error *err)
{
  const json_t *list = point_from(s, tm_json_get_string(t, "$each"));
  struct mapping_scope inner = *s;
  json_t *made = json_array();
  size_t i;
  json_t *item;
  json_array_foreach(list, i, item)
  {
    json_t *value = NULL;
    inner.item = item;
    int rc = mapping_render(&value, json_object_get(t, "item"), &inner, err);
    if (rc < 0) {
      json_decref(made);
      return rc;
    }
    if (value != NULL)
      json_array_append_new(made, value);
  }
  *out = made;
  return 0;
}

/* Of an answer; in a dry run nobody has answered. */
static int render_answer(json_t **out, const json_t *t, const struct mapping_scope *s,
                         struct tm_error *err)
{
  const char *pointer = tm_json_get_string(t, "$record");
  const char *lookup = tm_json_get_string(t, "$lookup");
  const char *name = pointer != NULL ? pointer : lookup;
  const json_t *value =
      pointer != NULL ? mapping_point(s->record, pointer) : json_object_get(s->lookups, lookup);
  char shown[MAX_SEGMENT];
  if (s->dry) {
    snprintf(shown, sizeof(shown), "<%s %s>", pointer != NULL ? "record" : "lookup", name);
    *out = json_string(shown);
    return 0;
  }
  if (value == NULL || json_is_null(value))
    return otherwise(out, t, s, name, err);
  *out = json_incref((json_t *)value);
  return 0;
}

static int render_array(json_t **out, const json_t *t, const struct mapping_scope *s,
                        struct tm_error *err)
{
  json_t *made = json_array();
  size_t i;
  json_t *element;
  json_array_foreach(t, i, element)
  {
    json_t *value = NULL;
    int rc = mapping_render(&value, element, s, err);
    if (rc == 0 && value == NULL) /* the place of an element may mean something */
      rc = tm_fail(err, -EBADMSG, "element %zu of an array is missing", i);
    if (rc < 0) {
      json_decref(made);
      return rc;
    }
    json_array_append_new(made, value);
  }
  *out = made;
  return 0;
}

static int render_object(json_t **out, const json_t *t, const struct mapping_scope *s,
                         struct tm_error *err)
{
  json_t *made = json_object();
  const char *name;
  json_t *member;
  json_object_foreach((json_t *)t, name, member)
  {
    json_t *value = NULL;
    int rc = mapping_render(&value, member, s, err);
    if (rc < 0) {
      json_decref(made);
      return rc;
    }
    if (value != NULL)
      json_object_set_new(made, name, value);
  }
  *out = made;
  return 0;
}

int mapping_render(json_t **out, const json_t *t, const struct mapping_scope *s,
                   struct tm_error *err)
{
  *out = NULL;
  if (json_is_array(t))
    return render_array(out, t, s, err);
  if (!json_is_object(t)) {
    *out = json_incref((json_t *)t);
    return 0;
  }
  if (json_object_get(t, "$from") != NULL)
    return render_from(out, t, s, err);
  if (json_object_get(t, "$join") != NULL)
    return render_join(out, t, s, err);
  if (json_object_get(t, "$each") != NULL)
    return render_each(out, t, s, err);
  if (json_object_get(t, "$record") != NULL || json_object_get(t, "$lookup") != NULL)
    return render_answer(out, t, s, err);
  if (json_object_get(t, "$key") != NULL) {
    *out = json_incref(s->key);
    return 0;
  }
  return render_object(out, t, s, err);
}

/* --- paths ------------------------------------------------------------------------------------ */

/* What stands between braces, as a template. */
static json_t *placeholder(const char *text, size_t len)
{
  static const struct {
    const char *prefix, *member;
  } kinds[] = {{"record:", "$record"}, {"lookup:", "$lookup"}, {"", "$from"}};
  if (len == 3 && strncmp(text, "key", len) == 0)
    return json_pack("{s:b}", "$key", 1);
  for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
    size_t n = strlen(kinds[i].prefix);
    if (len > n && strncmp(text, kinds[i].prefix, n) == 0)
      return json_pack("{s:s%,s:b}", kinds[i].member, text + n, len - n, "required", 1);
  }
  return NULL;
}

static int put_placeholder(struct tm_buf *out, const char *text, size_t len,
                           const struct mapping_scope *s, struct tm_error *err)
{
  json_t *value = NULL, *as_text = NULL;
  json_t *t = placeholder(text, len);
  int rc = t == NULL ? tm_fail(err, -EBADMSG, "{%.*s}: is no placeholder", (int)len, text)
                     : mapping_render(&value, t, s, err);
  if (rc == 0 && value == NULL)
    rc = tm_fail(err, -EBADMSG, "{%.*s}: is missing", (int)len, text);
  if (rc == 0)
    rc = mapping_format(&as_text, "text", value, err);
  const char *made = json_string_value(as_text);
  if (rc == 0 && (made[0] == '\0' || strcmp(made, ".") == 0 || strcmp(made, "..") == 0))
    rc = tm_fail(err, -EBADMSG, "{%.*s}: '%s' cannot stand in a path", (int)len, text, made);
  if (rc == 0)
    rc = s->dry && made[0] == '<' ? tm_buf_puts(out, made) : tm_buf_percent(out, made);
  json_decref(t);
  json_decref(value);
  json_decref(as_text);
  return rc;
}

int mapping_render_path(struct tm_buf *out, const char *path, const struct mapping_scope *s,
                        struct tm_error *err)
{
  int rc = 0;
  for (const char *p = path; rc == 0 && *p != '\0';) {
    size_t plain = strcspn(p, "{");
    rc = tm_buf_add(out, p, plain);
    p += plain;
    if (rc < 0 || *p == '\0')
      break;
    size_t len = strcspn(p, "}");
    rc = put_placeholder(out, p + 1, len - 1, s, err);
    p += p[len] == '}' ? len + 1 : len;
  }
  return rc;
}
