/* SPDX-License-Identifier: MIT */
/*
 * What followed when the series last looked like this: the mean continuation of its own most alike
 * stretches of 52 rows, scaled to the present swing and taken with some doubt.
 * Analogue forecasting: Lorenz (1969); for time series in general, Yakowitz, "Nearest-neighbour
 * methods for time series analysis" (1987).
 */
#include "analyzer/forecast/steps.h"

#include <math.h>
#include <string.h>

#define WINDOW    52
#define EVERY     8 /* rows that are compared */
#define POINTS    7
#define ALIKE     5
#define SHARE     0.7
#define SCALE_MAX 2.0
#define EARLIEST  30 /* rows before the window that must be there to compare with */

struct match {
  double distance, scale;
  size_t at;
};

static double root_mean_square(const double v[POINTS], double floor_square)
{
  double sum = 0;
  for (int i = 0; i < POINTS; i++)
    sum += v[i] * v[i];
  return sqrt(sum / POINTS + floor_square);
}

static void window_before(double v[POINTS], const double *y, size_t at)
{
  for (size_t i = 0; i < POINTS; i++)
    v[i] = y[at - WINDOW + i * EVERY] - y[at];
}

/* Keeps the ALIKE nearest, nearest first. */
static void insert(struct match best[ALIKE], struct match m)
{
  if (m.distance >= best[ALIKE - 1].distance)
    return;
  int i = ALIKE - 1;
  for (; i > 0 && best[i - 1].distance > m.distance; i--)
    best[i] = best[i - 1];
  best[i] = m;
}

void fc_analog_swings(double *swing, const double *y, size_t n, double floor_square)
{
  double v[POINTS];
  for (size_t at = WINDOW; at < n; at++) {
    window_before(v, y, at);
    swing[at] = root_mean_square(v, floor_square);
  }
}

bool fc_analog(const double *y, const double *swing, size_t origin, double *f, size_t steps)
{
  double own[POINTS], v[POINTS];
  struct match best[ALIKE];
  if (origin < WINDOW + steps + EARLIEST)
    return false;
  window_before(own, y, origin);
  for (int i = 0; i < ALIKE; i++)
    best[i] = (struct match){INFINITY, 0, WINDOW};
  for (size_t at = WINDOW; at + steps <= origin; at++) {
    window_before(v, y, at);
    double scale = swing[origin] / swing[at], distance = 0;
    scale = scale > SCALE_MAX ? SCALE_MAX : scale < 1 / SCALE_MAX ? 1 / SCALE_MAX : scale;
    for (int i = 0; i < POINTS; i++)
      distance += (v[i] * scale - own[i]) * (v[i] * scale - own[i]);
    insert(best, (struct match){distance, scale, at});
  }
  for (size_t k = 0; k < steps; k++) {
    double sum = 0;
    for (int i = 0; i < ALIKE; i++)
      sum += best[i].scale * (y[best[i].at + k + 1] - y[best[i].at]);
    f[k] = y[origin] + SHARE * sum / ALIKE;
  }
  return true;
}
