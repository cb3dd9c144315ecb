/* SPDX-License-Identifier: MIT */
#include "analyzer/days.h"

#include <stdbool.h>

void days_init(struct days *d)
{
  d->low = d->high = DAYS_MAX;
}

static void add_after(struct days *d)
{
  d->border[d->high + 1] = tm_day_next(d->border[d->high]);
  d->high++;
}

static void add_before(struct days *d)
{
  d->low--;
  d->border[d->low] = tm_day_start(d->border[d->low + 1] - 1);
}

static void start_at(struct days *d, int64_t t)
{
  d->low = d->high = DAYS_MAX;
  d->border[DAYS_MAX] = tm_day_start(t);
  add_after(d);
}

/* The place of the day that holds t, with room for n days before it. */
static size_t place(struct days *d, int64_t t, size_t n)
{
  int64_t reach = (int64_t)(DAYS_MAX - n - 2) * (TM_DAY - 3600);
  bool empty = d->low == d->high;
  if (empty || t < d->border[DAYS_MAX] - reach || t > d->border[DAYS_MAX] + reach)
    start_at(d, t);
  while (t < d->border[d->low])
    add_before(d);
  while (t >= d->border[d->high])
    add_after(d);
  size_t i = d->low + (size_t)((t - d->border[d->low]) / TM_DAY);
  if (i >= d->high)
    i = d->high - 1;
  while (t < d->border[i])
    i--;
  while (t >= d->border[i + 1])
    i++;
  return i;
}

const int64_t *days_until(struct days *d, int64_t t, size_t n)
{
  size_t last = place(d, t, n);
  size_t first = last + 1 - n;
  while (d->low > first)
    add_before(d);
  return d->border + first;
}
