/* SPDX-License-Identifier: MIT */
/* What fits the device as it stands, as a search for the cheapest set. */
#include "analyzer/rules/rules.h"

#include <errno.h>
#include <math.h>

struct fitting {
  struct pack_item items[PACK_MAX_ITEMS];
  const struct catalogue_item *of[PACK_MAX_ITEMS];
  size_t n;
};

static double size_of(const struct rule_frame *f, const struct catalogue_item *item)
{
  return f->slots ? item->adds_slots : item->adds_bytes;
}

static void add_item(const struct rule_frame *f, struct fitting *fit,
                     const struct catalogue_item *item)
{
  unsigned installed = rule_installed(f->product, item);
  bool cache = item->type == CATALOGUE_CACHE;
  double size = cache ? 0 : size_of(f, item);
  if (fit->n == PACK_MAX_ITEMS || item->replaced_by != NULL || installed >= item->max_quantity)
    return;
  fit->of[fit->n] = item;
  fit->items[fit->n++] = (struct pack_item){
      .gain = {size, item->adds_transfers_per_s},
      .uses = {item->uses_bays, size, cache ? item->adds_bytes : 0},
      .price = item->price,
      .max = (unsigned)item->max_quantity - installed,
      .step = (unsigned)item->quantity_step,
  };
}

static double room(double most, double now)
{
  double left = most - now;
  return isnan(left) ? INFINITY : fmax(0, left);
}

static double bays_taken(const struct rule_frame *f)
{
  double taken = 0;
  for (size_t i = 0; i < f->model->n_options; i++)
    taken += rule_installed(f->product, f->model->options[i]) * f->model->options[i]->uses_bays;
  return taken;
}

int rule_pack(const struct rule_frame *f, double want_size, double want_speed,
              struct need_line lines[NEED_MAX_LINES], size_t *n_lines, int64_t *price, bool *proven)
{
  struct fitting fit = {.n = 0};
  struct pack_set set;
  for (size_t i = 0; i < f->model->n_options; i++) {
    const struct catalogue_item *o = f->model->options[i];
    if ((o->type == CATALOGUE_EXPANSION && !isnan(want_size)) ||
        (o->type == CATALOGUE_CACHE && !isnan(want_speed)))
      add_item(f, &fit, o);
  }
  double most = f->slots ? f->model->max_slots : f->model->max_capacity_bytes;
  struct pack_need need = {
      .gain = {isnan(want_size) ? 0 : want_size - f->size,
               isnan(want_speed) ? 0 : want_speed - f->speed},
      .room = {room(f->model->bays, bays_taken(f)), room(most, f->size),
               room(f->model->max_cache_bytes, f->cache_bytes)},
  };
  int rc = pack_cheapest(fit.items, fit.n, &need, &set);
  if (rc < 0)
    return rc;
  *n_lines = 0;
  *proven = set.proven;
  *price = set.price;
  for (size_t i = 0; i < fit.n; i++) {
    if (set.quantity[i] == 0)
      continue;
    if (*n_lines == NEED_MAX_LINES)
      return -ENOENT;
    lines[(*n_lines)++] = (struct need_line){fit.of[i], set.quantity[i]};
  }
  return 0;
}

struct rule_frame rule_frame_of(const struct rule_facts *f)
{
  return (struct rule_frame){.model = f->model,
                             .product = f->product,
                             .slots = f->slots,
                             .size = f->capacity,
                             .speed = f->load.limit,
                             .cache_bytes = f->cache_bytes};
}

bool rule_cache_helps(const struct rule_facts *f, double *want_speed,
                      const struct catalogue_item **module)
{
  struct need_line lines[NEED_MAX_LINES];
  struct rule_frame frame = rule_frame_of(f);
  struct fitting fit = {.n = 0};
  size_t n;
  int64_t price;
  bool proven;
  double days = f->thresholds->planning_days;
  for (int i = 0; i < 3; i++) {
    *want_speed = rule_load_after(f, days);
    days /= 2;
    if (rule_pack(&frame, NAN, *want_speed, lines, &n, &price, &proven) == 0)
      return true;
  }
  *want_speed = NAN;
  *module = NULL;
  for (size_t i = 0; i < f->model->n_options; i++)
    if (f->model->options[i]->type == CATALOGUE_CACHE)
      add_item(&frame, &fit, f->model->options[i]);
  double most = room(f->model->max_cache_bytes, f->cache_bytes);
  for (size_t i = 0; i < fit.n; i++)
    if (fit.of[i]->adds_transfers_per_s == 0 && fit.of[i]->adds_bytes <= most &&
        (*module == NULL || fit.of[i]->price < (*module)->price))
      *module = fit.of[i];
  return *module != NULL;
}
