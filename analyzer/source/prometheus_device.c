/* SPDX-License-Identifier: MIT */
#include "analyzer/source/prometheus.h"

#include "analyzer/source/prometheus_measure.h"
#include "analyzer/source/prometheus_name.h"
#include "common/clock.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOUR_S        3600
#define FOLLOWED_ROWS 1024 /* of supplies: they need no more */

/* A level that the device has, named as collectd's file would be. */
struct found {
  const struct rrd_role *role;
  char name[160];
  const char *label; /* the type's instance, within name */
  int64_t at;        /* the newest known value; INT64_MIN and NAN: none */
  double now;
  bool done;
};

struct work {
  struct prom_job *job;
  const struct prom_device *d;
  const struct prom_wanted *wanted;
  struct series *s;
  struct tm_error *err;
  struct found found[PROM_MAX_LEVELS];
  size_t n_found;
  int64_t step;
  int64_t from; /* the rows */
  int64_t to;
};

static bool is_level(const struct rrd_role *role)
{
  return role->use != RRD_COUNT && role->use != RRD_RATE;
}

static size_t type_length(const struct rrd_role *role)
{
  return strcspn(role->file, "-");
}

static bool same_type(const struct rrd_role *a, const struct rrd_role *b)
{
  size_t n = type_length(a);
  return n == type_length(b) && strncmp(a->file, b->file, n) == 0;
}

/* All instances of the role's type. */
static struct prom_query query_of(const struct work *w, const struct rrd_role *role,
                                  char metric[PROM_NAME_SIZE])
{
  return (struct prom_query){.client = &w->job->client,
                             .device = w->d,
                             .metric = prom_metric(metric, w->d->recipe, role, role->ds)};
}

/* --- the newest values ------------------------------------------------------------------------ */

static void meet(struct work *w, const struct rrd_role *type, const struct prom_matrix *m,
                 const struct prom_series *series)
{
  if (w->n_found == PROM_MAX_LEVELS)
    return;
  struct found *f = &w->found[w->n_found];
  char file[192];
  int n = snprintf(f->name, sizeof(f->name), "%.*s-%s", (int)type_length(type), type->file,
                   series->label);
  if (n < 0 || (size_t)n >= sizeof(f->name))
    return;
  snprintf(file, sizeof(file), "%s.rrd", f->name);
  f->role = rrd_recipe_role(w->d->recipe, file);
  f->label = f->name + type_length(type) + 1;
  f->at = INT64_MIN;
  f->now = NAN;
  f->done = false;
  for (size_t i = series->n; i-- > 0;) {
    if (isnan(m->value[series->first + i]))
      continue;
    f->at = m->time_ms[series->first + i] / 1000;
    f->now = m->value[series->first + i];
    break;
  }
  if (f->role != NULL && is_level(f->role) && f->at != INT64_MIN)
    w->n_found++;
}

/* True when a role of this type stood before this one in the recipe. */
static bool asked_before(const struct work *w, const struct rrd_role *role)
{
  for (const struct rrd_role *r = w->d->recipe->roles; r != role; r++)
    if (is_level(r) && same_type(r, role))
      return true;
  return false;
}

static int by_file(const void *a, const void *b)
{
  return strcmp(((const struct found *)a)->name, ((const struct found *)b)->name);
}

static int find_levels(struct work *w)
{
  char metric[PROM_NAME_SIZE];
  struct prom_matrix *m = &w->job->newest;
  for (const struct rrd_role *role = w->d->recipe->roles; role->file != NULL; role++) {
    if (!is_level(role) || asked_before(w, role))
      continue;
    struct prom_query q = query_of(w, role, metric);
    int rc = prom_newest(&q, w->wanted, m, w->err);
    if (rc < 0)
      return rc;
    for (size_t i = 0; i < m->n; i++)
      meet(w, role, m, &m->series[i]);
  }
  for (size_t i = 0; i < w->n_found; i++) {
    w->found[i].label = NULL; /* moves with its name */
    if (w->found[i].at > w->s->observed_at)
      w->s->observed_at = w->found[i].at;
  }
  if (w->n_found > 1)
    qsort(w->found, w->n_found, sizeof(w->found[0]), by_file);
  for (size_t i = 0; i < w->n_found; i++)
    w->found[i].label = w->found[i].name + type_length(w->found[i].role) + 1;
  return 0;
}

/* The first of this use in the order of the recipe, of the same type as another where one is given.
 */
static struct found *first_of(struct work *w, enum rrd_use use, const struct found *like)
{
  for (const struct rrd_role *role = w->d->recipe->roles; role->file != NULL; role++)
    for (size_t i = 0; role->use == use && i < w->n_found; i++)
      if (w->found[i].role == role && (like == NULL || same_type(like->role, role)))
        return &w->found[i];
  return NULL;
}

/* --- rows ------------------------------------------------------------------------------------- */

