/* SPDX-License-Identifier: MIT */
#include "common/json_read.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* 10^22 is the last power of ten that a double holds exactly, 2^53 the last of the numbers in a
 * row: the quotient of two such is rounded once, and is the number that strtod() finds. */
enum { DIGITS_MAX = 18, FRACTION_MAX = 22 };
#define EXACT_MAX 9007199254740992

struct reader {
  const char *p, *end;
  size_t depth;
};

static json_t *read_value(struct reader *r);

static void skip_blanks(struct reader *r)
{
  while (r->p < r->end && (*r->p == ' ' || *r->p == '\n' || *r->p == '\t' || *r->p == '\r'))
    r->p++;
}

static bool take(struct reader *r, char c)
{
  skip_blanks(r);
  if (r->p == r->end || *r->p != c)
    return false;
  r->p++;
  return true;
}

/* The bytes between quotes. */
static bool take_text(struct reader *r, const char **text, size_t *len, bool *ascii)
{
  unsigned char seen = 0;
  if (!take(r, '"'))
    return false;
  *text = r->p;
  for (; r->p < r->end && *r->p != '"'; r->p++) {
    unsigned char c = (unsigned char)*r->p;
    if (c < 0x20 || c == '\\')
      return false;
    seen |= c;
  }
  if (r->p == r->end)
    return false;
  *len = (size_t)(r->p++ - *text);
  *ascii = seen < 0x80;
  return true;
}

static json_t *read_text(struct reader *r)
{
  const char *text;
  size_t len;
  bool ascii;
  if (!take_text(r, &text, &len, &ascii))
    return NULL;
  return ascii ? json_stringn_nocheck(text, len) : json_stringn(text, len);
}

static bool is_digit(const struct reader *r)
{
  return r->p < r->end && *r->p >= '0' && *r->p <= '9';
}

static json_t *read_number(struct reader *r)
{
  static const double powers[FRACTION_MAX + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                  1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                  1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  bool minus = *r->p == '-';
  r->p += minus;
  const char *first = r->p;
  int64_t v = 0;
  for (; is_digit(r) && r->p - first <= DIGITS_MAX; r->p++)
    v = v * 10 + (*r->p - '0');
  size_t whole = (size_t)(r->p - first), fraction = 0;
  if (whole == 0 || (*first == '0' && whole > 1))
    return NULL;
  bool real = r->p < r->end && *r->p == '.';
  if (real) {
    first = ++r->p;
    for (; is_digit(r) && whole + (size_t)(r->p - first) <= DIGITS_MAX; r->p++)
      v = v * 10 + (*r->p - '0');
    fraction = (size_t)(r->p - first);
  }
  if ((minus && v == 0) || whole + fraction > DIGITS_MAX ||
      (real && (fraction == 0 || v > EXACT_MAX)) ||
      (r->p < r->end && (*r->p == 'e' || *r->p == 'E' || *r->p == '.')))
    return NULL;
  if (real)
    return json_real((double)(minus ? -v : v) / powers[fraction]);
  return json_integer(minus ? -v : v);
}

static json_t *read_word(struct reader *r)
{
  static const struct {
    const char *word;
    json_t *(*make)(void);
  } words[] = {{"true", json_true}, {"false", json_false}, {"null", json_null}};
  for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
    size_t len = strlen(words[i].word);
    if ((size_t)(r->end - r->p) >= len && memcmp(r->p, words[i].word, len) == 0) {
      r->p += len;
      return words[i].make();
    }
  }
  return NULL;
}

static bool read_members(struct reader *r, json_t *object)
{
  if (take(r, '}'))
    return true;
  do {
    const char *name;
    size_t len;
    bool ascii;
    if (!take_text(r, &name, &len, &ascii) || !ascii || !take(r, ':'))
      return false;
    json_t *value = read_value(r);
    size_t before = json_object_size(object);
    /* A name that was there already adds none. */
    if (value == NULL || json_object_setn_new_nocheck(object, name, len, value) < 0 ||
        json_object_size(object) == before)
      return false;
  } while (take(r, ','));
  return take(r, '}');
}

static bool read_elements(struct reader *r, json_t *array)
{
  if (take(r, ']'))
    return true;
  do {
    json_t *value = read_value(r);
    if (value == NULL || json_array_append_new(array, value) < 0)
      return false;
  } while (take(r, ','));
  return take(r, ']');
}

static json_t *read_container(struct reader *r)
{
  bool object = *r->p++ == '{';
  if (r->depth == 0)
    return NULL;
  json_t *v = object ? json_object() : json_array();
  r->depth--;
  if (v != NULL && !(object ? read_members(r, v) : read_elements(r, v))) {
    json_decref(v);
    v = NULL;
  }
  r->depth++;
  return v;
}

static json_t *read_value(struct reader *r)
{
  skip_blanks(r);
  if (r->p == r->end)
    return NULL;
  switch (*r->p) {
  case '{':
  case '[':
    return read_container(r);
  case '"':
    return read_text(r);
  case 't':
  case 'f':
  case 'n':
    return read_word(r);
  default:
    return read_number(r);
  }
}

json_t *tm_json_read_plain(const char *data, size_t len, size_t depth_max)
{
  struct reader r = {.p = data, .end = data + len, .depth = depth_max};
  json_t *v = read_value(&r);
  skip_blanks(&r);
  if (v == NULL || r.p == r.end)
    return v;
  json_decref(v);
  return NULL;
}
