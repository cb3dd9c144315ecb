/* SPDX-License-Identifier: MIT */
#ifndef TM_HISTORY_H
#define TM_HISTORY_H

#include "analyzer/days.h"
#include "analyzer/maxima.h"
#include "analyzer/series.h"
#include "analyzer/source/source.h"

#define HISTORY_MAX_FOLLOWED 16

/*
 * Makes the series of one device of plain readings, for sources that are not RRD files: evenly
 * spaced rows of which the last is the newest reading, and days. One job, one history; it is used
 * for device after device.
 */
struct history {
  struct days days;
  struct maxima_build *build;
  unsigned n_days; /* wanted */
  struct maxima_day day[SOURCE_MAX_DAYS];
  size_t n;       /* rows */
  int64_t step_s; /* of them */
  int64_t time[SERIES_MAX_ROWS];
  double used[SERIES_MAX_ROWS]; /* NAN until a reading comes */
  double capacity[SERIES_MAX_ROWS];
  uint32_t weight[2][SERIES_MAX_ROWS]; /* readings in the row, of used and of capacity */
  size_t n_followed;                   /* levels whose rows are kept too; 0 after history_begin */
  double followed[HISTORY_MAX_FOLLOWED][SERIES_MAX_ROWS];
};

/* NULL when memory is out. */
struct history *history_new(unsigned days);
void history_free(struct history *h); /* NULL is fine */

/* Begins with empty rows of which the last ends at newest and that reach back to oldest, step_s
 * apart, or longer where there is no room for as many and one more. */
void history_begin(struct history *h, int64_t oldest, int64_t newest, int64_t step_s);

/* A row, or part of one: the mean of all that it is given counts. NAN is passed over, and so is
 * what lies outside the rows. */
void history_put(struct history *h, int64_t time, double used, double capacity);

/* Another row of levels that are followed, beginning with unknown ones; NULL when there are too
 * many already. The rows of *s may begin later: add s->time - h->time. */
double *history_follow(struct history *h);

/* The newest reading as a row behind the others; nothing when it is not later than they. Of what is
 * followed it is unknown until it is written to followed[][n - 1]. True when it was added. */
bool history_append(struct history *h, int64_t time, double used, double capacity);

/* Ends the rows: *s gets all of them from the first on that is known. Writes n, step_s, time, used,
 * and capacity alone. */
void history_rows(struct history *h, struct series *s);

/* Begins days without maxima of which the last one holds the moment before `newest`. */
void history_days(struct history *h, int64_t newest, struct maxima *m);

/* A reading of a day, in order of time: the last known one counts. */
void history_day_put(struct maxima *m, int64_t time, double used, double capacity);

#endif
