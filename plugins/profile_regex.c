/* SPDX-License-Identifier: MIT */
#include "plugins/profile_compile.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 20, MAX_COST = 5000, MAX_TEXT = 2000 };

/* The end of what "[" begins: "]" may stand first in it, and classes "[:alpha:]" anywhere. */
static const char *skip_bracket(const char *p)
{
  p += *p == '^';
  p += *p == ']';
  while (*p != '\0' && *p != ']') {
    if (p[0] == '[' && (p[1] == ':' || p[1] == '.' || p[1] == '=')) {
      const char end[] = {p[1], ']', '\0'};
      const char *stop = strstr(p + 2, end);
      p = stop != NULL ? stop + 1 : p;
    }
    p++;
  }
  return p;
}

/* How often the part before it is copied: "{2,5}" is five times, "+" twice; 1: no repetition that
 * copies. */
static unsigned long copies(const char *p)
{
  char *end = NULL;
  if (*p == '+')
    return 2;
  if (*p != '{' || (p[1] != ',' && !isdigit((unsigned char)p[1])))
    return 1;
  unsigned long least = strtoul(p + 1, &end, 10);
  unsigned long most = least + 1;
  if (*end == ',' && isdigit((unsigned char)end[1]))
    most = strtoul(end + 1, NULL, 10);
  return most > least ? most : least;
}

/* The last byte of a character, a class in brackets or what a backslash takes the meaning from. */
static const char *skip_character(const char *p)
{
  if (*p == '[')
    p = skip_bracket(p + 1);
  else if (*p == '\\' && p[1] != '\0')
    p++;
  return *p != '\0' ? p : p - 1;
}

bool profile_regex_is_modest(const char *text)
{
  unsigned long sum[MAX_DEPTH + 1] = {0}; /* of the groups that are open */
  unsigned long last = 0;                 /* what a repetition would copy; it is in the sum */
  size_t depth = 0;
  if (strlen(text) > MAX_TEXT)
    return false;
  for (const char *p = text; *p != '\0'; p++) {
    unsigned long times = copies(p);
    if (times > MAX_COST || sum[depth] > MAX_COST || (*p == '\\' && isdigit((unsigned char)p[1])))
      return false;
    if (times > 1) {
      sum[depth] += last * (times - 1);
      last *= times;
    } else if (*p == '(') {
      if (depth++ == MAX_DEPTH)
        return false;
      sum[depth] = last = 0;
    } else if (*p == ')' && depth > 0) {
      last = sum[depth--] + 1;
      sum[depth] += last;
    } else if (*p != '*' && *p != '?') {
      p = skip_character(p);
      last = 1;
      sum[depth]++;
    }
  }
  return sum[depth] <= MAX_COST;
}
