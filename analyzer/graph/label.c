/* SPDX-License-Identifier: MIT */
#include "analyzer/graph/label.h"

#include "common/text.h"

#include <stdbool.h>
#include <string.h>

#define ELLIPSIS "\xe2\x80\xa6"
/* Looks like a backslash and is none: librrd has no way to write a literal one. */
#define SET_MINUS "\xe2\x88\x96"

/* Bytes of the UTF-8 character at p; the text is valid. */
static size_t char_len(const char *p)
{
  unsigned char c = (unsigned char)*p;
  return c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

static const char *escape_of(char c)
{
  switch (c) {
  case ':':
    return "\\:";
  case '\\':
    return SET_MINUS;
  case '<':
    return "&lt;";
  case '>':
    return "&gt;";
  case '&':
    return "&amp;";
  default:
    return NULL;
  }
}

/* Appends the n bytes when they and the closing NUL fit. */
static bool put(char *out, size_t size, size_t *len, const char *bytes, size_t n)
{
  if (*len + n + 1 > size)
    return false;
  memcpy(out + *len, bytes, n);
  *len += n;
  out[*len] = '\0';
  return true;
}

static size_t char_columns(const char *p, size_t n)
{
  char one[5] = {0};
  memcpy(one, p, n);
  return tm_text_columns(one);
}

char *label_escape(char *out, size_t size, const char *text, size_t columns)
{
  char clean[LABEL_SIZE];
  size_t len = 0;
  size_t used = 0;
  tm_text_clean(clean, sizeof(clean), text, strlen(text));
  bool whole = tm_text_columns(clean) <= columns;
  out[0] = '\0';
  for (const char *p = clean; *p != '\0';) {
    size_t n = char_len(p);
    const char *escape = escape_of(*p);
    used += char_columns(p, n);
    if (!whole && used + 1 > columns) {
      put(out, size, &len, ELLIPSIS, sizeof(ELLIPSIS) - 1);
      break;
    }
    if (!put(out, size, &len, escape == NULL ? p : escape, escape == NULL ? n : strlen(escape)))
      break;
    p += n;
  }
  return out;
}
