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
#include <string.h>

#define FIRST_ORIGIN  14   /* rows before the first origin, a third of a short history */
#define LONGEST_SHARE 0.6  /* of the history that a horizon may take */
#define HALF_LIFE_MIN 60.0 /* rows */
#define HALF_LIFE_OF  2.5  /* history / this */

const double fc_node[FC_NODES] = {1,   2,   3,   5,   7,   10,  14,  20,   28,   40,   56,  80,
                                  112, 160, 224, 320, 450, 640, 900, 1280, 1810, 2560, 3660};

/* largest[i] = the largest of u[i .. i + span - 1]; *span doubles until it covers half of `rows`.
 */
static void widen(double *largest, size_t n, size_t *span, size_t rows)
{
  for (; 2 * *span <= rows; *span *= 2)
    for (size_t i = 0; i + 2 * *span <= n; i++) {
      double later = largest[i + *span];
      largest[i] = largest[i] > later ? largest[i] : later;
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

/* gcc's analyzer does not see that judge() fills all the errors that sort_errors() looks at. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wanalyzer-use-of-uninitialized-value"
#endif

/* As many drifts side by side as there are. */
#define REGISTERS (FC_DRIFTS / FC_LANES)
_Static_assert(FC_DRIFTS % FC_LANES == 0, "drifts fill the registers");
typedef int64_t masks __attribute__((vector_size(FC_LANES * sizeof(int64_t))));

static void order(fc_lanes *low, fc_lanes *high)
{
  fc_lanes a = *low, b = *high;
  masks x = (masks)a, y = (masks)b, less = a < b;
  *low = (fc_lanes)((x & less) | (y & ~less));
  *high = (fc_lanes)((y & less) | (x & ~less));
}

/* Sorts each drift's errors over the origins by Batcher's odd-even merging network ("Sorting
 * networks and their applications", 1968): no branch depends on the data, so that drifts go side by
 * side. */
static void sort_errors(fc_lanes error[FC_ORIGINS][REGISTERS], size_t m)
{
  for (size_t p = 1; p < m; p *= 2)
    for (size_t k = p; k > 0; k /= 2)
      for (size_t from = k % p; from + k < m; from += 2 * k)
        for (size_t i = from; i < from + k && i + k < m; i++) {
          if (i / (2 * p) != (i + k) / (2 * p))
            continue;
          for (size_t j = 0; j < REGISTERS; j++)
            order(&error[i][j], &error[i + k][j]);
        }
}

/* Middle and mean magnitude of every drift's errors at the node. */
static void judge(struct fc_record *rec, size_t node, const struct fc_grid *g,
                  const struct fc_drifts *d, const double *largest, size_t span,
                  const uint16_t *origin, size_t m)
{
  fc_lanes error[FC_ORIGINS][REGISTERS];
  double sum[FC_DRIFTS] = {0}, rows = fc_node[node];
  for (size_t i = 0; i < m; i++) {
    size_t o = origin[i];
    double early = largest[o + 1], late = largest[o + 1 + (size_t)rows - span];
    double climb = (early > late ? early : late) - g->u[o];
    for (size_t j = 0; j < FC_DRIFTS; j++) {
      double e = climb - d->rate[j][o] * rows;
      error[i][j / FC_LANES][j % FC_LANES] = e;
      sum[j] += fabs(e);
    }
  }
  sort_errors(error, m);
  for (size_t j = 0; j < FC_DRIFTS; j++) {
    double low = error[(m - 1) / 2][j / FC_LANES][j % FC_LANES];
    double high = error[m / 2][j / FC_LANES][j % FC_LANES];
    rec->error[j][node] = sum[j] / (double)m;
    rec->middle[j][node] = low + 0.5 * (high - low);
  }
}

void fc_replay(struct fc_record *rec, const struct fc_grid *g, const struct fc_drifts *d,
               double *scratch)
{
  size_t n = g->n, first = n / 3 < FIRST_ORIGIN ? n / 3 : FIRST_ORIGIN;
  double half_life = fmax(HALF_LIFE_MIN, (double)n / HALF_LIFE_OF);
  double *largest = scratch;
  uint16_t origin[FC_ORIGINS];
  size_t span = 1;

  memcpy(largest, g->u, n * sizeof(*largest));
  rec->judged = 0;
  for (size_t a = 0; a < FC_NODES; a++) {
    size_t rows = (size_t)fc_node[a];
    if (rows + first + 4 > n || (double)rows > LONGEST_SHARE * (double)n)
      break;
    widen(largest, n, &span, rows);
    size_t m = choose_origins(origin, first, n - 1 - rows, half_life);
    if (m == 0)
      break;
    judge(rec, a, g, d, largest, span, origin, m);
    rec->blocks[a] = (double)(n - rows - first) / (double)rows;
    rec->judged = a + 1;
  }
}
