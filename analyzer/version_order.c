/* SPDX-License-Identifier: MIT */
#include "analyzer/version_order.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

enum { VERSION_MAX = 128 };

/* In the order in which they compare at one place. */
enum token_kind { PRERELEASE, END, WORD, NUMBER };

struct token {
  enum token_kind kind;
  const char *text;
  size_t len;
};

static bool is_digit(char c)
{
  return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool among(const char *text, size_t len, const char *const *words)
{
  for (; *words != NULL; words++)
    if (strlen(*words) == len && strncasecmp(text, *words, len) == 0)
      return true;
  return false;
}

static bool means_not_yet(const char *text, size_t len)
{
  static const char *const words[] = {"alpha", "beta",     "rc",  "pre", "preview",
                                      "dev",   "snapshot", "git", NULL};
  return among(text, len, words);
}

/* The next number or word; *s moves behind it. */
static struct token next_raw(const char **s)
{
  bool before = false;
  while (**s != '\0' && !is_digit(**s) && !is_letter(**s))
    before |= *(*s)++ == '~';
  struct token t = {.kind = END, .text = *s};
  if (is_digit(**s)) {
    t.kind = NUMBER;
    while (**s == '0')
      (*s)++;
    t.text = *s;
    while (is_digit(**s))
      (*s)++;
  } else if (is_letter(**s)) {
    while (is_letter(**s))
      (*s)++;
    t.kind = means_not_yet(t.text, (size_t)(*s - t.text)) ? PRERELEASE : WORD;
  }
  t.len = (size_t)(*s - t.text);
  if (before && t.kind != END)
    t.kind = PRERELEASE;
  return t;
}

/* Zeros that end a run of numbers say nothing: 1.0-rc1 is a release candidate of 1. */
static struct token next(const char **s)
{
  struct token t = next_raw(s);
  if (t.kind != NUMBER || t.len > 0)
    return t;
  const char *ahead = *s;
  struct token following = next_raw(&ahead);
  while (following.kind == NUMBER && following.len == 0)
    following = next_raw(&ahead);
  if (following.kind == NUMBER)
    return t;
  *s = ahead;
  return following;
}

/* Past "v", "Version", "FW " before the first number. */
static const char *skip_prefix(const char *s)
{
  static const char *const prefixes[] = {"v",   "ver", "version",  "r",        "rel",   "release",
                                         "rev", "fw",  "firmware", "revision", "build", NULL};
  for (;;) {
    const char *after = s;
    struct token t = next_raw(&after);
    if (t.kind != WORD || !among(t.text, t.len, prefixes))
      return s;
    s = after;
  }
}

static int compare_tokens(const struct token *a, const struct token *b)
{
  if (a->kind != b->kind)
    return a->kind < b->kind ? -1 : 1;
  if (a->kind == END)
    return 0;
  if (a->kind == NUMBER) {
    if (a->len != b->len)
      return a->len < b->len ? -1 : 1;
    return strncmp(a->text, b->text, a->len);
  }
  size_t n = a->len < b->len ? a->len : b->len;
  int order = strncasecmp(a->text, b->text, n);
  if (order != 0 || a->len == b->len)
    return order;
  return a->len < b->len ? -1 : 1;
}

int version_order(const char *a, const char *b)
{
  a = skip_prefix(a);
  b = skip_prefix(b);
  for (;;) {
    struct token x = next(&a);
    struct token y = next(&b);
    int order = compare_tokens(&x, &y);
    if (order != 0 || x.kind == END)
      return order;
  }
}

bool version_known(const char *version)
{
  return version != NULL && strlen(version) <= VERSION_MAX &&
         strpbrk(version, "0123456789") != NULL;
}
