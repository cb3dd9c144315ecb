/* SPDX-License-Identifier: MIT */
/*
 * The values of the coming rows: simple forecasts, weighted by how wrong each was when replayed on
 * the series itself.
 *
 * Members: simple, trended and damped smoothing, a theta-like line, the naive forecast, end-to-end
 * drifts, what the same weeks did in past years, in full and halved, two long autoregressions and
 * the continuation of stretches that looked alike. Weight = error^-POWER over
 * up to 30 rolling origins, newer ones heavier; the intervals come from the errors of the weighted
 * forecast on the same origins. Damped and theta-like members do well here and are useless for fill
 * dates, therefore this head is separate (Makridakis, Spiliotis, Assimakopoulos, "The M4
 * Competition", International Journal of Forecasting 36, 2020).
 */
#include "analyzer/forecast/steps.h"

#include <math.h>
#include <string.h>

#define POWER         5.0
#define ORIGIN_GAP    3
#define DAILY_ORIGINS 16  /* of rows by the day or finer */
#define HALF_LIFE     0.3 /* of the origins */
#define FIRST_ORIGIN  12
#define OWN_SHARE     0.65 /* of the replayed spread; the rest is the damped model's */
#define DAYS_PER_YEAR 365.2425
#define AR_DAILY      30 /* lags of rows by the day or finer; rows by the week look back two years */
#define NO_SWING      1e-6 /* of the level */
#define FACTOR_MAX    4.0  /* a past year's step is scaled by the level, within this */

struct head {
  const struct fc_value_work *w;
  size_t n;
  double year_rows;
  bool weekly; /* rows by the week or longer: a year is few rows, and its pattern worth a search */
  bool positive;
  struct fc_smooth fit[3];
};

/* Rows at the series' own step, counted back from the last; gaps are drawn as straight lines. */
static size_t own_grid(double *y, const struct fc_rows *r, double step_days)
{
  double span = floor(-r->day[0] / step_days + 0.5) + 1;
  size_t n = span < FC_VALUE_ROWS ? (size_t)span : FC_VALUE_ROWS, i = 0;
  for (size_t k = 0; k < n; k++) {
    double day = -step_days * (double)(n - 1 - k);
    while (i + 1 < r->n && r->day[i + 1] <= day + 1e-9)
      i++;
    y[k] = r->used[i];
    if (i + 1 < r->n && day > r->day[i])
      y[k] += (r->used[i + 1] - y[k]) * (day - r->day[i]) / (r->day[i + 1] - r->day[i]);
  }
  return n;
}

/* Least squares slope of all rows up to each. */
static void slopes(double *slope, const double *y, size_t n)
{
  double sum = 0, moment = 0;
  for (size_t i = 0; i < n; i++) {
    double m = (double)(i + 1);
    sum += y[i];
    moment += (double)i * y[i];
    slope[i] = (moment - sum * (double)i / 2) / fmax(m * (m * m - 1) / 12, 1);
  }
}

/* What the steps from o to o + k did in the last `years` years, on average; false without any. */
static bool past_years(const struct head *h, size_t o, size_t k, int years, double *step)
{
  const double *y = h->w->y;
  double sum = 0, count = 0;
  for (int a = 1; a <= years; a++) {
    double back = floor(h->year_rows * a + 0.5);
    if (back + 1 > (double)o || k > (size_t)back)
      continue;
    size_t s = o - (size_t)back;
    double factor = 1;
    if (h->positive && y[s] > 0)
      factor = fmin(fmax(y[o] / y[s], 1 / FACTOR_MAX), FACTOR_MAX);
    sum += (y[s + k] - y[s]) * factor;
    count++;
  }
  *step = count > 0 ? sum / count : 0;
  return count > 0;
}

static double end_to_end(const double *y, size_t o, size_t rows)
{
  size_t from = o > rows ? o - rows : 0;
  return o > from ? (y[o] - y[from]) / (double)(o - from) : 0;
}

