/* SPDX-License-Identifier: MIT */
/*
 * What the steps of a forecast hand to one another. Private to analyzer/forecast/.
 *
 *   rows --clean--> believed rows --regular--> grid --season--> grid without cycle
 *     --drift, replay, combine--> member 1   --trend--> member 2   --paths--> members 3 to 5
 *     --pool--> P(reached within a horizon) --passage--> dates and probabilities
 *   believed rows --values--> quantiles of the coming steps
 *
 * On the grid the series always climbs towards its limit: u = sign * used / scale, where scale is
 * the largest magnitude seen. Nothing but the headroom depends on the limit, so that a larger
 * capacity can never bring the date nearer. Time is counted in rows of the grid.
 */
#ifndef TM_FORECAST_STEPS_H
#define TM_FORECAST_STEPS_H

#include <stddef.h>
#include <stdint.h>
#include "analyzer/forecast/forecast.h"

#define FC_GRID    1024 /* newest rows of the grid that are looked at: 2.8 years of days */
#define FC_SLOPES  7    /* least squares over 7, 14, ... 448 rows */
#define FC_DELTAS  6    /* end-to-end differences over 28, 56, ... 448 and all rows */
#define FC_DRIFTS  (2 * FC_SLOPES + FC_DELTAS)
#define FC_NODES   23 /* horizons in rows that are replayed */
#define FC_ORIGINS 16 /* past origins that are replayed at a horizon: 120 were no better */
#define FC_MEMBERS 5

extern const double fc_node[FC_NODES];
extern const int fc_slope_rows[FC_SLOPES];
extern const int fc_delta_rows[FC_DELTAS];

/* --- believed rows: clean.c ------------------------------------------------------------------- */
struct fc_rows {
  double *day;      /* days before the last row, <= 0, ascending */
  double *used;     /* finite */
  double *capacity; /* may be NAN */
  size_t n, cap;
};
/* Drops what is plainly a read error: 0, or a lonely spike that comes back. scratch: 2 * r->n. */
void fc_drop_read_errors(struct fc_rows *r, double *scratch);
/* Rows that sat at a capacity which was enlarged afterwards say "at least": the climb that they
 * hide is drawn as a line to the first row after the enlargement. limit: the present capacity. */
void fc_unclip(struct fc_rows *r, double limit);
/* Joins refills of something that counts down, so that only consumption is left. */
void fc_join_refills(struct fc_rows *r);

/* --- regular.c -------------------------------------------------------------------------------- */
struct fc_grid {
  double u[FC_GRID]; /* towards the limit, of magnitude <= 1; [n - 1] is now */
  size_t n;
  double step_days; /* whole days, at least 1 */
};
/* Rows finer than a day become the day's largest u, others are interpolated at whole steps. */
void fc_regular(struct fc_grid *g, const struct fc_rows *r, double step_days, double sign,
                double scale);

/* --- season.c --------------------------------------------------------------------------------- */
/* Removes a weekly and a monthly template where they explain the series; returns how far above its
 * value of now the template will peak (0 without one). scratch: FC_GRID. */
double fc_season(struct fc_grid *g, double *scratch);

/* --- drift.c ---------------------------------------------------------------------------------- */
struct fc_drifts {
  /* per row, at every past origin; padded, for rows a power of two apart crowd in a cache */
  double rate[FC_DRIFTS][FC_GRID + 8];
};
/* z: the series with one-off jumps taken out (output). scratch: 4 * FC_GRID. */
void fc_drift(struct fc_drifts *d, double z[FC_GRID], const struct fc_grid *g, double *scratch);

/* --- replay.c --------------------------------------------------------------------------------- */
struct fc_record {
  double middle[FC_DRIFTS][FC_NODES]; /* median of the errors */
  double error[FC_DRIFTS][FC_NODES];  /* mean magnitude */
  double blocks[FC_NODES];            /* independent blocks of that length */
  size_t judged;                      /* nodes that the history can judge */
};
void fc_replay(struct fc_record *rec, const struct fc_grid *g, const struct fc_drifts *d,
               double *scratch);

