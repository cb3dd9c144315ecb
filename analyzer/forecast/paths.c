/* SPDX-License-Identifier: MIT */
/*
 * Paths drawn from the series' own increments: how soon do lumps and random walks reach the limit?
 *
 * Increments come in blocks of a week, as they stood, so that week-ends and bursts keep together
 * (Kunsch, "The jackknife and the bootstrap for general stationary observations", 1989). Nobody
 * knows how much of the past still holds, so each path has its own memory, from a week to eight
 * years, and its own opinion of every stretch of the past (exponential weights: Rubin, "The
 * Bayesian bootstrap", 1981); the paths' spread is then also that of the mean growth. Two things
 * the past of one series cannot show come from outside: the rate wanders, because next year's
 * growth is not this year's, and now and then a block is larger than any before (a Pareto factor).
 * Both fade where the months were steady.
 *
 * Paths with a short, a middle and a long memory are told apart: how much each of them is to be
 * believed is the pool's business. The memories are stratified and the generator has a fixed seed:
 * the same rows give the same chance.
 *
 * Blocks that cannot reach the limit are passed over whole, which makes a path cost its number of
 * weeks. What has not arrived after HORIZON_DAYS goes on in a straight line.
 */
#include "analyzer/forecast/steps.h"

#include <math.h>
#include <string.h>

#define BLOCK        7
#define STRETCH      28 /* rows of the past that a path weighs as one */
#define STRETCHES    (FC_GRID / STRETCH + 1)
#define SHARES       64 /* that a path divides the past into, by weight */
#define SHARE_DOUBT  1e-9
#define HORIZON_DAYS 365
#define MEMORY_LEAST 8.0    /* days: half-life of an increment's weight, of the shortest memory */
#define MEMORY_MOST  3000.0 /* and of the longest */
#define WEIGHT_LEAST 1e-6
#define RATE_WANDER  0.5 /* sd of the logarithm of the rate after a year, at most */
#define MONTH        28  /* rows whose rates are compared, to see how steady the rate was */
#define MONTHS_PRIOR 2.0 /* months that the assumed wandering counts for */
#define SURPRISES    0.1 /* blocks a month that are larger than they were, at most */
#define PARETO       1.2 /* exponent of their factor */

