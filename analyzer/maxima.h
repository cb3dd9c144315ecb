/* SPDX-License-Identifier: MIT */
#ifndef TM_MAXIMA_H
#define TM_MAXIMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Interval maxima by local day of the site (the zone of tm_zone_use): the largest number of
 * transfers in any unit interval of the day, days of 23 and 25 hours included.
 *
 * A count (interval_count files) is exact where the rows that it came from are an hour long or
 * less and divide the day; a rate never is. Rows are half-open, [end - span, end); a row that lies
 * in two days counts for the one in which it ends, or, when it is longer than an hour, for the one
 * in which its middle lies.
 */
enum maxima_source {
  MAXIMA_NONE, /* the device has no such measure, or no file of it could be read */
  MAXIMA_COUNT,
  MAXIMA_RATE /* values are per second: interval_s is 1 */
};

struct maxima_day {
  int64_t start; /* the local midnight, and the next one */
  int64_t end;
  double used; /* the last known value of the day; NAN without one */
  double capacity;
  double max;      /* NAN: nothing is known of this day */
  int64_t max_at;  /* the start of the interval (or row) that had it; INT64_MIN without max */
  double mean;     /* per unit interval, over the covered time */
  double p95;      /* of the rows; NAN where they are longer than an hour */
  double covered;  /* share of the whole day that is known, 0..1 */
  uint32_t span_s; /* length of the rows behind max; 0 without max */
  bool exact;
};

struct maxima {
  enum maxima_source source;
  const char *unit;   /* "transfers", "pages", "bytes", "load", "percent"; NULL with NONE */
  int64_t interval_s; /* the unit interval t */
  size_t n;           /* days, oldest first, the last one is the day of observed_at */
  struct maxima_day *day;
};

/*
 * Building them. Rows come in runs, each in order of time, every stride-th double of v, the first
 * ending at `end`. Those behind the maxima and those behind means and percentiles may be the same
 * (rows of one unit interval) or of two archives; a time must be given once only for each use.
 */
enum maxima_use { MAXIMA_FOR_MAX = 1, MAXIMA_FOR_MEAN = 2 };

struct maxima_build;
/* One thread, one workspace (700 kB, most of it untouched). NULL when memory is out. */
struct maxima_build *maxima_build_new(void);
void maxima_build_free(struct maxima_build *b);

/* Begins with n unknown days of these n + 1 borders (borrowed until the end). The days are written
 * to day[0..n). */
void maxima_begin(struct maxima_build *b, struct maxima_day *day, const int64_t *border, size_t n,
                  enum maxima_source source, int64_t interval_s);
void maxima_rows(struct maxima_build *b, unsigned use, int64_t end, int64_t span, const double *v,
                 size_t n, size_t stride);
/* Completes the days. */
void maxima_end(struct maxima_build *b);

#define MAXIMA_TEXT_SIZE 24
/* How a day's maximum is to be read: "exact", "UTC day", "2230 s rows", "rate"; "unknown" for a day
 * without one. Returns out. */
char *maxima_resolution(char out[MAXIMA_TEXT_SIZE], const struct maxima *m,
                        const struct maxima_day *day);

#endif
