/* SPDX-License-Identifier: MIT */
/*
 * Leads a series through the steps and puts the verdict into words.
 */
#include "analyzer/forecast/forecast.h"
#include "analyzer/forecast/steps.h"
#include "common/error.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEASON_SHARE   0.7454 /* of a cycle's peak that is taken off the headroom */
#define HEADROOM_SHARE 0.02   /* of it that always stays */
#define FLAT_CHANCE    0.1    /* within a year: below this a series without a middle date is flat */
#define SCRATCH        (4 * FC_GRID + 8)

struct forecast_work {
  struct fc_rows rows;
  double *scratch; /* SCRATCH + 2 * rows.cap */
  struct fc_grid grid;
  struct fc_drifts drifts;
  struct fc_record record;
  struct fc_ensemble ensemble;
  struct fc_strata strata;
  struct fc_paths paths;
  struct fc_trends trends;
  struct fc_pool pool;
  double headroom; /* as the members see it */
  double jumpless[FC_GRID];
  struct fc_value_work value;
  double *values, *middle, *sd, *now;
  size_t values_cap, steps_cap;
};

struct forecast_work *forecast_work_new(void)
{
  struct forecast_work *w = calloc(1, sizeof(*w));
  if (w != NULL)
    fc_strata_init(&w->strata);
  return w;
}

void forecast_work_free(struct forecast_work *w)
{
  if (w == NULL)
    return;
  free(w->rows.day);
  free(w->rows.used);
  free(w->rows.capacity);
  free(w->scratch);
  free(w->values);
  free(w->middle);
  free(w->sd);
  free(w->now);
  free(w);
}

/* Grows *array to n elements; its content is lost. false when memory is out: *array is empty. */
static bool renew(double **array, size_t n)
{
  free(*array);
  *array = malloc(n * sizeof(**array));
  return *array != NULL;
}

static int reserve(struct forecast_work *w, size_t rows, const struct forecast_params *p)
{
  if (rows > w->rows.cap || w->scratch == NULL) {
    size_t cap = rows < 1024 ? 1024 : rows + rows / 2;
    w->rows.cap = 0;
    if (!renew(&w->rows.day, cap) || !renew(&w->rows.used, cap) || !renew(&w->rows.capacity, cap) ||
        !renew(&w->scratch, SCRATCH + 2 * cap))
      return -ENOMEM;
    w->rows.cap = cap;
  }
  if (p->steps > w->steps_cap) {
    w->steps_cap = 0;
    if (!renew(&w->middle, p->steps) || !renew(&w->sd, p->steps) ||
        !renew(&w->now, FC_VALUE_KINDS * p->steps))
      return -ENOMEM;
    w->steps_cap = p->steps;
  }
  if (p->steps * p->n_quantiles > w->values_cap) {
    w->values_cap = 0;
    if (!renew(&w->values, p->steps * p->n_quantiles))
      return -ENOMEM;
    w->values_cap = p->steps * p->n_quantiles;
  }
  return 0;
}

static int check(const struct forecast_series *s, const struct forecast_params *p,
                 struct tm_error *err)
{
  if (s->n > FORECAST_MAX_ROWS)
    return tm_fail(err, -EINVAL, "%zu rows; at most %d are read", s->n, FORECAST_MAX_ROWS);
  if (p->steps > FORECAST_MAX_STEPS)
    return tm_fail(err, -EINVAL, "%zu steps; at most %d are forecast", p->steps,
                   FORECAST_MAX_STEPS);
  for (size_t i = 0; i < p->n_quantiles; i++) {
    if (!(p->quantiles[i] > 0) || !(p->quantiles[i] < 1))
      return tm_fail(err, -EINVAL, "quantile %g is not between 0 and 1", p->quantiles[i]);
    if (i > 0 && !(p->quantiles[i] > p->quantiles[i - 1]))
      return tm_fail(err, -EINVAL, "the quantiles do not ascend");
  }
  for (size_t i = 1; i < s->n; i++)
    if (s->time[i] < s->time[i - 1])
      return tm_fail(err, -EINVAL, "row %zu lies before the row above it", i + 1);
  return 0;
}

/* Measured rows, in days before the last row; equal times keep the later. */
static void collect(struct fc_rows *r, const struct forecast_series *s)
{
  size_t n = 0;
  double before = 0;
  for (size_t i = 0; i < s->n; i++) {
    if (!isfinite(s->used[i]))
      continue;
    double day = (double)(s->time[i] - s->time[s->n - 1]) / 86400;
    if (n > 0 && before >= day)
      n--;
    r->day[n] = before = day;
    r->used[n] = s->used[i];
    r->capacity[n] = s->capacity != NULL && s->capacity[i] > 0 ? s->capacity[i] : NAN;
    n++;
  }
  r->n = n;
}

