/* SPDX-License-Identifier: MIT */
#include "analyzer/source/rrd_reader.h"

#include <errno.h>
#include <math.h>
#include <string.h>

struct fill {
  const struct rrd_grid *grid;
  double *out;
  uint32_t *weight;      /* NULL: one row of the archive is one row of the grid */
  int64_t first_known;   /* the start of the first known row; INT64_MAX: none */
  const int64_t *border; /* of the days */
  size_t n_days;
  double *day; /* NULL: not wanted */
};

/* The last known value of each day; a row belongs to the day in which it ends. */
static void fill_days(const struct fill *w, int64_t end, int64_t span, const double *v, size_t n,
                      size_t stride)
{
  int64_t oldest = end - 1;
  int64_t newest = end - 1 + (int64_t)(n - 1) * span;
  for (size_t d = w->n_days; d-- > 0 && w->border[d + 1] > oldest;) {
    if (w->border[d] > newest)
      continue;
    int64_t last = w->border[d + 1] - 1 < newest ? w->border[d + 1] - 1 : newest;
    for (int64_t i = (last - oldest) / span; i >= 0 && oldest + i * span >= w->border[d]; i--) {
      if (isnan(v[(size_t)i * stride]))
        continue;
      w->day[d] = v[(size_t)i * stride];
      break;
    }
  }
}

