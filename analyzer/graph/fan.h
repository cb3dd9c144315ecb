/* SPDX-License-Identifier: MIT */
#ifndef TM_FAN_H
#define TM_FAN_H

#include "analyzer/forecast/forecast.h"

/*
 * A forecast as lines over time, the same wherever it is drawn: straight ones from now to the limit
 * on the 0.1, 0.5 and 0.9 dates of the first-passage distribution, so that the picture says what
 * the dates say, and along the limit from there on.
 */
enum { FAN_EARLY = 1, FAN_MIDDLE = 3, FAN_LATE = 5 }; /* in forecast_quantile: 0.1, 0.5, 0.9 */

/* True when the verdict has something to say of what lies ahead; NULL has not. */
bool fan_known(const struct forecast_result *r);
/* True when there are an early and a middle date, so that low and high are known too. */
bool fan_is_open(const struct forecast_result *r);

struct fan {
  double low, middle, high; /* used at that time; low and high are NAN without dates */
};
/* At t, last_time or later. Without dates the middle goes on at the pace of today, within 0 and the
 * limit. */
struct fan fan_at(const struct forecast_result *r, int64_t t);

#endif
