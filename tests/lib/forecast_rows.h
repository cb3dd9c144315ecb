/* SPDX-License-Identifier: MIT */
#ifndef TM_TESTS_FORECAST_ROWS_H
#define TM_TESTS_FORECAST_ROWS_H

#include "analyzer/forecast/steps.h"

#include <math.h>
#include <stdlib.h>

/* Histories for the steps of a forecast. cmocka.h must be included before. */

static inline void assert_near(double got, double want, double tolerance)
{
  if (!(fabs(got - want) <= tolerance))
    fail_msg("got %.12g, want %.12g within %g", got, want, tolerance);
}

/* n rows, step_days apart, the last one now, of which no capacity is known. rows_free() in the end.
 */
static inline struct fc_rows rows_of(const double *used, size_t n, double step_days)
{
  struct fc_rows r = {calloc(n, sizeof(double)), calloc(n, sizeof(double)),
                      calloc(n, sizeof(double)), n, n};
  for (size_t i = 0; i < n; i++) {
    r.day[i] = ((double)i - (double)(n - 1)) * step_days;
    r.used[i] = used[i];
    r.capacity[i] = NAN;
  }
  return r;
}

static inline void rows_free(struct fc_rows *r)
{
  free(r->day);
  free(r->used);
  free(r->capacity);
}

/* Days of a straight line. */
static inline void line(struct fc_grid *g, size_t n, double from, double rate)
{
  g->n = n;
  g->step_days = 1;
  for (size_t i = 0; i < n; i++)
    g->u[i] = from + rate * (double)i;
}

#endif
