/* SPDX-License-Identifier: MIT */
#include "analyzer/maxima.h"

#include "common/clock.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define HOUR_S 3600
/* The longest day has 25 hours; no row is shorter than a second. */
#define MAX_ROWS_A_DAY (25 * HOUR_S + 1)

struct maxima_build {
  struct maxima_day *day;
  const int64_t *border;
  size_t n;
  enum maxima_source source;
  int64_t interval_s;
  size_t open; /* the day whose rows are gathered for the percentile; n: none */
  double sum;  /* of its rows, in value x seconds */
  double seconds;
  size_t gathered;
  bool fine; /* all of them are an hour or less */
  double row[MAX_ROWS_A_DAY];
};

struct maxima_build *maxima_build_new(void)
{
  return malloc(sizeof(struct maxima_build));
}

void maxima_build_free(struct maxima_build *b)
{
  free(b);
}

void maxima_begin(struct maxima_build *b, struct maxima_day *day, const int64_t *border, size_t n,
                  enum maxima_source source, int64_t interval_s)
{
  b->day = day;
  b->border = border;
  b->n = n;
  b->source = source;
  b->interval_s = interval_s;
  b->open = n;
  for (size_t i = 0; i < n; i++)
    day[i] = (struct maxima_day){.start = border[i],
                                 .end = border[i + 1],
                                 .used = NAN,
                                 .capacity = NAN,
                                 .max = NAN,
                                 .max_at = INT64_MIN,
                                 .mean = NAN,
                                 .p95 = NAN,
                                 .exact = source == MAXIMA_COUNT};
}

/* The k-th smallest of v[0..n), k from 0; v is put out of order. */
static double select_kth(double *v, size_t n, size_t k)
{
  size_t low = 0;
  size_t high = n - 1;
  while (low < high) {
    double pivot = v[low + (high - low) / 2];
    size_t i = low;
    size_t j = high;
    for (;; i++, j--) {
      while (v[i] < pivot)
        i++;
      while (v[j] > pivot)
        j--;
      if (i >= j)
        break;
      double swap = v[i];
      v[i] = v[j];
      v[j] = swap;
    }
    if (k <= j)
      high = j;
    else
      low = j + 1;
  }
  return v[k];
}

#define FEW 3

static double larger(double a, double b)
{
  return a > b ? a : b;
}

static double smaller(double a, double b)
{
  return a < b ? a : b;
}

/* The k-th largest of v[0..n), k from 1 to FEW: a cascade without branches, for a day's load rises
 * and falls, and a branch would be guessed wrong at every other row. */
static double select_large(const double *v, size_t n, size_t k)
{
  double first = -INFINITY;
  double second = -INFINITY;
  double third = -INFINITY;
  for (size_t i = 0; i < n; i++) {
    double x = smaller(v[i], first);
    first = larger(v[i], first);
    double y = smaller(x, second);
    second = larger(x, second);
    third = larger(y, third);
  }
  return k == 1 ? first : k == 2 ? second : third;
}

/* Nearest rank: the smallest value that 95 of 100 rows do not exceed. */
static double percentile_95(double *v, size_t n)
{
  size_t rank = (n * 95 + 99) / 100;
  size_t from_top = n - rank + 1;
  return from_top <= FEW ? select_large(v, n, from_top) : select_kth(v, n, rank - 1);
}

static void close_day(struct maxima_build *b)
{
  if (b->open < b->n && b->gathered > 0) {
    struct maxima_day *d = &b->day[b->open];
    d->mean = b->sum / b->seconds;
    if (b->fine)
      d->p95 = percentile_95(b->row, b->gathered);
  }
  b->open = b->n;
}

static void open_day(struct maxima_build *b, size_t i)
{
  close_day(b);
  b->open = i;
  b->sum = b->seconds = 0;
  b->gathered = 0;
  b->fine = true;
}

/* Rows come by the hundred million: of each sum and maximum there are four side by side, for one
 * alone would wait at every row for the row before. */
static double add_up(const double *v, size_t n)
{
  double a = 0;
  double b = 0;
  double c = 0;
  double d = 0;
  size_t k = 0;
  for (; k + 4 <= n; k += 4) {
    a += v[k];
    b += v[k + 1];
    c += v[k + 2];
    d += v[k + 3];
  }
  for (; k < n; k++)
    a += v[k];
  return a + b + (c + d);
}

/* The largest of the rows, -INFINITY without one, and how many of them are known. An unknown one is
 * not larger than anything. */
static double largest(const double *v, size_t n, size_t stride, size_t *known)
{
  double a = -INFINITY;
  double b = -INFINITY;
  double c = -INFINITY;
  double d = -INFINITY;
  size_t told = 0;
  size_t k = 0;
  for (; k + 4 <= n; k += 4, v += 4 * stride) {
    told += (size_t)(v[0] == v[0]) + (v[stride] == v[stride]) + (v[2 * stride] == v[2 * stride]) +
            (v[3 * stride] == v[3 * stride]);
    a = larger(v[0], a);
    b = larger(v[stride], b);
    c = larger(v[2 * stride], c);
    d = larger(v[3 * stride], d);
  }
  for (; k < n; k++, v += stride) {
    told += *v == *v;
    a = larger(*v, a);
  }
  *known = told;
  return larger(larger(a, b), larger(c, d));
}