/* The shortest of these that there is room for. */
static int64_t row_step(int64_t length, int64_t room)
{
  static const int64_t steps[] = {3600,  7200,  10800, 14400,  21600,
                                  28800, 43200, 86400, 172800, 604800};
  size_t i = 0;
  while (i + 1 < sizeof(steps) / sizeof(steps[0]) && length / steps[i] > room)
    i++;
  return steps[i];
}

/* The end of the first row that is known; INT64_MAX. */
static int64_t first_known(const struct prom_matrix *m)
{
  int64_t first = INT64_MAX;
  for (size_t i = 0; i < m->n; i++)
    for (size_t k = m->series[i].first; k < m->series[i].first + m->series[i].n; k++)
      if (!isnan(m->value[k])) {
        first = m->time_ms[k] / 1000 < first ? m->time_ms[k] / 1000 : first;
        break;
      }
  return first;
}

/* Rows of this type, as short as what is known of it leaves room for. */
static int read_rows(struct work *w, const struct rrd_role *role, int64_t newest, int64_t room)
{
  char metric[PROM_NAME_SIZE];
  struct prom_matrix *m = &w->job->rows;
  struct prom_query q = query_of(w, role, metric);
  w->to = newest;
  w->from = newest - w->wanted->history_s;
  w->step = row_step(w->wanted->history_s, room);
  int rc = prom_rows_and_rest(&q, "avg", w->from, w->to, w->step, m, w->err);
  int64_t first = first_known(m);
  int64_t begin = (first < newest ? first : newest) - w->step;
  int64_t finer = row_step(newest - begin, room);
  if (rc < 0 || finer >= w->step)
    return rc;
  w->from = begin;
  w->step = finer;
  return prom_rows_and_rest(&q, "avg", w->from, w->to, w->step, m, w->err);
}

static void begin_rows(const struct work *w)
{
  int64_t oldest = w->from - w->from % w->step + w->step;
  int64_t rest = w->to % w->step;
  history_begin(w->job->history, oldest, w->to - rest + (rest > 0 ? w->step : 0), w->step);
}

/* Readings of used and its limit at the same times. */
struct pair {
  const struct prom_matrix *m;
  const struct prom_series *used; /* NULL: there is none */
  const struct prom_series *limit;
  bool by_free; /* the limit is used and this */
  size_t i, k;  /* how far it was gone through */
};

static bool next_pair(struct pair *p, int64_t *time, double *used, double *limit)
{
  bool more_used = p->used != NULL && p->i < p->used->n;
  bool more_limit = p->limit != NULL && p->k < p->limit->n;
  int64_t a = more_used ? p->m->time_ms[p->used->first + p->i] : INT64_MAX;
  int64_t b = more_limit ? p->m->time_ms[p->limit->first + p->k] : INT64_MAX;
  *used = *limit = NAN;
  *time = (a < b ? a : b) / 1000;
  if (more_used && a <= b)
    *used = p->m->value[p->used->first + p->i++];
  if (more_limit && b <= a)
    *limit = p->m->value[p->limit->first + p->k++];
  if (p->by_free)
    *limit += *used;
  return more_used || more_limit;
}

static struct pair pair_of(const struct prom_matrix *m, const struct found *used,
                           const struct found *limit)
{
  return (struct pair){.m = m,
                       .used = used != NULL ? prom_matrix_find(m, used->label) : NULL,
                       .limit = limit != NULL ? prom_matrix_find(m, limit->label) : NULL,
                       .by_free = limit != NULL && limit->role->use == RRD_FREE};
}

/* What fills up, and its limit: rows, and the newest reading as the last one. */
static int read_space(struct work *w, const struct found *main, struct found *used,
                      struct found *limit)
{
  struct series *s = w->s;
  struct history *h = w->job->history;
  int64_t t;
  double u;
  double c;
  int rc = read_rows(w, main->role, main->at, SERIES_MAX_ROWS - 2);
  if (rc < 0)
    return rc;
  begin_rows(w);
  struct pair p = pair_of(&w->job->rows, used, limit);
  while (next_pair(&p, &t, &u, &c))
    history_put(h, t, u, c);
  s->unit = main->role->unit != NULL ? main->role->unit : "bytes";
  s->used_now = used != NULL ? used->now : NAN;
  s->capacity_now = limit != NULL ? limit->now + (p.by_free ? s->used_now : 0) : NAN;
  s->read_at = main->at;
  history_append(h, main->at, s->used_now, s->capacity_now);
  if (used != NULL)
    used->done = true;
  if (limit != NULL)
    limit->done = true;
  return 0;
}

