/* SPDX-License-Identifier: MIT */
#include "exporters/spool_own.h"

#include "common/number.h"

#include <stdio.h>
#include <string.h>

#define MAX_BACKOFF_S 86400
#define CLASS_UNIT    10000000000000LL /* 10^13: ORDER is the class, then 13 digits */

static bool take_digits(const char **p, size_t n, char end, int64_t *value)
{
  char digits[24];
  if (strspn(*p, "0123456789") != n || (*p)[n] != end || n >= sizeof(digits))
    return false;
  memcpy(digits, *p, n);
  digits[n] = '\0';
  *p += n + (end != '\0');
  return tm_parse_i64(digits, 0, INT64_MAX, value) == 0;
}

/* 1 to 4 digits without a leading zero, so that one item has one name only */
static bool take_attempt(const char *p, int *attempt)
{
  uint64_t v = 0;
  if (strlen(p) > 4 || (p[0] == '0' && p[1] != '\0') || tm_parse_u64(p, 0, SPOOL_ATTEMPTS, &v) < 0)
    return false;
  *attempt = (int)v;
  return true;
}

bool spool_name_parse(const char *name, struct spool_entry *e)
{
  const char *p = name;
  int64_t order = 0;
  *e = (struct spool_entry){0};
  if (strlen(name) >= sizeof(e->name) || !take_digits(&p, 12, '.', &e->due) ||
      !take_digits(&p, 14, '.', &order))
    return false;
  if (strspn(p, "0123456789abcdef") != SPOOL_KEY_SIZE - 1 || p[SPOOL_KEY_SIZE - 1] != '.')
    return false;
  memcpy(e->key, p, SPOOL_KEY_SIZE - 1);
  if (!take_attempt(p + SPOOL_KEY_SIZE, &e->attempt))
    return false;
  e->order_class = (int)(order / CLASS_UNIT);
  e->queued_ms = order % CLASS_UNIT;
  memcpy(e->name, name, strlen(name) + 1);
  return true;
}

void spool_name_make(struct spool_entry *e)
{
  if (e->queued_ms < 0)
    e->queued_ms = 0;
  if (e->queued_ms >= CLASS_UNIT)
    e->queued_ms = CLASS_UNIT - 1;
  int64_t due = e->due < 0 ? 0 : e->due > 999999999999 ? 999999999999 : e->due;
  snprintf(e->name, sizeof(e->name), "%012lld.%014lld.%s.%d", (long long)due,
           (long long)(e->order_class * CLASS_UNIT + e->queued_ms), e->key, e->attempt);
}

int64_t spool_backoff_s(int attempt, uint32_t random)
{
  static const int64_t steps[] = {5,         5 * 60,    30 * 60,   2 * 3600,     5 * 3600,
                                  10 * 3600, 14 * 3600, 20 * 3600, MAX_BACKOFF_S};
  size_t n = sizeof(steps) / sizeof(steps[0]);
  size_t i = attempt < 0 ? 0 : (size_t)attempt;
  int64_t step = steps[i < n ? i : n - 1];
  /* 0.8 to 1.2 of it, so that a fleet does not come back in step after an outage */
  return (int64_t)((double)step * (0.8 + 0.4 * (double)random / (double)UINT32_MAX) + 0.5);
}

bool spool_is_due(const struct spool_entry *entry, int64_t now)
{
  return entry->due <= now || entry->due > now + MAX_BACKOFF_S * 12 / 10;
}