/* f[kind * stride + k - 1]: every member's forecast from row o. */
static void members(const struct head *h, size_t o, size_t steps, double *f, size_t stride)
{
  static const int years[] = {1, 3, 6};
  const struct fc_value_work *w = h->w;
  const double *y = w->y;
  double level = w->level[FC_SMOOTH_LEVEL][o], damped = w->level[FC_SMOOTH_DAMPED][o];
  double half = end_to_end(y, o, 26), twice = end_to_end(y, o, 104), damping = h->fit[2].damping;
  double fading = 1, fade = 0; /* the damped trend's power and sum */
  for (size_t k = 1; k <= steps; k++) {
    double *at = f + k - 1, ahead = (double)k;
    fading *= damping;
    fade += w->trend[FC_SMOOTH_DAMPED][o] * fading;
    at[0 * stride] = level;
    at[1 * stride] = w->level[FC_SMOOTH_TREND][o] + w->trend[FC_SMOOTH_TREND][o] * ahead;
    at[2 * stride] = damped + fade;
    at[3 * stride] = level + 0.5 * w->slope[o] * ahead;
    at[4 * stride] = y[o];
    at[5 * stride] = y[o] + half * ahead;
    at[6 * stride] = y[o] + twice * ahead;
    for (size_t j = 0; j < 3; j++) {
      double step, base = 0.5 * (level + y[o]);
      bool known = past_years(h, o, k, years[j], &step);
      at[(7 + 2 * j) * stride] = known ? base + step : damped + fade;
      at[(8 + 2 * j) * stride] = known ? base + 0.5 * (step + fade) : damped + fade;
    }
  }
  fc_autoregression_forecast(&w->ar, 0, y, o, f + 13 * stride, steps);
  fc_autoregression_forecast(&w->ar, 1, y, o, f + 14 * stride, steps);
  if (!h->weekly || !fc_analog(y, w->swing, o, f + 15 * stride, steps))
    memcpy(f + 15 * stride, f + 2 * stride, steps * sizeof(*f));
}

static size_t replay(const struct head *h, struct fc_value_work *w, size_t steps, size_t origin[])
{
  size_t n = 0, first = h->n / 4 > FIRST_ORIGIN ? h->n / 4 : FIRST_ORIGIN;
  size_t most = h->weekly ? FC_VALUE_ORIGINS : DAILY_ORIGINS;
  for (size_t i = 0; i < most; i++) {
    size_t back = 1 + steps + ORIGIN_GAP * i;
    if (h->n < back + first)
      break;
    origin[n] = h->n - back;
    members(h, origin[n], steps, w->past[n][0], FC_VALUE_STEPS);
    n++;
  }
  return n;
}

/* Fills weight[], and returns the level of the series as it was used for the floor of the errors.
 */
static void weigh(double weight[FC_VALUE_KINDS], const struct fc_value_work *w, size_t steps,
                  const size_t origin[], size_t n, const double age[])
{
  double total = 0, scale = 0;
  for (size_t i = 0; i < n; i++)
    scale += fabs(w->y[origin[i]]) / (double)n;
  for (size_t j = 0; j < FC_VALUE_KINDS; j++) {
    double error = 0;
    for (size_t i = 0; i < n; i++) {
      double sum = 0;
      for (size_t k = 0; k < steps; k++)
        sum += fabs(w->past[i][j][k] - w->y[origin[i] + k + 1]);
      error += age[i] * sum / (double)steps;
    }
    weight[j] = pow((error + 1e-9 * scale + 1e-300) / (scale + 1e-300), -POWER);
    total += weight[j];
  }
  for (size_t j = 0; j < FC_VALUE_KINDS; j++)
    weight[j] /= total;
}

/* Spread of a step from the errors of the weighted forecast: pooled over the steps as they grow by
 * sqrt(k). Fills *mase. */
