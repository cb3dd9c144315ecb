/* SPDX-License-Identifier: MIT */
#include "common/json_out.h"

#include "common/clock.h"
#include "common/json.h"
#include "common/number.h"
#include "common/text.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define WHOLE_MAX 4503599627370496.0 /* 2^52 */

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

/* 10^n; 0 for the first, so that the number 0 has a digit too. */
static const uint64_t power[] = {0,
                                 10,
                                 100,
                                 1000,
                                 10000,
                                 100000,
                                 1000000,
                                 10000000,
                                 100000000,
                                 1000000000,
                                 10000000000,
                                 100000000000,
                                 1000000000000,
                                 10000000000000,
                                 100000000000000,
                                 1000000000000000,
                                 10000000000000000,
                                 100000000000000000,
                                 1000000000000000000,
                                 10000000000000000000ULL};

/* How many digits v has. */
static unsigned count_digits(uint64_t v)
{
  /* log10(2) is 1233/4096: right, or one too many. */
  unsigned n = (64U - (unsigned)__builtin_clzll(v | 1)) * 1233U >> 12;
  return n + (v >= power[n]);
}

/* The n last digits of v, zeros in front. */
static char *put_digits(char *p, uint64_t v, unsigned n)
{
  char *at = p + n;
  for (; n >= 2; n -= 2, v /= 100) {
    at -= 2;
    memcpy(at, tm_digit_pairs + 2 * (v % 100), 2);
  }
  if (n > 0)
    at[-1] = (char)('0' + v % 10);
  return at - n;
}

static char *put_int(char *p, int64_t value)
{
  uint64_t v = value < 0 ? -(uint64_t)value : (uint64_t)value;
  unsigned n = count_digits(v);
  if (value < 0)
    *p++ = '-';
  put_digits(p, v, n);
  return p + n;
}

/*
 * 0.1 <= |v| < 1e9 with so many significant figures (10 to 15), without printf, and as it rounds:
 * the double is an integer times a power of two, and that integer times the power of ten that makes
 * the last figure a whole one has at most 103 bits. NULL when nothing is left behind the point.
 */
static char *put_fraction(char *p, double value, unsigned figures)
{
  double v = fabs(value);
  unsigned places = figures;
  double bound = 1;
  for (; v >= bound; places--)
    bound *= 10;
  uint64_t bits;
  memcpy(&bits, &v, sizeof(bits));
  unsigned shift = 1023 + 52 - (unsigned)(bits >> 52);
  unsigned __int128 scaled = (unsigned __int128)((bits & 0xfffffffffffffU) | 1ULL << 52);
  scaled *= power[places];
  uint64_t whole = (uint64_t)(scaled >> shift);
  unsigned __int128 rest = scaled - ((unsigned __int128)whole << shift);
  unsigned __int128 half = (unsigned __int128)1 << (shift - 1);
  whole += rest > half || (rest == half && whole % 2 == 1);
  uint64_t behind = whole % power[places];
  if (behind == 0)
    return NULL;
  if (value < 0)
    *p++ = '-';
  p = put_int(p, (int64_t)(whole / power[places]));
  *p = '.';
  put_digits(p + 1, behind, places);
  char *end = p + 1 + places;
  while (end[-1] == '0')
    end--;
  return end;
}

char *json_put_number(char *p, double value)
{
  double v = fabs(value);
  if (!isfinite(value))
    return json_put(p, "null");
  if (v < 9007199254740992.0 && v == floor(v))
    return put_int(p, (int64_t)value);
  char *end = v >= 0.1 && v < 1e9 ? put_fraction(p, value, 10) : NULL;
  return end != NULL ? end : p + snprintf(p, JSON_NUMBER_SIZE, "%.10g", value);
}

char *json_put_real(char *p, double value)
{
  double v = fabs(value);
  if (!isfinite(value))
    return json_put(p, "null");
  if (v < WHOLE_MAX && v == floor(v))
    return put_int(p, (int64_t)value);
  char *end = v >= 0.1 && v < 1e9 ? put_fraction(p, value, 15) : NULL;
  if (end != NULL)
    return end;
  json_t *real = json_real(value);
  size_t n = json_dumpb(real, p, JSON_NUMBER_SIZE, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
  json_decref(real);
  return n > 0 && n <= JSON_NUMBER_SIZE ? p + n : json_put(p, "null");
}

char *json_put_time(char *p, int64_t t)
{
  if (t == INT64_MIN)
    return json_put(p, "null");
  *p++ = '"';
  p = tm_time_format(p, t) + TM_TIME_LEN;
  *p++ = '"';
  return p;
}

void json_out_int(struct json_out *o, int64_t value)
{
  char text[JSON_NUMBER_SIZE];
  char *end = put_int(text, value);
  element(o);
  put(o, text, (size_t)(end - text));
}

void json_out_number(struct json_out *o, double value)
{
  char text[JSON_NUMBER_SIZE];
  char *end = json_put_number(text, value);
  element(o);
  put(o, text, (size_t)(end - text));
}

char *json_out_begin(struct json_out *o, size_t n)
{
  element(o);
  if (o->rc == 0)
    o->rc = tm_buf_reserve(o->buf, n);
  return o->rc == 0 ? o->buf->ptr + o->buf->len : NULL;
}

void json_out_end(struct json_out *o, char *end)
{
  o->buf->len = (size_t)(end - o->buf->ptr);
  *end = '\0';
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

/* Bytes that stand in a JSON string as they are: neither control bytes, nor '"', nor '\\'. */
static size_t plain_run(const unsigned char *s, size_t n)
{
  size_t i = 0;
  while (i < n && s[i] >= 0x20 && s[i] != '"' && s[i] != '\\')
    i++;
  return i;
}

void json_out_exact(struct json_out *o, const char *text, size_t n)
{
  static const char from[] = "\b\f\n\r\t\"\\", to[] = "bfnrt\"\\";
  if (strlen(text) != n || !tm_text_is_utf8(text)) {
    o->rc = o->rc < 0 ? o->rc : -EBADMSG;
    return;
  }
  element(o);
  put(o, "\"", 1);
  while (n > 0) {
    size_t run = plain_run((const unsigned char *)text, n);
    put(o, text, run);
    text += run;
    n -= run;
    if (n == 0)
      break;
    char escape[8];
    const char *known = strchr(from, *text);
    put(o, escape,
        (size_t)(known != NULL ? snprintf(escape, sizeof(escape), "\\%c", to[known - from])
                               : snprintf(escape, sizeof(escape), "\\u%04X", *text)));
    text++;
    n--;
  }
  put(o, "\"", 1);
}

void json_out_time(struct json_out *o, int64_t t)
{
  char text[JSON_TIME_SIZE];
  char *end = json_put_time(text, t);
  element(o);
  put(o, text, (size_t)(end - text));
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
