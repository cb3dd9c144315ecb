/* SPDX-License-Identifier: MIT */
/*
 * Rows as they came -> a grid of whole days (or of the rows' own step, when that is longer).
 *
 * Rows finer than a day are joined to the day's peak, counted back from the last row: what fills up
 * a device is the peak, not the mean. Gaps are drawn as straight lines; the windows of the later
 * steps are long enough for this not to matter, and a gap must not shift what comes after it.
 */
#include "analyzer/forecast/steps.h"

#include <math.h>

#define FINE_DAYS (80000.0 / 86400.0) /* rows closer than this are joined by day */

static double towards_limit(double used, double sign, double scale)
{
  return sign * used / scale;
}

/* Fills what no row fell into by straight lines; the ends always hold a row. */
static void bridge_gaps(double *u, size_t n)
{
  size_t known = 0;
  for (size_t i = 1; i < n; i++) {
    if (isnan(u[i]))
      continue;
    for (size_t j = known + 1; j < i; j++)
      u[j] = u[known] + (u[i] - u[known]) * (double)(j - known) / (double)(i - known);
    known = i;
  }
  for (size_t j = known + 1; j < n; j++)
    u[j] = u[known];
}

static void join_fine(struct fc_grid *g, const struct fc_rows *r, double sign, double scale)
{
  double span = floor(-r->day[0] / g->step_days + 1e-9) + 1;
  size_t n = span < FC_GRID ? (size_t)span : FC_GRID, first = n;
  for (size_t i = 0; i < n; i++)
    g->u[i] = -INFINITY;
  for (size_t i = 0; i < r->n; i++) {
    double back = -r->day[i] / g->step_days + 1e-9; /* >= 0: cut, not rounded */
    if (back >= (double)n)
      continue;
    size_t at = n - 1 - (size_t)back;
    g->u[at] = fc_greater(g->u[at], sign * r->used[i]);
    first = at < first ? at : first;
  }
  for (size_t i = first; i < n; i++)
    g->u[i - first] = isfinite(g->u[i]) ? g->u[i] / scale : NAN;
  g->n = n - first;
  bridge_gaps(g->u, g->n);
}

static void interpolate(struct fc_grid *g, const struct fc_rows *r, double sign, double scale)
{
  double span = floor(-r->day[0] / g->step_days + 0.5) + 1;
  size_t n = span < FC_GRID ? (size_t)span : FC_GRID, i = 0;
  for (size_t k = 0; k < n; k++) {
    double day = -g->step_days * (double)(n - 1 - k);
    while (i + 1 < r->n && r->day[i + 1] <= day)
      i++;
    double used = r->used[i];
    if (i + 1 < r->n && day > r->day[i])
      used += (r->used[i + 1] - used) * (day - r->day[i]) / (r->day[i + 1] - r->day[i]);
    g->u[k] = towards_limit(used, sign, scale);
  }
  g->n = n;
}

void fc_regular(struct fc_grid *g, const struct fc_rows *r, double step_days, double sign,
                double scale)
{
  g->step_days = fmax(1, floor(step_days + 0.5));
  if (step_days < FINE_DAYS)
    join_fine(g, r, sign, scale);
  else
    interpolate(g, r, sign, scale);
}
