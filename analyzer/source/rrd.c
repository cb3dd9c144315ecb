/* SPDX-License-Identifier: MIT */
#include "analyzer/source/rrd.h"

#include "analyzer/source/rrd_receive.h"
#include "analyzer/source/rrd_scan.h"
#include "analyzer/source/rrd_keeper.h"
#include "analyzer/source/rrdcached.h"
#include "common/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HISTORY_DAYS 731
#define DEFAULT_DAYS 30

struct rrd_source {
  struct rrd_scan scan;
  struct rrd_wanted wanted;
  struct rrd_workers workers;
  struct rrd_receiver *receiver[RRD_MAX_JOBS];
};

static unsigned between(unsigned n, unsigned otherwise, unsigned max)
{
  if (n == 0)
    n = otherwise;
  return n < max ? n : max;
}

int rrd_source_open(struct rrd_source **src, const struct rrd_options *options,
                    struct tm_error *err)
{
  struct rrd_source *s = calloc(1, sizeof(*s));
  if (s == NULL)
    return tm_fail(err, -ENOMEM, "%s: out of memory", options->path);
  s->wanted =
      (struct rrd_wanted){.latest = options->now != 0 ? options->now + TM_DAY : 0,
                          .as_of = options->as_of,
                          .days = between(options->days, DEFAULT_DAYS, RRD_MAX_DAYS),
                          .history_days = between(options->history_days, HISTORY_DAYS, 10 * 366),
                          .maxima_only = options->maxima_only,
                          .interval_s = options->interval_s,
                          .settings = options->settings};
  s->wanted.read_days = between(options->read_days, s->wanted.history_days, s->wanted.history_days);
  int rc = rrd_scan(&s->scan, options, err);
  if (rc < 0) {
    rrd_source_free(s);
    return rc;
  }
  struct tm_error late;
  if (options->flush != NULL && rrdcached_flush(options->flush, &s->scan, &late) < 0)
    rc = refusals_add(&s->scan.refused, late.text, NULL);
  if (rc < 0) {
    rrd_source_free(s);
    return tm_fail(err, rc, "%s: out of memory", options->path);
  }
  *src = s;
  return 0;
}

void rrd_source_free(struct rrd_source *src)
{
  if (src == NULL)
    return;
  bool over = true;
  for (unsigned i = 0; i < RRD_MAX_JOBS; i++) {
    over = over && (src->receiver[i] == NULL || rrd_receiver_done(src->receiver[i]));
    rrd_receiver_free(src->receiver[i]);
  }
  rrd_workers_stop(&src->workers, over);
  rrd_scan_release(&src->scan);
  free(src);
}

size_t rrd_source_count(const struct rrd_source *src)
{
  return src->scan.n;
}

struct rrd_device rrd_source_device(const struct rrd_source *src, size_t index)
{
  const struct rrd_entry *e = &src->scan.entry[index];
  const char *folder = rrd_scan_text(&src->scan, e->folder);
  return (struct rrd_device){.host = rrd_scan_text(&src->scan, e->host),
                             .device = rrd_recipe_device(e->recipe, folder),
                             .folder = e->recipe == rrd_recipe_loose() ? NULL : folder,
                             .kind = e->recipe->kind};
}

size_t rrd_source_refusals(const struct rrd_source *src, const struct series_refusal **refused)
{
  *refused = src->scan.refused.item;
  return src->scan.refused.n;
}

static bool ended(void *ctx)
{
  return rrd_workers_ended(ctx);
}

int rrd_source_start(struct rrd_source *src, unsigned jobs, struct tm_error *err)
{
  if (jobs < 1 || jobs > RRD_MAX_JOBS)
    return tm_fail(err, -EINVAL, "%u jobs: 1 to %d are possible", jobs, RRD_MAX_JOBS);
  int rc = rrd_workers_start(&src->workers, &src->scan, &src->wanted, jobs, err);
  for (unsigned i = 0; rc == 0 && i < jobs; i++) {
    struct rrd_shared *shared = src->workers.shared;
    src->receiver[i] =
        rrd_receiver_new(&shared->lane[i], rrd_ring(shared, i), src->scan.n, ended, &src->workers);
    if (src->receiver[i] == NULL)
      rc = tm_fail(err, -ENOMEM, "out of memory");
  }
  return rc;
}

int rrd_source_next(struct rrd_source *src, unsigned job, struct series *s, struct tm_error *err)
{
  int rc = rrd_receive(src->receiver[job], s);
  if (rc == -EIO)
    return tm_fail(err, rc, "the processes that read RRD files have ended before their time");
  if (rc == -EBADMSG)
    return tm_fail(err, rc, "a process that reads RRD files sends nonsense");
  if (rc < 0)
    return tm_fail(err, rc, "%s", strerror(-rc));
  if (rc == 0)
    return 0;
  struct rrd_device d = rrd_source_device(src, s->index);
  s->host = d.host;
  s->device = d.device;
  s->folder = d.folder;
  s->kind = d.kind;
  return 1;
}
