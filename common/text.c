/* SPDX-License-Identifier: MIT */
#include "common/text.h"

#include "common/json_memory.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <wchar.h>

/*
 * Length of the valid UTF-8 character at p (RFC 3629: no overlong forms, no surrogates, at most
 * U+10FFFF) or 0; *code gets the code point.
 */
static size_t utf8_char(const unsigned char *p, size_t len, uint32_t *code)
{
  if (len == 0)
    return 0;
  if (p[0] < 0x80) {
    *code = p[0];
    return 1;
  }
  size_t n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
  static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  if (p[0] < 0xc2 || p[0] > 0xf4 || len < n)
    return 0;
  uint32_t c = p[0] & (0x7fU >> n);
  for (size_t i = 1; i < n; i++) {
    if ((p[i] & 0xc0) != 0x80)
      return 0;
    c = c << 6 | (p[i] & 0x3f);
  }
  if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
    return 0;
  *code = c;
  return n;
}

/* C0, DEL, C1, and the marks that reorder or hide text. */
static bool is_control(uint32_t c)
{
  return c < 0x20 || (c >= 0x7f && c <= 0x9f) || (c >= 0x200b && c <= 0x200f) ||
         (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

size_t tm_text_clean(char *dst, size_t size, const void *src, size_t len)
{
  static const char replacement[] = "\xef\xbf\xbd";
  const unsigned char *p = src;
  size_t out = 0;
  bool blank = false;
  while (len > 0 && *p != '\0') {
    uint32_t c = 0;
    size_t n = utf8_char(p, len, &c);
    const char *put = n > 0 ? (const char *)p : replacement;
    size_t put_len = n > 0 ? n : 3;
    n = n > 0 ? n : 1;
    if (put != replacement && (is_control(c) || c == ' ' || c == 0xa0)) {
      blank = out > 0;
    } else {
      if (out + blank + put_len >= size)
        break;
      if (blank)
        dst[out++] = ' ';
      blank = false;
      memcpy(dst + out, put, put_len);
      out += put_len;
    }
    p += n;
    len -= n;
  }
  dst[out] = '\0';
  return out;
}

void tm_text_end_whole(char *text, size_t len)
{
  size_t first = len; /* of the last character */
  while (first > 0 && len - first < 3 && ((unsigned char)text[first - 1] & 0xc0) == 0x80)
    first--;
  if (first == 0)
    return;
  unsigned char lead = (unsigned char)text[--first];
  size_t wanted = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
  if (wanted > len - first)
    text[first] = '\0';
}

void tm_text_copy(char *dst, size_t size, const char *text)
{
  size_t n = text != NULL ? strnlen(text, size - 1) : 0;
  if (n > 0)
    memcpy(dst, text, n);
  dst[n] = '\0';
  if (n > 0 && text[n] != '\0')
    tm_text_end_whole(dst, n);
}

bool tm_text_has_control(const char *s)
{
  for (; *s != '\0'; s++)
    if ((unsigned char)*s < 0x20 || *s == 0x7f)
      return true;
  return false;
}

size_t tm_text_characters(const char *s)
{
  size_t n = 0;
  for (; *s != '\0'; s++)
    n += ((unsigned char)*s & 0xc0) != 0x80;
  return n;
}

bool tm_text_is_utf8(const char *s)
{
  size_t len = strlen(s);
  while (len > 0) {
    uint64_t eight;
    for (; len >= sizeof(eight); s += sizeof(eight), len -= sizeof(eight)) {
      memcpy(&eight, s, sizeof(eight)); /* most text is ASCII */
      if ((eight & 0x8080808080808080U) != 0)
        break;
    }
    if (len == 0)
      break;
    uint32_t c = 0;
    size_t n = utf8_char((const unsigned char *)s, len, &c);
    if (n == 0)
      return false;
    s += n;
    len -= n;
  }
  return true;
}

/* Levenshtein distance of two short names; longer ones are as far as can be. */
static size_t distance(const char *a, const char *b)
{
  enum { MAX = 64 };
  size_t n = strlen(a);
  size_t m = strlen(b);
  if (n >= MAX || m >= MAX)
    return MAX;
  size_t row[MAX];
  for (size_t j = 0; j <= m; j++)
    row[j] = j;
  for (size_t i = 1; i <= n; i++) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= m; j++) {
      size_t best = diagonal + (a[i - 1] != b[j - 1]);
      if (row[j] + 1 < best)
        best = row[j] + 1;
      if (row[j - 1] + 1 < best)
        best = row[j - 1] + 1;
      diagonal = row[j];
      row[j] = best;
    }
  }
  return row[m];
}

const char *tm_text_nearest(const char *typed, const char *const *names)
{
  size_t limit = strlen(typed) / 3;
  if (limit < 1)
    limit = 1;
  const char *best = NULL;
  for (; *names != NULL; names++) {
    size_t d = distance(typed, *names);
    if (d > limit)
      continue;
    best = *names;
    if (d == 0)
      break;
    limit = d - 1; /* only a nearer one replaces it */
  }
  return best;
}

size_t tm_text_columns(const char *s)
{
  size_t len = strlen(s);
  size_t columns = 0;
  while (len > 0) {
    uint32_t c = 0;
    size_t n = utf8_char((const unsigned char *)s, len, &c);
    int w = n == 0 ? 1 : wcwidth((wchar_t)c);
    /* In the C locale wcwidth knows ASCII only: -1 there counts as one column. */
    columns += w < 0 ? 1 : (size_t)w;
    n = n > 0 ? n : 1;
    s += n;
    len -= n;
  }
  return columns;
}

bool tm_text_fits(const regex_t *regex, const char *text)
{
  return tm_text_match(regex, text, 0, NULL);
}

bool tm_text_match(const regex_t *regex, const char *text, size_t n, regmatch_t *found)
{
  errno = 0; /* the C library tells a lack of memory as a text that does not fit */
  int rc = regexec(regex, text, n, found, 0);
  if (rc != 0 && errno == ENOMEM)
    tm_json_starve();
  return rc == 0;
}
