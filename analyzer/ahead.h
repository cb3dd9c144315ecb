/* SPDX-License-Identifier: MIT */
#ifndef TM_AHEAD_H
#define TM_AHEAD_H

#include "analyzer/forecast/forecast.h"
#include "analyzer/series.h"
#include "analyzer/source/rrd_recipe.h"
#include "common/buf.h"
#include "common/error.h"

#include <stdbool.h>

/*
 * Forecasts as RRD files, DIR/HOST/FOLDER/forecast.rrd, so that whatever draws RRDs can lay them
 * over the history: AHEAD_DAYS rows of a day, the first one ends at the first midnight (UTC) after
 * the newest row. Data sources: low, middle and high of what is used, and full, the chance that the
 * limit is reached by then (0 to 1). A device without a forecast has no such file; an old one is
 * removed.
 *
 * The files are written by tidemark-rrd, so that librrd stays out of this program, for many devices
 * at a time. One thread, one struct ahead.
 */
#define AHEAD_SCHEMA "tidemark.ahead/1"
#define AHEAD_FILE   RRD_FORECAST_FILE
#define AHEAD_DAYS   365

struct ahead {
  const char *folder; /* DIR, borrowed */
  struct tm_buf batch;
  bool broken; /* the helper or DIR is of no use: nothing more is tried */
};
void ahead_init(struct ahead *a, const char *folder);
/* Files of what was added and not written yet are not made. */
void ahead_release(struct ahead *a);

/* Adds a device's forecast; r is NULL where there is none. 0, or what ahead_flush gives. */
int ahead_add(struct ahead *a, const struct series *s, const struct forecast_result *r,
              struct tm_error *err);
/* Has the files written. 0; -EIO when some could not be, each named on standard error; else broken
 * is set, and err says why no file can be written. */
int ahead_flush(struct ahead *a, struct tm_error *err);

#endif
