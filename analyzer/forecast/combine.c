/* SPDX-License-Identifier: MIT */
/*
 * Weighs the drifts by how wrong each was in the replay and reads off the chance that the limit is
 * reached within each horizon.
 *
 * At every horizon a drift weighs error^-POWER, times a small prior; its own chance is Student's t
 * of (drift * k + median error - headroom) / error. Horizons that the history cannot judge inherit
 * the last judged error, growing as k^GROWTH, blended by the number of independent blocks. All
 * drifts take part: choosing one window by goodness of fit is neither done nor wanted.
 * Pooling by past accuracy: Bates and Granger, "The combination of forecasts" (1969).
 */
#include "analyzer/forecast/steps.h"

#include <math.h>
#include <string.h>

#define POWER        3.4891
#define GROWTH       0.7058
#define BLOCKS_HALF  5.0217 /* blocks at which a judged error counts for half */
#define BIAS_SHARE   0.7544 /* of the median error that is believed */
#define SPREAD       0.9625
#define DRIFT_DOUBT  0.0389 /* of the drift itself */
#define MEAN_DOUBT   0.0338 /* of the overall rate */
#define DOUBT_ROWS   60.0   /* a history of so many rows doubles the square of both */
#define FLOOR        1e-5   /* of the largest value */
#define DEGREES      10.711 /* of freedom */
#define CERTAIN      8.0    /* standard deviations: beyond, less than 5e-6 is left */
#define ROWS_OF_RATE 80.0   /* the rate that is told is the one for so many rows ahead */
#define LEAST_LOG    (-9.0) /* weighs less than the heaviest: not worth its arithmetic */
#define NO_RECORD    3.0    /* overall rates: the error where nothing was judged */

/* Prior over windows: log-quadratic in the window, a shift by family, nearness to the horizon. */
#define PRIOR_LINEAR   (-0.1044)
#define PRIOR_SQUARE   0.0499
#define PRIOR_JUMPLESS 1.2047
#define PRIOR_DELTA    0.2431
#define PRIOR_NEARNESS (-0.0275)

static double window_of(size_t j)
{
  if (j < 2 * FC_SLOPES)
    return fc_slope_rows[j % FC_SLOPES];
  return fmin(fc_delta_rows[j - 2 * FC_SLOPES], 900);
}

static bool window_fits(size_t j, size_t n)
{
  double w = j < 2 * FC_SLOPES ? window_of(j) : fmin(window_of(j), 300);
  return w <= fmax(1.5 * (double)n, 14);
}

/* w: the window, rows: the horizon, both as log2 from 56 rows. */
static double prior(size_t j, double w, double rows)
{
  double near = w - rows;
  double p = PRIOR_LINEAR * w + PRIOR_SQUARE * w * w + PRIOR_NEARNESS * near * near;
  if (j >= FC_SLOPES && j < 2 * FC_SLOPES)
    p += PRIOR_JUMPLESS;
  return j >= 2 * FC_SLOPES ? p + PRIOR_DELTA : p;
}

/* Student's t by the ratio of its kernel to the normal's is not exact; Hill's transform is, to 1e-3
 * at these degrees: Hill, "Algorithm 395", Communications of the ACM 13 (1970). */
static double t_cdf(double t)
{
  if (fabs(t) > CERTAIN)
    return t > 0 ? 1 : 0;
  double a = DEGREES - 0.5, b = 48 * a * a, y = a * log1p(t * t / DEGREES);
  double z = (((-0.4 * y - 3.3) * y - 24) * y - 85.5) / (0.8 * y * y + 100 + b);
  z = ((z + y + 3) / b + 1) * sqrt(y);
  return fc_normal_cdf(t < 0 ? -z : z);
}