/* Vigna's splitmix64. */
static uint64_t draw(uint64_t *state)
{
  uint64_t z = (*state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

void fc_strata_init(struct fc_strata *s)
{
  for (int i = 0; i < FC_STRATA; i++) {
    double p = (i + 0.5) / FC_STRATA;
    s->normal[i] = fc_normal_quantile(p);
    s->pareto[i] = pow(p, -1 / PARETO);
    s->exponential[i] = -log(p);
  }
}

struct past {
  const double *u; /* increment i is u[i + 1] - u[i] */
  size_t block, starts, stretch, stretches;
  double *peak; /* above its start, of the block that starts here */
  double fade;  /* of the weight of one stretch to the next older one: set by path */
  double wander[FC_STRATA];
  unsigned surprises; /* in 1024 blocks */
  size_t horizon;     /* rows */
};

/* Starts of blocks that lie in a stretch; stretch 0 is the newest. */
static size_t starts_in(const struct past *b, size_t stretch)
{
  return stretch + 1 == b->stretches ? b->starts - b->stretch * stretch : b->stretch;
}

/* How many of the SHARES equal parts of the sum have their middle at or before this place. */
static size_t shares_upto(double place, double sum)
{
  double at = place / sum * SHARES + 0.5;
  size_t n = (size_t)at;
  if (at - (double)n > SHARE_DOUBT && (double)(n + 1) - at > SHARE_DOUBT)
    return n;
  /* On a middle, but for rounding: it is decided by adding them up, one after the other. */
  double share = sum / SHARES, middle = share / 2;
  for (n = 0; n < SHARES && middle <= place; n++)
    middle += share;
  return n;
}

/* A path's opinion: stretch of[r] for every r < SHARES, as often as it weighs; the rest of of[] is
 * scratch. */
static void weigh(uint8_t of[2 * SHARES], const struct past *b, const struct fc_strata *strata,
                  uint64_t *state)
{
  double upto[STRETCHES], sum = 0, weight = 1;
  size_t last = b->stretches - 1;
  for (size_t c = 0; c <= last; c++) {
    double opinion = strata->exponential[draw(state) >> 58];
    sum += (weight > WEIGHT_LEAST ? weight : WEIGHT_LEAST) * opinion * (double)starts_in(b, c);
    upto[c] = sum;
    weight *= b->fade;
  }
  /* Each stretch is written to all that is left, and the next one over what is not its own: to
   * follow the shares one by one would be guessed wrong by the processor at each border. */
  for (size_t c = 0, from = 0; c <= last; c++) {
    memset(of + from, (int)c, SHARES);
    from = shares_upto(upto[c], sum);
  }
}

/* Rows until one path arrives; INFINITY when it never does. */
static double walk(const struct past *b, const struct fc_strata *strata, double headroom,
                   uint64_t state)
{
  uint8_t of[2 * SHARES];
  double level = 0, rate = 1;
  weigh(of, b, strata, &state);
  for (size_t t = 0; t < b->horizon; t += b->block) {
    uint64_t r = draw(&state);
    size_t c = of[r >> 58];
    size_t s = b->starts - 1 - (c * b->stretch + (((r >> 40 & 0xffff) * starts_in(b, c)) >> 16));
    double factor = rate;
    rate *= b->wander[r % FC_STRATA];
    if ((r >> 6 & 1023) < b->surprises)
      factor *= strata->pareto[(r >> 16) % FC_STRATA];
    if (level + factor * b->peak[s] >= headroom)
      for (size_t j = 1; j <= b->block; j++)
        if (level + factor * (b->u[s + j] - b->u[s]) >= headroom)
          return (double)(t + j);
    level += factor * (b->u[s + b->block] - b->u[s]);
  }
  double rows = (double)b->horizon;
  return level > 0 ? rows + (headroom - level) * rows / level : INFINITY;
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

/* peak: room for FC_GRID. */
static void prepare(struct past *b, const struct fc_grid *g, const struct fc_strata *strata,
                    double *peak)
{
  size_t rows = g->n - 1;
  b->u = g->u;
  b->block = rows < 2 * BLOCK ? 1 : BLOCK;
  b->starts = rows - b->block + 1;
  b->stretch = b->starts / 4 < STRETCH ? b->starts / 4 : STRETCH;
  b->stretch = b->stretch > 0 ? b->stretch : 1;
  b->stretches = (b->starts + b->stretch - 1) / b->stretch;
  b->peak = peak;
  for (size_t s = 0; s < b->starts; s++) {
    double most = g->u[s + 1];
    for (size_t j = 2; j <= b->block; j++)
      most = g->u[s + j] > most ? g->u[s + j] : most;
    peak[s] = most - g->u[s];
  }
  double days = (double)b->block * g->step_days, sd = wandering(g);
  for (int i = 0; i < FC_STRATA; i++)
    b->wander[i] = exp(sd * sqrt(days / 365) * strata->normal[i]);
  double unsteady = sd * sd / (RATE_WANDER * RATE_WANDER);
  b->surprises = (unsigned)fmin(SURPRISES * unsteady * days / 30 * 1024 + 0.5, 1024);
  b->horizon = (size_t)fmax(HORIZON_DAYS / g->step_days, 1);
}

/* Keeps arrival[0..n) ascending. */
static void insert(double *arrival, size_t n, double rows)
{
  for (; n > 0 && arrival[n - 1] > rows; n--)
    arrival[n] = arrival[n - 1];
  arrival[n] = rows;
}

void fc_paths_draw(struct fc_paths *p, const struct fc_grid *g, double headroom,
                   const struct fc_strata *strata, double *scratch)
{
  struct past b;
  prepare(&b, g, strata, scratch);
  double memory = MEMORY_LEAST / g->step_days; /* rows */
  double longer = pow(MEMORY_MOST / MEMORY_LEAST, 1.0 / (FC_MEMORIES * FC_PATHS));
  memory *= sqrt(longer);
  for (size_t i = 0; i < FC_MEMORIES * FC_PATHS; i++) {
    b.fade = exp2(-(double)b.stretch / memory);
    /* Its own seed, so that a limit that is met sooner does not change the paths after it. */
    insert(p->arrival[i / FC_PATHS], i % FC_PATHS, walk(&b, strata, headroom, (uint64_t)i << 32));
    memory *= longer;
  }
}

double fc_paths_chance(const struct fc_paths *p, int memory, double rows)
{
  size_t from = 0, to = FC_PATHS; /* arrival[from - 1] <= rows < arrival[to] */
  while (from < to) {
    size_t mid = (from + to) / 2;
    if (p->arrival[memory][mid] <= rows)
      from = mid + 1;
    else
      to = mid;
  }
  return (double)from / FC_PATHS;
}
