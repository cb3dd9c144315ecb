/* SPDX-License-Identifier: MIT */
#include "analyzer/plan.h"

#include "common/clock.h"

#include <math.h>
#include <string.h>

enum { MAX_CANDIDATES = 32 };

/* What all needs on the device together ask for. */
struct wants {
  double size, speed, duty; /* NAN: nothing */
  bool replace;
};

static double larger(double a, double b)
{
  return isnan(a) ? b : isnan(b) ? a : fmax(a, b);
}

static struct wants wants_of(const struct need needs[NEED_ACTIONS])
{
  struct wants w = {NAN, NAN, NAN, false};
  for (int i = 0; i < NEED_ACTIONS; i++) {
    if (!needs[i].holds)
      continue;
    w.size = larger(w.size, needs[i].want_size);
    w.speed = larger(w.speed, needs[i].want_speed);
    w.duty = larger(w.duty, needs[i].want_duty);
    w.replace |= needs[i].replace;
  }
  return w;
}

static void add_candidate(const struct catalogue_item *list[MAX_CANDIDATES], size_t *n,
                          const struct catalogue_item *item)
{
  for (size_t i = 0; i < *n; i++)
    if (list[i] == item)
      return;
  if (*n < MAX_CANDIDATES)
    list[(*n)++] = item;
}

/* The models that may take the place of this one, and of those in turn; the successor first. */
static size_t candidates_of(const struct rule_facts *f,
                            const struct catalogue_item *list[MAX_CANDIDATES])
{
  size_t n = 0;
  const struct catalogue_item *from = f->model;
  if (catalogue_current(from) != from)
    add_candidate(list, &n, catalogue_current(from));
  for (size_t done = 0;; from = list[done++]) {
    for (size_t i = 0; i < json_array_size(from->upgrades_to); i++) {
      const char *sku = json_string_value(json_array_get(from->upgrades_to, i));
      const struct catalogue_item *to = catalogue_current(catalogue_find(f->catalogue, sku));
      if (to != f->model)
        add_candidate(list, &n, to);
    }
    if (done == n)
      return n;
  }
}

/* A purchase that is weighed against others. */
struct offer {
  bool made;
  int64_t price;
  const struct catalogue_item *replacement;
  struct need_line lines[1 + NEED_MAX_LINES]; /* a model and what is built into it */
  size_t n_lines;
  bool cheapest;
};

static void take_cheaper(struct offer *best, const struct offer *o)
{
  if (!best->made || o->price < best->price)
    *best = *o;
}

/* A new model, with what it needs built in, that carries everything wanted; it is never smaller or
 * slower than the old one. */
static void offer_model(const struct rule_facts *f, const struct wants *w,
                        const struct catalogue_item *model, struct offer *best)
{
  struct offer o = {.made = true, .replacement = model, .cheapest = true};
  struct rule_frame frame = {.model = model,
                             .slots = f->slots,
                             .size = f->slots ? model->slots : model->capacity_bytes,
                             .speed = rule_rated_speed(&f->load, model),
                             .cache_bytes = model->cache_bytes};
  double size = larger(w->size, f->capacity);
  double speed = larger(w->speed, isnan(f->load.level) ? f->load.limit : f->load.level);
  if (w->duty > model->duty_pages_per_month || model->pages_per_minute < f->model->pages_per_minute)
    return;
  /* A rating that is not known carries nothing that was asked for. */
  if ((!isnan(w->size) && isnan(frame.size)) || (!isnan(w->speed) && isnan(frame.speed)) ||
      (!isnan(w->duty) && isnan(model->duty_pages_per_month)))
    return;
  size = isnan(frame.size) ? NAN : size;
  speed = isnan(frame.speed) ? NAN : speed;
  int64_t extra = 0;
  if (rule_pack(&frame, size, speed, o.lines + 1, &o.n_lines, &extra, &o.cheapest) < 0)
    return;
  o.lines[0] = (struct need_line){model, 1};
  o.n_lines++;
  o.price = model->price + extra;
  take_cheaper(best, &o);
}

/* More printers of the same kind beside the one that prints too much. */
static void offer_more_of_same(const struct rule_facts *f, const struct wants *w,
                               struct offer *best)
{
  double more = ceil(w->duty / f->model->duty_pages_per_month) - 1;
  if (f->model->replaced_by != NULL || !(more >= 1 && more <= 100))
    return;
  struct offer o = {.made = true, .n_lines = 1, .cheapest = true};
  o.lines[0] = (struct need_line){f->model, (unsigned)more};
  o.price = (int64_t)more * f->model->price;
  take_cheaper(best, &o);
}

/* The cheapest way to carry what is wanted. */
static struct offer best_offer(const struct rule_facts *f, const struct need needs[NEED_ACTIONS],
                               const struct wants *w)
{
  struct offer best = {.made = false};
  struct rule_frame frame = rule_frame_of(f);
  /* A load that no cache carries is the business of a faster model, not of more shelves. */
  bool stays = !w->replace && !(needs[NEED_FASTER].holds && isnan(w->duty));
  if (stays && isnan(w->duty)) {
    struct offer o = {.made = true};
    if (rule_pack(&frame, w->size, w->speed, o.lines, &o.n_lines, &o.price, &o.cheapest) == 0)
      return o;
  }
  if (!isnan(w->duty) && !w->replace)
    offer_more_of_same(f, w, &best);
  const struct catalogue_item *list[MAX_CANDIDATES];
  size_t n = candidates_of(f, list);
  for (size_t i = 0; i < n; i++)
    offer_model(f, w, list[i], &best);
  return best;
}

