/* SPDX-License-Identifier: MIT */
/*
 * Local trends whose rate grows, stays or fades: the member that knows acceleration and saturation.
 *
 * A row is a level plus noise; the level climbs by rate * exp(shape * time), and both the level and
 * the rate may wander. A grid of (shape, level noise, rate noise) is filtered in parallel (Kalman),
 * each model weighs by its tempered likelihood and a prior that favours the straight line (Bayesian
 * model averaging; Harvey, "Forecasting, structural time series models and the Kalman filter",
 * 1989). The noise scale is concentrated out of the likelihood.
 *
 * First passage is that of Brownian motion with an uncertain drift: the reflection term is averaged
 * over the drift in closed form (exponential tilting of the inverse Gaussian distribution).
 */
#include "analyzer/forecast/steps.h"

#include <math.h>
#include <string.h>

#define ROWS_MAX   56  /* longer series are thinned: the shape shows better without daily noise */
#define TEMPER     0.5 /* of the likelihood: models are wrong, rows are not independent */
#define WEIGHT_MIN 0.01
#define FLOOR      1e-5 /* of the largest value: no level is known better */
#define ROOM_LEAST                                                                                 \
  0.05              /* of the headroom that stays where the filter's level is past the limit       \
                     */
#define DIFFUSE 1e6 /* what the first row ahead does not know, in units of the noise */
#define REACH   6.0 /* an accelerating rate is followed up to this multiple on average */

#define N_SHAPES 5
#define N_LEVELS 3
#define N_RATES  4
_Static_assert(FC_MODELS == N_SHAPES * N_LEVELS * N_RATES, "one model for each combination");

static const double shape_per_year[N_SHAPES] = {-2, -0.8, 0, 0.8, 2};
static const double shape_prior[N_SHAPES] = {-2.5, -1.2, 0, -1.2, -2.5};
/* Variance per row of the level relative to the noise of a row; the last has no such noise. */
static const double level_noise[N_LEVELS] = {0.01, 0.5, 1};
static const double row_noise[N_LEVELS] = {1, 1, 0};
static const double rate_noise[N_RATES] = {0, 4e-6, 4e-5, 4e-4};

/* One array per quantity, so that FC_LANES models are filtered at once. */
#define REGISTERS (FC_MODELS / FC_LANES)
_Static_assert(FC_MODELS % FC_LANES == 0, "models fill the registers");
typedef union {
  fc_lanes lane[REGISTERS];
  double of[FC_MODELS];
} models;

struct filters {
  models level, rate;
  models pll, plr, prr; /* covariance in units of the noise */
  models r, ql, qr, shape;
  models factor; /* exp(shape * time) at the row before */
  models grow;   /* exp(shape * stride) */
  models square, spread, log_spread;
};

static void start(struct filters *f, double first, double stride, double rows, double step_days)
{
  for (int m = 0; m < FC_MODELS; m++) {
    int s = m / (N_LEVELS * N_RATES), l = m / N_RATES % N_LEVELS, t = m % N_RATES;
    double c = shape_per_year[s] / 365 * step_days;
    double noise = row_noise[l] + level_noise[l];
    f->shape.of[m] = c;
    f->r.of[m] = row_noise[l];
    f->ql.of[m] = level_noise[l] * stride;
    f->qr.of[m] = rate_noise[t] * noise * stride;
    f->factor.of[m] = exp(-c * stride * (rows - 1));
    f->grow.of[m] = exp(c * stride);
    f->level.of[m] = first;
    f->rate.of[m] = 0;
    f->pll.of[m] = row_noise[l];
    f->plr.of[m] = 0;
    double w = f->factor.of[m] * f->grow.of[m] * stride;
    f->prr.of[m] = DIFFUSE * noise / (w * w);
    f->square.of[m] = f->log_spread.of[m] = 0;
    f->spread.of[m] = 1;
  }
}

static void update(struct filters *f, double row, double stride, bool counts)
{
  for (int m = 0; m < REGISTERS; m++) {
    f->factor.lane[m] *= f->grow.lane[m];
    fc_lanes w = f->factor.lane[m] * stride, rate = f->rate.lane[m];
    fc_lanes pll = f->pll.lane[m], plr = f->plr.lane[m], prr = f->prr.lane[m];
    fc_lanes qr = f->qr.lane[m], v = row - f->level.lane[m] - w * rate;
    pll = pll + 2 * w * plr + w * w * (prr + qr / 3) + f->ql.lane[m];
    plr = plr + w * (prr + qr / 2);
    prr = prr + qr;
    fc_lanes s = pll + f->r.lane[m], kl = pll / s, kr = plr / s;
    f->level.lane[m] = row - v + kl * v;
    f->rate.lane[m] = rate + kr * v;
    f->pll.lane[m] = pll - kl * pll;
    f->plr.lane[m] = plr - kl * plr;
    f->prr.lane[m] = prr - kr * plr;
    if (!counts)
      continue;
    f->square.lane[m] += v * v / s;
    f->spread.lane[m] *= s;
  }
}

