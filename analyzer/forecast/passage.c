/* SPDX-License-Identifier: MIT */
/*
 * One curve, P(reached within t), gives every date and every probability: read along one axis and
 * along the other, they cannot contradict one another. Between nodes it is a straight line in the
 * logarithm of time.
 */
#include "analyzer/forecast/steps.h"

#include <math.h>

#define BEFORE_FIRST 0.05 /* rows: nothing arrives sooner */

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

void fc_passage(struct forecast_result *r, const double p[FC_NODES], double step_days)
{
  r->day[0] = BEFORE_FIRST * step_days;
  r->p[0] = 0;
  r->n_nodes = FC_NODES + 1;
  for (size_t a = 0; a < FC_NODES; a++) {
    r->day[a + 1] = fc_node[a] * step_days;
    r->p[a + 1] = fmin(fmax(p[a], r->p[a]), 1);
  }
  for (size_t h = 0; h < FORECAST_N_HORIZONS; h++)
    r->probability[h] = forecast_probability_within(r, forecast_horizon_days[h]);
  for (size_t q = 0; q < FORECAST_N_QUANTILES; q++) {
    double days = forecast_days_until(r, forecast_quantile[q]);
    r->fill[q] = isfinite(days) ? r->last_time + (int64_t)llround(days * 86400) : FORECAST_NONE;
  }
}
