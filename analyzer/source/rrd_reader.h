/* SPDX-License-Identifier: MIT */
#ifndef TM_RRD_READER_H
#define TM_RRD_READER_H

#include "analyzer/days.h"
#include "analyzer/maxima.h"
#include "analyzer/source/rrd.h"
#include "analyzer/source/rrd_device.h"
#include "analyzer/source/rrd_file.h"

/*
 * The memory of one reader, shared by the parts that read levels (rrd_level), interval maxima
 * (rrd_measure) and whole devices (rrd_device). Nobody else includes this.
 */
#define RRD_MAX_FILES     128 /* of one device that have a role */
#define RRD_MAX_FOLLOWED  16
#define RRD_FOLLOWED_ROWS 1024 /* rows where levels are followed: supplies need no more */
#define RRD_LISTING_SIZE  16384

struct rrd_found { /* a file of the device */
  const struct rrd_role *role;
  bool done; /* read, or refused */
  char name[256];
};

/* The rows that all values of a device share. */
struct rrd_grid {
  bool set;
  int64_t reach; /* what was asked of the archive */
  int64_t first; /* end of row 0 */
  int64_t step;
  size_t n;
};

/* The last known value of each of the wanted days, of which the last begins at last_start. */
struct rrd_day_values {
  int64_t last_start; /* INT64_MIN: nothing was read */
  double value[RRD_MAX_DAYS];
};

struct rrd_reader {
  struct rrd_wanted wanted;
  struct days days;
  struct maxima_build *maxima;
  struct maxima_day day[RRD_MAX_DAYS];
  struct rrd_day_values used_day;
  struct rrd_day_values capacity_day;
  struct rrd_grid grid;
  size_t max_rows;
  int64_t followed_at; /* the newest reading of any of the levels that are followed */
  int64_t observed_at;
  const char *unit;
  int64_t time[SERIES_MAX_ROWS + 1];
  double used[SERIES_MAX_ROWS + 1];
  double capacity[SERIES_MAX_ROWS + 1];
  double followed[RRD_MAX_FOLLOWED][RRD_FOLLOWED_ROWS + 1];
  struct series_level level[RRD_MAX_FILES];
  size_t n_levels;
  size_t n_followed;
  uint32_t weight[SERIES_MAX_ROWS + 1];
  struct rrd_found found[RRD_MAX_FILES];
  size_t n_found;
  char listing[RRD_LISTING_SIZE] __attribute__((aligned(16)));
  struct rrd_file file;
};

/* The last moment of a file that is looked at. */
static inline int64_t rrd_until(const struct rrd_reader *r, const struct rrd_file *f)
{
  int64_t as_of = r->wanted.as_of;
  return as_of != INT64_MIN && as_of < f->last_update ? as_of : f->last_update;
}

/* Where the rows of an archive begin. */
static inline int64_t rrd_archive_start(const struct rrd_archive *a)
{
  return a->newest - (int64_t)a->rows * a->span;
}

/*
 * A finer archive that holds all that is known, as seen from one in which the first known row
 * begins at first_known (INT64_MAX: nothing is known yet) and that was read from `from` on. -1:
 * there is none. *reach: how far back it has to go. choose gives the finest archive of the wanted
 * kind that reaches back to a time.
 */
typedef int rrd_choose_fn(const struct rrd_file *f, int64_t from);
int rrd_finer_archive(const struct rrd_file *f, int archive, int64_t first_known, int64_t from,
                      rrd_choose_fn *choose, int64_t *reach);

/* Reads a level (rrd_level.c). */
struct rrd_level_visit {
  struct rrd_reader *r;
  const struct rrd_role *role;
  double *out;                /* rows of the grid; NULL: the newest value alone */
  struct rrd_day_values *day; /* NULL: not wanted */
  bool first;                 /* this file decides on the grid */
  int64_t seen_at;            /* when the file was updated last */
  int64_t now_at;             /* the newest known value; INT64_MIN and NAN: none */
  double now;
};
int rrd_level_visit(struct rrd_file *f, void *ctx, struct tm_error *err);

/* Reads interval maxima into r->day (rrd_measure.c). */
struct rrd_measure_visit {
  struct rrd_reader *r;
  const struct rrd_role *role;
  int64_t newest; /* of this file and those read before */
  struct maxima result;
};
int rrd_measure_visit(struct rrd_file *f, void *ctx, struct tm_error *err);

#endif
