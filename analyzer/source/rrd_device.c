/* SPDX-License-Identifier: MIT */
#include "analyzer/source/rrd_device.h"

#include "analyzer/source/rrd_reader.h"
#include "analyzer/source/rrd_settings.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

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
  r->file.sparing = wanted->sparing;
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

static void observe(struct rrd_reader *r, int64_t t)
{
  if (t > r->observed_at)
    r->observed_at = t;
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

/* Notes a file that has a role; the header of any other is checked, so that a damaged one is
 * named. */
static void meet_file(const struct work *w, const struct rrd_recipe *recipe, const char *name)
{
  struct rrd_reader *r = w->r;
  const struct rrd_role *role = rrd_recipe_role(recipe, name);
  size_t n = strlen(name);
  if (role == NULL || r->n_found == RRD_MAX_FILES || n >= sizeof(r->found[0].name)) {
    read_file(w, name, NULL, NULL);
    return;
  }
  struct rrd_found *f = &r->found[r->n_found++];
  f->role = role;
  f->done = false;
  memcpy(f->name, name, n + 1);
}

static int list_folder(const struct work *w, const struct rrd_recipe *recipe)
{
  char *listing = w->r->listing;
  for (;;) {
    ssize_t n = getdents64(w->folder_fd, listing, RRD_LISTING_SIZE);
    if (n < 0)
      return -errno;
    if (n == 0)
      return 0;
    for (ssize_t at = 0; at < n;) {
      const struct dirent64 *e = (const struct dirent64 *)(const void *)(listing + at);
      at += e->d_reclen;
      if (rrd_recipe_is_history(e->d_name))
        meet_file(w, recipe, e->d_name);
    }
  }
}

static int by_name(const void *a, const void *b)
{
  return strcmp(((const struct rrd_found *)a)->name, ((const struct rrd_found *)b)->name);
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

/* One of the two main values: its newest reading, rows and days, all NAN where nothing is known. */
static struct rrd_level_visit read_main(const struct work *w, const struct rrd_recipe *recipe,
                                        enum rrd_use use, double *out, struct rrd_day_values *day)
{
  struct rrd_reader *r = w->r;
  struct rrd_level_visit v = {.r = r, .out = out, .day = day, .first = !r->grid.set};
  const struct rrd_role *role = read_use(w, recipe, use, r->unit, rrd_level_visit, &v, &v.role);
  if (role != NULL) {
    if (role->unit != NULL)
      r->unit = role->unit;
    observe(r, v.seen_at);
    return v;
  }
  if (v.first)
    r->grid.set = false;
  for (size_t i = 0; r->grid.set && i < r->grid.n; i++)
    out[i] = NAN;
  day->last_start = v.now_at = INT64_MIN;
  v.now = NAN;
  return v;
}

/* A level beside the main numbers: everything of our own plugins that was not used above. */
static void read_level(const struct work *w, struct rrd_found *f)
{
  struct rrd_reader *r = w->r;
  bool follow = f->role->use == RRD_FOLLOWED && r->n_followed < RRD_MAX_FOLLOWED &&
                r->grid.n <= RRD_FOLLOWED_ROWS;
  struct rrd_level_visit v = {.r = r,
                              .role = f->role,
                              .out = follow ? r->followed[r->n_followed] : NULL,
                              .first = follow && !r->grid.set};
  f->done = true;
  if (!read_file(w, f->name, rrd_level_visit, &v)) {
    if (v.first)
      r->grid.set = false;
    return;
  }
  f->name[strlen(f->name) - 4] = '\0';
  /* A device that has only levels has neither of the main values. */
  for (size_t i = 0; v.first && i < r->grid.n; i++)
    r->used[i] = r->capacity[i] = NAN;
  r->level[r->n_levels++] = (struct series_level){.name = f->name, .now = v.now, .values = v.out};
  if (follow)
    r->n_followed++;
  observe(r, v.seen_at);
  if (follow && v.now_at > r->followed_at)
    r->followed_at = v.now_at;
}

static void read_levels(const struct work *w)
{
  struct rrd_reader *r = w->r;
  size_t rows = r->max_rows;
  r->max_rows = RRD_FOLLOWED_ROWS;
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

/* The value of a day, from a list that may end with another day. */
static double day_value(const struct rrd_day_values *v, const struct maxima *m, size_t i)
{
  if (v->last_start == INT64_MIN)
    return NAN;
  for (size_t back = 0; back < m->n; back++)
    if (m->day[m->n - 1 - back].start == v->last_start)
      return i + back < m->n ? v->value[i + back] : NAN;
  return NAN;
}

/* Used and capacity as of the end of each day: the last row of the day that is known, and on the
 * last day the newest reading. */
static void fill_days(const struct rrd_reader *r, const struct series *s, struct maxima *m)
{
  for (size_t i = 0; i < m->n; i++) {
    struct maxima_day *d = &m->day[i];
    d->used = day_value(&r->used_day, m, i);
    d->capacity = day_value(&r->capacity_day, m, i);
    if (s->read_at <= d->start || s->read_at > d->end)
      continue;
    if (!isnan(s->used_now))
      d->used = s->used_now;
    if (!isnan(s->capacity_now))
      d->capacity = s->capacity_now;
  }
}

/* Rows from the first known one on, and the newest reading as the last one. */
static void finish_rows(struct rrd_reader *r, struct series *s, int64_t newest)
{
  struct rrd_grid *g = &r->grid;
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

/* capacity = used + free */
static void add_used(struct rrd_reader *r, struct rrd_level_visit *free_space,
                     const struct rrd_level_visit *used)
{
  free_space->now += used->now;
  for (size_t i = 0; r->grid.set && i < r->grid.n; i++)
    r->capacity[i] += r->used[i];
  if (r->used_day.last_start != r->capacity_day.last_start)
    r->capacity_day.last_start = INT64_MIN;
  for (size_t i = 0; i < r->wanted.days && r->capacity_day.last_start != INT64_MIN; i++)
    r->capacity_day.value[i] += r->used_day.value[i];
}

/* What fills up, and its limit. */
static void read_space(const struct work *w, const struct rrd_recipe *recipe, struct series *s)
{
  struct rrd_reader *r = w->r;
  struct rrd_level_visit used = read_main(w, recipe, RRD_USED, r->used, &r->used_day);
  bool had_used = r->grid.set;
  struct rrd_level_visit limit = read_main(w, recipe, RRD_CAPACITY, r->capacity, &r->capacity_day);
  bool by_free = limit.now_at == INT64_MIN;
  if (by_free)
    limit = read_main(w, recipe, RRD_FREE, r->capacity, &r->capacity_day);
  for (size_t i = 0; !had_used && r->grid.set && i < r->grid.n; i++)
    r->used[i] = NAN;
  if (by_free)
    add_used(r, &limit, &used);
  s->used_now = used.now;
  s->capacity_now = limit.now;
  s->read_at = used.now_at != INT64_MIN ? used.now_at : limit.now_at;
}

static void read_measure(const struct work *w, const struct rrd_recipe *recipe, struct series *s)
{
  struct rrd_reader *r = w->r;
  struct rrd_measure_visit v = {.r = r};
  const struct rrd_role *role =
      read_use(w, recipe, RRD_COUNT, NULL, rrd_measure_visit, &v, &v.role);
  if (role == NULL)
    role = read_use(w, recipe, RRD_RATE, NULL, rrd_measure_visit, &v, &v.role);
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

/* --- settings -------------------------------------------------------------------------------- */

static void check_settings(const struct work *w, const struct rrd_recipe *recipe)
{
  struct rrd_reader *r = w->r;
  bool counts = false;
  bool rates = false;
  for (size_t i = 0; i < r->n_found; i++) {
    struct rrd_found *f = &r->found[i];
    bool count = f->role->use == RRD_COUNT;
    counts = counts || count;
    rates = rates || f->role->use == RRD_RATE;
    if (read_file(w, f->name, NULL, NULL) && count)
      rrd_settings_check(&r->file, r->wanted.interval_s, w->watch->refused, w->watch->ctx);
  }
  struct tm_error err;
  tm_fail(&err, -ENOENT,
          "%s: has rates and no interval_count, so that maxima are approximate; load the plugin's "
          "own types.db",
          w->folder);
  if (rates && !counts && recipe->by_instance)
    w->watch->refused(w->watch->ctx, err.text);
}

void rrd_reader_load(struct rrd_reader *r, int folder_fd, const char *folder, const char *only,
                     const struct rrd_recipe *recipe, const struct rrd_watch *watch,
                     struct series *s)
{
  struct work w = {r, folder_fd, folder, watch};
  r->grid = (struct rrd_grid){0};
  r->max_rows = SERIES_MAX_ROWS;
  r->n_found = r->n_levels = r->n_followed = 0;
  r->observed_at = r->followed_at = INT64_MIN;
  r->used_day.last_start = r->capacity_day.last_start = INT64_MIN;
  r->unit = NULL;
  *s = (struct series){
      .kind = recipe->kind, .read_at = INT64_MIN, .used_now = NAN, .capacity_now = NAN};
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
  if (r->wanted.settings) {
    check_settings(&w, recipe);
    s->observed_at = INT64_MIN;
    s->maxima.day = r->day;
    return;
  }
  read_space(&w, recipe, s);
  read_measure(&w, recipe, s);
  read_levels(&w);
  make_days(r, &s->maxima);
  finish_rows(r, s, s->read_at > r->followed_at ? s->read_at : r->followed_at);
  fill_days(r, s, &s->maxima);
  s->unit = r->unit;
  s->observed_at = r->observed_at;
  s->levels = r->level;
  s->n_levels = r->n_levels;
}