static void fold_spread(struct filters *f)
{
  for (int m = 0; m < FC_MODELS; m++) {
    f->log_spread.of[m] += log(f->spread.of[m]);
    f->spread.of[m] = 1;
  }
}

static double filter(struct filters *f, const struct fc_grid *g, size_t stride)
{
  size_t rows = (g->n - 1) / stride + 1, first = g->n - 1 - (rows - 1) * stride;
  double counted = 0;
  start(f, g->u[first], (double)stride, (double)rows, g->step_days);
  for (size_t i = 1; i < rows; i++) {
    bool counts = i >= 2;
    update(f, g->u[first + i * stride], (double)stride, counts);
    counted += counts ? 1 : 0;
    if (i % 8 == 0)
      fold_spread(f);
  }
  fold_spread(f);
  return counted;
}

/* exp(e) * Phi(z), where e may overflow while Phi underflows. */
static double tilted(double e, double z)
{
  if (z > -6)
    return exp(fmin(e, 600)) * fc_normal_cdf(z);
  double l = e - 0.5 * z * z;
  return l < -40 ? 0 : exp(fmin(l, 0)) * 0.3989422804014327 / -z * (1 - 1 / (z * z));
}

/* P(max over [0, k] of drift * t + sigma * W(t) reaches h), drift ~ N(mean, sd^2). */
static double passage(double k, double h, double mean, double sd, double sigma2)
{
  double total = sqrt(sigma2 * k + sd * sd * k * k);
  double direct = fc_normal_cdf((mean * k - h) / total);
  double tilt = sd * sd * 2 * h / sigma2;
  double e = 2 * h / sigma2 * (mean + 0.5 * tilt);
  return fmin(1, direct + tilted(e, (-h - (mean + tilt) * k) / total));
}

/* What is kept of one model once the rows are filtered. */
static void keep(struct fc_trend *t, const struct filters *f, int m, double sigma2, double last,
                 double stride)
{
  t->rate = f->rate.of[m];
  t->shape = f->shape.of[m];
  t->rate_variance = sigma2 * f->prr.of[m];
  t->wander = sigma2 * f->qr.of[m] / stride;
  t->level_variance = sigma2 * f->ql.of[m] / stride;
  t->start = sigma2 * f->pll.of[m] + FLOOR * FLOOR;
  t->ahead = f->level.of[m] - last;
}

void fc_trends_filter(struct fc_trends *t, const struct fc_grid *g)
{
  struct filters f;
  double weight[FC_MODELS], sigma2[FC_MODELS], best = -INFINITY, total = 0;
  size_t stride = (g->n + ROWS_MAX - 1) / ROWS_MAX;
  t->n = 0;
  double counted = filter(&f, g, stride);
  if (!(counted > 0))
    return;
  for (int m = 0; m < FC_MODELS; m++) {
    sigma2[m] = (f.square.of[m] + 1e-12) / counted;
    double likelihood = -0.5 * counted * log(sigma2[m]) - 0.5 * f.log_spread.of[m];
    weight[m] = TEMPER * likelihood + shape_prior[m / (N_LEVELS * N_RATES)];
    best = fmax(best, weight[m]);
  }
  for (int m = 0; m < FC_MODELS; m++) {
    weight[m] = exp(weight[m] - best);
    total += weight[m];
  }
  double kept = 0;
  for (int m = 0; m < FC_MODELS; m++) {
    if (weight[m] < WEIGHT_MIN * total)
      continue;
    kept += t->model[t->n].weight = weight[m];
    keep(&t->model[t->n++], &f, m, sigma2[m], g->u[g->n - 1], (double)stride);
  }
  for (size_t i = 0; i < t->n; i++)
    t->model[i].weight /= kept;
}

double fc_trends_chance(const struct fc_trends *t, double rows, double headroom)
{
  double sum = 0;
  for (size_t i = 0; i < t->n; i++) {
    const struct fc_trend *m = &t->model[i];
    double h = fmax(headroom - m->ahead, ROOM_LEAST * headroom);
    double reach = 1; /* how much further than a steady rate */
    if (fabs(m->shape) > 1e-12)
      reach = fmin(expm1(m->shape * rows) / (m->shape * rows), REACH);
    double sd = reach * sqrt(fmax(m->rate_variance + m->wander * rows / 3, 0));
    double own = m->level_variance + m->start / rows;
    sum += m->weight * passage(rows, h, m->rate * reach, sd, own);
  }
  return sum;
}
