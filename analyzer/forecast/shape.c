/* SPDX-License-Identifier: MIT */
/*
 * What a history looks like, in numbers that depend neither on the unit nor on the limit. pool.c
 * uses them to judge which member to trust: lumpy series are the paths' business, smooth ones the
 * drifts' and trends'. The ratio of the spread over k rows to sqrt(k) times that over one tells
 * noise that comes back (below 0) from growth that persists (above): the variance ratio of Lo and
 * MacKinlay (Review of Financial Studies 1, 1988).
 */
#include "analyzer/forecast/steps.h"

#include <math.h>
#include <string.h>

#define TINY   1e-9
#define STEADY 1e-6 /* of the largest value: steps that differ by less are alike */

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

/* Log of the spread of climbs over `rows` rows against that of a random walk; 0 when too short. */
static double persistence(const double *u, size_t n, size_t rows, double sd)
{
  if (n <= 2 * rows + 2)
    return 0;
  double sum = 0, square = 0, count = (double)(n - rows);
  for (size_t i = rows; i < n; i++) {
    double climb = u[i] - u[i - rows];
    sum += climb;
    square += climb * climb;
  }
  double spread = sqrt(fmax(square / count - sum * sum / (count * count), 0));
  return log((spread / sqrt((double)rows) + 1e-3 * sd + STEADY) / (sd + STEADY));
}

/* How unequal the months are, and whether one resembles the one before. */
static void compare_months(double shape[FC_SHAPES], const double *u, size_t n, double step_days)
{
  size_t rows = (size_t)fmax(28 / step_days, 1), months = (n - 1) / rows, moved = 0;
  double sum = 0, size = 0, square = 0, before = 0;
  double x = 0, y = 0, xx = 0, yy = 0, xy = 0, pairs = 0;
  for (size_t k = months; k > 0; k--) {
    double m = u[n - 1 - (k - 1) * rows] - u[n - 1 - k * rows];
    sum += m;
    size += fabs(m);
    square += m * m;
    if (fabs(m) <= TINY)
      continue; /* a month that stood still resembles nothing */
    if (moved++ > 0) {
      x += before;
      y += m;
      xx += before * before;
      yy += m * m;
      xy += before * m;
      pairs++;
    }
    before = m;
  }
  double count = (double)months;
  shape[FC_UNEVEN] = shape[FC_ALIKE] = 0;
  if (months < 3)
    return;
  double sd = sqrt(fmax(square / count - sum * sum / (count * count), 0));
  shape[FC_UNEVEN] = log(sd / (size / count + TINY) + 0.05);
  double vx = xx - x * x / fmax(pairs, 1), vy = yy - y * y / fmax(pairs, 1);
  if (pairs > 3 && vx > TINY * TINY && vy > TINY * TINY)
    shape[FC_ALIKE] = (xy - x * y / pairs) / sqrt(vx * vy);
}

/* When it moved last, and how much of the time it moves. */
static void look_back(double shape[FC_SHAPES], const struct fc_grid *g, double typical,
                      double range)
{
  size_t n = g->n, large = 0, any = 0, largest = 1, moves = 0; /* the row that the step led to */
  const double *u = g->u;
  double down = 0;
  for (size_t i = 1; i < n; i++) {
    double step = u[i] - u[i - 1], size = fabs(step);
    if (size > 0.02 * range)
      large = i;
    if (size > 0.02 * typical) {
      any = i;
      moves++;
    }
    if (size > fabs(u[largest] - u[largest - 1]))
      largest = i;
    down -= fc_lesser(step, 0);
  }
  shape[FC_SINCE_LARGE] = log1p((double)(large > 0 ? n - 1 - large : n) * g->step_days);
  shape[FC_SINCE_ANY] = log1p((double)(any > 0 ? n - 1 - any : n) * g->step_days);
  shape[FC_SINCE_LARGEST] = log1p((double)(n - 1 - largest) * g->step_days);
  shape[FC_LARGEST_WAY] = (u[largest] - u[largest - 1]) / range;
  shape[FC_MOVES] = (double)moves / (double)(n - 1);
  shape[FC_DOWN] = down / (typical * (double)(n - 1));
}

static double against_first_half(const double *u, size_t n, double typical)
{
  size_t half = n / 2;
  double a = half > 0 ? (u[half] - u[0]) / (double)half : 0;
  double b = (u[n - 1] - u[half]) / fmax((double)(n - 1 - half), 1);
  return (b - a) / (fabs(a) + fabs(b) + 0.1 * typical);
}

void fc_shape(double shape[FC_SHAPES], const struct fc_grid *g)
{
  const double *u = g->u;
  size_t n = g->n;
  double low = u[0], high = u[0], largest = 0, square = 0, moved = u[n - 1] - u[0];
  for (size_t i = 1; i < n; i++) {
    double step = u[i] - u[i - 1];
    low = fc_lesser(low, u[i]);
    high = fc_greater(high, u[i]);
    largest = fc_greater(largest, fabs(step));
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
  shape[FC_LENGTH] = log((double)n * g->step_days);
  shape[FC_STEP] = log(g->step_days);
  shape[FC_PERSISTS_7] = persistence(u, n, 7, sd);
  shape[FC_PERSISTS_91] = persistence(u, n, 91, sd);
  shape[FC_ACTIVE_28] = log(activity(u, n, 28) / typical + 0.03);
  shape[FC_BELOW_TOP] = (high - u[n - 1]) / range;
  shape[FC_HALVES] = against_first_half(u, n, typical);
  look_back(shape, g, typical, range);
  compare_months(shape, u, n, g->step_days);
}
