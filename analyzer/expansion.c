/* SPDX-License-Identifier: MIT */
#include "analyzer/expansion.h"

#include <math.h>
#include <stdbool.h>

#define SAME_SHARE 0.02
enum { ROWS_OF_A_CHANGE = 3 };

static bool is_same(double a, double b)
{
  return fabs(a - b) <= SAME_SHARE * fmax(fabs(a), fabs(b));
}

/* The newest of the rows that stands at the old capacity (which the oldest of them has). */
static int64_t end_of_old(const int64_t time[ROWS_OF_A_CHANGE],
                          const double capacity[ROWS_OF_A_CHANGE])
{
  int k = 0;
  while (k < ROWS_OF_A_CHANGE - 1 && !is_same(capacity[k], capacity[ROWS_OF_A_CHANGE - 1]))
    k++;
  return time[k];
}

int64_t expansion_last(const int64_t *time, const double *capacity, size_t n)
{
  double now = NAN;
  int64_t other_time[ROWS_OF_A_CHANGE];
  double other[ROWS_OF_A_CHANGE];
  int others = 0;
  for (size_t i = n; i-- > 0;) {
    if (isnan(capacity[i]))
      continue;
    if (isnan(now))
      now = capacity[i];
    if (capacity[i] == now || is_same(capacity[i], now)) { /* the first one nearly always */
      others = 0;
      continue;
    }
    other_time[others] = time[i];
    other[others++] = capacity[i];
    if (others == ROWS_OF_A_CHANGE)
      return end_of_old(other_time, other);
  }
  return INT64_MIN;
}
