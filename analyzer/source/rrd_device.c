/* SPDX-License-Identifier: MIT */
#include "analyzer/source/rrd_device.h"

#include "analyzer/days.h"
#include "analyzer/maxima.h"
#include "analyzer/source/rrd.h"
#include "analyzer/source/rrd_file.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_FILES     128 /* of one device that have a role */
#define MAX_FOLLOWED  16
#define FOLLOWED_ROWS 1024 /* rows where levels are followed: supplies need no more */
#define WINDOW_DAYS   30   /* of one and the same archive, so that days of a rate compare */
#define NAME_SIZE     256
#define MAX_STITCHES  32
#define LISTING_SIZE  16384

struct found {
  const struct rrd_role *role;
  bool done; /* read, or refused */
  char name[NAME_SIZE];
};

/* The rows that all values of a device share. */
struct grid {
  bool set;
  int64_t reach; /* what was asked of the archive */
  int64_t first; /* end of row 0 */
  int64_t step;
  size_t n;
};

struct rrd_reader {
  struct rrd_wanted wanted;
  struct days days;
  struct maxima_build *maxima;
  struct maxima_day day[RRD_MAX_DAYS];
  struct grid grid;
  size_t max_rows;
  int64_t followed_at; /* the newest reading of any of the levels that are followed */
  int64_t observed_at;
  const char *unit;
  int64_t time[SERIES_MAX_ROWS + 1];
  double used[SERIES_MAX_ROWS + 1];
  double capacity[SERIES_MAX_ROWS + 1];
  double followed[MAX_FOLLOWED][FOLLOWED_ROWS + 1];
  struct series_level level[MAX_FILES];
  size_t n_levels;
  size_t n_followed;
  uint32_t weight[SERIES_MAX_ROWS + 1];
  struct found found[MAX_FILES];
  size_t n_found;
  char listing[LISTING_SIZE] __attribute__((aligned(16)));
  struct rrd_file file;
};

struct rrd_reader *rrd_reader_new(const struct rrd_wanted *wanted)
{
  struct rrd_reader *r = malloc(sizeof(*r));
  if (r == NULL)
    return NULL;
  r->wanted = *wanted;
  r->maxima = maxima_build_new();
  if (r->maxima == NULL) {
    free(r);
    return NULL;
  }
  days_init(&r->days);
  rrd_file_init(&r->file);
  return r;
}

void rrd_reader_free(struct rrd_reader *r)
{
  if (r == NULL)
    return;
  rrd_file_release(&r->file);
  maxima_build_free(r->maxima);
  free(r);
}

static int64_t until(const struct rrd_reader *r, const struct rrd_file *f)
{
  int64_t as_of = r->wanted.as_of;
  return as_of != INT64_MIN && as_of < f->last_update ? as_of : f->last_update;
}

static void observe(struct rrd_reader *r, int64_t t)
{
  if (t > r->observed_at)
    r->observed_at = t;
}

/* --- values of rows: the history of levels ------------------------------------------------- */

struct fill {
  const struct grid *grid;
  double *out;
  uint32_t *weight;    /* NULL: one row of the archive is one row of the grid */
  int64_t first_known; /* the start of the first known row; INT64_MAX: none */
};

static void fill_rows(void *ctx, int64_t end, int64_t span, const double *v, size_t n,
                      size_t stride)
{
  struct fill *w = ctx;
  for (size_t i = 0; w->first_known == INT64_MAX && i < n; i++)
    if (!isnan(v[i * stride]))
      w->first_known = end + (int64_t)i * span - span;
  const struct grid *g = w->grid;
  if (w->weight == NULL) {
    int64_t at = (end - g->first) / g->step;
    size_t i = at < 0 ? (size_t)-at : 0;
    for (; i < n && (size_t)(at + (int64_t)i) < g->n; i++)
      w->out[at + (int64_t)i] = v[i * stride];
    return;
  }
  for (size_t i = 0; i < n; i++, end += span) {
    int64_t ahead = end - (g->first - g->step) - 1;
    size_t at = (size_t)(ahead / g->step);
    double x = v[i * stride];
    if (ahead >= 0 && at < g->n && !isnan(x)) {
      w->out[at] += x;
      w->weight[at]++;
    }
  }
}