static int64_t median_step(const struct forecast_series *s, double *scratch)
{
  size_t n = 0, alike = 0;
  for (size_t i = 1; i < s->n; i++)
    if (s->time[i] > s->time[i - 1]) {
      scratch[n] = (double)(s->time[i] - s->time[i - 1]);
      alike += scratch[n] == scratch[0];
      n++;
    }
  if (n > 0 && alike == n)
    return llround(scratch[0]);
  return n > 0 ? llround(fc_select(scratch, n, 0.5)) : 0;
}

static double limit_of(const struct forecast_series *s, const struct forecast_params *p)
{
  if (isfinite(p->limit))
    return p->limit;
  if (p->direction == FORECAST_DOWN)
    return 0;
  for (size_t i = s->n; i-- > 0 && s->capacity != NULL;)
    if (isfinite(s->capacity[i]))
      return s->capacity[i] > 0 ? s->capacity[i] : NAN;
  return NAN;
}

static void predict_values(struct forecast_work *w, const struct forecast_params *p,
                           struct forecast_result *r)
{
  if (p->steps == 0 || p->n_quantiles == 0 || w->rows.n == 0 || r->step_s <= 0)
    return;
  r->backtest_mase =
      fc_values(w->middle, w->sd, p->steps, &w->rows, (double)r->step_s / 86400, &w->value, w->now);
  bool positive = true;
  for (size_t i = 0; i < w->rows.n; i++)
    positive = positive && w->rows.used[i] >= 0;
  for (size_t q = 0; q < p->n_quantiles; q++) {
    double z = fc_normal_quantile(p->quantiles[q]);
    for (size_t k = 0; k < p->steps; k++) {
      double v = w->middle[k] + z * w->sd[k];
      w->values[k * p->n_quantiles + q] = positive ? fmax(v, 0) : v;
    }
  }
  r->values = w->values;
}

/* Readies the members for the grid; w->headroom is known. */
static void prepare_members(struct forecast_work *w)
{
  double shape[FC_SHAPES], *scratch = w->scratch;
  double lift = fc_season(&w->grid, scratch);
  w->headroom = fmax(w->headroom - SEASON_SHARE * lift, HEADROOM_SHARE * w->headroom);
  fc_drift(&w->drifts, w->jumpless, &w->grid, scratch);
  fc_replay(&w->record, &w->grid, &w->drifts, scratch);
  fc_ensemble_prepare(&w->ensemble, &w->record, &w->grid, &w->drifts);
  fc_paths_draw(&w->paths, &w->grid, w->headroom, &w->strata, scratch);
  fc_trends_filter(&w->trends, &w->grid);
  fc_shape(shape, &w->grid);
  fc_pool_prepare(&w->pool, shape);
}

/* What each member says. */
static void ask_members(const struct forecast_work *w, double rows, double member[FC_MEMBERS])
{
  member[0] = fc_ensemble_chance(&w->ensemble, rows, w->headroom);
  member[1] = fc_trends_chance(&w->trends, rows, w->headroom);
  for (int m = 0; m < FC_MEMORIES; m++)
    member[2 + m] = fc_paths_chance(&w->paths, m, rows);
}

static double chance_within(const void *context, double rows)
{
  const struct forecast_work *w = context;
  double member[FC_MEMBERS];
  ask_members(w, rows, member);
  return fc_pool_chance(&w->pool, member, rows * w->grid.step_days);
}

static void say_reached(struct forecast_result *r)
{
  r->verdict = FORECAST_REACHED;
  r->model = "reached";
  r->n_nodes = 1;
  r->day[0] = 0;
  r->p[0] = 1;
  for (size_t q = 0; q < FORECAST_N_QUANTILES; q++)
    r->fill[q] = r->last_time;
  for (size_t h = 0; h < FORECAST_N_HORIZONS; h++)
    r->probability[h] = 1;
  snprintf(r->reason, sizeof(r->reason), "the limit is reached");
}

static void say_growth(struct forecast_result *r, enum forecast_direction direction)
{
  const char *away = direction == FORECAST_UP ? "falling" : "rising";
  bool dated = r->fill[3] != FORECAST_NONE;
  double towards = direction == FORECAST_UP ? r->growth_per_day : -r->growth_per_day;
  if (dated || r->probability[FORECAST_N_HORIZONS - 1] >= FLAT_CHANCE) {
    r->verdict = FORECAST_GROWING;
    snprintf(r->reason, sizeof(r->reason),
             dated ? "moves towards the limit" : "too slow or unsteady for a middle date");
    return;
  }
  bool receding = towards * r->history_days < -0.01 * fabs(r->last_used);
  r->verdict = receding ? FORECAST_RECEDING : FORECAST_FLAT;
  for (size_t q = 0; q < FORECAST_N_QUANTILES; q++)
    r->fill[q] = FORECAST_NONE;
  snprintf(r->reason, sizeof(r->reason), "%s over %.0f days of history: no date",
           receding ? away : "flat", r->history_days);
}

