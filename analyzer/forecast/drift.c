/* SPDX-License-Identifier: MIT */
/*
 * Candidate drifts, now and at every past origin.
 *
 * Least squares over windows from a week to 448 rows, the same on the series with its one-off jumps
 * taken out (a migration is no growth), and end-to-end differences, which alone see lumpy growth at
 * its true rate. Prefix sums make each O(1). No window is chosen: all of them are replayed and
 * weighted by replay.c and combine.c.
 */
#include "analyzer/forecast/steps.h"

#include <math.h>

#define JUMP_TYPICAL 6.0   /* a jump exceeds this many 0.9-quantiles of the steps */
#define JUMP_MIDDLE  12.0  /* and this many median steps */
#define JUMP_LEAST   0.006 /* and this share of the largest value */
#define JUMPS_ROWS   45    /* more than one in this many rows is no longer one-off */

const int fc_slope_rows[FC_SLOPES] = {7, 14, 28, 56, 112, 224, 448};
const int fc_delta_rows[FC_DELTAS] = {28, 56, 112, 224, 448, 5000};

static void remove_jumps(double *z, const double *u, size_t n, double *scratch)
{
  double *step = scratch, *size = scratch + FC_GRID, *tmp = scratch + 2 * FC_GRID;
  z[0] = u[0];
  if (n < 2)
    return;
  for (size_t i = 0; i + 1 < n; i++)
    step[i] = tmp[i] = u[i + 1] - u[i];
  double middle = fc_select(tmp, n - 1, 0.5);
  for (size_t i = 0; i + 1 < n; i++)
    size[i] = tmp[i] = fabs(step[i] - middle);
  double typical = fc_select(tmp, n - 1, 0.5) + 1e-9;
  double large = n > 11 ? fc_select(tmp, n - 1, 0.9) : typical;
  double bar = fmax(JUMP_TYPICAL * large, JUMP_MIDDLE * typical);
  size_t jumps = 0;
  for (size_t i = 0; i + 1 < n; i++)
    jumps += size[i] > bar && fabs(step[i]) > JUMP_LEAST;
  if ((double)jumps > fmax(1, (double)n / JUMPS_ROWS))
    bar = INFINITY;
  double taken = 0;
  for (size_t i = 0; i + 1 < n; i++) {
    if (size[i] > bar && fabs(step[i]) > JUMP_LEAST)
      taken += step[i] - middle;
    z[i + 1] = u[i + 1] - taken;
  }
}

/* Least squares over the newest `rows` rows (fewer at the start) up to every origin. */
static void slopes(double *rate, size_t n, size_t rows, const double *sum, const double *moment)
{
  size_t whole = rows < n ? rows : n; /* origins from here have all rows of the window */
  for (size_t o = 0; o < whole; o++) {
    double m = (double)(o + 1), mx = 0.5 * (double)o;
    rate[o] = m < 4 ? 0 : (moment[o + 1] - mx * sum[o + 1]) / (m * (m * m - 1) / 12);
  }
  double m = (double)(rows + 1), square = m * (m * m - 1) / 12;
  for (size_t o = whole; o < n; o++) {
    size_t from = o - rows;
    double sy = sum[o + 1] - sum[from], sxy = moment[o + 1] - moment[from];
    rate[o] = (sxy - 0.5 * (double)(o + from) * sy) / square;
  }
}

static void slopes_of(double (*rate)[FC_GRID + 8], const double *v, size_t n, double *scratch)
{
  double *sum = scratch, *moment = scratch + FC_GRID + 1;
  sum[0] = moment[0] = 0;
  for (size_t i = 0; i < n; i++) {
    sum[i + 1] = sum[i] + v[i];
    moment[i + 1] = moment[i] + (double)i * v[i];
  }
  for (int j = 0; j < FC_SLOPES; j++)
    slopes(rate[j], n, (size_t)fc_slope_rows[j], sum, moment);
}

void fc_drift(struct fc_drifts *d, double z[FC_GRID], const struct fc_grid *g, double *scratch)
{
  size_t n = g->n;
  remove_jumps(z, g->u, n, scratch);
  slopes_of(d->rate, g->u, n, scratch);
  slopes_of(d->rate + FC_SLOPES, z, n, scratch);
  for (int j = 0; j < FC_DELTAS; j++) {
    size_t rows = (size_t)fc_delta_rows[j];
    double *rate = d->rate[2 * FC_SLOPES + j];
    for (size_t o = 0; o < n; o++) {
      size_t from = o > rows ? o - rows : 0;
      rate[o] = o > from ? (g->u[o] - g->u[from]) / (double)(o - from) : 0;
    }
  }
}
