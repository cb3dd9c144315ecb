/* SPDX-License-Identifier: MIT */
#include "common/json.h"

#include "common/clock.h"
#include "common/file.h"
#include "common/text.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* Nesting is counted before Jansson recurses. Brackets within strings do not count. */
static int check_depth(const char *data, size_t len, const char *name, struct tm_error *err)
{
  size_t depth = 0;
  size_t line = 1;
  bool in_string = false;
  for (size_t i = 0; i < len; i++) {
    char c = data[i];
    if (c == '\n')
      line++;
    if (in_string) {
      if (c == '\\')
        i++;
      else if (c == '"')
        in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > TM_JSON_DEPTH)
        return tm_fail(err, -EBADMSG, "%s:%zu: nested deeper than %d levels", name, line,
                       TM_JSON_DEPTH);
    } else if ((c == '}' || c == ']') && depth > 0) {
      depth--;
    }
  }
  return 0;
}

/* A real so large that its 15 figures round to what no double holds would be written, and not be
 * read again. */
static bool can_be_told(const json_t *value)
{
  const char *key;
  size_t i;
  json_t *v;
  if (json_is_real(value))
    return fabs(json_real_value(value)) <= TM_JSON_REAL_MAX;
  if (json_is_array(value)) {
    json_array_foreach(value, i, v)
    {
      if (!can_be_told(v))
        return false;
    }
  } else if (json_is_object(value)) {
    json_object_foreach((json_t *)value, key, v)
    {
      if (!can_be_told(v))
        return false;
    }
  }
  return true;
}

json_t *tm_json_parse(const char *data, size_t len, const char *name, struct tm_error *err)
{
  if (check_depth(data, len, name, err) < 0)
    return NULL;
  json_error_t je;
  errno = 0; /* Jansson tells a lack of memory as bad syntax, or not at all */
  json_t *value = json_loadb(data, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &je);
  if (value == NULL && errno == ENOMEM)
    tm_fail(err, -ENOMEM, "%s: out of memory", name);
  else if (value == NULL)
    tm_fail(err, -EBADMSG, "%s:%d: not valid JSON: %s", name, je.line, je.text);
  if (value != NULL && !can_be_told(value)) {
    tm_fail(err, -EBADMSG, "%s: a number is larger than 1e308", name);
    json_decref(value);
    value = NULL;
  }
  return value;
}

json_t *tm_json_read(const char *path, size_t max_bytes, struct tm_error *err)
{
  struct tm_buf b = TM_BUF_INIT(max_bytes);
  json_t *value = NULL;
  if (tm_file_read(path, &b, err) == 0)
    value = tm_json_parse(b.ptr, b.len, path, err);
  tm_buf_release(&b);
  return value;
}

/* What is written of a value. Jansson goes on where the name of a member could not be taken. */
struct dump {
  struct tm_buf *to;
  int rc; /* of the first piece that failed */
};

static int add_chunk(const char *data, size_t len, void *arg)
{
  struct dump *d = arg;
  if (d->rc == 0)
    d->rc = tm_buf_add(d->to, data, len);
  return d->rc < 0 ? -1 : 0;
}

int tm_json_append(struct tm_buf *b, const json_t *value)
{
  size_t before = b->len;
  struct dump d = {b, 0};
  if (value == NULL)
    return -ENOMEM;
  errno = 0;
  if (json_dump_callback(value, add_chunk, &d,
                         JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15)) == 0 &&
      d.rc == 0)
    return 0;
  int rc = d.rc < 0 ? d.rc : errno == ENOMEM ? -ENOMEM : -EFBIG;
  if (b->ptr != NULL) {
    b->len = before;
    b->ptr[before] = '\0';
  }
  return rc;
}

json_t *tm_json_number(double value)
{
  if (!isfinite(value))
    return json_null();
  if (value == floor(value) && fabs(value) < 9007199254740992.0)
    return json_integer((json_int_t)value);
  return json_real(value);
}

json_t *tm_json_text(const char *text)
{
  char clean[1024];
  if (text == NULL || tm_text_clean(clean, sizeof(clean), text, strlen(text)) == 0)
    return json_null();
  return json_string(clean);
}

json_t *tm_json_time(int64_t t)
{
  char text[TM_TIME_SIZE];
  return t == INT64_MIN ? json_null() : json_string(tm_time_format(text, t));
}

static void drop_unless(bool whole, json_t **into)
{
  if (whole)
    return;
  json_decref(*into);
  *into = NULL;
}

void tm_json_put(json_t **into, const char *key, json_t *value)
{
  drop_unless(json_object_set_new(*into, key, value) == 0, into);
}

void tm_json_push(json_t **into, json_t *value)
{
  drop_unless(json_array_append_new(*into, value) == 0, into);
}

const char *tm_json_get_string(const json_t *object, const char *key)
{
  return json_string_value(json_object_get(object, key));
}

double tm_json_get_number(const json_t *object, const char *key)
{
  const json_t *v = json_object_get(object, key);
  return json_is_number(v) ? json_number_value(v) : NAN;
}

const json_t *tm_json_find(const json_t *array, const char *key, const char *value)
{
  size_t i;
  json_t *one;
  json_array_foreach(array, i, one)
  {
    const char *its = tm_json_get_string(one, key);
    if (its != NULL && strcmp(its, value) == 0)
      return one;
  }
  return NULL;
}

bool tm_json_get_time(const json_t *object, const char *key, int64_t *t)
{
  const char *text = tm_json_get_string(object, key);
  return text != NULL && tm_time_parse(text, t) == 0;
}

int64_t tm_json_time_or(const json_t *object, const char *key, int64_t otherwise)
{
  int64_t t = otherwise;
  tm_json_get_time(object, key, &t);
  return t;
}

int64_t tm_json_day(const json_t *object, const char *key)
{
  int64_t t = tm_json_time_or(object, key, INT64_MIN);
  return t == INT64_MIN ? t : t / TM_DAY;
}

bool tm_json_get_bool(const json_t *object, const char *key, bool otherwise)
{
  const json_t *v = json_object_get(object, key);
  return json_is_boolean(v) ? json_is_true(v) : otherwise;
}
