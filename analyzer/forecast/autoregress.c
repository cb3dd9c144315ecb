/* SPDX-License-Identifier: MIT */
/*
 * Long autoregressions on the steps of a series: the value head's best member where a cycle is long
 * and not quite regular.
 *
 * Yule-Walker equations of the weighted autocovariances, solved by Levinson's recursion, which
 * gives the shorter order on the way to the longer one. A ridge on the diagonal stands for the
 * doubt in so many coefficients; single steps are clipped, or one of them would own the fit. Newer
 * rows weigh more. Brockwell and Davis, "Time Series: Theory and Methods", chapter 8.
 */
#include "analyzer/forecast/steps.h"

#include <math.h>
#include <string.h>

#define CLIP         6.0 /* mean magnitudes of a step */
#define HALF_LIFE_OF 2.0 /* history / this */
#define HALF_LIFE    100.0
#define RIDGE        0.01 /* at RIDGE_ROWS; falls with the root of the rows */
#define RIDGE_ROWS   500.0

static void standardise(struct fc_autoregression *a, const double *y, size_t n)
{
  double sum = 0, mean = 0, steps = (double)(n - 1);
  for (size_t i = 1; i < n; i++)
    sum += fabs(y[i] - y[i - 1]) / steps;
  a->scale = sum > 0 ? sum : 1;
  for (size_t i = 1; i < n; i++) {
    a->step[i - 1] = fmin(fmax((y[i] - y[i - 1]) / a->scale, -CLIP), CLIP);
    mean += a->step[i - 1] / steps;
  }
  for (size_t i = 0; i + 1 < n; i++)
    a->step[i] -= mean;
  a->mean = mean;
}

/* cov[0..order], newer rows heavier. */
static void autocovariance(const double *z, size_t n, size_t order, double *cov, double *weighted)
{
  double half_life = fmax((double)n / HALF_LIFE_OF, HALF_LIFE), total = 0;
  double fade = exp2(-1 / half_life), weight = 1;
  for (size_t i = n; i-- > 0;) {
    weighted[i] = weight * z[i];
    total += weight;
    weight *= fade;
  }
  for (size_t l = 0; l <= order; l++) {
    double part[4] = {0}; /* four sums, so that they need not wait for one another */
    size_t i = l;
    for (; i + 4 <= n; i += 4)
      for (size_t j = 0; j < 4; j++)
        part[j] += weighted[i + j] * z[i + j - l];
    for (; i < n; i++)
      part[0] += weighted[i] * z[i - l];
    cov[l] = (part[0] + part[1] + part[2] + part[3]) / total;
  }
}

/* Levinson's recursion; keeps the coefficients of both orders. */
static void solve(struct fc_autoregression *a, const double *cov, double ridge)
{
  double b[FC_AR_LONG] = {0}, before[FC_AR_LONG], left = cov[0] * (1 + ridge);
  for (size_t m = 1; m <= a->order[1] && left > 0; m++) {
    double sum = cov[m];
    for (size_t j = 0; j + 1 < m; j++)
      sum -= b[j] * cov[m - 1 - j];
    double k = sum / left;
    if (!(fabs(k) < 0.999))
      break;
    memcpy(before, b, sizeof(b));
    for (size_t j = 0; j + 1 < m; j++)
      b[j] = before[j] - k * before[m - 2 - j];
    b[m - 1] = k;
    left *= 1 - k * k;
    if (m <= a->order[0])
      memcpy(a->coefficient[0], b, sizeof(b));
    memcpy(a->coefficient[1], b, sizeof(b));
  }
}

void fc_autoregression_fit(struct fc_autoregression *a, const double *y, size_t n, size_t longest)
{
  double cov[FC_AR_LONG + 1];
  size_t most = n > 22 ? (size_t)((double)(n - 20) / 1.5) : 1;
  a->order[1] = most < longest ? most : longest;
  a->order[0] = most < longest / 2 ? most : longest / 2;
  memset(a->coefficient, 0, sizeof(a->coefficient));
  standardise(a, y, n);
  autocovariance(a->step, n - 1, a->order[1], cov, a->weighted);
  solve(a, cov, RIDGE / sqrt((double)n / RIDGE_ROWS));
}

typedef fc_lanes anywhere __attribute__((aligned(sizeof(double))));

void fc_autoregression_forecast(const struct fc_autoregression *a, int which, const double *y,
                                size_t origin, double *f, size_t steps)
{
  /* the newest FC_AR_LONG steps in a ring that is kept twice, so that it always lies in one piece
   */
  double ring[2 * FC_AR_LONG] = {0}, sum = 0;
  size_t order = a->order[which], head = 0; /* the newest step is ring[head] */
  for (size_t j = 0; j < order && j < origin; j++)
    ring[j] = ring[j + FC_AR_LONG] = a->step[origin - 1 - j];
  for (size_t k = 0; k < steps; k++) {
    fc_lanes even = {0}, odd = {0};
    const double *c = a->coefficient[which], *newest = ring + head;
    size_t j = 0;
    for (; j + 2 * FC_LANES <= order; j += 2 * FC_LANES) {
      even += *(const anywhere *)(c + j) * *(const anywhere *)(newest + j);
      odd += *(const anywhere *)(c + j + FC_LANES) * *(const anywhere *)(newest + j + FC_LANES);
    }
    for (; j < order; j++)
      even[0] += c[j] * newest[j];
    double next = even[0] + even[1] + odd[0] + odd[1];
    head = head > 0 ? head - 1 : FC_AR_LONG - 1;
    ring[head] = ring[head + FC_AR_LONG] = next;
    sum += next + a->mean;
    f[k] = y[origin] + a->scale * sum;
  }
}
