/* SPDX-License-Identifier: MIT */
#ifndef TM_DEMO_STORE_H
#define TM_DEMO_STORE_H

#include "common/error.h"

#include <stddef.h>
#include <stdint.h>

/*
 * RRD files as collectd's rrdtool plugin lays them out: HOST/FOLDER/TYPE-INSTANCE.rrd, the data
 * sources of types.db, step = read interval, heartbeat = twice that, and the archives that follow
 * from `RRARows 17664` and `RRATimespan 3600`, `5299200`, `63590400`.
 */

#define STORE_SOURCES 4

struct store_type {
  char name[64];
  size_t n_sources;
  char source[STORE_SOURCES][160]; /* "DS:value:GAUGE:600:0:U" */
};

struct store_types {
  struct store_type *rows;
  size_t len;
};

/* Adds the types of one types.db file. The caller releases. */
int store_types_read(struct store_types *types, const char *path, int64_t step_s,
                     struct tm_error *err);
void store_types_release(struct store_types *types);
/* Borrowed; NULL when there is no such type. */
const struct store_type *store_type_find(const struct store_types *types, const char *name);

/* One file that is being written, in batches. */
struct store_file {
  char *path;
  struct store_batch *batch;
};

/* Creates path anew, with its first row after `start`. */
int store_create(struct store_file *f, const char *path, const struct store_type *type,
                 int64_t start, int64_t step_s, struct tm_error *err);
/* One row; time ascends. NAN is written as unknown. */
int store_add(struct store_file *f, double time, const double *values, size_t n,
              struct tm_error *err);
/* Writes what is still in the batch. */
int store_flush(struct store_file *f, struct tm_error *err);
void store_release(struct store_file *f);

#endif
