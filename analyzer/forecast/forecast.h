/* SPDX-License-Identifier: MIT */
/*
 * Forecast of one series: when does it reach its limit, how sure is that, and what values lie
 * ahead.
 *
 * The library is pure: no I/O, no globals, no clock. The same rows and parameters give the same
 * bytes. One first-passage distribution answers every date and every probability, so that they
 * cannot contradict one another; a second head gives the values of the coming steps.
 *
 * Any limit will do: used capacity against capacity, interval maxima of transfers against a rated
 * load, tape slots, pages against a duty cycle, bandwidth (all FORECAST_UP), toner and paper that
 * count down to an end (FORECAST_DOWN).
 *
 *   struct forecast_work *w = forecast_work_new();
 *   struct forecast_params p = FORECAST_PARAMS_INIT;
 *   for each series:
 *     rc = forecast_run(w, &series, &p, &result, &err);
 *   forecast_work_free(w);
 */
#ifndef TM_FORECAST_H
#define TM_FORECAST_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tm_error;

#define FORECAST_N_QUANTILES 7 /* of the fill date: forecast_quantile[] */
#define FORECAST_N_HORIZONS  7 /* of the probabilities: forecast_horizon_days[] */
#define FORECAST_MAX_NODES   96
#define FORECAST_MAX_STEPS   3660
#define FORECAST_MAX_ROWS    (16 * 1000 * 1000)
#define FORECAST_MIN_DAYS    14   /* shorter history gives no date */
#define FORECAST_FAR_DAYS    3650 /* a date beyond this is 'none' */
#define FORECAST_NONE        INT64_MIN

extern const double forecast_quantile[FORECAST_N_QUANTILES]; /* 0.025 .1 .25 .5 .75 .9 .975 */
extern const int forecast_horizon_days[FORECAST_N_HORIZONS]; /* 7 14 30 60 90 180 365 */

enum forecast_direction {
  FORECAST_UP,  /* the limit is reached from below: value >= limit */
  FORECAST_DOWN /* from above, as supplies are used up: value <= limit */
};

/* Why the answer is as it is. The words are in forecast_result.reason. */
enum forecast_verdict {
  FORECAST_NO_ROWS,  /* nothing was measured: no value, no date, no probability */
  FORECAST_NO_LIMIT, /* the limit is unknown: values only */
  FORECAST_SHORT,    /* less than FORECAST_MIN_DAYS of history: values only */
  FORECAST_REACHED,  /* at or past the limit now: P = 1, every date is the last row's time */
  FORECAST_FLAT,     /* no growth to speak of: a date is unlikely within ten years */
  FORECAST_RECEDING, /* moves away from the limit */
  FORECAST_GROWING   /* moves towards the limit */
};

/* The rows of one series, borrowed. time ascends (equal times count once, the later row wins).
 * used: any unit, NAN = missing. capacity: same unit, NAN = unknown, or NULL when nothing is known;
 * the last known one is the limit that counts, earlier ones tell where growth was clipped. */
struct forecast_series {
  const int64_t *time; /* epoch seconds, UTC */
  const double *used;
  const double *capacity;
  size_t n;
};

struct forecast_params {
  enum forecast_direction direction;
  double limit;            /* NAN: the last known capacity (FORECAST_UP) or 0 (FORECAST_DOWN) */
  size_t steps;            /* values ahead, 0..FORECAST_MAX_STEPS; 0: no values */
  const double *quantiles; /* of the values, each within (0, 1), ascending; borrowed */
  size_t n_quantiles;
};
#define FORECAST_PARAMS_INIT                                                                       \
  {                                                                                                \
    .direction = FORECAST_UP, .limit = NAN                                                         \
  }

struct forecast_result {
  enum forecast_verdict verdict;
  char reason[120];      /* plain English, e.g. "9 days of history; 14 days needed" */
  int64_t step_s;        /* median spacing of the rows; 0 with fewer than two */
  size_t n;              /* rows given */
  int64_t last_time;     /* of the last row, whether measured or not; FORECAST_NONE without rows */
  double last_used;      /* last believed value; NAN without any */
  double limit;          /* NAN when unknown */
  double history_days;   /* first to last measured row */
  double growth_per_day; /* of used, falling is negative; NAN with fewer than two measured rows */
  const char *model;     /* static string: which members took part; "none" when nothing could */
  double backtest_mase;  /* mean absolute error of the values one step ahead and on, replayed on the
                            history, relative to the naive forecast; NAN when too short to judge */
  int64_t fill[FORECAST_N_QUANTILES];      /* epoch seconds; FORECAST_NONE: not within ten years,
                                              or unknowable */
  double probability[FORECAST_N_HORIZONS]; /* NAN when unknowable */
  /* values[step * n_quantiles + q] is quantile q at last_time + (step + 1) * step_s; NULL when
   * there is nothing to say. Owned by the workspace, valid until its next run. */
  const double *values;
  /* the first-passage distribution: P(reached within day[i]) = p[i], both ascending; n_nodes is 0
   * when unknowable. Read it by the functions below. */
  size_t n_nodes;
  double day[FORECAST_MAX_NODES], p[FORECAST_MAX_NODES];
};

/* Memory that is used again for every series, so that it does not grow with their number. One
 * thread, one workspace. NULL when memory is out; forecast_work_free(NULL) is fine. */
struct forecast_work *forecast_work_new(void);
void forecast_work_free(struct forecast_work *w);

/* Fills *r. 0, -EINVAL (times descend, a quantile outside (0, 1), too many steps or rows) or
 * -ENOMEM; on failure *r is untouched and w may be used again. Too little data is no failure: the
 * verdict says so. */
int forecast_run(struct forecast_work *w, const struct forecast_series *s,
                 const struct forecast_params *p, struct forecast_result *r, struct tm_error *err);

/* Probability that the limit is reached within `days` of the last row; NAN when unknowable. */
double forecast_probability_within(const struct forecast_result *r, double days);
/* Days until that probability is p; INFINITY when beyond FORECAST_FAR_DAYS or unknowable. */
double forecast_days_until(const struct forecast_result *r, double p);

#endif
