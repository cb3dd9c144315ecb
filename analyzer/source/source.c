/* SPDX-License-Identifier: MIT */
#include "analyzer/source/source.h"

#include "analyzer/source/rrd.h"
#include "analyzer/source/shard.h"
#include "analyzer/source/source_type.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(SOURCE_MAX_DAYS == RRD_MAX_DAYS && SOURCE_MAX_JOBS == RRD_MAX_JOBS,
               "what any source can do the RRD reader can");

struct source {
  const struct source_type_calls *calls;
  void *state;
};

/* --- RRD files, by their own interface -------------------------------------------------------- */

static int open_rrd(void **state, const struct source_options *o, struct tm_error *err)
{
  struct rrd_options options = {.path = o->path,
                                .all = o->all,
                                .now = o->now,
                                .as_of = o->as_of,
                                .days = o->days,
                                .history_days = o->history_days,
                                .read_days = o->read_days,
                                .maxima_only = o->maxima_only,
                                .flush = o->flush,
                                .shard = o->shard,
                                .shards = o->shards,
                                .settings = o->settings};
  struct rrd_source *src = NULL;
  int rc = rrd_source_open(&src, &options, err);
  if (rc == 0)
    *state = src;
  return rc;
}

static void free_rrd(void *state)
{
  rrd_source_free(state);
}

static size_t count_rrd(const void *state)
{
  return rrd_source_count(state);
}

static struct source_device device_rrd(const void *state, size_t index)
{
  struct rrd_device d = rrd_source_device(state, index);
  return (struct source_device){d.host, d.device, d.folder, d.kind};
}

static size_t refusals_rrd(const void *state, const struct series_refusal **refused)
{
  return rrd_source_refusals(state, refused);
}

static int start_rrd(void *state, unsigned jobs, struct tm_error *err)
{
  return rrd_source_start(state, jobs, err);
}

static int next_rrd(void *state, unsigned job, struct series *s, struct tm_error *err)
{
  return rrd_source_next(state, job, s, err);
}

static const struct source_type_calls source_type_rrd = {
    .name = "rrd",
    .open = open_rrd,
    .free = free_rrd,
    .count = count_rrd,
    .device = device_rrd,
    .refusals = refusals_rrd,
    .start = start_rrd,
    .next = next_rrd,
};

/* --- the choice ------------------------------------------------------------------------------- */

static const struct source_type_calls *const types[SOURCE_TYPES] = {[SOURCE_RRD] = &source_type_rrd,
                                                                    [SOURCE_CSV] = &source_type_csv,
                                                                    [SOURCE_PROMETHEUS] =
                                                                        &source_type_prometheus};

int source_parse(const char *text, struct source_options *options)
{
  size_t n = strcspn(text, ":");
  for (int i = 0; i < SOURCE_TYPES; i++) {
    if (strncmp(types[i]->name, text, n) != 0 || types[i]->name[n] != '\0' || text[n] != ':' ||
        text[n + 1] == '\0')
      continue;
    options->type = (enum source_type)i;
    options->path = text + n + 1;
    return 0;
  }
  return -EINVAL;
}

const char *source_types(void)
{
  return "rrd:DIR, csv:FILE or prometheus:URL";
}

bool source_wants(const struct source_options *o, const char *host, const char *folder)
{
  return shard_holds(o->shard, o->shards, host, folder) &&
         (o->host == NULL || strcmp(o->host, host) == 0) &&
         (o->folder == NULL || strcmp(o->folder, folder) == 0);
}

int source_open(struct source **src, const struct source_options *options, struct tm_error *err)
{
  struct source *s = calloc(1, sizeof(*s));
  if (s == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  s->calls = types[options->type];
  int rc = s->calls->open(&s->state, options, err);
  if (rc < 0)
    free(s);
  else
    *src = s;
  return rc;
}

void source_free(struct source *src)
{
  if (src == NULL)
    return;
  src->calls->free(src->state);
  free(src);
}

size_t source_count(const struct source *src)
{
  return src->calls->count(src->state);
}

struct source_device source_device(const struct source *src, size_t index)
{
  return src->calls->device(src->state, index);
}

size_t source_refusals(const struct source *src, const struct series_refusal **refused)
{
  return src->calls->refusals(src->state, refused);
}

int source_start(struct source *src, unsigned jobs, struct tm_error *err)
{
  return src->calls->start(src->state, jobs, err);
}

int source_next(struct source *src, unsigned job, struct series *s, struct tm_error *err)
{
  return src->calls->next(src->state, job, s, err);
}
