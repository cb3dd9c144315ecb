/* SPDX-License-Identifier: MIT */
/*
 * Weekly and monthly cycles: backups, retention, month-end. The template is the median by phase of
 * what remains after a centred moving mean, as in classical decomposition, so that one odd week
 * does not bend it. It is taken out only where it explains enough to be believed, and its peak is
 * remembered: a device is full at the peak, not at the mean.
 *
 * Two kinds of periods only (7 and 30 days): looking for others in a year of days finds noise.
 */
#include "analyzer/forecast/steps.h"

#include <math.h>

#define PERIODS_MIN  5
#define PERIODS_MAX  12
#define EXPLAINS_MIN 0.35
#define LONGEST      30

/* Residuals of the newest rows against a centred moving mean of one period; returns their number.
 */
static size_t residuals(const double *x, size_t n, size_t period, double *r)
{
  size_t half = period / 2, count = n - period + 1;
  double sum = 0;
  for (size_t i = 0; i < period; i++)
    sum += x[i];
  for (size_t i = 0; i < count; i++) {
    r[i] = x[i + half] - sum / (double)period;
    if (i + period < n)
      sum += x[i + period] - x[i];
  }
  return count;
}

/* The median of each phase of whole periods r[0..rows * period), each period taken about its mean;
 * returns the share of the variance that it explains, 0 when there is none. */
static double template_of(double *r, size_t rows, size_t period, double median[LONGEST])
{
  double total = 0, rest = 0, column[PERIODS_MAX];
  for (size_t k = 0; k < rows; k++) {
    double mean = 0;
    for (size_t p = 0; p < period; p++)
      mean += r[k * period + p];
    mean /= (double)period;
    for (size_t p = 0; p < period; p++) {
      r[k * period + p] -= mean;
      total += r[k * period + p] * r[k * period + p];
    }
  }
  if (!(total > 0))
    return 0;
  for (size_t p = 0; p < period; p++) {
    for (size_t k = 0; k < rows; k++)
      column[k] = r[k * period + p];
    median[p] = fc_select(column, rows, 0.5);
    for (size_t k = 0; k < rows; k++)
      rest += (r[k * period + p] - median[p]) * (r[k * period + p] - median[p]);
  }
  return 1 - rest / total;
}

/* Returns how far the template's peak stands above its value now. */
static double remove_cycle(struct fc_grid *g, size_t period, double *scratch)
{
  double median[LONGEST];
  if (g->n < PERIODS_MIN * period)
    return 0;
  size_t n = g->n < PERIODS_MAX * period ? g->n : PERIODS_MAX * period;
  size_t count = residuals(g->u + g->n - n, n, period, scratch);
  size_t rows = count / period;
  if (rows < 3)
    return 0;
  double explains = template_of(scratch + count - rows * period, rows, period, median);
  if (explains < EXPLAINS_MIN + 1.0 / (double)rows)
    return 0;

  double mean = 0, peak = -INFINITY;
  for (size_t p = 0; p < period; p++) {
    mean += median[p];
    peak = fmax(peak, median[p]);
  }
  mean /= (double)period;
  /* the last residual, of phase period - 1, stands n - 1 - (half + count - 1) rows before now */
  size_t late = n - period / 2 - count;
  for (size_t i = 0; i < g->n; i++) {
    size_t back = g->n - 1 - i;
    size_t phase = (period - 1 + late + period * (back / period + 1) - back) % period;
    g->u[i] -= median[phase] - mean;
  }
  return peak - median[(period - 1 + late) % period];
}

double fc_season(struct fc_grid *g, double *scratch)
{
  if (g->step_days != 1)
    return 0;
  double week = remove_cycle(g, 7, scratch);
  return week + remove_cycle(g, LONGEST, scratch);
}