/* ---- the members: each prepares itself once, then tells P(reached within rows) for any horizon.
 * headroom: what is left to the limit, in units of the scale, > 0. ---- */
struct fc_ensemble {                         /* of drifts: combine.c */
  double rate[FC_DRIFTS], window[FC_DRIFTS]; /* the window's log2, from 56 rows */
  double error[FC_DRIFTS][FC_NODES], middle[FC_DRIFTS][FC_NODES];
  bool takes_part[FC_DRIFTS];
  double mean_rate; /* of all rows, per row */
  double n;         /* rows */
};
void fc_ensemble_prepare(struct fc_ensemble *e, const struct fc_record *rec,
                         const struct fc_grid *g, const struct fc_drifts *d);
double fc_ensemble_chance(const struct fc_ensemble *e, double rows, double headroom);
/* The rate that the drifts agree on, per row. */
double fc_ensemble_rate(const struct fc_ensemble *e);

#define FC_STRATA 64
struct fc_strata { /* quantiles at (i + 0.5) / FC_STRATA, for paths.c */
  double normal[FC_STRATA], pareto[FC_STRATA], exponential[FC_STRATA];
};
void fc_strata_init(struct fc_strata *s);

#define FC_MEMORIES 3  /* a short, a middle and a long one: each is a member */
#define FC_PATHS    56 /* of each memory */
struct fc_paths {
  double arrival[FC_MEMORIES][FC_PATHS]; /* rows, ascending; INFINITY: never */
};
/* scratch: FC_GRID. */
void fc_paths_draw(struct fc_paths *p, const struct fc_grid *g, double headroom,
                   const struct fc_strata *strata, double *scratch);
double fc_paths_chance(const struct fc_paths *p, int memory, double rows);

#define FC_MODELS 60
struct fc_trends {
  struct fc_trend {
    double weight, rate, shape;   /* rate now, per row; growth of the rate, per row */
    double rate_variance, wander; /* of the rate now, and added to it per row */
    double level_variance, start; /* added to the level per row, and of the level now */
    double ahead;                 /* filtered level - last row */
  } model[FC_MODELS];
  size_t n;
};
void fc_trends_filter(struct fc_trends *t, const struct fc_grid *g);
double fc_trends_chance(const struct fc_trends *t, double rows, double headroom);

/* --- shape.c ---------------------------------------------------------------------------------- */
enum fc_shape_of {
  FC_DIRECT,    /* how much of the movement was progress */
  FC_LUMPY,     /* few large steps or many small ones */
  FC_ACTIVE,    /* the last two weeks against all */
  FC_FASTER_28, /* the rate of the newest rows against that of all */
  FC_FASTER_90,
  FC_FASTER_224,
  FC_LARGEST, /* step, against the range */
  FC_RANGE,   /* against the largest value */
  FC_ROUGH,   /* about a line, against the range */
  FC_LENGTH,  /* days of history */
  FC_STEP,    /* days a row */
  FC_PERSISTS_7,
  FC_PERSISTS_91, /* does a climb go on, or come back */
  FC_ACTIVE_28,
  FC_BELOW_TOP, /* how far below the highest row now */
  FC_HALVES,    /* the newer half's rate against the older one's */
  FC_SINCE_LARGE,
  FC_SINCE_ANY,
  FC_SINCE_LARGEST, /* days since the last such step */
  FC_LARGEST_WAY,   /* up or down */
  FC_MOVES,         /* share of rows that differ from the one before */
  FC_DOWN,          /* share of the movement that went down */
  FC_UNEVEN,        /* months that differ */
  FC_ALIKE,         /* months that resemble the one before */
  FC_SHAPES
};
void fc_shape(double shape[FC_SHAPES], const struct fc_grid *g);

/* --- pool.c ----------------------------------------------------------------------------------- */
#define FC_HIDDEN_MAX 96
struct fc_pool {
  double constant, hidden[FC_HIDDEN_MAX]; /* what the history's shape contributes */
};
void fc_pool_prepare(struct fc_pool *p, const double shape[FC_SHAPES]);
double fc_pool_chance(const struct fc_pool *p, const double member[FC_MEMBERS], double days);

