/* SPDX-License-Identifier: MIT */
#include "analyzer/source/rrd_reader.h"
#include "analyzer/source/rrd_settings.h"

#include <errno.h>
#include <math.h>

#define WINDOW_DAYS  30 /* of one and the same archive, so that days of a rate compare */
#define MAX_STITCHES 32

/* One use of the rows of one archive. */
struct measure {
  struct rrd_reader *r;
  enum rrd_pick pick;
  unsigned use;
  size_t ds;
  size_t ds2;
  int64_t first_known;
  rrd_choose_fn *choose;
  struct rrd_measure_visit *visit;
};

static void feed(struct measure *m, int64_t end, int64_t span, const double *v, size_t n,
                 size_t stride)
{
  for (size_t i = 0; m->first_known == INT64_MAX && i < n; i++)
    if (!isnan(v[i * stride]))
      m->first_known = end + (int64_t)i * span - span;
  maxima_rows(m->r->maxima, m->use, end, span, v, n, stride);
}

/* v points to the first data source of the first row. */
static void measure_rows(void *ctx, int64_t end, int64_t span, const double *v, size_t n,
                         size_t stride)
{
  struct measure *m = ctx;
  double made[512];
  if (m->pick == RRD_PLAIN) {
    feed(m, end, span, v + m->ds, n, stride);
    return;
  }
  while (n > 0) {
    size_t part = n < sizeof(made) / sizeof(made[0]) ? n : sizeof(made) / sizeof(made[0]);
    for (size_t i = 0; i < part; i++, v += stride) {
      double a = v[m->ds];
      double b = v[m->ds2];
      made[i] = m->pick == RRD_COMPLEMENT ? 100 - a : (a > b || isnan(b) ? a : b);
    }
    feed(m, end, span, made, part, 1);
    n -= part;
    end += (int64_t)part * span;
  }
}

/* The archives behind maxima: of what is left when idle is taken away, the minima. */
static int peak_archive(const struct rrd_file *f, int64_t from)
{
  int a = rrd_file_archive(f, RRD_CF_MAX, from);
  return a >= 0 ? a : rrd_file_archive(f, RRD_CF_AVERAGE, from);
}

static int trough_archive(const struct rrd_file *f, int64_t from)
{
  int a = rrd_file_archive(f, RRD_CF_MIN, from);
  return a >= 0 ? a : rrd_file_archive(f, RRD_CF_AVERAGE, from);
}

static int same_span(const struct rrd_file *f, enum rrd_cf cf, int64_t span)
{
  int best = -1;
  for (size_t i = 0; i < f->shape.n_archives; i++) {
    const struct rrd_archive *a = &f->archive[i];
    if (a->cf == cf && a->span == span && (best < 0 || a->rows > f->archive[best].rows))
      best = (int)i;
  }
  return best;
}

/* Peaks of one stretch of time and, where they are wanted, means, each from its own archive of the
 * same row length. */
static int measure_stretch(struct rrd_file *f, struct measure *m, size_t archive, int64_t after,
                           int64_t to, struct tm_error *err)
{
  const struct rrd_archive *a = &f->archive[archive];
  int mean = -1;
  if (!m->r->wanted.maxima_only)
    mean = a->span == f->step || a->cf == RRD_CF_AVERAGE ? (int)archive
                                                         : same_span(f, RRD_CF_AVERAGE, a->span);
  m->use = MAXIMA_FOR_MAX | (mean == (int)archive ? MAXIMA_FOR_MEAN : 0);
  int rc = rrd_file_rows(f, archive, 0, after, to, measure_rows, m, err);
  m->use = MAXIMA_FOR_MEAN;
  if (rc == 0 && mean >= 0 && mean != (int)archive)
    rc = rrd_file_rows(f, (size_t)mean, 0, after, to, measure_rows, m, err);
  return rc;
}

static void begin_days(const struct rrd_measure_visit *v, const int64_t *border)
{
  maxima_begin(v->r->maxima, v->r->day, border, v->result.n, v->result.source,
               v->result.interval_s);
}

/* Counts: at each time the finest rows that there are, for they alone may be exact. Stretches are
 * gathered from the newest back and read in order of time. */