/* "3 minutes of history; 14 days needed" */
static void say_short(struct forecast_result *r, double days)
{
  r->verdict = FORECAST_SHORT;
  const char *unit = days >= 1 ? "day" : days * 24 >= 1 ? "hour" : "minute";
  double n = floor(days >= 1 ? days : days * 24 >= 1 ? days * 24 : days * 1440);
  snprintf(r->reason, sizeof(r->reason), "%.0f %s%s of history; %d days needed", n, unit,
           n > 1 || n < 1 ? "s" : "", FORECAST_MIN_DAYS);
}

static void predict_dates(struct forecast_work *w, const struct forecast_params *p,
                          struct forecast_result *r)
{
  double sign = p->direction == FORECAST_UP ? 1 : -1, scale = 0;
  for (size_t i = 0; i < w->rows.n; i++)
    scale = fc_greater(scale, fabs(w->rows.used[i]));
  if (!(scale > 0))
    scale = fabs(r->limit) > 0 ? fabs(r->limit) : 1;
  double step = (double)r->step_s / 86400, believed = -w->rows.day[0];
  if (believed < 2 * step) /* rows that were not measured lie further apart than the rest */
    step = believed / (double)(w->rows.n - 1);
  fc_regular(&w->grid, &w->rows, step, sign, scale);
  if (w->grid.n < 3) {
    say_short(r, believed);
    return;
  }
  double last_headroom = sign * (r->limit - r->last_used) / scale;
  /* the day's peak may have touched the limit although the last row did not */
  w->headroom =
      fmax(sign * r->limit / scale - w->grid.u[w->grid.n - 1], HEADROOM_SHARE * last_headroom);
  prepare_members(w);
  r->growth_per_day = sign * fc_ensemble_rate(&w->ensemble) * scale / w->grid.step_days;
  r->model = "drifts+paths+trends";
  fc_passage(r, chance_within, w, w->grid.step_days);
  say_growth(r, p->direction);
}

static void judge(struct forecast_work *w, const struct forecast_series *s,
                  const struct forecast_params *p, struct forecast_result *r)
{
  struct fc_rows *rows = &w->rows;
  collect(rows, s);
  if (rows->n == 0) {
    snprintf(r->reason, sizeof(r->reason), "no row was measured");
    return;
  }
  r->step_s = median_step(s, w->scratch);
  r->last_used = rows->used[rows->n - 1];
  r->history_days = rows->day[rows->n - 1] - rows->day[0];
  double sign = p->direction == FORECAST_UP ? 1 : -1;
  bool known = isfinite(r->limit), reached = known && sign * (r->last_used - r->limit) >= 0;

  fc_drop_read_errors(rows, w->scratch);
  if (known && p->direction == FORECAST_UP)
    fc_unclip(rows, r->limit);
  if (rows->n > 1 && r->history_days > 0)
    r->growth_per_day = (r->last_used - rows->used[0]) / r->history_days;
  predict_values(w, p, r);
  if (p->direction == FORECAST_DOWN)
    fc_join_refills(rows);
  if (reached) {
    say_reached(r);
    return;
  }
  double days = r->history_days + fmin((double)r->step_s / 86400, 1);
  if (!known) {
    r->verdict = FORECAST_NO_LIMIT;
    snprintf(r->reason, sizeof(r->reason), "the limit is not known");
  } else if (rows->n < 3 || days + 1e-6 < FORECAST_MIN_DAYS) {
    say_short(r, days);
  } else {
    predict_dates(w, p, r);
  }
}

int forecast_run(struct forecast_work *w, const struct forecast_series *s,
                 const struct forecast_params *p, struct forecast_result *r, struct tm_error *err)
{
  int rc = check(s, p, err);
  if (rc < 0)
    return rc;
  rc = reserve(w, s->n, p);
  if (rc < 0)
    return tm_fail(err, rc, "%zu rows: out of memory", s->n);

  memset(r, 0, sizeof(*r));
  r->verdict = FORECAST_NO_ROWS;
  r->n = s->n;
  r->last_time = s->n > 0 ? s->time[s->n - 1] : FORECAST_NONE;
  r->last_used = r->growth_per_day = r->backtest_mase = NAN;
  r->limit = limit_of(s, p);
  r->model = "none";
  for (size_t q = 0; q < FORECAST_N_QUANTILES; q++)
    r->fill[q] = FORECAST_NONE;
  for (size_t h = 0; h < FORECAST_N_HORIZONS; h++)
    r->probability[h] = NAN;
  judge(w, s, p, r);
  return 0;
}
