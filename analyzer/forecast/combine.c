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
#define FLOOR        1e-5   /* of the largest value */
#define DEGREES      10.711 /* of freedom */
#define NODE_OF_RATE 11     /* the rate that is told is the one for the coming 80 rows */
#define NO_RECORD    3.0    /* overall rates: the error where nothing was judged */

/* Prior over windows: log-quadratic in the window, a shift by family, nearness to the horizon. */
#define PRIOR_LINEAR   -0.1044
#define PRIOR_SQUARE   0.0499
#define PRIOR_JUMPLESS 1.2047
#define PRIOR_DELTA    0.2431
#define PRIOR_NEARNESS -0.0275

#define TABLE_END  8.0
#define TABLE_STEP 0.02
#define TABLE_SIZE 801

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

static double prior(size_t j, size_t a)
{
  double w = log2(window_of(j) / 56), near = w - log2(fc_node[a] / 56);
  double p = PRIOR_LINEAR * w + PRIOR_SQUARE * w * w + PRIOR_NEARNESS * near * near;
  if (j >= FC_SLOPES && j < 2 * FC_SLOPES)
    p += PRIOR_JUMPLESS;
  return j >= 2 * FC_SLOPES ? p + PRIOR_DELTA : p;
}

/* Student's t by the ratio of its kernel to the normal's is not exact; Hill's transform is, to 1e-3
 * at these degrees: Hill, "Algorithm 395", Communications of the ACM 13 (1970). */
static double t_cdf(double t)
{
  double a = DEGREES - 0.5, b = 48 * a * a, y = a * log1p(t * t / DEGREES);
  double z = (((-0.4 * y - 3.3) * y - 24) * y - 85.5) / (0.8 * y * y + 100 + b);
  z = ((z + y + 3) / b + 1) * sqrt(y);
  return fc_normal_cdf(t < 0 ? -z : z);
}

struct spread {
  double error[FC_NODES], middle[FC_NODES];
};

/* A drift's errors over all horizons: judged ones blended with what grew from the shorter ones. */
static void extend(struct spread *s, const struct fc_record *rec, size_t j, double mean_rate)
{
  for (size_t a = 0; a < FC_NODES; a++) {
    bool judged = a < rec->judged;
    if (a == 0) {
      s->error[0] = judged ? rec->error[j][0] : NO_RECORD * mean_rate;
      s->middle[0] = judged ? BIAS_SHARE * rec->middle[j][0] : 0;
      continue;
    }
    double grown = s->error[a - 1] * pow(fc_node[a] / fc_node[a - 1], GROWTH);
    double w = judged ? rec->blocks[a] / (rec->blocks[a] + BLOCKS_HALF) : 0;
    s->error[a] = (1 - w) * grown + (judged ? w * rec->error[j][a] : 0);
    s->middle[a] = (1 - w) * s->middle[a - 1] + (judged ? w * BIAS_SHARE * rec->middle[j][a] : 0);
  }
}

double fc_combine(double p[FC_NODES], const struct fc_record *rec, const struct fc_grid *g,
                  const struct fc_drifts *d, double headroom)
{
  size_t n = g->n;
  double mean_rate = n > 1 ? fabs(g->u[n - 1] - g->u[0]) / (double)(n - 1) : 0;
  mean_rate = fmax(mean_rate, 1e-6);
  double top[FC_NODES], weight[FC_NODES] = {0}, sum[FC_NODES] = {0};
  double power[FC_DRIFTS][FC_NODES], chance[FC_DRIFTS][FC_NODES], agreed = 0;

  for (size_t a = 0; a < FC_NODES; a++)
    top[a] = -INFINITY;
  for (size_t j = 0; j < FC_DRIFTS; j++) {
    if (!window_fits(j, n))
      continue;
    struct spread s;
    double rate = d->rate[j][n - 1];
    extend(&s, rec, j, mean_rate);
    for (size_t a = 0; a < FC_NODES; a++) {
      double k = fc_node[a], own = SPREAD * s.error[a], doubt = DRIFT_DOUBT * rate * k;
      double overall = MEAN_DOUBT * mean_rate * k;
      double sd = sqrt(own * own + doubt * doubt + overall * overall + FLOOR * FLOOR);
      chance[j][a] = t_cdf((fmax(rate, 0) * k + s.middle[a] - headroom) / sd);
      power[j][a] = prior(j, a) - POWER * log(s.error[a] + 1e-7);
      top[a] = fmax(top[a], power[j][a]);
    }
  }
  for (size_t j = 0; j < FC_DRIFTS; j++) {
    if (!window_fits(j, n))
      continue;
    for (size_t a = 0; a < FC_NODES; a++) {
      double w = exp(power[j][a] - top[a]);
      weight[a] += w;
      sum[a] += w * chance[j][a];
      if (a == NODE_OF_RATE)
        agreed += w * d->rate[j][n - 1];
    }
  }
  for (size_t a = 0; a < FC_NODES; a++) {
    p[a] = sum[a] / weight[a];
    if (a > 0 && p[a] < p[a - 1])
      p[a] = p[a - 1];
  }
  return agreed / weight[NODE_OF_RATE];
}
