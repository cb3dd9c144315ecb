/* SPDX-License-Identifier: MIT */
#include "analyzer/source/prometheus_measure.h"

#include "analyzer/source/prometheus_name.h"
#include "common/clock.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define UNIT_S    PROM_UNIT_S
#define HOUR_S    3600
#define FINE_DAYS 61 /* of rows of a unit interval; of an hour before them */

/* --- the newest samples ----------------------------------------------------------------------- */

static int64_t latest_s(const struct prom_matrix *m)
{
  int64_t latest = INT64_MIN;
  for (size_t i = 0; i < m->n; i++)
    for (size_t k = m->series[i].n; k-- > 0;)
      if (!isnan(m->value[m->series[i].first + k])) {
        int64_t t = m->time_ms[m->series[i].first + k] / 1000;
        latest = t > latest ? t : latest;
        break;
      }
  return latest;
}

int prom_newest(const struct prom_query *q, const struct prom_wanted *wanted, struct prom_matrix *m,
                struct tm_error *err)
{
  int rc = prom_raw(q, wanted->until, HOUR_S, m, err);
  if (rc < 0 || latest_s(m) != INT64_MIN)
    return rc;
  rc = prom_raw(q, wanted->until, TM_DAY, m, err);
  if (rc < 0 || latest_s(m) != INT64_MIN)
    return rc;
  rc = prom_rows(q, "last", wanted->until - wanted->history_s, wanted->until, TM_DAY, m, err);
  int64_t day = rc == 0 ? latest_s(m) : INT64_MIN;
  if (day != INT64_MIN)
    rc = prom_raw(q, day, TM_DAY, m, err);
  return rc;
}

/* --- what is measured ------------------------------------------------------------------------- */

static struct prom_query query_of(struct prom_job *job, const struct prom_device *d,
                                  const struct rrd_role *role, const char *ds,
                                  char metric[PROM_NAME_SIZE])
{
  return (struct prom_query){.client = &job->client,
                             .device = d,
                             .metric = prom_metric(metric, d->recipe, role, ds),
                             .instance = prom_type_instance(role)};
}

