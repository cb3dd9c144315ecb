/* SPDX-License-Identifier: MIT */
/*
 * What a history looks like, in numbers that depend neither on the unit nor on the limit. pool.c
 * uses them to judge which member to trust: lumpy series are the paths' business, smooth ones the
 * drifts' and trends'.
 */
#include "analyzer/forecast/steps.h"

#include <math.h>
#include <string.h>

#define TINY 1e-9

/* Rate over the newest rows against the rate over all, within -1 and 1. */
static double faster(const double *u, size_t n, size_t rows, double typical)
{
  double all = (u[n - 1] - u[0]) / (double)(n - 1);
  size_t w = rows < n - 1 ? rows : n - 1;
  double own = (u[n - 1] - u[n - 1 - w]) / (double)w;
  return tanh((own - all) / (fabs(all) + 0.1 * typical));
}

/* Mean magnitude of the newest steps. */
static double activity(const double *u, size_t n, size_t rows)
{
  size_t w = rows < n - 1 ? rows : n - 1;
  double sum = 0;
  for (size_t i = n - w; i < n; i++)
    sum += fabs(u[i] - u[i - 1]);
  return sum / (double)w;
}

/* Standard deviation about the line of least squares. */
static double about_line(const double *u, size_t n)
{
  double mean = 0, sxy = 0, syy = 0, middle = 0.5 * (double)(n - 1);
  double sxx = (double)n * ((double)n * (double)n - 1) / 12;
  for (size_t i = 0; i < n; i++)
    mean += u[i] / (double)n;
  for (size_t i = 0; i < n; i++) {
    sxy += ((double)i - middle) * (u[i] - mean);
    syy += (u[i] - mean) * (u[i] - mean);
  }
  return sqrt(fmax(syy - sxy * sxy / sxx, 0) / (double)n);
}

void fc_shape(double shape[FC_SHAPES], const struct fc_grid *g)
{
  const double *u = g->u;
  size_t n = g->n;
  double low = u[0], high = u[0], largest = 0, square = 0, moved = u[n - 1] - u[0];
  for (size_t i = 1; i < n; i++) {
    double step = u[i] - u[i - 1];
    low = fmin(low, u[i]);
    high = fmax(high, u[i]);
    largest = fmax(largest, fabs(step));
    square += step * step;
  }
  double steps = (double)(n - 1), mean = moved / steps, range = high - low + TINY;
  double typical = activity(u, n, n) + TINY;
  double sd = sqrt(fmax(square / steps - mean * mean, 0));
  shape[FC_DIRECT] = log((fabs(mean) + 1e-3 * typical) / typical);
  shape[FC_LUMPY] = log(typical / (sd + TINY));
  shape[FC_ACTIVE] = log(activity(u, n, 14) / typical + 0.03);
  shape[FC_FASTER_28] = faster(u, n, 28, typical);
  shape[FC_FASTER_90] = faster(u, n, 90, typical);
  shape[FC_FASTER_224] = faster(u, n, 224, typical);
  shape[FC_LARGEST] = log(largest / range + 1e-3);
  shape[FC_RANGE] = log(range + 1e-4);
  shape[FC_ROUGH] = log(about_line(u, n) / range + 1e-3);
}