static double spread(const double weight[FC_VALUE_KINDS], const struct fc_value_work *w,
                     size_t steps, const size_t origin[], size_t n, const double age[],
                     double *mase)
{
  double log_sum = 0, own = 0, naive = 0;
  for (size_t k = 0; k < steps; k++) {
    double square = 0;
    for (size_t i = 0; i < n; i++) {
      double f = 0, actual = w->y[origin[i] + k + 1];
      for (size_t j = 0; j < FC_VALUE_KINDS; j++)
        f += weight[j] * w->past[i][j][k];
      square += age[i] * (actual - f) * (actual - f);
      own += fabs(actual - f);
      naive += fabs(actual - w->y[origin[i]]);
    }
    log_sum += log((sqrt(square) + 1e-300) / sqrt((double)(k + 1)));
  }
  *mase = naive > 0 ? own / naive : own > 0 ? NAN : 0;
  return exp(log_sum / (double)steps);
}

static void too_short(double *middle, double *sd, size_t steps, const double *y, size_t n)
{
  double rate = n > 1 ? (y[n - 1] - y[0]) / (double)(n - 1) : 0, step = 0;
  for (size_t i = 1; i < n; i++)
    step += fabs(y[i] - y[i - 1] - rate) / (double)(n - 1);
  for (size_t k = 0; k < steps; k++) {
    middle[k] = y[n - 1] + 0.5 * rate * (double)(k + 1);
    sd[k] = 1.25 * step * sqrt((double)(k + 1)) + 0.5 * fabs(rate) * (double)(k + 1);
  }
}

double fc_values(double *middle, double *sd, size_t steps, const struct fc_rows *r,
                 double step_days, struct fc_value_work *w, double *now)
{
  struct head h = {.w = w, .year_rows = DAYS_PER_YEAR / step_days, .positive = true};
  h.n = own_grid(w->y, r, step_days);
  for (size_t i = 0; i < h.n; i++)
    h.positive = h.positive && w->y[i] >= 0;
  size_t judged = steps < FC_VALUE_STEPS ? steps : FC_VALUE_STEPS;
  if (judged > h.n / 3)
    judged = h.n / 3;
  size_t origin[FC_VALUE_ORIGINS], n = 0;
  if (h.n >= 2 * FIRST_ORIGIN) {
    for (int j = 0; j < 3; j++) {
      fc_smooth_fit(&h.fit[j], (enum fc_smooth_kind)j, w->y, h.n);
      fc_smooth_states(&h.fit[j], w->y, h.n, w->level[j], w->trend[j]);
    }
    slopes(w->slope, w->y, h.n);
    h.weekly = h.year_rows < 100;
    fc_autoregression_fit(&w->ar, w->y, h.n, h.weekly ? FC_AR_LONG : AR_DAILY);
    double square = 0;
    for (size_t i = 0; i < h.n; i++)
      square += w->y[i] * w->y[i] / (double)h.n;
    fc_analog_swings(w->swing, w->y, h.n, NO_SWING * NO_SWING * square + 1e-300);
    n = replay(&h, w, judged, origin);
  }
  if (n < 3) {
    too_short(middle, sd, steps, w->y, h.n);
    return NAN;
  }

  double age[FC_VALUE_ORIGINS], weight[FC_VALUE_KINDS], total = 0, mase;
  for (size_t i = 0; i < n; i++)
    total += age[i] = exp2(-(double)i / fmax((double)n * HALF_LIFE, 4));
  for (size_t i = 0; i < n; i++)
    age[i] /= total;
  weigh(weight, w, judged, origin, n, age);
  double own = spread(weight, w, judged, origin, n, age, &mase);
  double step_sd = OWN_SHARE * own + (1 - OWN_SHARE) * fmin(h.fit[FC_SMOOTH_DAMPED].sd, 2 * own);
  members(&h, h.n - 1, steps, now, steps);
  for (size_t k = 0; k < steps; k++) {
    middle[k] = 0;
    for (size_t j = 0; j < FC_VALUE_KINDS; j++)
      middle[k] += weight[j] * now[j * steps + k];
    sd[k] = step_sd * sqrt((double)(k + 1));
  }
  return mase;
}
