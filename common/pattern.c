/* SPDX-License-Identifier: MIT */
#include "common/pattern.h"

#include "common/text.h"

#include <errno.h>
#include <limits.h>
#include <locale.h>
#include <regex.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 4, STEPS = 16, TIMES_MAX = 1000 };

/* One class of bytes, so many times. NUL is in none. */
struct step {
  uint32_t bytes[8];
  unsigned min, max;
};

struct row {
  struct step steps[STEPS];
  size_t len;
};

/* "A(B|C)?" are the rows A, AB and AC. */
struct rows {
  struct row list[ROWS];
  size_t len;
};

struct tm_pattern {
  struct rows rows; /* len 0: the expression is asked */
  regex_t regex;
};

static bool has(const struct step *s, unsigned char c)
{
  return s->bytes[c / 32] >> (c % 32) & 1;
}

static void put(struct step *s, unsigned char c)
{
  s->bytes[c / 32] |= UINT32_C(1) << (c % 32);
}

/* --- reading: false where it is more than rows can say ------------------------------------ */

static bool read_class(const char **p, struct step *s)
{
  const char *at = *p + 1;
  bool negated = *at == '^';
  at += negated;
  for (const char *first = at; *at != '\0' && (*at != ']' || at == first); at++) {
    if (*at == '[') /* "[:alpha:]" and its like */
      return false;
    unsigned char from = (unsigned char)*at, to = from;
    if (at[1] == '-' && at[2] != ']' && at[2] != '\0') {
      if (at[2] == '[')
        return false;
      to = (unsigned char)at[2];
      at += 2;
    }
    for (unsigned c = from; c <= to; c++)
      put(s, (unsigned char)c);
  }
  if (*at != ']')
    return false;
  for (size_t i = 0; negated && i < 8; i++)
    s->bytes[i] = ~s->bytes[i];
  s->bytes[0] &= ~UINT32_C(1);
  *p = at + 1;
  return true;
}

static bool read_atom(const char **p, struct step *s)
{
  if (**p == '[')
    return read_class(p, s);
  if (**p == '\\') {
    if (strchr(".[]()*+?{}|^$\\", (*p)[1]) == NULL || (*p)[1] == '\0')
      return false;
    ++*p;
  } else if (**p == '\0' || strchr(".*+?{}()|^$", **p) != NULL) {
    return false;
  }
  put(s, (unsigned char)*(*p)++);
  return true;
}

static bool read_number(const char **p, unsigned *n)
{
  char *end;
  if (**p < '0' || **p > '9')
    return false;
  unsigned long v = strtoul(*p, &end, 10);
  *p = end;
  *n = (unsigned)v;
  return v <= TIMES_MAX;
}

static bool read_times(const char **p, struct step *s)
{
  s->min = s->max = 1;
  if (**p == '?' || **p == '*')
    s->min = 0;
  if (**p == '+' || **p == '*')
    s->max = UINT_MAX;
  if (**p == '?' || **p == '*' || **p == '+') {
    ++*p;
  } else if (**p == '{') {
    ++*p;
    if (!read_number(p, &s->min))
      return false;
    s->max = s->min;
    if (**p == ',') {
      ++*p;
      s->max = UINT_MAX;
      if (**p != '}' && !read_number(p, &s->max))
        return false;
    }
    if (*(*p)++ != '}')
      return false;
  }
  return strchr("?*+{", **p) == NULL || **p == '\0';
}

static bool add_step(struct rows *rows, const struct step *s)
{
  for (size_t i = 0; i < rows->len; i++) {
    if (rows->list[i].len == STEPS)
      return false;
    rows->list[i].steps[rows->list[i].len++] = *s;
  }
  return true;
}

/* The branches of a group, each a row of steps without further groups. */
static bool read_branches(const char **p, struct rows *branches)
{
  do {
    ++*p; /* "(" or "|" */
    if (branches->len == ROWS)
      return false;
    struct rows one = {.len = 1};
    while (**p != ')' && **p != '|') {
      struct step s = {0};
      if (!read_atom(p, &s) || !read_times(p, &s) || !add_step(&one, &s))
        return false;
    }
    branches->list[branches->len++] = one.list[0];
  } while (**p == '|');
  ++*p;
  return true;
}

