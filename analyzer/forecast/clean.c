/* SPDX-License-Identifier: MIT */
/*
 * What is written in a history and was never so: read errors, growth cut off at a capacity that was
 * enlarged later, and refills of what counts down.
 *
 * A read error is a 0 where the neighbours are far from it, or a lonely spike whose neighbours
 * agree with one another. The last row is believed: it is the only witness of now. Measured on the
 * development set: without this step a single wrong 0 moves the median date by weeks.
 */
#include "analyzer/forecast/steps.h"

#include <math.h>
#include <string.h>

#define SPIKE_SCALES     6.0  /* this many typical deviations from the neighbours */
#define NEIGHBOUR_SCALES 2.0  /* and the neighbours within this many */
#define ZERO_SHARE       0.02 /* a row below this share of its neighbours is a read error */
#define PASSES           3

static double middle_of_four(double a, double b, double c, double d)
{
  double low = fc_lesser(fc_lesser(a, b), fc_lesser(c, d));
  double high = fc_greater(fc_greater(a, b), fc_greater(c, d));
  return 0.5 * (a + b + c + d - low - high);
}

static double median_of(const double *v, size_t n, double *scratch)
{
  memcpy(scratch, v, n * sizeof(*v));
  return fc_select(scratch, n, 0.5);
}

/* Fills middle[i] with the median of the two rows before and after; the ends use five rows. */
static void neighbour_medians(const double *v, size_t n, double *middle, double *scratch)
{
  for (size_t i = 2; i + 2 < n; i++)
    middle[i] = middle_of_four(v[i - 2], v[i - 1], v[i + 1], v[i + 2]);
  middle[0] = middle[1] = median_of(v, 5, scratch);
  middle[n - 1] = middle[n - 2] = median_of(v + n - 5, 5, scratch);
}

static bool is_error(const double *v, const double *middle, size_t n, size_t i, double scale)
{
  if (i + 1 == n)
    return false;
  if (middle[i] > 0 && v[i] <= ZERO_SHARE * middle[i])
    return true;
  if (i == 0 || fabs(v[i] - middle[i]) <= SPIKE_SCALES * scale)
    return false;
  double before = fabs(v[i - 1] - middle[i]), after = fabs(v[i + 1] - middle[i]);
  return fc_greater(before, after) < NEIGHBOUR_SCALES * scale;
}

/* Drops the rows whose verdict is NAN; returns how many. */
static size_t keep_good(struct fc_rows *r, const double *verdict)
{
  size_t kept = 0, n = r->n;
  for (size_t i = 0; i < n; i++) {
    if (isnan(verdict[i]))
      continue;
    r->day[kept] = r->day[i];
    r->used[kept] = r->used[i];
    r->capacity[kept] = r->capacity[i];
    kept++;
  }
  r->n = kept;
  return n - kept;
}

void fc_drop_read_errors(struct fc_rows *r, double *scratch)
{
  for (int pass = 0; pass < PASSES && r->n > 8; pass++) {
    size_t n = r->n;
    double *middle = scratch, *tmp = scratch + n;
    neighbour_medians(r->used, n, middle, tmp);
    for (size_t i = 0; i < n; i++)
      tmp[i] = fabs(r->used[i] - middle[i]);
    double scale = 1.5 * fc_select(tmp, n, 0.5);
    for (size_t i = 0; i < n; i++)
      tmp[i] = fabs(middle[i]);
    scale += 0.02 * fc_select(tmp, n, 0.5);
    for (size_t i = 0; i < n; i++)
      tmp[i] = is_error(r->used, middle, n, i, scale) ? NAN : 0;
    if (keep_good(r, tmp) == 0)
      break;
  }
}

void fc_unclip(struct fc_rows *r, double limit)
{
  for (size_t i = 1; i < r->n; i++) {
    /* rows [from, i) sat at an earlier, smaller capacity; row i is the first after it grew */
    double old = r->capacity[i - 1];
    if (!(old < r->capacity[i]) || !(old < 0.999 * limit) || !(old > 0) || r->used[i] <= old)
      continue;
    size_t from = i;
    while (from > 0 && r->capacity[from - 1] == old && r->used[from - 1] >= 0.998 * old)
      from--;
    if (from == i || from == 0)
      continue;
    double t0 = r->day[from - 1], v0 = r->used[from - 1];
    double slope = (r->used[i] - v0) / (r->day[i] - t0);
    for (size_t j = from; j < i; j++)
      r->used[j] = fmax(r->used[j], v0 + slope * (r->day[j] - t0));
  }
}

void fc_join_refills(struct fc_rows *r)
{
  if (r->n < 2)
    return;
  double low = r->used[0], high = low;
  for (size_t i = 1; i < r->n; i++) {
    low = fmin(low, r->used[i]);
    high = fmax(high, r->used[i]);
  }
  double shift = 0, enough = 0.2 * (high - low);
  for (size_t i = r->n - 1; i-- > 0;) {
    double rise = r->used[i + 1] - shift - r->used[i];
    if (rise > enough)
      shift += rise;
    r->used[i] += shift;
  }
}
