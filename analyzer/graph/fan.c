/* SPDX-License-Identifier: MIT */
#include "analyzer/graph/fan.h"

#include "common/clock.h"

#include <math.h>

bool fan_known(const struct forecast_result *r)
{
  return r != NULL && (r->verdict == FORECAST_GROWING || r->verdict == FORECAST_FLAT ||
                       r->verdict == FORECAST_RECEDING);
}

bool fan_is_open(const struct forecast_result *r)
{
  return r->fill[FAN_MIDDLE] != FORECAST_NONE && r->fill[FAN_EARLY] != FORECAST_NONE;
}

static double edge_at(const struct forecast_result *r, int64_t date, int64_t t)
{
  if (t >= date)
    return r->limit;
  double part = (double)(t - r->last_time) / (double)(date - r->last_time);
  return r->last_used + (r->limit - r->last_used) * part;
}

static double pace_at(const struct forecast_result *r, int64_t t)
{
  double v = r->last_used + r->growth_per_day * (double)(t - r->last_time) / TM_DAY;
  return v < 0 ? 0 : v > r->limit ? r->limit : v;
}

struct fan fan_at(const struct forecast_result *r, int64_t t)
{
  if (!fan_is_open(r))
    return (struct fan){NAN, pace_at(r, t), NAN};
  int64_t farthest = r->last_time + (int64_t)FORECAST_FAR_DAYS * TM_DAY;
  int64_t late = r->fill[FAN_LATE] == FORECAST_NONE ? farthest : r->fill[FAN_LATE];
  return (struct fan){edge_at(r, late, t), edge_at(r, r->fill[FAN_MIDDLE], t),
                      edge_at(r, r->fill[FAN_EARLY], t)};
}
