/* SPDX-License-Identifier: MIT */
#ifndef TM_RRD_H
#define TM_RRD_H

#include "analyzer/series.h"
#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Histories out of RRD files as collectd lays them out: DIR/HOST/PLUGIN-INSTANCE/TYPE-INSTANCE.rrd.
 * DIR may also be one host's folder, one device's folder, or a single file.
 *
 *   rrd_source_open(&src, &options, &err)     finds the devices, reads no file
 *   rrd_source_start(src, jobs, &err)         before the program starts threads
 *   rrd_source_next(src, job, &series, &err)  each job in a thread of its own, until it returns 0
 *   rrd_source_free(src)
 *
 * The files are read by one sandboxed process a job. When one dies the file in hand is refused by
 * name and it is started again; everything else goes on.
 */
struct rrd_options {
  const char *path;
  bool all;              /* also mounts of images, overlays and memory */
  int64_t now;           /* hint of main's clock: files from the future are refused; 0: no check */
  int64_t as_of;         /* rows after it are not seen; INT64_MIN: everything */
  unsigned days;         /* daily maxima wanted, 1..RRD_MAX_DAYS; 0: 30 */
  unsigned history_days; /* of used and capacity that an archive is to reach back to; 0: 731 */
  unsigned read_days;    /* of them that are read: fewer where no forecast is made; 0: all */
  bool maxima_only;      /* means and percentiles of the days are not read */
  int64_t interval_s;    /* the unit interval of interval_count files; 0: told by each file */
  const char *flush;     /* socket of rrdcached that is asked to write first; NULL: none. When it
                            does not, that is among the refusals, and files are read as they are */
  unsigned shard;        /* this process takes devices whose hash % shards == shard */
  unsigned shards;       /* 0 or 1: all */
  bool settings;         /* no histories: among the refusals stands what keeps interval maxima from
                            being exact, and what to change (see rrd_settings.h) */
};
#define RRD_MAX_DAYS 800
#define RRD_MAX_JOBS 64

struct rrd_source;

/* A device that was found; strings live as long as the source. */
struct rrd_device {
  const char *host;
  const char *device;
  const char *folder; /* NULL for a loose file */
  enum series_kind kind;
};

/* -ENOENT when the path is not there or holds no device, with the reason in err. */
int rrd_source_open(struct rrd_source **src, const struct rrd_options *options,
                    struct tm_error *err);
void rrd_source_free(struct rrd_source *src); /* NULL is fine; ends the workers */

/* Devices are sorted by host, then folder; an index is stable for the life of the source. */
size_t rrd_source_count(const struct rrd_source *src);
struct rrd_device rrd_source_device(const struct rrd_source *src, size_t index);

/* What was refused while looking for devices: folders that cannot be read, a folder named x.rrd. */
size_t rrd_source_refusals(const struct rrd_source *src, const struct series_refusal **refused);

/* Starts a reading process for each job. Call it from the main thread, before other threads. */
int rrd_source_start(struct rrd_source *src, unsigned jobs, struct tm_error *err);

/*
 * The next device of this job: 1 and *s filled, 0 at the end, or a negative errno (only when no
 * reader can be started at all). Jobs share the devices out among themselves, so the order differs
 * from run to run; s->index tells which it is. *s is valid until the job's next call. A device of
 * which no file could be read comes too, with n == 0, no maxima and its refusals.
 */
int rrd_source_next(struct rrd_source *src, unsigned job, struct series *s, struct tm_error *err);

#endif
