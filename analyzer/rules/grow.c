/* SPDX-License-Identifier: MIT */
/* Full soon: more capacity. */
#include "analyzer/rules/rules.h"

#include "common/clock.h"
#include "common/number.h"

#include <math.h>
#include <stdio.h>

/* Counted from the day on which `used` was read, not from the day of the advice. */
static double days_until(const struct rule_facts *f, int64_t at)
{
  int64_t from = f->observed_at != INT64_MIN ? f->observed_at : f->now;
  return at == INT64_MIN ? NAN : fmax(0, (double)(at - from) / TM_DAY);
}

/*
 * What is used at the end of the planning time, but for 1 chance in 10. The median path grows as
 * the forecast says; its upper edge is known at one place, where it meets the capacity on the day
 * of the 0.1 quantile, and spreads with the square root of time from there, as sums of daily
 * changes do; at most it grows twice as fast as the median, for a sawtooth spreads no further.
 */
static double need_at_horizon(const struct rule_facts *f, double *growth)
{
  double horizon = days_until(f, f->now + (int64_t)(f->thresholds->planning_days * TM_DAY));
  double room = fmax(0, f->capacity - f->used);
  double early = days_until(f, outlook_time(&f->fill, 0.1));
  double middle = days_until(f, outlook_time(&f->fill, 0.5));
  *growth = f->growth_per_day;
  if (isnan(*growth))
    *growth = middle > 0 ? room / middle : 0;
  *growth = fmax(0, *growth);
  double spread = fmax(0, room - *growth * early);
  double most = fmax(spread, *growth * horizon);
  double need = f->used + *growth * horizon + fmin(most, spread * sqrt(horizon / fmax(1, early)));
  /* Full is full: a series that is clipped at its capacity cannot show its growth. */
  return fmax(need, f->capacity * 1.01);
}

static void say(const struct rule_facts *f, struct need *need, double growth)
{
  char used[32], capacity[32], per_day[32], want[32], time[TM_TIME_SIZE], early[16], late[64];
  if (f->slots) {
    snprintf(used, sizeof(used), "%.0f", f->used);
    snprintf(capacity, sizeof(capacity), "%.0f slots", f->capacity);
    snprintf(per_day, sizeof(per_day), "%.3g", growth);
    snprintf(want, sizeof(want), "%.0f slots", ceil(need->want_size));
  } else {
    tm_format_bytes(used, sizeof(used), f->used);
    tm_format_bytes(capacity, sizeof(capacity), f->capacity);
    tm_format_bytes(per_day, sizeof(per_day), growth);
    tm_format_bytes(want, sizeof(want), need->want_size);
  }
  int64_t first = outlook_time(&f->fill, 0.1);
  int64_t last = outlook_time(&f->fill, 0.9);
  snprintf(early, sizeof(early), "%.10s", tm_time_format(time, first));
  if (f->used >= f->capacity)
    snprintf(late, sizeof(late), "full now");
  else if (last == INT64_MIN)
    snprintf(late, sizeof(late), "full from %s on, 1 chance in 10", early);
  else
    snprintf(late, sizeof(late), "full between %s and %.10s", early, tm_time_format(time, last));
  int64_t horizon = f->now + (int64_t)(f->thresholds->planning_days * TM_DAY);
  snprintf(need->reason, sizeof(need->reason),
           "%s of %s used (%.0f %%), +%s a day; %s; %s carry it until %.10s, 9 chances in 10", used,
           capacity, tm_percent(f->used, f->capacity), per_day, late, want,
           tm_time_format(time, horizon));
}

int rule_grow(const struct rule_facts *f, struct need *need, struct tm_error *err)
{
  (void)err;
  const struct rule_thresholds *t = f->thresholds;
  if (!(f->capacity > 0) || isnan(f->used) || f->fill.n == 0 ||
      outlook_time(&f->fill, 0.1) == INT64_MIN)
    return 0;
  double lead = f->model->lead_time_days + f->catalogue->sales_cycle_days;
  double within = fmax(t->within_days, lead);
  double p = outlook_probability(&f->fill, f->now + (int64_t)(within * TM_DAY));
  if (!(p >= t->min_probability))
    return 0;
  double growth;
  need->want_size = need_at_horizon(f, &growth);
  /* The load chooses the product: more of the same only where the device is not too busy. */
  if (f->load.level > t->busy_share * f->load.limit)
    need->want_speed = f->load.level / t->busy_share;
  need->holds = true;
  need->when = f->fill;
  need->confidence = p;
  say(f, need, growth);
  need_put_text(need, "unit", 0, f->slots ? "slots" : "bytes");
  need_put_number(need, "capacity", 0, round(f->capacity));
  need_put_number(need, "used", 0, round(f->used));
  need_put_number(need, "per_day", 0, f->slots ? growth : round(growth));
  need_put_number(need, "within_days", 0, within);
  need_put_number(need, "planning_days", 0, t->planning_days);
  if (f->method != NULL)
    need_put_text(need, "method", 0, f->method);
  need_put_number(need, "need_p90", 0, ceil(need->want_size));
  return 0;
}
