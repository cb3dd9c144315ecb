/* SPDX-License-Identifier: MIT */
/*
 * Replays the past: what would each drift have said at each past origin, and how wrong was it?
 *
 * The target is the running maximum of the next k rows, not the value after k rows: a limit is
 * reached by the maximum. Newer origins lie closer. The median of the errors corrects a drift's
 * bias, their mean magnitude is its spread. Rolling-origin evaluation: Tashman, "Out-of-
 * sample tests of forecasting accuracy", International Journal of Forecasting 16 (2000).
 */
#include "analyzer/forecast/steps.h"

#include <math.h>

#define FIRST_ORIGIN  14   /* rows before the first origin, a third of a short history */
#define LONGEST_SHARE 0.6  /* of the history that a horizon may take */
#define HALF_LIFE_MIN 60.0 /* rows */
#define HALF_LIFE_OF  2.5  /* history / this */

const double fc_node[FC_NODES] = {1,   2,   3,   5,   7,   10,  14,  20,   28,   40,   56,  80,
                                  112, 160, 224, 320, 450, 640, 900, 1280, 1810, 2560, 3660};

/* largest[i] = the largest of u[i + 1 .. i + rows]: a queue of falling maxima. */
static void running_maximum(double *largest, const double *u, size_t n, size_t rows,
                            uint16_t *queue)
{
  size_t head = 0, tail = 0;
  for (size_t i = 1; i < n; i++) {
    while (tail > head && u[queue[tail - 1]] <= u[i])
      tail--;
    queue[tail++] = (uint16_t)i;
    if (i < rows)
      continue;
    while (head + 1 < tail && queue[head] + rows <= i)
      head++;
    largest[i - rows] = u[queue[head]];
  }
}

/* Origins of equal weight, so that they lie closer the newer they are: weight halves each half-life
 * before the last one. Returns how many; all of them when there are few. */
static size_t choose_origins(uint16_t *origin, size_t first, size_t last, double half_life)
{
  size_t count = last - first + 1;
  if (count <= FC_ORIGINS) {
    for (size_t i = 0; i < count; i++)
      origin[i] = (uint16_t)(first + i);
    return count;
  }
  double oldest = exp2(-(double)(last - first) / half_life);
  for (size_t i = 0; i < FC_ORIGINS; i++) {
    double share = ((double)i + 0.5) / FC_ORIGINS;
    double back = -half_life * log2(oldest + share * (1 - oldest));
    origin[i] = (uint16_t)(last - (size_t)fmin(back, (double)(last - first)));
  }
  return FC_ORIGINS;
}

void fc_replay(struct fc_record *rec, const struct fc_grid *g, const struct fc_drifts *d,
               double *scratch)
{
  size_t n = g->n, first = n / 3 < FIRST_ORIGIN ? n / 3 : FIRST_ORIGIN;
  double half_life = fmax(HALF_LIFE_MIN, (double)n / HALF_LIFE_OF);
  double *largest = scratch;
  uint16_t queue[FC_GRID] = {0}, origin[FC_ORIGINS];
  double error[FC_ORIGINS], climb[FC_ORIGINS];

  rec->judged = 0;
  for (size_t a = 0; a < FC_NODES; a++) {
    size_t rows = (size_t)fc_node[a];
    if (rows + first + 4 > n || (double)rows > LONGEST_SHARE * (double)n)
      break;
    running_maximum(largest, g->u, n, rows, queue);
    size_t m = choose_origins(origin, first, n - 1 - rows, half_life);
    for (size_t i = 0; i < m; i++)
      climb[i] = largest[origin[i]] - g->u[origin[i]];
    for (size_t j = 0; j < FC_DRIFTS; j++) {
      double sum = 0;
      for (size_t i = 0; i < m; i++) {
        error[i] = climb[i] - d->rate[j][origin[i]] * (double)rows;
        sum += fabs(error[i]);
      }
      rec->error[j][a] = sum / (double)m;
      rec->middle[j][a] = fc_select(error, m, 0.5);
    }
    rec->blocks[a] = (double)(n - rows - first) / (double)rows;
    rec->judged = a + 1;
  }
}
