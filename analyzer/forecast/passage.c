/* SPDX-License-Identifier: MIT */
/*
 * One curve, P(reached within t), gives every date and every probability: read along one axis and
 * along the other, they cannot contradict one another. Between its nodes it is a straight line in
 * the logarithm of time; where it is steep the nodes lie closer.
 */
#include "analyzer/forecast/steps.h"

#include <math.h>

#define BEFORE_FIRST 0.05 /* rows: nothing arrives sooner */
#define NODE_RATIO   1.35 /* between horizons, where the curve is not steep */
#define STEEP        0.15
#define DEPTH_MAX    6
#define SPARE        36 /* nodes that the plain horizons need */

const double forecast_quantile[FORECAST_N_QUANTILES] = {0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975};
const int forecast_horizon_days[FORECAST_N_HORIZONS] = {7, 14, 30, 60, 90, 180, 365};

double forecast_probability_within(const struct forecast_result *r, double days)
{
  if (r->n_nodes == 0)
    return NAN;
  if (!(days > r->day[0]))
    return days >= 0 ? r->p[0] : 0;
  for (size_t i = 1; i < r->n_nodes; i++) {
    if (days > r->day[i])
      continue;
    double part = log(days / r->day[i - 1]) / log(r->day[i] / r->day[i - 1]);
    return r->p[i - 1] + part * (r->p[i] - r->p[i - 1]);
  }
  return r->p[r->n_nodes - 1];
}

double forecast_days_until(const struct forecast_result *r, double p)
{
  if (r->n_nodes == 0)
    return INFINITY;
  if (r->p[0] >= p)
    return 0;
  for (size_t i = 1; i < r->n_nodes; i++) {
    if (r->p[i] < p)
      continue;
    double part = (p - r->p[i - 1]) / (r->p[i] - r->p[i - 1]);
    double days = r->day[i - 1] * exp(part * log(r->day[i] / r->day[i - 1]));
    return days <= FORECAST_FAR_DAYS ? days : INFINITY;
  }
  return INFINITY;
}

struct curve {
  struct forecast_result *r;
  fc_chance *chance;
  const void *context;
  double step_days;
};

static void append(struct curve *c, double rows, double p)
{
  struct forecast_result *r = c->r;
  double before = r->n_nodes > 0 ? r->p[r->n_nodes - 1] : 0;
  r->day[r->n_nodes] = rows * c->step_days;
  r->p[r->n_nodes] = fmin(fmax(p, before), 1);
  r->n_nodes++;
}

/* Appends what is needed between two horizons, the later not included. Where the curve is steep it
 * is halved until it no longer is. */
static void refine(struct curve *c, double from, double p_from, double to, double p_to, int depth)
{
  if (p_to - p_from <= STEEP || depth == DEPTH_MAX || c->r->n_nodes + SPARE >= FORECAST_MAX_NODES)
    return;
  double mid = sqrt(from * to), p = c->chance(c->context, mid);
  refine(c, from, p_from, mid, p, depth + 1);
  append(c, mid, p);
  refine(c, mid, p, to, p_to, depth + 1);
}

void fc_passage(struct forecast_result *r, fc_chance *chance, const void *context, double step_days)
{
  struct curve c = {r, chance, context, step_days};
  double end = FORECAST_FAR_DAYS / step_days, before = BEFORE_FIRST, p_before = 0, rows = 1;
  r->n_nodes = 0;
  append(&c, BEFORE_FIRST, 0);
  while (before < end) {
    rows = fmin(rows, end);
    double p = chance(context, rows);
    if (before >= 1)
      refine(&c, before, p_before, rows, p, 0);
    append(&c, rows, p);
    before = rows;
    p_before = p;
    rows *= NODE_RATIO;
  }
  for (size_t h = 0; h < FORECAST_N_HORIZONS; h++)
    r->probability[h] = forecast_probability_within(r, forecast_horizon_days[h]);
  for (size_t q = 0; q < FORECAST_N_QUANTILES; q++) {
    double days = forecast_days_until(r, forecast_quantile[q]);
    r->fill[q] = isfinite(days) ? r->last_time + (int64_t)llround(days * 86400) : FORECAST_NONE;
  }
}