/* The grid that the rows of this archive fill, thinned out to no more than max_rows. */
static void set_grid(struct rrd_reader *r, const struct rrd_archive *a, int64_t reach, int64_t from,
                     int64_t to)
{
  static const int64_t steps[] = {3600,  7200,  10800, 14400,  21600,
                                  28800, 43200, 86400, 172800, 604800};
  int64_t oldest = a->newest - (int64_t)a->rows * a->span;
  int64_t begin = from > oldest ? from : oldest;
  int64_t step = a->span;
  for (size_t i = 0; (to - begin) / step + 2 > (int64_t)r->max_rows; i++) {
    if (i == sizeof(steps) / sizeof(steps[0])) {
      step = (to - begin) / (int64_t)(r->max_rows - 2) + 1;
      break;
    }
    if (steps[i] > a->span)
      step = steps[i];
  }
  struct grid *g = &r->grid;
  g->set = true;
  g->reach = reach;
  g->step = step;
  g->first = begin - begin % step + step;
  int64_t last = step == a->span ? to - to % step : to + (step - to % step) % step;
  g->n = last < g->first ? 0 : (size_t)((last - g->first) / step) + 1;
}

/* Reads one archive's rows into out[0..grid.n). Returns by first_known when anything is known. */
static int fill_from(struct rrd_reader *r, struct rrd_file *f, size_t archive, size_t ds,
                     double *out, int64_t *first_known, struct tm_error *err)
{
  const struct grid *g = &r->grid;
  bool mean = f->archive[archive].span != g->step;
  struct fill w = {.grid = g, .out = out, .weight = mean ? r->weight : NULL};
  w.first_known = INT64_MAX;
  for (size_t i = 0; i < g->n; i++)
    out[i] = mean ? 0 : NAN;
  if (mean)
    memset(r->weight, 0, g->n * sizeof(r->weight[0]));
  int rc = rrd_file_rows(f, archive, ds, g->first - g->step, until(r, f), fill_rows, &w, err);
  for (size_t i = 0; mean && i < g->n; i++)
    out[i] = r->weight[i] > 0 ? out[i] / r->weight[i] : NAN;
  *first_known = w.first_known;
  return rc;
}

/* Where history begins as seen from an archive: where its first known row does; or, when it knows
 * nothing yet, within its last row. */
static int64_t reach_of(const struct rrd_archive *a, int64_t first_known)
{
  return first_known != INT64_MAX ? first_known : a->newest - a->span;
}

/* A finer archive that holds all that is known, seen from this one; -1: there is none. */
static int finer_archive(const struct rrd_file *f, int archive, int64_t first_known, int64_t from,
                         int (*choose)(const struct rrd_file *f, int64_t from))
{
  int64_t reach = reach_of(&f->archive[archive], first_known);
  int finer = reach > from ? choose(f, reach) : -1;
  return finer >= 0 && f->archive[finer].span < f->archive[archive].span ? finer : -1;
}

static int level_archive(const struct rrd_file *f, int64_t from)
{
  int a = rrd_file_archive(f, RRD_CF_AVERAGE, from);
  if (a < 0)
    a = rrd_file_archive(f, RRD_CF_LAST, from);
  if (a < 0)
    a = rrd_file_archive(f, RRD_CF_MAX, from);
  return a;
}

/* The first file decides on the grid: the finest archive that holds all that is known, found by
 * looking at coarser ones. */
static int fill_first(struct rrd_reader *r, struct rrd_file *f, size_t ds, double *out,
                      struct tm_error *err)
{
  int64_t to = until(r, f);
  int64_t reach = to - (int64_t)r->wanted.history_days * TM_DAY;
  int64_t from = to - (int64_t)r->wanted.read_days * TM_DAY;
  int a = level_archive(f, reach);
  int rc = 0;
  while (a >= 0 && rc == 0) {
    int64_t known = INT64_MAX;
    set_grid(r, &f->archive[a], reach, from, to);
    rc = fill_from(r, f, (size_t)a, ds, out, &known, err);
    int finer = finer_archive(f, a, known, from, level_archive);
    if (finer >= 0)
      reach = from = reach_of(&f->archive[a], known);
    a = finer;
  }
  return rc;
}