/* The days' own readings: rows of an hour, for they end with the day. */
static int read_days(struct work *w, const struct found *main, const struct found *used,
                     const struct found *limit)
{
  char metric[PROM_NAME_SIZE];
  struct maxima *days = &w->s->maxima;
  struct prom_query q = query_of(w, main->role, metric);
  int64_t t;
  double u;
  double c;
  int rc = prom_rows(&q, "avg", days->day[0].start, main->at, HOUR_S, &w->job->rows, w->err);
  if (rc < 0)
    return rc;
  struct pair p = pair_of(&w->job->rows, used, limit);
  while (next_pair(&p, &t, &u, &c))
    history_day_put(days, t, u, c);
  history_day_put(days, w->s->read_at, w->s->used_now, w->s->capacity_now);
  return 0;
}

/* --- levels beside the main numbers ----------------------------------------------------------- */

static int follow_rows(struct work *w, struct found *f, bool first, double **out)
{
  char metric[PROM_NAME_SIZE];
  struct history *h = w->job->history;
  struct prom_matrix *m = &w->job->rows;
  struct prom_query q = query_of(w, f->role, metric);
  int rc = first ? read_rows(w, f->role, w->s->observed_at, FOLLOWED_ROWS - 2)
                 : prom_rows_and_rest(&q, "avg", w->from, w->to, w->step, m, w->err);
  if (rc < 0)
    return rc;
  if (first)
    begin_rows(w);
  double *row = history_follow(h);
  const struct prom_series *s = prom_matrix_find(m, f->label);
  for (size_t i = 0; row != NULL && s != NULL && i < s->n; i++) {
    int64_t ahead = m->time_ms[s->first + i] / 1000 - (h->time[0] - h->step_s) - 1;
    int64_t at = h->n == 0 || ahead < 0 ? -1 : ahead / h->step_s;
    if (at >= 0 && (size_t)at < h->n)
      row[at] = m->value[s->first + i];
  }
  *out = row;
  return 0;
}

static void add_level(struct work *w, struct found *f, const double *values)
{
  struct prom_job *job = w->job;
  size_t n = w->s->n_levels++;
  snprintf(job->level_name[n], sizeof(job->level_name[n]), "%s", f->name);
  job->level[n] = (struct series_level){job->level_name[n], f->now, values};
  f->done = true;
}

static int read_levels(struct work *w)
{
  struct history *h = w->job->history;
  int64_t newest = INT64_MIN;
  int rc = 0;
  for (size_t i = 0; i < w->n_found && rc == 0; i++) {
    struct found *f = &w->found[i];
    double *values = NULL;
    if (f->done || f->role->use != RRD_FOLLOWED)
      continue;
    rc = follow_rows(w, f, w->s->unit == NULL && h->n_followed == 0, &values);
    newest = f->at > newest ? f->at : newest;
    add_level(w, f, values);
  }
  if (newest != INT64_MIN && history_append(h, newest, NAN, NAN))
    for (size_t i = 0, k = 0; i < w->s->n_levels; i++)
      if (w->job->level[i].values != NULL)
        h->followed[k++][h->n - 1] = w->job->level[i].now;
  for (size_t i = 0; i < w->n_found; i++)
    if (!w->found[i].done)
      add_level(w, &w->found[i], NULL);
  w->s->levels = w->job->level;
  return rc;
}

/* --- the whole -------------------------------------------------------------------------------- */

static int load(struct work *w)
{
  struct series *s = w->s;
  struct history *h = w->job->history;
  struct prom_measure measure = {.newest = INT64_MIN};
  h->n = h->n_followed = 0;
  int rc = find_levels(w);
  if (rc == 0)
    rc = prom_measure_find(w->job, w->d, w->wanted, &measure, w->err);
  if (rc < 0)
    return rc;
  if (measure.newest > s->observed_at)
    s->observed_at = measure.newest;
  if (s->observed_at == INT64_MIN)
    return 0; /* nothing up to that time */
  struct found *used = first_of(w, RRD_USED, NULL);
  struct found *limit = first_of(w, RRD_CAPACITY, used);
  if (limit == NULL && used != NULL)
    limit = first_of(w, RRD_FREE, used);
  const struct found *main = used != NULL ? used : limit;
  if (main != NULL)
    rc = read_space(w, main, used, limit);
  if (rc == 0)
    rc = read_levels(w);
  if (rc == 0 && measure.role != NULL)
    rc = prom_measure_load(w->job, w->d, &measure, s->observed_at, &s->maxima, w->err);
  else if (rc == 0)
    history_days(h, s->observed_at, &s->maxima);
  if (rc == 0 && main != NULL)
    rc = read_days(w, main, used, limit);
  history_rows(h, s);
  for (size_t i = 0; i < s->n_levels; i++)
    if (w->job->level[i].values != NULL)
      w->job->level[i].values += s->time - h->time;
  return rc;
}

int prom_device_load(struct prom_job *job, const struct prom_device *d,
                     const struct prom_wanted *wanted, struct series *s, struct tm_error *err)
{
  struct work *w = calloc(1, sizeof(*w));
  if (w == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  w->job = job;
  w->d = d;
  w->wanted = wanted;
  w->s = s;
  w->err = err;
  int rc = load(w);
  free(w);
  return rc;
}