/* A drift's errors over all horizons: judged ones blended with what grew from the shorter ones. */
static void extend(double *error, double *middle, const struct fc_record *rec, size_t j,
                   double mean_rate, const double growth[FC_NODES])
{
  bool any = rec->judged > 0;
  error[0] = any ? rec->error[j][0] : NO_RECORD * mean_rate;
  middle[0] = any ? BIAS_SHARE * rec->middle[j][0] : 0;
  for (size_t a = 1; a < FC_NODES; a++) {
    bool judged = a < rec->judged;
    double grown = error[a - 1] * growth[a];
    double w = judged ? rec->blocks[a] / (rec->blocks[a] + BLOCKS_HALF) : 0;
    error[a] = (1 - w) * grown + (judged ? w * rec->error[j][a] : 0);
    middle[a] = (1 - w) * middle[a - 1] + (judged ? w * BIAS_SHARE * rec->middle[j][a] : 0);
  }
}

void fc_ensemble_prepare(struct fc_ensemble *e, const struct fc_record *rec,
                         const struct fc_grid *g, const struct fc_drifts *d)
{
  size_t n = g->n;
  double growth[FC_NODES];
  for (size_t a = 1; a < FC_NODES; a++)
    growth[a] = pow(fc_node[a] / fc_node[a - 1], GROWTH);
  e->n = (double)n;
  e->mean_rate = n > 1 ? fabs(g->u[n - 1] - g->u[0]) / (double)(n - 1) : 0;
  e->mean_rate = fmax(e->mean_rate, 1e-6);
  for (size_t j = 0; j < FC_DRIFTS; j++) {
    e->takes_part[j] = window_fits(j, n);
    e->rate[j] = d->rate[j][n - 1];
    e->window[j] = log2(window_of(j) / 56);
    if (e->takes_part[j])
      extend(e->error[j], e->middle[j], rec, j, e->mean_rate, growth);
  }
}

struct place {
  size_t node; /* at or before the horizon */
  double part; /* of the way to the next, in the logarithm of time */
};

static struct place place_of(double rows)
{
  struct place at = {0, 0};
  while (at.node + 2 < FC_NODES && fc_node[at.node + 1] <= rows)
    at.node++;
  at.part = log(rows / fc_node[at.node]) / log(fc_node[at.node + 1] / fc_node[at.node]);
  return at;
}

static double between(const double v[FC_NODES], struct place at)
{
  return v[at.node] + at.part * (v[at.node + 1] - v[at.node]);
}

/* Fills weight[] and returns their sum. */
static double weigh(const struct fc_ensemble *e, struct place at, double rows,
                    double weight[FC_DRIFTS])
{
  double top = -INFINITY, total = 0, horizon = log2(rows / 56);
  for (size_t j = 0; j < FC_DRIFTS; j++) {
    if (!e->takes_part[j])
      continue;
    weight[j] = prior(j, e->window[j], horizon) - POWER * log(between(e->error[j], at) + 1e-7);
    top = fmax(top, weight[j]);
  }
  for (size_t j = 0; j < FC_DRIFTS; j++) {
    bool counts = e->takes_part[j] && weight[j] > top + LEAST_LOG;
    weight[j] = counts ? exp(weight[j] - top) : 0;
    total += weight[j];
  }
  return total;
}

double fc_ensemble_chance(const struct fc_ensemble *e, double rows, double headroom)
{
  double weight[FC_DRIFTS], sum = 0, doubted = sqrt(1 + DOUBT_ROWS / e->n) * rows;
  double overall = MEAN_DOUBT * e->mean_rate * doubted;
  struct place at = place_of(rows);
  double total = weigh(e, at, rows, weight);
  for (size_t j = 0; j < FC_DRIFTS; j++) {
    if (!(weight[j] > 0))
      continue;
    double own = SPREAD * between(e->error[j], at), doubt = DRIFT_DOUBT * e->rate[j] * doubted;
    double sd = sqrt(own * own + doubt * doubt + overall * overall + FLOOR * FLOOR);
    double climb = fmax(e->rate[j], 0) * rows + between(e->middle[j], at);
    sum += weight[j] * t_cdf((climb - headroom) / sd);
  }
  return sum / total;
}

double fc_ensemble_rate(const struct fc_ensemble *e)
{
  double weight[FC_DRIFTS], sum = 0;
  double total = weigh(e, place_of(ROWS_OF_RATE), ROWS_OF_RATE, weight);
  for (size_t j = 0; j < FC_DRIFTS; j++)
    sum += weight[j] * e->rate[j];
  return sum / total;
}