/* Each row that there is goes on with each branch, or (optional) as it is. */
static bool add_branches(struct rows *rows, const struct rows *branches, bool optional)
{
  struct rows before = *rows;
  rows->len = 0;
  for (size_t i = 0; i < before.len; i++) {
    for (size_t b = 0; b < branches->len + optional; b++) {
      if (rows->len == ROWS)
        return false;
      struct rows one = {.list = {before.list[i]}, .len = 1};
      for (size_t s = 0; b < branches->len && s < branches->list[b].len; s++) {
        if (!add_step(&one, &branches->list[b].steps[s]))
          return false;
      }
      rows->list[rows->len++] = one.list[0];
    }
  }
  return true;
}

static bool read_rows(const char *p, struct rows *rows)
{
  rows->len = 1;
  if (*p++ != '^')
    return false;
  while (*p != '$') {
    struct step s = {0};
    if (*p == '(') {
      struct rows branches = {0};
      if (!read_branches(&p, &branches))
        return false;
      bool optional = *p == '?';
      p += optional;
      if ((*p != '\0' && strchr("?*+{", *p) != NULL) || !add_branches(rows, &branches, optional))
        return false;
    } else if (!read_atom(&p, &s) || !read_times(&p, &s) || !add_step(rows, &s)) {
      return false;
    }
  }
  return p[1] == '\0';
}

/* Taking as many as there are is right where none of them could be the beginning of what follows.
 */
static bool is_decided(const struct row *row)
{
  for (size_t i = 0; i < row->len; i++) {
    const struct step *s = &row->steps[i];
    bool open = s->min != s->max;
    for (size_t k = i + 1; open && k < row->len; k++) {
      for (size_t b = 0; b < 8; b++) {
        if ((s->bytes[b] & row->steps[k].bytes[b]) != 0)
          return false;
      }
      open = row->steps[k].min == 0;
    }
  }
  return true;
}

/* --- a pattern ---------------------------------------------------------------------------- */

/* With the characters of a UTF-8 locale matching takes three times as long, and the classes of the
 * schemas are of ASCII. */
static int compile(regex_t *regex, const char *text)
{
  locale_t bytes = newlocale(LC_CTYPE_MASK, "C", (locale_t)0);
  locale_t before = bytes != (locale_t)0 ? uselocale(bytes) : (locale_t)0;
  int rc = tm_text_regex(regex, text, REG_EXTENDED | REG_NOSUB);
  if (bytes != (locale_t)0) {
    uselocale(before);
    freelocale(bytes);
  }
  return rc;
}

int tm_pattern_new(struct tm_pattern **pattern, const char *text)
{
  struct tm_pattern *p = calloc(1, sizeof(*p));
  if (p == NULL)
    return -ENOMEM;
  int rc = compile(&p->regex, text);
  if (rc < 0) {
    free(p);
    return rc;
  }
  bool good = read_rows(text, &p->rows);
  for (size_t i = 0; good && i < p->rows.len; i++)
    good = is_decided(&p->rows.list[i]);
  if (!good)
    p->rows.len = 0;
  *pattern = p;
  return 0;
}

void tm_pattern_free(struct tm_pattern *pattern)
{
  if (pattern != NULL)
    regfree(&pattern->regex);
  free(pattern);
}

static bool fits_row(const struct row *row, const char *text)
{
  const unsigned char *p = (const unsigned char *)text;
  for (size_t i = 0; i < row->len; i++) {
    const struct step *s = &row->steps[i];
    unsigned n = 0;
    while (n < s->max && has(s, *p)) {
      n++;
      p++;
    }
    if (n < s->min)
      return false;
  }
  return *p == '\0';
}

bool tm_pattern_fits(const struct tm_pattern *pattern, const char *text)
{
  if (pattern->rows.len == 0)
    return tm_text_fits(&pattern->regex, text);
  for (size_t i = 0; i < pattern->rows.len; i++) {
    if (fits_row(&pattern->rows.list[i], text))
      return true;
  }
  return false;
}

bool tm_pattern_is_row(const struct tm_pattern *pattern)
{
  return pattern->rows.len > 0;
}