/* The newest value as of a moment before the last update: the last row that is known then. */
struct last_row {
  int64_t end;
  double value;
};

static void take_last(void *ctx, int64_t end, int64_t span, const double *v, size_t n,
                      size_t stride)
{
  struct last_row *last = ctx;
  last->end = end + (int64_t)(n - 1) * span;
  last->value = v[(n - 1) * stride];
}

static int newest_value(struct rrd_reader *r, struct rrd_file *f, size_t ds, struct last_row *last,
                        struct tm_error *err)
{
  struct rrd_data_source source;
  last->end = until(r, f);
  last->value = NAN;
  if (last->end == f->last_update) {
    rrd_file_source(f, ds, &source);
    last->value = source.newest;
    if (strcmp(source.type, "GAUGE") == 0)
      return 0;
  }
  int a = level_archive(f, last->end - 1);
  if (a < 0)
    return 0;
  return rrd_file_rows(f, (size_t)a, ds, last->end - f->archive[a].span, last->end, take_last, last,
                       err);
}

struct level_visit {
  struct rrd_reader *r;
  const struct rrd_role *role;
  double *out; /* NULL: the newest value alone */
  bool first;  /* this file decides on the grid */
  struct last_row now;
};

static int visit_level(struct rrd_file *f, void *ctx, struct tm_error *err)
{
  struct level_visit *v = ctx;
  struct rrd_reader *r = v->r;
  int ds = v->role->ds == NULL ? 0 : rrd_file_find(f, v->role->ds);
  if (ds < 0)
    return tm_fail(err, -EBADMSG, "%s/%s: has no data source '%s'", f->folder, f->name,
                   v->role->ds);
  int rc = newest_value(r, f, (size_t)ds, &v->now, err);
  if (rc < 0 || v->out == NULL)
    return rc;
  if (v->first)
    return fill_first(r, f, (size_t)ds, v->out, err);
  int64_t known;
  int a = level_archive(f, r->grid.reach);
  return a < 0 ? 0 : fill_from(r, f, (size_t)a, (size_t)ds, v->out, &known, err);
}

/* --- measures: interval maxima ------------------------------------------------------------- */

struct measure_visit {
  struct rrd_reader *r;
  const struct rrd_role *role;
  int64_t newest;
  struct maxima result;
};

/* One use of the rows of one archive. */
struct measure {
  struct rrd_reader *r;
  enum rrd_pick pick;
  unsigned use;
  size_t ds;
  size_t ds2;
  int64_t first_known;
  int (*choose)(const struct rrd_file *f, int64_t from);
  struct measure_visit *visit;
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
  for (size_t i = 0; i < f->n_archives; i++) {
    const struct rrd_archive *a = &f->archive[i];
    if (a->cf == cf && a->span == span && (best < 0 || a->rows > f->archive[best].rows))
      best = (int)i;
  }
  return best;
}

/* Peaks and means of one stretch of time, each from its own archive of the same row length. */
static int measure_stretch(struct rrd_file *f, struct measure *m, size_t archive, int64_t after,
                           int64_t to, struct tm_error *err)
{
  const struct rrd_archive *a = &f->archive[archive];
  int mean = a->span == f->step || a->cf == RRD_CF_AVERAGE ? (int)archive
                                                           : same_span(f, RRD_CF_AVERAGE, a->span);
  m->use = MAXIMA_FOR_MAX | (mean == (int)archive ? MAXIMA_FOR_MEAN : 0);
  int rc = rrd_file_rows(f, archive, 0, after, to, measure_rows, m, err);
  m->use = MAXIMA_FOR_MEAN;
  if (rc == 0 && mean >= 0 && mean != (int)archive)
    rc = rrd_file_rows(f, (size_t)mean, 0, after, to, measure_rows, m, err);
  return rc;
}

static void begin_days(const struct measure_visit *v, const int64_t *border)
{
  maxima_begin(v->r->maxima, v->r->day, border, v->result.n, v->result.source,
               v->result.interval_s);
}

