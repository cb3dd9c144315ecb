/* SPDX-License-Identifier: MIT */
#ifndef TM_HISTORY_H
#define TM_HISTORY_H

#include "analyzer/days.h"
#include "analyzer/maxima.h"
#include "analyzer/series.h"
#include "analyzer/source/source.h"

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
};

/* NULL when memory is out. */
struct history *history_new(unsigned days);
void history_free(struct history *h); /* NULL is fine */

/* Begins with empty rows that end at newest and reach back to oldest, step_s apart, or longer where
 * there is no room for as many. */
void history_begin(struct history *h, int64_t oldest, int64_t newest, int64_t step_s);

/* A row, or part of one: the mean of all that it is given counts. NAN is passed over, and so is
 * what lies outside the rows. */
void history_put(struct history *h, int64_t time, double used, double capacity);

/* Ends the rows: *s gets all of them from the first on that is known. Writes n, step_s, time, used,
 * and capacity alone. */
void history_rows(struct history *h, struct series *s);

/* Begins days without maxima of which the last one holds the moment before `newest`. */
void history_days(struct history *h, int64_t newest, struct maxima *m);

/* A reading of a day, in order of time: the last known one counts. */
void history_day_put(struct maxima *m, int64_t time, double used, double capacity);

#endif
