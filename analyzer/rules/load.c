/* SPDX-License-Identifier: MIT */
#include "analyzer/rules/load.h"

#include "analyzer/forecast/forecast.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/number.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { RECENT_DAYS = 7 };
#define WEEK_S (7 * (int64_t)TM_DAY)

/* What a count or gauge of the summary has to be divided by to be a speed. */
static double divisor(const struct rule_load *l, double interval_s)
{
  if (strcmp(l->unit, "load") == 0 || strcmp(l->unit, "percent") == 0)
    return 1;
  if (strcmp(l->unit, "pages") == 0)
    return interval_s / 60;
  return interval_s;
}

double rule_rated_speed(const struct rule_load *l, const struct catalogue_item *model)
{
  if (l->unit == NULL)
    return NAN;
  if (strcmp(l->unit, "bytes") == 0)
    return model->bits_per_s / 8;
  if (strcmp(l->unit, "load") == 0)
    return model->rated_load;
  if (strcmp(l->unit, "percent") == 0)
    return isnan(model->rated_load) ? NAN : 100;
  if (strcmp(l->unit, "pages") == 0)
    return model->pages_per_minute;
  return model->rated_transfers_per_s;
}

/* What expansions and cache modules that are built in add. A registration that names only the size
 * of the cache still tells which modules it has, when one kind of them makes up the difference. */
static double built_in_speed(const struct rule_facts *f)
{
  double speed = 0;
  unsigned modules = 0;
  for (size_t i = 0; i < f->model->n_options; i++) {
    const struct catalogue_item *o = f->model->options[i];
    if (o->type != CATALOGUE_EXPANSION && o->type != CATALOGUE_CACHE)
      continue;
    unsigned n = rule_installed(f->product, o);
    speed += n * o->adds_transfers_per_s;
    modules += o->type == CATALOGUE_CACHE ? n : 0;
  }
  double extra = f->cache_bytes - f->model->cache_bytes;
  for (size_t i = 0; modules == 0 && extra > 0 && i < f->model->n_options; i++) {
    const struct catalogue_item *o = f->model->options[i];
    double n = extra / o->adds_bytes;
    if (o->type == CATALOGUE_CACHE && n == floor(n) && n <= o->max_quantity)
      return speed + n * o->adds_transfers_per_s;
  }
  return speed;
}

static void read_day(struct rule_load *l, const json_t *day, double per)
{
  const char *date = tm_json_get_string(day, "date");
  double max = tm_json_get_number(day, "transfers_max");
  int64_t t;
  if (date == NULL || tm_time_parse(date, &t) < 0)
    return;
  if (l->n > 0 && l->time[l->n - 1] >= t) /* out of order: not a history */
    return;
  l->time[l->n] = t;
  l->max[l->n] = max >= 0 ? max / per : NAN;
  l->mean[l->n] = tm_json_get_number(day, "transfers_mean") / per;
  l->n++;
}

void load_read(struct rule_facts *f)
{
  struct rule_load *l = &f->load;
  l->limit = l->level = l->peak = l->growth_per_day = NAN;
  const json_t *transfers = json_object_get(f->status, "transfers");
  double interval_s = tm_json_get_number(transfers, "interval_s");
  if (!(interval_s > 0))
    return;
  l->unit = tm_json_get_string(transfers, "unit");
  if (l->unit == NULL)
    l->unit = strcmp(f->model->kind, "printer") == 0   ? "pages"
              : strcmp(f->model->kind, "network") == 0 ? "bytes"
                                                       : "transfers";
  double per = divisor(l, interval_s);
  size_t days = json_array_size(f->history);
  for (size_t i = days > LOAD_MAX_DAYS ? days - LOAD_MAX_DAYS : 0; i < days; i++)
    read_day(l, json_array_get(f->history, i), per);
  for (size_t i = 0; i < l->n; i++) {
    l->peak = fmax(l->peak, l->max[i]);
    if (l->time[i] > l->time[l->n - 1] - (int64_t)RECENT_DAYS * TM_DAY)
      l->level = fmax(l->level, l->max[i]);
  }
  l->limit = rule_rated_speed(l, f->model);
  if (strcmp(l->unit, "transfers") == 0)
    l->limit += built_in_speed(f);
}

/*
 * The busiest interval of each week, counted back from the newest day: a device has to carry its
 * week, and quiet weekends would hide that the busy days grow. Returns the number of weeks.
 */
static size_t weekly_maxima(const struct rule_load *l, int64_t time[LOAD_MAX_DAYS],
                            double max[LOAD_MAX_DAYS])
{
  size_t n = 0;
  int64_t newest = l->time[l->n - 1];
  int64_t weeks = (newest - l->time[0]) / WEEK_S + 1;
  for (size_t i = 0; i < l->n; i++) {
    int64_t end = newest - (newest - l->time[i]) / WEEK_S * WEEK_S;
    if (n == 0 || time[n - 1] != end) {
      time[n] = end;
      max[n++] = NAN;
    }
    max[n - 1] = fmax(max[n - 1], l->max[i]);
  }
  /* The first week may be a part of one, whose maximum would be too low. */
  bool part = l->time[0] > newest - weeks * WEEK_S + TM_DAY;
  if (part && n > 1) {
    n--;
    memmove(time, time + 1, n * sizeof(*time));
    memmove(max, max + 1, n * sizeof(*max));
  }
  return n;
}