static int64_t start_of(const struct rrd_archive *a)
{
  return a->newest - (int64_t)a->rows * a->span;
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
    if (best < 0 || start_of(&f->archive[best]) >= open)
      break;
    const struct rrd_archive *a = &f->archive[best];
    int64_t start = start_of(a) > from ? start_of(a) : from;
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
  while (border[day] < window && border[day] < start_of(&f->archive[recent]))
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
    a = finer_archive(f, a, m->first_known, window, m->choose);
    if (a >= 0) { /* what was read is what finer rows tell better */
      begin_days(m->visit, border);
      m->first_known = INT64_MAX;
    }
  }
  return rc;
}

static int64_t unit_interval(const struct rrd_reader *r, const struct rrd_file *f)
{
  if (r->wanted.interval_s > 0)
    return r->wanted.interval_s;
  /* collectd makes the heartbeat twice the interval of the values, unless it is told otherwise. */
  struct rrd_data_source source;
  rrd_file_source(f, 0, &source);
  int64_t half = source.heartbeat / 2 < 7 * TM_DAY ? (int64_t)(source.heartbeat / 2) : 0;
  return half > f->step && half % f->step == 0 ? half : f->step;
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

static int visit_measure(struct rrd_file *f, void *ctx, struct tm_error *err)
{
  struct measure_visit *v = ctx;
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
  int64_t to = until(r, f);
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

/* --- the folder ---------------------------------------------------------------------------- */

struct work { /* one device */
  struct rrd_reader *r;
  int folder_fd;
  const char *folder;
  const struct rrd_watch *watch;
};

/* Visits one file. True when it was sound; if not, it was refused by name. */
static bool read_file(const struct work *w, const char *name, rrd_visit_fn *visit, void *ctx)
{
  struct tm_error err = {0};
  if (!w->watch->begin(w->watch->ctx, name))
    return false;
  int rc = rrd_file_visit(&w->r->file, w->folder_fd, w->folder, name, w->r->wanted.latest, visit,
                          ctx, &err);
  w->watch->end(w->watch->ctx);
  if (rc < 0)
    w->watch->refused(w->watch->ctx, err.text);
  return rc == 0;
}

static bool is_rrd(const char *name)
{
  size_t n = strlen(name);
  return n > 4 && strcmp(name + n - 4, ".rrd") == 0 && name[0] != '.';
}

/* Notes a file that has a role; the header of any other is checked, so that a damaged one is
 * named. */
static void meet_file(const struct work *w, const struct rrd_recipe *recipe, const char *name)
{
  struct rrd_reader *r = w->r;
  const struct rrd_role *role = rrd_recipe_role(recipe, name);
  size_t n = strlen(name);
  if (role == NULL || r->n_found == MAX_FILES || n >= NAME_SIZE) {
    read_file(w, name, NULL, NULL);
    return;
  }
  struct found *f = &r->found[r->n_found++];
  f->role = role;
  f->done = false;
  memcpy(f->name, name, n + 1);
}

static int list_folder(const struct work *w, const struct rrd_recipe *recipe)
{
  char *listing = w->r->listing;
  for (;;) {
    ssize_t n = getdents64(w->folder_fd, listing, LISTING_SIZE);
    if (n < 0)
      return -errno;
    if (n == 0)
      return 0;
    for (ssize_t at = 0; at < n;) {
      const struct dirent64 *e = (const struct dirent64 *)(const void *)(listing + at);
      at += e->d_reclen;
      if (is_rrd(e->d_name))
        meet_file(w, recipe, e->d_name);
    }
  }
}

static int by_name(const void *a, const void *b)
{
  return strcmp(((const struct found *)a)->name, ((const struct found *)b)->name);
}

static bool units_agree(const char *a, const char *b)
{
  return a == NULL || b == NULL || strcmp(a, b) == 0;
}

/* Reads the first sound file of this use, in the order of the recipe. NULL: there is none. */
static const struct rrd_role *read_use(const struct work *w, const struct rrd_recipe *recipe,
                                       enum rrd_use use, const char *unit, rrd_visit_fn *visit,
                                       void *ctx, const struct rrd_role **role_in_ctx)
{
  struct rrd_reader *r = w->r;
  for (const struct rrd_role *role = recipe->roles; role->file != NULL; role++) {
    if (role->use != use || !units_agree(unit, role->unit))
      continue;
    for (size_t i = 0; i < r->n_found; i++) {
      if (r->found[i].role != role || r->found[i].done)
        continue;
      r->found[i].done = true;
      *role_in_ctx = role;
      if (read_file(w, r->found[i].name, visit, ctx))
        return role;
    }
  }
  return NULL;
}

/* One of the two main values. Returns its newest reading; out is NAN where nothing is known. */
static struct last_row read_main(const struct work *w, const struct rrd_recipe *recipe,
                                 enum rrd_use use, double *out)
{
  struct rrd_reader *r = w->r;
  struct level_visit v = {.r = r, .out = out, .first = !r->grid.set};
  const struct rrd_role *role = read_use(w, recipe, use, r->unit, visit_level, &v, &v.role);
  if (role == NULL) {
    if (v.first)
      r->grid.set = false;
    for (size_t i = 0; i < r->grid.n; i++)
      out[i] = NAN;
    return (struct last_row){INT64_MIN, NAN};
  }
  if (role->unit != NULL)
    r->unit = role->unit;
  observe(r, v.now.end);
  return v.now;
}

/* A level beside the main numbers: everything of our own plugins that was not used above. */
static void read_level(const struct work *w, struct found *f)
{
  struct rrd_reader *r = w->r;
  bool follow =
      f->role->use == RRD_FOLLOWED && r->n_followed < MAX_FOLLOWED && r->grid.n <= FOLLOWED_ROWS;
  struct level_visit v = {.r = r,
                          .role = f->role,
                          .out = follow ? r->followed[r->n_followed] : NULL,
                          .first = follow && !r->grid.set};
  f->done = true;
  if (!read_file(w, f->name, visit_level, &v)) {
    if (v.first)
      r->grid.set = false;
    return;
  }
  f->name[strlen(f->name) - 4] = '\0';
  /* A device that has only levels has neither of the main values. */
  for (size_t i = 0; v.first && i < r->grid.n; i++)
    r->used[i] = r->capacity[i] = NAN;
  r->level[r->n_levels++] =
      (struct series_level){.name = f->name, .now = v.now.value, .values = v.out};
  if (follow)
    r->n_followed++;
  observe(r, v.now.end);
  if (follow && v.now.end > r->followed_at)
    r->followed_at = v.now.end;
}

static void read_levels(const struct work *w)
{
  struct rrd_reader *r = w->r;
  size_t rows = r->max_rows;
  r->max_rows = FOLLOWED_ROWS;
  for (size_t i = 0; i < r->n_found; i++)
    if (r->found[i].role->use == RRD_FOLLOWED && !r->found[i].done)
      read_level(w, &r->found[i]);
  r->max_rows = rows;
  for (size_t i = 0; i < r->n_found; i++) {
    if (r->found[i].done)
      continue;
    if (r->found[i].role->use == RRD_RATE)
      read_file(w, r->found[i].name, NULL, NULL);
    else
      read_level(w, &r->found[i]);
  }
}

/* Used and capacity as of the end of each day: the last row of the day that is known. */
static void fill_days(const struct series *s, struct maxima *m)
{
  size_t day = 0;
  for (size_t i = 0; i < s->n && day < m->n; i++) {
    while (day < m->n && s->time[i] > m->day[day].end)
      day++;
    if (day == m->n || s->time[i] <= m->day[day].start)
      continue;
    if (!isnan(s->used[i]))
      m->day[day].used = s->used[i];
    if (!isnan(s->capacity[i]))
      m->day[day].capacity = s->capacity[i];
  }
}

/* Rows from the first known one on, and the newest reading as the last one. */
static void finish_rows(struct rrd_reader *r, struct series *s, int64_t newest)
{
  struct grid *g = &r->grid;
  size_t n = g->set ? g->n : 0;
  size_t skip = 0;
  for (; skip < n; skip++) {
    bool told = !isnan(r->used[skip]) || !isnan(r->capacity[skip]);
    for (size_t k = 0; k < r->n_followed; k++)
      told = told || !isnan(r->followed[k][skip]);
    if (told)
      break;
  }
  for (size_t i = skip; i < n; i++)
    r->time[i] = g->first + (int64_t)i * g->step;
  bool known = !isnan(s->used_now) || !isnan(s->capacity_now) || r->followed_at == newest;
  bool beyond = known && newest != INT64_MIN && (n == skip || newest > r->time[n - 1]);
  if (g->set && beyond) {
    r->time[n] = newest;
    r->used[n] = s->used_now;
    r->capacity[n] = s->capacity_now;
    for (size_t k = 0, i = 0; k < r->n_levels; k++)
      if (r->level[k].values != NULL)
        r->followed[i++][n] = r->level[k].now;
    n++;
  }
  s->n = n - skip;
  s->step_s = s->n > 0 ? g->step : 0;
  s->time = r->time + skip;
  s->used = r->used + skip;
  s->capacity = r->capacity + skip;
  for (size_t k = 0; k < r->n_levels; k++)
    if (r->level[k].values != NULL)
      r->level[k].values += skip;
}

/* What fills up, and its limit. Returns the time of the newest reading. */
static int64_t read_space(const struct work *w, const struct rrd_recipe *recipe, struct series *s)
{
  struct rrd_reader *r = w->r;
  struct last_row used = read_main(w, recipe, RRD_USED, r->used);
  bool had_used = r->grid.set;
  struct last_row limit = read_main(w, recipe, RRD_CAPACITY, r->capacity);
  if (limit.end == INT64_MIN) {
    struct last_row rest = read_main(w, recipe, RRD_FREE, r->capacity);
    limit = (struct last_row){rest.end, used.value + rest.value};
    for (size_t i = 0; i < r->grid.n; i++)
      r->capacity[i] += had_used ? r->used[i] : NAN;
  }
  for (size_t i = 0; !had_used && i < r->grid.n; i++)
    r->used[i] = NAN;
  s->used_now = used.value;
  s->capacity_now = limit.value;
  return used.end > limit.end ? used.end : limit.end;
}

static void read_measure(const struct work *w, const struct rrd_recipe *recipe, struct series *s)
{
  struct rrd_reader *r = w->r;
  struct measure_visit v = {.r = r};
  const struct rrd_role *role = read_use(w, recipe, RRD_COUNT, NULL, visit_measure, &v, &v.role);
  if (role == NULL)
    role = read_use(w, recipe, RRD_RATE, NULL, visit_measure, &v, &v.role);
  if (role != NULL) {
    observe(r, v.newest);
    s->maxima = v.result;
    return;
  }
  s->maxima = (struct maxima){.source = MAXIMA_NONE, .day = r->day};
}

/* Days of a device without a measure: for used and capacity. */
static void make_days(struct rrd_reader *r, struct maxima *m)
{
  if (m->source != MAXIMA_NONE || r->observed_at == INT64_MIN)
    return;
  m->n = r->wanted.days;
  maxima_begin(r->maxima, r->day, days_until(&r->days, r->observed_at - 1, m->n), m->n, MAXIMA_NONE,
               1);
}

void rrd_reader_load(struct rrd_reader *r, int folder_fd, const char *folder, const char *only,
                     const struct rrd_recipe *recipe, const struct rrd_watch *watch,
                     struct series *s)
{
  struct work w = {r, folder_fd, folder, watch};
  r->grid = (struct grid){0};
  r->max_rows = SERIES_MAX_ROWS;
  r->n_found = r->n_levels = r->n_followed = 0;
  r->observed_at = r->followed_at = INT64_MIN;
  r->unit = NULL;
  *s = (struct series){.kind = recipe->kind, .used_now = NAN, .capacity_now = NAN};
  int rc = 0;
  if (only != NULL)
    meet_file(&w, recipe, only);
  else
    rc = list_folder(&w, recipe);
  if (rc < 0) {
    struct tm_error err;
    tm_fail(&err, rc, "%s: %s", folder, strerror(-rc));
    watch->refused(watch->ctx, err.text);
  }
  if (r->n_found > 1)
    qsort(r->found, r->n_found, sizeof(r->found[0]), by_name);
  int64_t newest = read_space(&w, recipe, s);
  read_measure(&w, recipe, s);
  read_levels(&w);
  make_days(r, &s->maxima);
  finish_rows(r, s, newest > r->followed_at ? newest : r->followed_at);
  fill_days(s, &s->maxima);
  s->unit = r->unit;
  s->observed_at = r->observed_at;
  s->levels = r->level;
  s->n_levels = r->n_levels;
}