static int64_t common_divisor(int64_t a, int64_t b)
{
  while (b != 0) {
    int64_t rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

/* The unit interval of counts. Their samples stand at its borders where they came with collectd's
 * time; a scrape that is slower than the interval sees a part of them only, so that the samples'
 * distance may be a multiple of it. */
static void find_interval(struct prom_measure *m, const struct prom_matrix *raw)
{
  const struct prom_series *s = &raw->series[0];
  int64_t distance_ms = 0;
  for (size_t i = s->first + 1; i < s->first + s->n; i++)
    distance_ms = common_divisor(raw->time_ms[i] - raw->time_ms[i - 1], distance_ms);
  m->interval_s = UNIT_S;
  if (distance_ms >= 1000 && distance_ms % 1000 == 0 && UNIT_S % (distance_ms / 1000) == 0)
    m->interval_s = distance_ms / 1000;
  m->at_border = s->n > 0 && raw->time_ms[s->first] % (m->interval_s * 1000) == 0 &&
                 distance_ms % (m->interval_s * 1000) == 0;
}

int prom_measure_find(struct prom_job *job, const struct prom_device *d,
                      const struct prom_wanted *wanted, struct prom_measure *m,
                      struct tm_error *err)
{
  char metric[PROM_NAME_SIZE];
  *m = (struct prom_measure){.newest = INT64_MIN, .interval_s = 1};
  for (int pass = 0; pass < 2; pass++)
    for (const struct rrd_role *role = d->recipe->roles; role->file != NULL; role++) {
      if (role->use != (pass == 0 ? RRD_COUNT : RRD_RATE))
        continue;
      struct prom_query q = query_of(job, d, role, role->ds, metric);
      int rc = prom_newest(&q, wanted, &job->newest, err);
      if (rc < 0)
        return rc;
      m->newest = latest_s(&job->newest);
      if (m->newest == INT64_MIN)
        continue;
      m->role = role;
      if (role->use == RRD_COUNT)
        find_interval(m, &job->newest);
      return 0;
    }
  return 0;
}

/* --- its rows --------------------------------------------------------------------------------- */

/* A stretch of rows without gaps in memory: unknown ones are NAN. */
struct stretch {
  int64_t end; /* of the first row */
  int64_t span;
  size_t n;
  double *row;   /* what is handed on */
  double *other; /* of the other data source */
  double *value; /* of a counter at the end of each row */
};

static int open_stretch(struct prom_job *job, struct stretch *s, int64_t from, int64_t to,
                        int64_t span)
{
  int64_t end = from - from % span + span;
  int64_t last = to - to % span;
  *s = (struct stretch){.end = end, .span = span};
  s->n = last < end ? 0 : (size_t)((last - end) / span) + 1;
  if (s->n > PROM_MAX_ROWS)
    return -EFBIG;
  s->row = job->dense;
  s->other = job->dense + s->n;
  s->value = job->dense + 2 * s->n;
  return 0;
}

static void spread(const struct stretch *s, const struct prom_matrix *m, double *out)
{
  for (size_t i = 0; i < s->n; i++)
    out[i] = NAN;
  for (size_t i = 0; m->n > 0 && i < m->series[0].n; i++) {
    int64_t at = (m->time_ms[m->series[0].first + i] / 1000 - s->end) / s->span;
    if (at >= 0 && (size_t)at < s->n)
      out[at] = m->value[m->series[0].first + i];
  }
}

/* The rates between the readings of a counter; what begins anew is unknown, and so is what lies
 * between readings that are far apart. */
static void differ(const struct stretch *s, double *out)
{
  int64_t reach = s->span > HOUR_S / 3 ? 3 * s->span : HOUR_S;
  size_t before = s->n; /* the last known reading; n: none yet */
  for (size_t i = 0; i < s->n; i++) {
    out[i] = NAN;
    if (isnan(s->value[i]))
      continue;
    int64_t seconds = before < s->n ? (int64_t)(i - before) * s->span : 0;
    double rise = before < s->n ? s->value[i] - s->value[before] : NAN;
    if (rise >= 0 && seconds <= reach)
      for (size_t k = before + 1; k <= i; k++)
        out[k] = rise / (double)seconds;
    before = i;
  }
}

struct part {
  struct prom_job *job;
  const struct prom_device *d;
  const struct prom_measure *m;
  int64_t from;
  int64_t to;
  int64_t span;
};

/* One data source over the stretch. */
static int read_source(const struct part *p, const struct stretch *s, const char *ds,
                       const char *function, double *out, struct tm_error *err)
{
  char metric[PROM_NAME_SIZE];
  bool counter = prom_is_counter(p->m->role);
  struct prom_query q = query_of(p->job, p->d, p->m->role, ds, metric);
  int rc = prom_rows(&q, counter ? "last" : function, s->end - s->span, p->to, p->span,
                     &p->job->rows, err);
  if (rc < 0)
    return rc;
  spread(s, &p->job->rows, counter ? s->value : out);
  if (counter)
    differ(s, out);
  return 0;
}

/* Rows by one function for one use. */
static int read_rows(const struct part *p, const char *function, unsigned use, struct tm_error *err)
{
  struct stretch s;
  const struct rrd_role *role = p->m->role;
  /* The first rate needs the reading before it. */
  size_t lead = prom_is_counter(role) ? 1 : 0;
  int rc = open_stretch(p->job, &s, p->from - (int64_t)lead * p->span, p->to, p->span);
  if (rc < 0)
    return tm_fail(err, rc, "%s/%s: too many rows", p->d->name.host, p->d->name.folder);
  rc = read_source(p, &s, role->ds, function, s.row, err);
  if (rc == 0 && role->ds2 != NULL)
    rc = read_source(p, &s, role->ds2, function, s.other, err);
  if (rc < 0)
    return rc;
  for (size_t i = 0; i < s.n; i++) {
    double a = s.row[i];
    if (role->pick == RRD_COMPLEMENT)
      s.row[i] = 100 - a;
    else if (role->ds2 != NULL && !(a > s.other[i] || isnan(s.other[i])))
      s.row[i] = s.other[i];
  }
  if (s.n > lead)
    maxima_rows(p->job->history->build, use, s.end + (int64_t)lead * s.span, s.span, s.row + lead,
                s.n - lead, 1);
  return 0;
}

/* Rows of one length: peaks and means are the same where a row has one value alone. */
static int read_part(const struct part *p, struct tm_error *err)
{
  const struct rrd_role *role = p->m->role;
  if (p->from >= p->to)
    return 0;
  if (prom_is_counter(role) || (role->use == RRD_COUNT && p->span <= p->m->interval_s))
    return read_rows(p, "max", MAXIMA_FOR_MAX | MAXIMA_FOR_MEAN, err);
  int rc = read_rows(p, role->pick == RRD_COMPLEMENT ? "min" : "max", MAXIMA_FOR_MAX, err);
  return rc < 0 ? rc : read_rows(p, "avg", MAXIMA_FOR_MEAN, err);
}

int prom_measure_load(struct prom_job *job, const struct prom_device *d,
                      const struct prom_measure *m, int64_t observed_at, struct maxima *out,
                      struct tm_error *err)
{
  struct history *h = job->history;
  size_t n = h->n_days;
  const int64_t *border = days_until(&h->days, observed_at - 1, n);
  /* The maximum of an hour can be asked for, but not that of a counter's rates: all of them are
   * taken from short rows, or the load would seem to rise where the rows become shorter. */
  bool fine_only = n <= FINE_DAYS || prom_is_counter(m->role);
  int64_t seam = border[fine_only ? 0 : n - FINE_DAYS];
  bool count = m->role->use == RRD_COUNT;
  *out = (struct maxima){.source = count ? MAXIMA_COUNT : MAXIMA_RATE,
                         .unit = m->role->unit,
                         .interval_s = m->interval_s,
                         .n = n,
                         .day = h->day};
  int64_t fine = count && m->interval_s > UNIT_S ? m->interval_s : UNIT_S;
  struct part older = {job, d, m, border[0], seam < m->newest ? seam : m->newest, HOUR_S};
  struct part recent = {job, d, m, seam, m->newest, fine};
  /* What has come since the last whole row. */
  int64_t whole = m->newest - m->newest % fine;
  struct part last = {job, d, m, whole > seam ? whole : seam, m->newest, m->interval_s};
  maxima_begin(h->build, h->day, border, n, out->source, out->interval_s);
  int rc = read_part(&older, err);
  if (rc == 0)
    rc = read_part(&recent, err);
  if (rc == 0 && count && m->interval_s < fine)
    rc = read_part(&last, err);
  maxima_end(h->build);
  for (size_t i = 0; i < n && !m->at_border; i++)
    h->day[i].exact = false;
  return rc;
}
