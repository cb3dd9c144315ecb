/* SPDX-License-Identifier: MIT */
#ifndef TM_RRD_DEVICE_H
#define TM_RRD_DEVICE_H

#include "analyzer/series.h"
#include "analyzer/source/rrd_recipe.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Reads the files of one device and makes its history of them: the part that meets bytes from
 * outside. It prints nothing, keeps nothing from device to device but its memory, and needs no
 * other right than to open files below folder_fd for reading.
 */
struct rrd_reader;

/* What is wanted of each device: see struct rrd_options. */
struct rrd_wanted {
  int64_t latest; /* files updated later than this are refused; 0: none */
  int64_t as_of;  /* INT64_MIN: everything */
  unsigned days;
  unsigned history_days;
  unsigned read_days;
  int64_t interval_s;
  bool maxima_only;
  bool sparing;  /* see struct rrd_file */
  bool settings; /* what keeps maxima from being exact instead of histories */
};

/* How a reader tells what it does. begin: a file comes next; false: leave it out. */
struct rrd_watch {
  bool (*begin)(void *ctx, const char *file);
  void (*end)(void *ctx);
  void (*refused)(void *ctx, const char *text);
  void *ctx;
};

/* One thread, one reader. NULL when memory is out. */
struct rrd_reader *rrd_reader_new(const struct rrd_wanted *wanted);
void rrd_reader_free(struct rrd_reader *r);

/*
 * Reads FOLDER (opened as folder_fd; the path is for messages) by a recipe, or with only != NULL
 * that one file of it. Fills the numbers of *s, which point into the reader until its next device;
 * names and refusals are the caller's to fill.
 */
void rrd_reader_load(struct rrd_reader *r, int folder_fd, const char *folder, const char *only,
                     const struct rrd_recipe *recipe, const struct rrd_watch *watch,
                     struct series *s);

#endif