/* Where nothing carries the whole planning time, what carries half or a quarter of the way there is
 * better than nothing; the plan says so. */
static struct offer offer_of(const struct rule_facts *f, const struct need needs[NEED_ACTIONS],
                             double *share)
{
  const struct wants whole = wants_of(needs);
  struct offer o = {.made = false};
  *share = 1;
  for (int tries = 0; tries < 3; tries++) {
    struct wants w = whole;
    w.size = f->capacity + *share * (whole.size - f->capacity);
    w.speed = f->load.limit + *share * (whole.speed - f->load.limit);
    o = best_offer(f, needs, &w);
    if (o.made)
      return o;
    *share /= 2;
  }
  *share = 0;
  return o;
}

static void add_need(struct plan *p, const struct need *n)
{
  if (n->holds && p->n_needs < NEED_ACTIONS)
    p->needs[p->n_needs++] = n;
}

static void add_lines(struct plan *p, const struct need_line *lines, size_t n)
{
  for (size_t i = 0; i < n && p->n_lines < PLAN_MAX_LINES; i++)
    p->lines[p->n_lines++] = lines[i];
}

/* The latest day to order: the early edge of the need that comes first, less delivery and sales. */
static void date_plan(const struct rule_facts *f, struct plan *p)
{
  int64_t first = INT64_MAX;
  if (p->n_lines == 0)
    p->lead_time_days = f->model->lead_time_days;
  for (size_t i = 0; i < p->n_lines; i++)
    if (p->lines[i].item->type != CATALOGUE_SOFTWARE || p->action == NEED_SOFTWARE)
      p->lead_time_days = fmax(p->lead_time_days, p->lines[i].item->lead_time_days);
  double ahead = (p->lead_time_days + f->catalogue->sales_cycle_days) * TM_DAY;
  for (size_t i = 0; i < p->n_needs; i++) {
    const struct need *n = p->needs[i];
    if (i > 0 && n->action == NEED_SOFTWARE) /* comes along, and does not hurry the others */
      continue;
    int64_t by =
        n->order_by != INT64_MIN ? n->order_by : outlook_time(&n->when, 0.1) - (int64_t)ahead;
    if (by >= first)
      continue;
    first = by;
    p->when = n->when;
  }
  p->order_by = first;
}

static bool plan_device(const struct rule_facts *f, const struct need needs[NEED_ACTIONS],
                        struct plan *p)
{
  p->cheapest = true; /* a release has no alternative */
  add_need(p, &needs[NEED_GROW]);
  add_need(p, &needs[NEED_FASTER]);
  add_need(p, &needs[NEED_CACHE]);
  if (needs[NEED_SERVICE].replace)
    add_need(p, &needs[NEED_SERVICE]);
  if (p->n_needs > 0) {
    struct offer o = offer_of(f, needs, &p->share);
    add_lines(p, o.lines, o.n_lines);
    p->replacement = o.replacement;
    p->cheapest = o.cheapest;
    if (o.made && o.replacement == NULL)
      add_lines(p, needs[NEED_CACHE].lines, needs[NEED_CACHE].n_lines);
  }
  if (p->replacement == NULL && needs[NEED_SOFTWARE].holds) {
    add_need(p, &needs[NEED_SOFTWARE]);
    add_lines(p, needs[NEED_SOFTWARE].lines, needs[NEED_SOFTWARE].n_lines);
  }
  return p->n_needs > 0;
}

static bool plan_alone(const struct need *n, struct plan *p)
{
  add_need(p, n);
  add_lines(p, n->lines, n->n_lines);
  p->cheapest = true;
  return p->n_needs > 0;
}

static int by_order_date(const struct plan *a, const struct plan *b)
{
  return (a->order_by > b->order_by) - (a->order_by < b->order_by);
}

size_t plan_make(const struct rule_facts *f, const struct need needs[NEED_ACTIONS],
                 struct plan plans[PLAN_MAX])
{
  size_t n = 0;
  memset(plans, 0, PLAN_MAX * sizeof(*plans));
  n += plan_device(f, needs, &plans[n]);
  n += plan_alone(&needs[NEED_SUPPLY], &plans[n]);
  if (!needs[NEED_SERVICE].replace && (n == 0 || plans[0].replacement == NULL))
    n += plan_alone(&needs[NEED_SERVICE], &plans[n]);
  for (size_t i = 0; i < n; i++) {
    if (plans[i].n_lines > 0 && plans[i].share == 0)
      plans[i].share = 1;
    plans[i].action = plans[i].needs[0]->action;
    date_plan(f, &plans[i]);
    for (size_t k = i; k > 0 && by_order_date(&plans[k - 1], &plans[k]) > 0; k--) {
      struct plan swap = plans[k];
      plans[k] = plans[k - 1];
      plans[k - 1] = swap;
    }
  }
  return n;
}
