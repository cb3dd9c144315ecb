/* SPDX-License-Identifier: MIT */
#include "common/json_out.h"

#include "common/clock.h"
#include "common/json.h"
#include "common/text.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Nearly always there is room: a summary is written in three thousand pieces. */
static inline void put(struct json_out *o, const char *data, size_t n)
{
  struct tm_buf *b = o->buf;
  if (o->rc != 0)
    return;
  if (n < b->cap - b->len && n <= b->max - b->len) {
    memcpy(b->ptr + b->len, data, n);
    b->len += n;
    b->ptr[b->len] = '\0';
  } else {
    o->rc = tm_buf_add(b, data, n);
  }
}

/* What stands between two elements. */
static inline void element(struct json_out *o)
{
  if (o->comma)
    put(o, ",", 1);
  o->comma = true;
}

void json_out_open(struct json_out *o, char bracket)
{
  element(o);
  put(o, &bracket, 1);
  o->comma = false;
}

void json_out_close(struct json_out *o, char bracket)
{
  put(o, &bracket, 1);
  o->comma = true;
}

void json_out_key(struct json_out *o, const char *key)
{
  /* One piece: there are ten keys a day of history. */
  char text[80];
  char *p = text;
  size_t len = strnlen(key, sizeof(text) - 4);
  if (o->comma)
    *p++ = ',';
  *p++ = '"';
  p = mempcpy(p, key, len);
  *p++ = '"';
  *p++ = ':';
  put(o, text, (size_t)(p - text));
  o->comma = false;
}

void json_out_null(struct json_out *o)
{
  element(o);
  put(o, "null", 4);
}

void json_out_bool(struct json_out *o, bool value)
{
  element(o);
  put(o, value ? "true" : "false", value ? 4 : 5);
}

/* Digits of v, right-aligned before end; returns where they begin. */
static char *digits_before(char *end, uint64_t v)
{
  do {
    *--end = (char)('0' + v % 10);
    v /= 10;
  } while (v > 0);
  return end;
}

void json_out_int(struct json_out *o, int64_t value)
{
  char text[24];
  char *end = text + sizeof(text);
  char *p = digits_before(end, value < 0 ? -(uint64_t)value : (uint64_t)value);
  if (value < 0)
    *--p = '-';
  element(o);
  put(o, p, (size_t)(end - p));
}

/*
 * Ten significant figures of 0.1 <= v < 1e9, without printf: scaled to an integer by an exact
 * power of ten. The figures are right to one unit of the tenth.
 */
static void put_fraction(struct json_out *o, double value)
{
  static const double scale[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10};
  double v = fabs(value);
  int places = 10;
  double bound = 1;
  for (; v >= bound && places > 0; places--)
    bound *= 10;
  uint64_t whole = (uint64_t)llrint(v * scale[places]);
  char text[40];
  char *end = text + sizeof(text);
  char *p = end;
  for (int i = 0; i < places; i++) {
    *--p = (char)('0' + whole % 10);
    whole /= 10;
  }
  while (end > p && end[-1] == '0')
    end--; /* no trailing zeros; a fraction of only zeros takes its point along */
  if (end > p)
    *--p = '.';
  p = digits_before(p, whole);
  if (value < 0)
    *--p = '-';
  element(o);
  put(o, p, (size_t)(end - p));
}

void json_out_number(struct json_out *o, double value)
{
  double v = fabs(value);
  if (!isfinite(value)) {
    json_out_null(o);
  } else if (v < 9007199254740992.0 && v == floor(v)) {
    json_out_int(o, (int64_t)value);
  } else if (v >= 0.1 && v < 1e9) {
    put_fraction(o, value);
  } else {
    char text[40];
    int n = snprintf(text, sizeof(text), "%.10g", value);
    element(o);
    put(o, text, (size_t)n);
  }
}

void json_out_string(struct json_out *o, const char *text)
{
  char clean[1024];
  if (text == NULL || tm_text_clean(clean, sizeof(clean), text, strlen(text)) == 0) {
    json_out_null(o);
    return;
  }
  element(o);
  put(o, "\"", 1);
  /* After cleaning there are no control bytes: only these two need an escape. */
  for (const char *p = clean; *p != '\0';) {
    size_t n = strcspn(p, "\"\\");
    put(o, p, n);
    p += n;
    if (*p != '\0') {
      char escaped[2] = {'\\', *p++};
      put(o, escaped, 2);
    }
  }
  put(o, "\"", 1);
}

void json_out_plain(struct json_out *o, const char *text)
{
  element(o);
  put(o, "\"", 1);
  put(o, text, strlen(text));
  put(o, "\"", 1);
}

void json_out_time(struct json_out *o, int64_t t)
{
  char text[TM_TIME_SIZE];
  if (t == INT64_MIN)
    json_out_null(o);
  else
    json_out_plain(o, tm_time_format(text, t));
}

void json_out_value(struct json_out *o, const json_t *value)
{
  if (value == NULL) {
    json_out_null(o);
    return;
  }
  element(o);
  if (o->rc == 0)
    o->rc = tm_json_append(o->buf, value);
}
