/* SPDX-License-Identifier: MIT */
/*
 * Paths drawn from the series' own increments: how soon do lumps and random walks reach the limit?
 *
 * Increments come in blocks of a week, as they stood, so that week-ends and bursts keep together
 * (Kunsch, "The jackknife and the bootstrap for general stationary observations", 1989). Each path
 * has its own mean drift, drawn from the uncertainty of the mean over dependent rows, and a rate
 * that wanders, because next year's growth is not this year's. The drifts are stratified and the
 * generator has a fixed seed: the same rows give the same chance.
 *
 * Blocks that cannot reach the limit are passed over whole, which makes a path cost its number of
 * weeks. What has not arrived after HORIZON_DAYS goes on in a straight line.
 */
#include "analyzer/forecast/steps.h"

#include <math.h>

#define BLOCK        7
#define HORIZON_DAYS 400
#define ROWS_MAX     800 /* newest increments to draw from */
#define HALF_LIFE    300 /* rows: of the weight of an increment in the mean drift */
#define RATE_WANDER  0.6 /* sd of the logarithm of the rate after a year, at most */
#define MONTH        28  /* rows whose rates are compared, to see how steady the rate was */
#define MONTHS_PRIOR 2.0 /* months that the assumed wandering counts for */
#define WANDERS      64  /* strata of the rate's wandering in one block */

/* Vigna's splitmix64. */
static uint64_t draw(uint64_t *state)
{
  uint64_t z = (*state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

struct pool {
  const double *u; /* increment i is u[i + 1] - u[i] */
  size_t rows, block, starts;
  double plain_mean;      /* of the increments that are drawn */
  double drift, drift_sd; /* per row */
  double *total, *peak;   /* of the centred increments of a block that starts here */
};

static void weigh_mean(struct pool *b)
{
  double sum = 0, weight = 0, square = 0, last = (double)(b->rows - 1);
  for (size_t i = 0; i < b->rows; i++) {
    double w = exp2(((double)i - last) / HALF_LIFE);
    sum += w * (b->u[i + 1] - b->u[i]);
    weight += w;
    square += w * w;
  }
  b->drift = sum / weight;

  double variance = 0;
  for (size_t s = 0; s < b->starts; s++)
    variance += b->total[s] * b->total[s];
  variance /= (double)b->starts * (double)b->block;
  double independent = weight * weight / square;
  b->drift_sd = sqrt(variance / independent * (1 + (double)b->block / independent));
}

static void measure_blocks(struct pool *b)
{
  b->plain_mean = (b->u[b->rows] - b->u[0]) / (double)b->rows;
  for (size_t s = 0; s < b->starts; s++) {
    double peak = -INFINITY, c = 0;
    for (size_t j = 1; j <= b->block; j++) {
      c = b->u[s + j] - b->u[s] - b->plain_mean * (double)j;
      peak = fmax(peak, c);
    }
    b->total[s] = c;
    b->peak[s] = peak;
  }
}

/* Rows until one path arrives, counted into hits[]; INFINITY when it never does. */
static double walk(const struct pool *b, double drift, double headroom, size_t horizon,
                   const double wander[WANDERS], uint64_t *state)
{
  double level = 0, rate = drift;
  for (size_t t = 0; t < horizon; t += b->block) {
    uint64_t r = draw(state);
    size_t s = (size_t)(((r >> 32) * b->starts) >> 32);
    rate *= wander[r & (WANDERS - 1)];
    double moved = rate * (double)b->block;
    if (level + b->peak[s] + fmax(moved, 0) < headroom) {
      level += b->total[s] + moved;
      continue;
    }
    for (size_t j = 1; j <= b->block; j++) {
      double c = b->u[s + j] - b->u[s] + (rate - b->plain_mean) * (double)j;
      if (level + c >= headroom)
        return (double)(t + j);
    }
    level += b->total[s] + moved;
  }
  return rate > 0 ? (double)horizon + (headroom - level) / rate : INFINITY;
}

/* The yearly sd of the logarithm of the rate: what is assumed, and what the months show where they
 * were steadier. */
static double wandering(const struct fc_grid *g)
{
  double square = 0, months = 0, assumed = RATE_WANDER * RATE_WANDER;
  double month_days = MONTH * g->step_days, last = NAN;
  double mean = (g->u[g->n - 1] - g->u[0]) / (double)(g->n - 1) * MONTH;
  for (size_t i = g->n - 1; i >= MONTH; i -= MONTH) {
    double moved = g->u[i] - g->u[i - MONTH];
    if (!isnan(last)) {
      square += 0.5 * (moved - last) * (moved - last);
      months++;
    }
    last = moved;
  }
  double shown = mean > 0 ? square / (mean * mean) * 365 / month_days : INFINITY;
  double variance = (assumed * MONTHS_PRIOR + (months > 0 ? shown : 0)) / (MONTHS_PRIOR + months);
  return sqrt(fmin(variance, assumed));
}

void fc_paths_draw(struct fc_paths *p, const struct fc_grid *g, double headroom, double *scratch)
{
  size_t rows = g->n - 1 < ROWS_MAX ? g->n - 1 : ROWS_MAX;
  struct pool b = {.u = g->u + g->n - 1 - rows, .rows = rows};
  b.block = rows < 2 * BLOCK ? 1 : BLOCK;
  b.starts = rows - b.block + 1;
  b.total = scratch;
  b.peak = scratch + FC_GRID;
  measure_blocks(&b);
  weigh_mean(&b);

  double wander[WANDERS], sd = wandering(g) * sqrt((double)b.block * g->step_days / 365);
  for (int i = 0; i < WANDERS; i++)
    wander[i] = exp(sd * fc_normal_quantile((i + 0.5) / WANDERS));
  size_t horizon = (size_t)fmax(HORIZON_DAYS / g->step_days, 1);
  for (int i = 0; i < FC_PATHS; i++) {
    /* Its own seed, so that a limit that is met sooner does not change the paths after it. */
    uint64_t state = (uint64_t)i << 32;
    double drift = b.drift + b.drift_sd * fc_normal_quantile((i + 0.5) / FC_PATHS);
    p->arrival[i] = walk(&b, drift, headroom, horizon, wander, &state);
  }
}

double fc_paths_chance(const struct fc_paths *p, double rows)
{
  int arrived = 0;
  for (int i = 0; i < FC_PATHS; i++)
    arrived += p->arrival[i] <= rows;
  return (double)arrived / FC_PATHS;
}
