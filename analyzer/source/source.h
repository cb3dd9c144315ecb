/* SPDX-License-Identifier: MIT */
#ifndef TM_SOURCE_H
#define TM_SOURCE_H

#include "analyzer/series.h"
#include "common/conf.h"
#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Where histories come from. Every source names the same devices, gives the same kind of series and
 * shares devices out by the same hash, so that the commands need not know which one it is:
 *
 *   source_parse("csv:FILE", &options)        chooses
 *   source_open(&src, &options, &err)         finds the devices
 *   source_start(src, jobs, &err)             before the program starts threads
 *   source_next(src, job, &series, &err)      each job in a thread of its own, until it returns 0
 *   source_free(src)
 */
enum source_type {
  SOURCE_RRD,        /* RRD files as collectd lays them out (rrd.h) */
  SOURCE_CSV,        /* a file with the columns series,time,used,capacity (csv.c) */
  SOURCE_PROMETHEUS, /* a server with Prometheus's HTTP API (prometheus.h) */
  SOURCE_TYPES
};

struct source_options {
  enum source_type type;
  const char *path;      /* the folder, file or URL */
  bool all;              /* also mounts of images, overlays and memory */
  int64_t now;           /* hint of main's clock; 0: none */
  int64_t as_of;         /* rows after it are not seen; INT64_MIN: everything */
  unsigned days;         /* daily maxima wanted, 1..SOURCE_MAX_DAYS; 0: 30 */
  unsigned history_days; /* of used and capacity; 0: 731 */
  unsigned read_days;    /* of them that are read: fewer where no forecast is made; 0: all */
  bool maxima_only;      /* means and percentiles of the days are not wanted */
  const struct tm_conf_prometheus *access; /* SOURCE_PROMETHEUS: what the server wants; or NULL */
  const char *flush;  /* SOURCE_RRD: socket of rrdcached that is asked to write first, or NULL */
  const char *host;   /* all but SOURCE_RRD: this host's device of that folder or, where it has */
  const char *folder; /* none, of that name alone; NULL: all */
  bool settings;      /* SOURCE_RRD: what keeps maxima from being exact, in place of histories */
  int64_t interval_s; /* with settings: the unit interval that is to be exact; 0: each file's own */
  unsigned shard;     /* only devices whose hash % shards == shard */
  unsigned shards;    /* 0 or 1: all */
};
#define SOURCE_MAX_DAYS 800
#define SOURCE_MAX_JOBS 64

/* A device that was found; strings live as long as the source. */
struct source_device {
  const char *host;
  const char *device;
  const char *folder; /* NULL where there is none */
  enum series_kind kind;
};

struct source;

/* Reads "TYPE:PLACE" into type and path (borrowed). -EINVAL when there is no such type; then
 * source_types() says which there are. */
int source_parse(const char *text, struct source_options *options);
const char *source_types(void); /* "rrd:DIR, csv:FILE or prometheus:URL" */

/* -ENOENT when the place is not there or holds no device, with the reason in err. */
int source_open(struct source **src, const struct source_options *options, struct tm_error *err);
void source_free(struct source *src); /* NULL is fine */

/* Devices are sorted by host, then folder; an index is stable for the life of the source. */
size_t source_count(const struct source *src);
struct source_device source_device(const struct source *src, size_t index);

/* What was refused while looking for devices. */
size_t source_refusals(const struct source *src, const struct series_refusal **refused);

/* Makes ready for that many jobs. Call it from the main thread, before other threads. */
int source_start(struct source *src, unsigned jobs, struct tm_error *err);

/*
 * The next device of this job: 1 and *s filled, 0 at the end, or a negative errno when the source
 * as a whole fails. Jobs share the devices out among themselves, so the order differs from run to
 * run; s->index tells which it is. *s is valid until the job's next call. A device of which nothing
 * could be read comes too, with n == 0, no maxima and its refusals.
 */
int source_next(struct source *src, unsigned job, struct series *s, struct tm_error *err);

#endif
