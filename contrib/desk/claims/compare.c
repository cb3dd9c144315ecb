/* SPDX-License-Identifier: MIT */
#include "contrib/desk/claims/compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int by_number(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static int by_text(const void *a, const void *b)
{
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Counters of 10^12 pages beside densities of 1.4: the mean first, then the squares about it. */
static void spread_of(struct compare_numbers *out, const double *peers)
{
  double sum = 0, squares = 0;
  for (size_t i = 0; i < out->n; i++)
    sum += peers[i] / (double)out->n;
  for (size_t i = 0; i < out->n; i++)
    squares += (peers[i] - sum) * (peers[i] - sum);
  out->mean = sum;
  out->spread = sqrt(squares / (double)(out->n - 1));
  /* What is alike is alike, whatever the mean has lost by rounding. */
  if (out->low == out->high) {
    out->mean = out->low;
    out->spread = 0;
  }
}

static void place(struct compare_numbers *out, const double *peers, double claimed)
{
  size_t below = 0, alike = 0;
  for (size_t i = 0; i < out->n; i++) {
    below += peers[i] < claimed;
    alike += peers[i] == claimed;
  }
  out->percentile = 100 * ((double)below + (double)alike / 2) / (double)out->n;
  out->below_all = claimed < out->low;
  out->above_all = claimed > out->high;
  double away = claimed - out->mean;
  out->distance = away == 0 ? 0 : away / out->spread;
  out->outlier = fabs(out->distance) > COMPARE_FAR;
}

void compare_numbers(struct compare_numbers *out, double *peers, size_t n, double claimed)
{
  *out = (struct compare_numbers){.n = n,
                                  .shown = n >= COMPARE_LEAST,
                                  .mean = NAN,
                                  .median = NAN,
                                  .spread = NAN,
                                  .low = NAN,
                                  .high = NAN,
                                  .percentile = NAN,
                                  .distance = NAN};
  if (!out->shown)
    return;
  qsort(peers, n, sizeof(*peers), by_number);
  out->low = peers[0];
  out->high = peers[n - 1];
  out->median = n % 2 == 1 ? peers[n / 2] : peers[n / 2 - 1] / 2 + peers[n / 2] / 2;
  spread_of(out, peers);
  if (!isnan(claimed))
    place(out, peers, claimed);
}

void compare_texts(struct compare_texts *out, const char **peers, size_t n, const char *claimed)
{
  *out = (struct compare_texts){.n = n, .shown = n >= COMPARE_LEAST, .most = ""};
  if (!out->shown)
    return;
  qsort(peers, n, sizeof(*peers), by_text);
  const char *most = "";
  for (size_t i = 0, run = 0; i < n; i++) {
    run = i > 0 && strcmp(peers[i], peers[i - 1]) == 0 ? run + 1 : 1;
    if (run > out->most_n) {
      out->most_n = run;
      most = peers[i];
    }
    out->same += claimed != NULL && strcmp(peers[i], claimed) == 0;
  }
  size_t common = out->most_n;
  if (out->most_n >= COMPARE_LEAST || (claimed != NULL && strcmp(most, claimed) == 0))
    out->most = most;
  else
    out->most_n = 0;
  out->outlier = claimed != NULL && out->same * 10 < n && common * 2 > n;
}