static void fill_rows(void *ctx, int64_t end, int64_t span, const double *v, size_t n,
                      size_t stride)
{
  struct fill *w = ctx;
  const struct rrd_grid *g = w->grid;
  for (size_t i = 0; w->first_known == INT64_MAX && i < n; i++)
    if (!isnan(v[i * stride]))
      w->first_known = end + (int64_t)i * span - span;
  if (w->day != NULL)
    fill_days(w, end, span, v, n, stride);
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

/* The length of the rows of the grid: those of the archive, or longer, where there are too many. */
static int64_t grid_step(const struct rrd_reader *r, int64_t span, int64_t length)
{
  static const int64_t steps[] = {3600,  7200,  10800, 14400,  21600,
                                  28800, 43200, 86400, 172800, 604800};
  int64_t room = (int64_t)r->max_rows - 2;
  int64_t step = span;
  for (size_t i = 0; length / step > room; i++) {
    if (i == sizeof(steps) / sizeof(steps[0]))
      return length / room + 1;
    if (steps[i] > span)
      step = steps[i];
  }
  return step;
}

static void set_grid(struct rrd_reader *r, const struct rrd_archive *a, int64_t reach, int64_t from,
                     int64_t to)
{
  int64_t oldest = rrd_archive_start(a);
  int64_t begin = from > oldest ? from : oldest;
  struct rrd_grid *g = &r->grid;
  int64_t step = grid_step(r, a->span, to - begin);
  g->set = true;
  g->reach = reach;
  g->step = step;
  g->first = begin - begin % step + step;
  int64_t last = step == a->span ? to - to % step : to + (step - to % step) % step;
  g->n = last < g->first ? 0 : (size_t)((last - g->first) / step) + 1;
}

/* Reads one archive's rows into out[0..grid.n), and days. */
static int fill_from(struct rrd_level_visit *v, struct rrd_file *f, size_t archive, size_t ds,
                     int64_t *first_known, struct tm_error *err)
{
  struct rrd_reader *r = v->r;
  const struct rrd_grid *g = &r->grid;
  bool mean = f->archive[archive].span != g->step;
  struct fill w = {.grid = g,
                   .out = v->out,
                   .weight = mean ? r->weight : NULL,
                   .first_known = INT64_MAX,
                   .n_days = r->wanted.days};
  for (size_t i = 0; i < g->n; i++)
    v->out[i] = mean ? 0 : NAN;
  if (mean)
    memset(r->weight, 0, g->n * sizeof(r->weight[0]));
  int64_t to = rrd_until(r, f);
  if (v->day != NULL) {
    w.border = days_until(&r->days, to - 1, w.n_days);
    w.day = v->day->value;
    v->day->last_start = w.border[w.n_days - 1];
    for (size_t i = 0; i < w.n_days; i++)
      w.day[i] = NAN;
  }
  int rc = rrd_file_rows(f, archive, ds, g->first - g->step, to, fill_rows, &w, err);
  for (size_t i = 0; mean && i < g->n; i++)
    v->out[i] = r->weight[i] > 0 ? v->out[i] / r->weight[i] : NAN;
  *first_known = w.first_known;
  return rc;
}

static int choose_level(const struct rrd_file *f, int64_t from)
{
  int a = rrd_file_archive(f, RRD_CF_AVERAGE, from);
  if (a < 0)
    a = rrd_file_archive(f, RRD_CF_LAST, from);
  if (a < 0)
    a = rrd_file_archive(f, RRD_CF_MAX, from);
  return a;
}

int rrd_finer_archive(const struct rrd_file *f, int archive, int64_t first_known, int64_t from,
                      rrd_choose_fn *choose, int64_t *reach)
{
  const struct rrd_archive *a = &f->archive[archive];
  /* History may begin in the row before the first known one, which was not known well enough; or,
   * when nothing is known yet, in the last row. */
  *reach = (first_known != INT64_MAX ? first_known : a->newest) - a->span;
  int finer = *reach > from ? choose(f, *reach) : -1;
  return finer >= 0 && f->archive[finer].span < a->span ? finer : -1;
}

/* The first file decides on the grid: the finest archive that holds all that is known, found by
 * looking at coarser ones, and the shortest rows that there is room for. */
static int fill_first(struct rrd_level_visit *v, struct rrd_file *f, size_t ds,
                      struct tm_error *err)
{
  struct rrd_reader *r = v->r;
  int64_t to = rrd_until(r, f);
  int64_t reach = to - (int64_t)r->wanted.history_days * TM_DAY;
  int64_t from = to - (int64_t)r->wanted.read_days * TM_DAY;
  int a = choose_level(f, reach);
  int rc = 0;
  while (a >= 0 && rc == 0) {
    int64_t known = INT64_MAX;
    int64_t begins;
    set_grid(r, &f->archive[a], reach, from, to);
    rc = fill_from(v, f, (size_t)a, ds, &known, err);
    int next = rrd_finer_archive(f, a, known, from, choose_level, &begins);
    if (next < 0 && begins > from && grid_step(r, f->archive[a].span, to - begins) < r->grid.step)
      next = a;
    else if (next >= 0)
      reach = begins;
    from = begins;
    a = next;
  }
  return rc;
}

/* The last known row of a stretch. */
struct last_known {
  int64_t end; /* INT64_MIN: none */
  double value;
};

static void take_last_known(void *ctx, int64_t end, int64_t span, const double *v, size_t n,
                            size_t stride)
{
  struct last_known *last = ctx;
  for (size_t i = n; i-- > 0;) {
    if (isnan(v[i * stride]))
      continue;
    *last = (struct last_known){end + (int64_t)i * span, v[i * stride]};
    return;
  }
}

/* The newest known value: the reading that was sent last, else the last known row, looked for in
 * finer archives first. */
static int newest_value(struct rrd_level_visit *v, struct rrd_file *f, size_t ds,
                        struct tm_error *err)
{
  struct rrd_data_source source;
  int64_t to = rrd_until(v->r, f);
  rrd_file_source(f, ds, &source);
  v->seen_at = v->now_at = to;
  v->now = source.newest;
  if (to == f->last_update && !isnan(v->now))
    return 0;
  struct last_known last = {INT64_MIN, NAN};
  int a = choose_level(f, to - 1);
  int rc = 0;
  while (a >= 0 && rc == 0 && last.end == INT64_MIN) {
    int64_t start = rrd_archive_start(&f->archive[a]);
    rc = rrd_file_rows(f, (size_t)a, ds, start, to, take_last_known, &last, err);
    int coarser = choose_level(f, start - 1);
    a = coarser >= 0 && rrd_archive_start(&f->archive[coarser]) < start ? coarser : -1;
  }
  v->now_at = last.end;
  v->now = last.value;
  return rc;
}

int rrd_level_visit(struct rrd_file *f, void *ctx, struct tm_error *err)
{
  struct rrd_level_visit *v = ctx;
  int ds = v->role->ds == NULL ? 0 : rrd_file_find(f, v->role->ds);
  if (ds < 0)
    return tm_fail(err, -EBADMSG, "%s/%s: has no data source '%s'", f->folder, f->name,
                   v->role->ds);
  int rc = newest_value(v, f, (size_t)ds, err);
  if (rc < 0 || v->out == NULL)
    return rc;
  if (v->first)
    return fill_first(v, f, (size_t)ds, err);
  int64_t known;
  int a = choose_level(f, v->r->grid.reach);
  return a < 0 ? 0 : fill_from(v, f, (size_t)a, (size_t)ds, &known, err);
}