static int measure_counts(struct rrd_file *f, struct measure *m, int64_t from, int64_t to,
                          struct tm_error *err)
{
  struct stitch {
    size_t archive;
    int64_t after, to;
  } stitch[MAX_STITCHES];
  size_t n = 0;
  int64_t open = to; /* not covered yet: everything up to here */
  while (n < MAX_STITCHES && open > from) {
    int best = m->choose(f, open - 1);
    if (best < 0 || rrd_archive_start(&f->archive[best]) >= open)
      break;
    const struct rrd_archive *a = &f->archive[best];
    int64_t start = rrd_archive_start(a) > from ? rrd_archive_start(a) : from;
    /* The row across the seam is taken too, rather than leave a gap. */
    int64_t last = n == 0 ? to : open + a->span - 1;
    stitch[n++] = (struct stitch){(size_t)best, start, last};
    open = start;
  }
  int rc = 0;
  while (rc == 0 && n-- > 0)
    rc = measure_stretch(f, m, stitch[n].archive, stitch[n].after, stitch[n].to, err);
  return rc;
}

/* Days before the window of recent ones, from the finest archive that reaches back to them. Returns
 * by *seam from when on the recent archive is to be read. */
static int measure_older(struct rrd_file *f, struct measure *m, int recent, const int64_t *border,
                         int64_t window, int64_t *seam, struct tm_error *err)
{
  size_t day = 0; /* the first one of the recent archive */
  while (border[day] < window && border[day] < rrd_archive_start(&f->archive[recent]))
    day++;
  int older = day == 0 ? recent : m->choose(f, border[0]);
  *seam = older == recent ? border[0] : border[day];
  return older == recent ? 0 : measure_stretch(f, m, (size_t)older, border[0], border[day], err);
}

/* Rates: one archive for the whole window of recent days, the finest that holds all of it that is
 * known. */
static int measure_rates(struct rrd_file *f, struct measure *m, const int64_t *border,
                         size_t n_days, int64_t to, struct tm_error *err)
{
  int64_t window = border[n_days > WINDOW_DAYS ? n_days - WINDOW_DAYS : 0];
  int64_t seam = border[0];
  int a = m->choose(f, window);
  int rc = a < 0 ? 0 : measure_older(f, m, a, border, window, &seam, err);
  while (a >= 0 && rc == 0) {
    rc = measure_stretch(f, m, (size_t)a, seam, to, err);
    int64_t reach;
    a = rrd_finer_archive(f, a, m->first_known, window, m->choose, &reach);
    if (a >= 0) { /* what was read is what finer rows tell better */
      begin_days(m->visit, border);
      m->first_known = INT64_MAX;
    }
  }
  return rc;
}

static int64_t unit_interval(const struct rrd_reader *r, const struct rrd_file *f)
{
  return r->wanted.interval_s > 0 ? r->wanted.interval_s : rrd_settings_interval(f);
}

static int find_sources(const struct rrd_file *f, const struct rrd_role *role, struct measure *m,
                        struct tm_error *err)
{
  const char *const names[2] = {role->ds, role->ds2};
  size_t *const at[2] = {&m->ds, &m->ds2};
  for (int i = 0; i < 2; i++) {
    int found = names[i] == NULL ? 0 : rrd_file_find(f, names[i]);
    if (found < 0)
      return tm_fail(err, -EBADMSG, "%s/%s: has no data source '%s'", f->folder, f->name, names[i]);
    *at[i] = (size_t)found;
  }
  return 0;
}

int rrd_measure_visit(struct rrd_file *f, void *ctx, struct tm_error *err)
{
  struct rrd_measure_visit *v = ctx;
  struct rrd_reader *r = v->r;
  bool trough = v->role->pick == RRD_COMPLEMENT;
  struct measure m = {.r = r,
                      .visit = v,
                      .pick = v->role->pick,
                      .first_known = INT64_MAX,
                      .choose = trough ? trough_archive : peak_archive};
  int rc = find_sources(f, v->role, &m, err);
  if (rc < 0)
    return rc;
  int64_t to = rrd_until(r, f);
  size_t n = r->wanted.days;
  v->newest = to > r->observed_at ? to : r->observed_at;
  const int64_t *border = days_until(&r->days, v->newest - 1, n);
  bool count = v->role->use == RRD_COUNT;
  v->result = (struct maxima){.source = count ? MAXIMA_COUNT : MAXIMA_RATE,
                              .unit = v->role->unit,
                              .interval_s = count ? unit_interval(r, f) : 1,
                              .n = n,
                              .day = r->day};
  begin_days(v, border);
  rc = count ? measure_counts(f, &m, border[0], to, err) : measure_rates(f, &m, border, n, to, err);
  maxima_end(r->maxima);
  return rc;
}
