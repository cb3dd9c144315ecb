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

#define HISTORY_DAYS 731
#define DEFAULT_DAYS 30

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
                                .interval_s = o->settings ? o->interval_s : 0,
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

int source_name_make(struct source_name *name, const char *host, size_t host_len,
                     const char *folder)
{
  size_t folder_size = strlen(folder) + 1;
  char *both = malloc(host_len + 1 + folder_size);
  if (both == NULL)
    return -ENOMEM;
  memcpy(both, host, host_len);
  both[host_len] = '\0';
  memcpy(both + host_len + 1, folder, folder_size);
  name->host = both;
  name->folder = both + host_len + 1;
  return 0;
}

int source_name_order(const void *a, const void *b)
{
  const struct source_name *x = a;
  const struct source_name *y = b;
  int order = strcmp(x->host, y->host);
  return order != 0 ? order : strcmp(x->folder, y->folder);
}

struct series source_unknown(size_t index, struct source_device d)
{
  return (struct series){.index = index,
                         .host = d.host,
                         .device = d.device,
                         .folder = d.folder,
                         .kind = d.kind,
                         .observed_at = INT64_MIN,
                         .read_at = INT64_MIN,
                         .used_now = NAN,
                         .capacity_now = NAN};
}

int source_open(struct source **src, const struct source_options *options, struct tm_error *err)
{
  struct source_options filled = *options;
  if (filled.days == 0)
    filled.days = DEFAULT_DAYS;
  if (filled.history_days == 0)
    filled.history_days = HISTORY_DAYS;
  if (filled.read_days == 0)
    filled.read_days = filled.history_days;
  struct source *s = calloc(1, sizeof(*s));
  if (s == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  s->calls = types[options->type];
  int rc = s->calls->open(&s->state, &filled, err);
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