/* --- passage.c -------------------------------------------------------------------------------- */
typedef double fc_chance(const void *context, double rows);
/* Traces the first-passage curve of chance() and reads the result's dates and probabilities off. */
void fc_passage(struct forecast_result *r, fc_chance *chance, const void *context,
                double step_days);

/* --- smooth.c: exponential smoothing ---------------------------------------------------------- */
enum fc_smooth_kind { FC_SMOOTH_LEVEL, FC_SMOOTH_TREND, FC_SMOOTH_DAMPED };
struct fc_smooth {
  double alpha, beta,
      damping; /* level += damping * trend + alpha * e; trend = damping * trend + beta * e */
  double sd;   /* of the one-step errors */
};
/* Finds the parameters of least squared one-step error. n >= 3. */
void fc_smooth_fit(struct fc_smooth *s, enum fc_smooth_kind kind, const double *y, size_t n);
/* The level and trend after every row. */
void fc_smooth_states(const struct fc_smooth *s, const double *y, size_t n, double *level,
                      double *trend);

/* --- autoregress.c ---------------------------------------------------------------------------- */
#define FC_VALUE_ROWS 3000 /* newest rows that the value head looks at */
#define FC_AR_LONG    106
struct fc_autoregression {
  size_t order[2];
  double coefficient[2][FC_AR_LONG];
  double scale, mean; /* a step of the series is scale * (step + mean) */
  double step[FC_VALUE_ROWS], weighted[FC_VALUE_ROWS];
};
/* n >= 3; longest: the longer order that is wanted, at most FC_AR_LONG; the shorter is half of it.
 */
void fc_autoregression_fit(struct fc_autoregression *a, const double *y, size_t n, size_t longest);
/* which: 0 the short order, 1 the long one. Fills f[steps] as seen from row `origin`. */
void fc_autoregression_forecast(const struct fc_autoregression *a, int which, const double *y,
                                size_t origin, double *f, size_t steps);

/* --- analog.c --------------------------------------------------------------------------------- */
/* swing[i] for every row: of the stretch that ends there. floor_square: the square of what counts
 * as no swing. */
void fc_analog_swings(double *swing, const double *y, size_t n, double floor_square);
/* Fills f[steps] as seen from row `origin`; false, with f untouched, with too little past. */
bool fc_analog(const double *y, const double *swing, size_t origin, double *f, size_t steps);

/* --- values.c --------------------------------------------------------------------------------- */
#define FC_VALUE_ORIGINS 30
#define FC_VALUE_STEPS   60 /* steps ahead that are judged */
#define FC_VALUE_KINDS   16
struct fc_value_work {
  double y[FC_VALUE_ROWS];
  struct fc_autoregression ar;
  double swing[FC_VALUE_ROWS];
  double level[3][FC_VALUE_ROWS], trend[3][FC_VALUE_ROWS], slope[FC_VALUE_ROWS];
  double past[FC_VALUE_ORIGINS][FC_VALUE_KINDS][FC_VALUE_STEPS]; /* replayed forecasts */
};
/* Fills middle[steps] and sd[steps] of the coming rows at the series' own step; returns the error
 * replayed on the history relative to the naive forecast, NAN when it cannot be judged.
 * now: scratch of FC_VALUE_KINDS * steps. */
double fc_values(double *middle, double *sd, size_t steps, const struct fc_rows *r,
                 double step_days, struct fc_value_work *w, double *now);

/* --- small numerics: numeric.c ---------------------------------------------------------------- */
/* Two doubles that are worked on at once, by the compilers' own extension: the bytes are those of
 * one after the other. */
#define FC_LANES 2
typedef double fc_lanes __attribute__((vector_size(FC_LANES * sizeof(double)), may_alias));

/* fmin() and fmax() of two numbers, which are never NAN, without a call. */
static inline double fc_lesser(double a, double b)
{
  return a < b ? a : b;
}
static inline double fc_greater(double a, double b)
{
  return a > b ? a : b;
}

double fc_normal_cdf(double x);
double fc_normal_quantile(double p);
/* The q-quantile of a[0..n), linear between ranks; reorders a. n > 0. */
double fc_select(double *a, size_t n, double q);

#endif
