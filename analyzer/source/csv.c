/* SPDX-License-Identifier: MIT */
/*
 * Histories from a CSV file, the one that `forecast` reads: series,time,used,capacity. Each series
 * is a device, HOST/DEVICE or DEVICE alone, whose host is then the file's name without its ending.
 * A device that is named as collectd names its folders ("disk_array-array-01") is of that kind.
 * A file has to be read to its end to be known sound, so it is read when it is opened, and kept.
 */
#include "analyzer/forecast_csv.h"
#include "analyzer/source/history.h"
#include "analyzer/source/refusals.h"
#include "analyzer/source/rrd_recipe.h"
#include "analyzer/source/shard.h"
#include "analyzer/source/source_type.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/room.h"

#include <errno.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct csv_device {
  struct source_name name;
  const struct rrd_recipe *recipe; /* NULL: named in another way */
  struct forecast_csv_series rows;
};

struct csv_source {
  const struct source_options *options; /* while it is opened */
  char *stem;                           /* the host of series that name none */
  int64_t as_of;
  int64_t history_s;
  unsigned days;
  struct csv_device *device;
  size_t n, cap;
  bool elsewhere; /* there are devices, of another share */
  struct refusals refused;
  atomic_size_t given;
  unsigned jobs;
  struct history *history[SOURCE_MAX_JOBS];
};

static int refuse(void *context, const char *what, struct tm_error *err)
{
  struct csv_source *c = context;
  return refusals_add(&c->refused, what, err);
}

/* --- the devices ------------------------------------------------------------------------------ */

/* Splits the name of a series. -EINVAL: it cannot be one of a device. */
static int name_device(const struct csv_source *c, const char *name, struct csv_device *d)
{
  const char *slash = strchr(name, '/');
  const char *host = slash != NULL ? name : c->stem;
  const char *folder = slash != NULL ? slash + 1 : name;
  int rc = source_name_make(&d->name, host, slash != NULL ? (size_t)(slash - name) : strlen(host),
                            folder);
  if (rc < 0)
    return rc;
  d->recipe = rrd_recipe_for(d->name.folder);
  return tm_file_name_is_safe(d->name.host) && tm_file_name_is_safe(d->name.folder) ? 0 : -EINVAL;
}

static int take_series(void *context, struct forecast_csv_series *s, struct tm_error *err)
{
  struct csv_source *c = context;
  struct csv_device d = {0};
  int rc = name_device(c, s->name, &d);
  if (rc == -ENOMEM)
    return tm_fail(err, rc, "%s: out of memory", c->options->path);
  if (rc < 0) {
    char text[FORECAST_CSV_FIELD_MAX + 512];
    snprintf(text, sizeof(text), "%s: series '%s': not the name of a device: HOST/DEVICE",
             c->options->path, s->name);
    free(d.name.host);
    return refuse(c, text, err);
  }
  if (!shard_holds(c->options->shard, c->options->shards, d.name.host, d.name.folder))
    c->elsewhere = true;
  if (s->n == 0 || !source_wants(c->options, d.name.host, d.name.folder)) {
    free(d.name.host);
    return 0;
  }
  if (TM_ROOM(c->device, c->cap, c->n) < 0) {
    free(d.name.host);
    return tm_fail(err, -ENOMEM, "%s: out of memory", c->options->path);
  }
  d.rows = *s; /* the reader goes on with new memory */
  *s = (struct forecast_csv_series){0};
  c->device[c->n++] = d;
  return 0;
}

static void release_device(struct csv_device *d)
{
  free(d->name.host);
  forecast_csv_series_release(&d->rows);
}

/* A name that stands twice: nobody knows which rows are meant, so neither is used. */
static int refuse_doubles(struct csv_source *c, struct tm_error *err)
{
  size_t kept = 0;
  int rc = 0;
  for (size_t i = 0, next; i < c->n; i = next) {
    for (next = i + 1; next < c->n && source_name_order(&c->device[i], &c->device[next]) == 0;)
      next++;
    if (next == i + 1) {
      c->device[kept++] = c->device[i];
      continue;
    }
    char text[FORECAST_CSV_FIELD_MAX + 512];
    snprintf(text, sizeof(text), "%s: series '%s/%s': its rows do not stand together",
             c->options->path, c->device[i].name.host, c->device[i].name.folder);
    rc = rc == 0 ? refuse(c, text, err) : rc;
    for (size_t k = i; k < next; k++)
      release_device(&c->device[k]);
  }
  c->n = kept;
  return rc;
}

/* --- the file --------------------------------------------------------------------------------- */

static void free_csv(void *state)
{
  struct csv_source *c = state;
  for (size_t i = 0; i < c->n; i++)
    release_device(&c->device[i]);
  for (unsigned i = 0; i < c->jobs; i++)
    history_free(c->history[i]);
  free(c->device);
  refusals_release(&c->refused);
  free(c->stem);
  free(c);
}

static int read_file(struct csv_source *c, struct tm_error *err)
{
  struct stat st;
  const struct forecast_csv_taker taker = {take_series, refuse, c};
  int fd = tm_file_open(c->options->path, &st, err);
  if (fd < 0)
    return fd;
  FILE *f = fdopen(fd, "r");
  if (f == NULL) {
    close(fd);
    return tm_fail(err, -ENOMEM, "%s: out of memory", c->options->path);
  }
  int rc = forecast_csv_read(f, c->options->path, &taker, err);
  fclose(f);
  return rc;
}