static void gather(struct maxima_build *b, size_t i, int64_t span, const double *v, size_t n,
                   size_t stride)
{
  if (b->open != i)
    open_day(b, i);
  double *out = b->row + b->gathered;
  size_t room = MAX_ROWS_A_DAY - b->gathered;
  size_t known = 0;
  for (size_t k = 0; k < n && known < room; k++) {
    double x = v[k * stride];
    out[known] = x;
    known += x == x;
  }
  b->gathered += known;
  b->sum += add_up(out, known) * (double)span;
  b->seconds += (double)known * (double)span;
  if (span > HOUR_S)
    b->fine = false;
}

/* When the maximum of the row that ends at `end` happened, as far as the row tells: counts that
 * are repeated over shorter rows began with their unit interval. */
static int64_t began(const struct maxima_build *b, int64_t end, int64_t span)
{
  if (b->source != MAXIMA_COUNT || b->interval_s <= span)
    return end - span;
  int64_t t = b->interval_s;
  return (end - 1) / t * t;
}

/* Rows and unit intervals must not lie across the day's borders, or its maximum may be another
 * day's. */
static bool divides(const struct maxima_day *d, int64_t span)
{
  return span <= HOUR_S && d->start % span == 0 && d->end % span == 0;
}

static void take_max(struct maxima_build *b, size_t i, int64_t end, int64_t span, const double *v,
                     size_t n, size_t stride)
{
  struct maxima_day *d = &b->day[i];
  size_t known = 0;
  double max = largest(v, n, stride, &known);
  if (known == 0)
    return;
  d->covered += (double)known * (double)span; /* seconds until the end */
  if (!(max <= d->max) && max > -INFINITY) {  /* also when none is known yet */
    size_t at = 0;
    while (v[at * stride] != max)
      at++;
    int64_t row_end = end + (int64_t)at * span;
    d->max = max;
    d->max_at = began(b, row_end, span);
    d->span_s = (uint32_t)(span < UINT32_MAX ? span : UINT32_MAX);
  }
  if (d->exact)
    d->exact = divides(d, span) && divides(d, b->interval_s);
}

/* The moment that decides to which day a row belongs. */
static int64_t anchor(int64_t end, int64_t span)
{
  return span <= HOUR_S ? end - 1 : end - 1 - span / 2;
}

void maxima_rows(struct maxima_build *b, unsigned use, int64_t end, int64_t span, const double *v,
                 size_t n, size_t stride)
{
  size_t i = 0;
  while (n > 0) {
    int64_t t = anchor(end, span);
    if (t >= b->border[b->n])
      return;
    size_t part;
    if (t < b->border[0]) { /* before the first day */
      part = (size_t)((b->border[0] - t + span - 1) / span);
    } else {
      /* Days have about 24 hours: a good first guess, then to the right one. */
      size_t guess = (size_t)((t - b->border[0]) / TM_DAY);
      if (guess > i)
        i = guess < b->n ? guess : b->n - 1;
      while (t < b->border[i])
        i--;
      while (t >= b->border[i + 1])
        i++;
      part = (size_t)((b->border[i + 1] - t + span - 1) / span);
      if (part > n)
        part = n;
      if (use & MAXIMA_FOR_MAX)
        take_max(b, i, end, span, v, part, stride);
      if (use & MAXIMA_FOR_MEAN)
        gather(b, i, span, v, part, stride);
    }
    if (part >= n)
      return;
    n -= part;
    v += part * stride;
    end += (int64_t)part * span;
  }
}

void maxima_end(struct maxima_build *b)
{
  close_day(b);
  for (size_t i = 0; i < b->n; i++) {
    struct maxima_day *d = &b->day[i];
    double share = d->covered / (double)(d->end - d->start);
    d->covered = share < 1 ? share : 1;
    if (d->max != d->max)
      d->exact = false;
  }
}

char *maxima_resolution(char out[MAXIMA_TEXT_SIZE], const struct maxima *m,
                        const struct maxima_day *day)
{
  const char *text = NULL;
  if (m->source == MAXIMA_NONE || day->max != day->max)
    text = "unknown";
  else if (m->source == MAXIMA_RATE)
    text = "rate";
  else if (day->exact)
    text = "exact";
  else if (day->span_s == TM_DAY)
    text = "UTC day";
  if (text != NULL)
    snprintf(out, MAXIMA_TEXT_SIZE, "%s", text);
  else
    snprintf(out, MAXIMA_TEXT_SIZE, "%u s rows", day->span_s);
  return out;
}
