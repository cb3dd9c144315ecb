/* SPDX-License-Identifier: MIT */
/*
 * The small numerics that several steps share.
 *
 * The normal quantile is Acklam's rational approximation (relative error 1.2e-9 before any
 * refinement), far below what a forecast can tell apart. Selection is Hoare's quickselect with a
 * median of three: deterministic, no allocation.
 */
#include "analyzer/forecast/steps.h"

#include <math.h>

double fc_normal_cdf(double x)
{
  return 0.5 * erfc(-x * M_SQRT1_2);
}

static double tail_quantile(double p)
{
  static const double c[] = {-7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e+00,
                             -2.549732539343734e+00, 4.374664141464968e+00,  2.938163982698783e+00};
  static const double d[] = {7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00,
                             3.754408661907416e+00};
  double q = sqrt(-2 * log(p));
  return (((((c[0] * q + c[1]) * q + c[2]) * q + c[3]) * q + c[4]) * q + c[5]) /
         ((((d[0] * q + d[1]) * q + d[2]) * q + d[3]) * q + 1);
}

double fc_normal_quantile(double p)
{
  static const double a[] = {-3.969683028665376e+01, 2.209460984245205e+02,  -2.759285104469687e+02,
                             1.383577518672690e+02,  -3.066479806614716e+01, 2.506628277459239e+00};
  static const double b[] = {-5.447609879822406e+01, 1.615858368580409e+02, -1.556989798598866e+02,
                             6.680131188771972e+01, -1.328068155288572e+01};
  if (p < 0.02425)
    return tail_quantile(p);
  if (p > 1 - 0.02425)
    return -tail_quantile(1 - p);
  double q = p - 0.5, r = q * q;
  return (((((a[0] * r + a[1]) * r + a[2]) * r + a[3]) * r + a[4]) * r + a[5]) * q /
         (((((b[0] * r + b[1]) * r + b[2]) * r + b[3]) * r + b[4]) * r + 1);
}

/* Moves what is smaller than the pivot to the front of a[from..to]; returns where the rest begins.
 * Without a branch on the values: half of them would be guessed
 * wrong, which costs more than to move each. */
static size_t move_smaller(double *a, size_t from, size_t to, double pivot)
{
  size_t rest = from;
  for (size_t i = from; i <= to; i++) {
    double x = a[i];
    a[i] = a[rest];
    a[rest] = x;
    rest += x < pivot;
  }
  return rest;
}

static size_t move_equal(double *a, size_t from, size_t to, double pivot)
{
  size_t rest = from;
  for (size_t i = from; i <= to; i++) {
    double x = a[i];
    a[i] = a[rest];
    a[rest] = x;
    rest += x <= pivot;
  }
  return rest;
}

static double middle_of(double x, double y, double z)
{
  double low = x < y ? x : y, high = x < y ? y : x;
  return z < low ? low : z > high ? high : z;
}

/* Afterwards a[k] has the value that it would have in order, and nothing after it is smaller. */
static void select_rank(double *a, size_t n, size_t k)
{
  size_t lo = 0, hi = n - 1;
  while (lo < hi) {
    double pivot = middle_of(a[lo], a[lo + (hi - lo) / 2], a[hi]);
    size_t from = move_smaller(a, lo, hi, pivot);
    if (k < from) {
      hi = from - 1;
      continue;
    }
    size_t rest = move_equal(a, from, hi, pivot);
    if (k < rest || rest == lo) /* the latter where the pivot is no number */
      return;
    lo = rest;
  }
}

double fc_select(double *a, size_t n, double q)
{
  double rank = q * (double)(n - 1);
  size_t k = (size_t)rank;
  if (k >= n - 1)
    k = n - 1;
  select_rank(a, n, k);
  double low = a[k], part = rank - (double)k;
  if (part <= 0 || k + 1 >= n)
    return low;
  double high = a[k + 1];
  for (size_t i = k + 2; i < n; i++)
    if (a[i] < high)
      high = a[i];
  return low + part * (high - low);
}