static int open_csv(void **state, const struct source_options *o, struct tm_error *err)
{
  const char *slash = strrchr(o->path, '/');
  const char *name = slash != NULL ? slash + 1 : o->path;
  const char *dot = strrchr(name, '.');
  struct csv_source *c = calloc(1, sizeof(*c));
  if (c == NULL)
    return tm_fail(err, -ENOMEM, "%s: out of memory", o->path);
  c->options = o;
  c->as_of = o->as_of != INT64_MIN ? o->as_of : INT64_MAX;
  c->days = o->days;
  c->history_s = (int64_t)o->read_days * TM_DAY;
  c->stem = strndup(name, dot != NULL && dot > name ? (size_t)(dot - name) : strlen(name));
  int rc =
      c->stem == NULL ? tm_fail(err, -ENOMEM, "%s: out of memory", o->path) : read_file(c, err);
  if (rc == 0 && c->n > 1) {
    qsort(c->device, c->n, sizeof(c->device[0]), source_name_order);
    rc = refuse_doubles(c, err);
  }
  if (rc == 0 && c->n == 0 && c->refused.n == 0 && !c->elsewhere)
    rc = tm_fail(err, -ENOENT, "%s: no series in it", o->path);
  if (rc < 0)
    free_csv(c);
  else
    *state = c;
  return rc;
}

static size_t count_csv(const void *state)
{
  return ((const struct csv_source *)state)->n;
}

static struct source_device device_csv(const void *state, size_t index)
{
  const struct csv_device *d = &((const struct csv_source *)state)->device[index];
  const struct source_name *n = &d->name;
  if (d->recipe == NULL)
    return (struct source_device){n->host, n->folder, NULL, SERIES_COMPUTER};
  return (struct source_device){n->host, rrd_recipe_device(d->recipe, n->folder), n->folder,
                                d->recipe->kind};
}

static size_t refusals_csv(const void *state, const struct series_refusal **refused)
{
  const struct csv_source *c = state;
  *refused = c->refused.item;
  return c->refused.n;
}

static int start_csv(void *state, unsigned jobs, struct tm_error *err)
{
  struct csv_source *c = state;
  for (; c->jobs < jobs; c->jobs++) {
    c->history[c->jobs] = history_new(c->days);
    if (c->history[c->jobs] == NULL)
      return tm_fail(err, -ENOMEM, "out of memory");
  }
  return 0;
}

/* --- the series ------------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
  int64_t x = *(const int64_t *)a;
  int64_t y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

/* The median distance of neighbours: what the rows were written at. A day where there is one row.
 */
static int64_t median_step(const int64_t *time, size_t n)
{
  size_t gaps = 0;
  int64_t *gap = calloc(n, sizeof(*gap));
  if (gap == NULL)
    return TM_DAY;
  for (size_t i = 1; i < n; i++)
    if (time[i] > time[i - 1])
      gap[gaps++] = time[i] - time[i - 1];
  if (gaps > 1)
    qsort(gap, gaps, sizeof(*gap), by_value);
  int64_t step = gaps > 0 ? gap[(gaps - 1) / 2] : TM_DAY;
  free(gap);
  return step;
}

static void make_series(const struct csv_source *c, const struct csv_device *d, struct history *h,
                        struct series *s)
{
  const struct forecast_csv_series *r = &d->rows;
  size_t n = r->n;
  while (n > 0 &&
         (r->time[n - 1] > c->as_of || (isnan(r->used[n - 1]) && isnan(r->capacity[n - 1]))))
    n--;
  if (n == 0)
    return;
  int64_t newest = r->time[n - 1];
  size_t first = 0;
  while (r->time[first] <= newest - c->history_s)
    first++;
  history_begin(h, r->time[first], newest, median_step(r->time + first, n - first));
  history_days(h, newest, &s->maxima);
  for (size_t i = first; i < n; i++) {
    history_put(h, r->time[i], r->used[i], r->capacity[i]);
    history_day_put(&s->maxima, r->time[i], r->used[i], r->capacity[i]);
  }
  history_rows(h, s);
  s->unit = "bytes";
  s->observed_at = newest;
  for (size_t i = n; i-- > first && (isnan(s->used_now) || isnan(s->capacity_now));) {
    if (isnan(s->used_now) && !isnan(r->used[i])) {
      s->used_now = r->used[i];
      s->read_at = r->time[i];
    }
    if (isnan(s->capacity_now))
      s->capacity_now = r->capacity[i];
  }
  if (s->read_at == INT64_MIN)
    s->read_at = newest;
}

static int next_csv(void *state, unsigned job, struct series *s, struct tm_error *err)
{
  struct csv_source *c = state;
  (void)err;
  size_t index = atomic_fetch_add(&c->given, 1);
  if (index >= c->n)
    return 0;
  *s = source_unknown(index, device_csv(c, index));
  make_series(c, &c->device[index], c->history[job], s);
  return 1;
}

const struct source_type_calls source_type_csv = {
    .name = "csv",
    .open = open_csv,
    .free = free_csv,
    .count = count_csv,
    .device = device_csv,
    .refusals = refusals_csv,
    .start = start_csv,
    .next = next_csv,
};
