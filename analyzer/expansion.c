/* SPDX-License-Identifier: MIT */
#include "analyzer/expansion.h"

#include <math.h>

#define SAME_SHARE 0.02
enum { MOST_BLIPS = 2 };

int64_t expansion_last(const int64_t *time, const double *capacity, size_t n)
{
  double now = NAN;
  int64_t since = INT64_MIN;
  unsigned others = 0;
  for (size_t i = n; i-- > 0;) {
    if (isnan(capacity[i]))
      continue;
    if (isnan(now))
      now = capacity[i];
    if (fabs(capacity[i] - now) > SAME_SHARE * now) {
      if (++others > MOST_BLIPS)
        return since;
      continue;
    }
    others = 0;
    since = time[i];
  }
  return INT64_MIN;
}