int load_forecast(struct rule_facts *f, struct tm_error *err)
{
  struct rule_load *l = &f->load;
  int64_t time[LOAD_MAX_DAYS];
  double max[LOAD_MAX_DAYS];
  if (!(l->limit > 0) || !(l->level >= f->thresholds->load_floor_share * l->limit))
    return 0;
  struct forecast_work *w = forecast_work_new();
  if (w == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  struct forecast_series s = {.time = time, .used = max, .n = weekly_maxima(l, time, max)};
  struct forecast_params p = FORECAST_PARAMS_INIT;
  struct forecast_result r;
  p.limit = l->limit;
  int rc = forecast_run(w, &s, &p, &r, err);
  if (rc == 0 && r.n_nodes > 0) {
    l->growth_per_day = r.growth_per_day;
    json_t *fill = json_object();
    json_t *horizons = json_object();
    for (int i = 0; i < FORECAST_N_QUANTILES; i++) {
      char key[16];
      snprintf(key, sizeof(key), "%g", forecast_quantile[i]);
      json_object_set_new(fill, key, tm_json_time(r.fill[i]));
    }
    for (int i = 0; i < FORECAST_N_HORIZONS; i++) {
      char key[16];
      snprintf(key, sizeof(key), "%dd", forecast_horizon_days[i]);
      json_object_set_new(horizons, key, tm_json_number(r.probability[i]));
    }
    json_object_set_new(fill, "probability_by_horizon", horizons);
    outlook_read(&l->outlook, fill, r.last_time);
    json_decref(fill);
  }
  forecast_work_free(w);
  return rc;
}

bool rule_load_nears(const struct rule_facts *f)
{
  const struct rule_thresholds *t = f->thresholds;
  int64_t within = f->now + (int64_t)(t->within_days * TM_DAY);
  /* Without an early edge there is no date to order by. */
  return outlook_time(&f->load.outlook, 0.1) != INT64_MIN &&
         outlook_probability(&f->load.outlook, within) >= t->min_probability;
}

double rule_load_after(const struct rule_facts *f, double days)
{
  const struct rule_load *l = &f->load;
  return fmax(l->level, l->limit) + fmax(0, l->growth_per_day) * days;
}

/* "102 of 120 transfers a second" */
static const char *speed_unit(const struct rule_load *l)
{
  if (strcmp(l->unit, "pages") == 0)
    return "pages a minute";
  if (strcmp(l->unit, "bytes") == 0)
    return "bytes a second";
  if (strcmp(l->unit, "load") == 0)
    return "of load";
  return strcmp(l->unit, "percent") == 0 ? "percent" : "transfers a second";
}

void load_need(const struct rule_facts *f, double want_speed, struct need *need)
{
  const struct rule_load *l = &f->load;
  char level[32], limit[32], time[TM_TIME_SIZE], when[40];
  int64_t within = f->now + (int64_t)(f->thresholds->within_days * TM_DAY);
  int64_t early = outlook_time(&l->outlook, 0.1);
  need->holds = true;
  need->want_speed = want_speed;
  need->when = l->outlook;
  need->confidence = outlook_probability(&l->outlook, within);
  if (early <= f->now)
    snprintf(when, sizeof(when), "its limit is reached");
  else
    snprintf(when, sizeof(when), "at its limit from %.10s on", tm_time_format(time, early));
  snprintf(need->reason, sizeof(need->reason),
           "busiest interval of the last 7 days %s of %s %s (%.0f %%); %s",
           tm_format_count(level, sizeof(level), l->level),
           tm_format_count(limit, sizeof(limit), l->limit), speed_unit(l),
           tm_percent(l->level, l->limit), when);
  need_put_text(need, "unit", 0, speed_unit(l));
  need_put_number(need, "level", 0, l->level);
  need_put_number(need, "limit", 0, l->limit);
  need_put_number(need, "per_day", 0, l->growth_per_day);
  need_put_number(need, "days", 0, (double)l->n);
  need_put_number(need, "within_days", 0, f->thresholds->within_days);
  need_put_number(need, "need", 0, want_speed);
}

double rule_pages_per_month(const struct rule_facts *f, double *error)
{
  const struct rule_load *l = &f->load;
  double sum = 0;
  double squares = 0;
  double days = 0;
  if (l->unit == NULL || strcmp(l->unit, "pages") != 0 || l->n == 0)
    return NAN;
  int64_t from = l->time[l->n - 1] - (int64_t)(f->thresholds->duty_days * TM_DAY);
  for (size_t i = 0; i < l->n; i++) {
    if (l->time[i] <= from || !(l->mean[i] >= 0))
      continue;
    double pages = l->mean[i] * 60 * 24;
    sum += pages;
    squares += pages * pages;
    days++;
  }
  if (days < 2 || days * 3 < f->thresholds->duty_days * 2)
    return NAN;
  double mean = sum / days;
  *error = 30 * sqrt(fmax(0, squares / days - mean * mean) / (days - 1));
  return 30 * mean;
}
