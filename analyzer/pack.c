/* SPDX-License-Identifier: MIT */
#include "analyzer/pack.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* Sums of halves of bytes: what differs by less is the same. */
#define SAME 1e-9

struct search {
  const struct pack_item *items;
  size_t n;
  size_t order[PACK_MAX_ITEMS]; /* cheapest per gain first, so that good sets are found early */
  double best_ratio[PACK_MAX_ITEMS + 1][PACK_GAINS]; /* least price per gain from there on */
  double most[PACK_MAX_ITEMS + 1][PACK_GAINS];       /* gain of all pieces from there on */
  double scale[PACK_GAINS];                          /* what counts as nothing missing */
  unsigned long steps;
  bool found;
  struct pack_set best;
  struct pack_set now;
};

static double ratio(const struct pack_item *item, int g)
{
  return item->gain[g] > 0 ? (double)item->price / item->gain[g] : INFINITY;
}

/* Price per needed share of everything: the order alone, not a bound. */
static double merit(const struct search *s, const struct pack_item *item,
                    const struct pack_need *need)
{
  double share = 0;
  for (int g = 0; g < PACK_GAINS; g++)
    if (need->gain[g] > s->scale[g])
      share += fmin(1, item->gain[g] / need->gain[g]);
  return share > 0 ? (double)item->price / share : INFINITY;
}

static void prepare(struct search *s, const struct pack_need *need)
{
  for (int g = 0; g < PACK_GAINS; g++)
    s->scale[g] = fabs(need->gain[g]) * SAME;
  for (size_t i = 0; i < s->n; i++) {
    size_t at = i;
    while (at > 0 && merit(s, &s->items[s->order[at - 1]], need) > merit(s, &s->items[i], need)) {
      s->order[at] = s->order[at - 1];
      at--;
    }
    s->order[at] = i;
  }
  for (int g = 0; g < PACK_GAINS; g++)
    s->best_ratio[s->n][g] = INFINITY;
  for (size_t i = s->n; i-- > 0;) {
    const struct pack_item *item = &s->items[s->order[i]];
    for (int g = 0; g < PACK_GAINS; g++) {
      s->best_ratio[i][g] = fmin(s->best_ratio[i + 1][g], ratio(item, g));
      s->most[i][g] = s->most[i + 1][g] + item->gain[g] * item->max;
    }
  }
}

static bool is_better(const struct search *s)
{
  if (!s->found || s->now.price != s->best.price)
    return !s->found || s->now.price < s->best.price;
  if (s->now.pieces != s->best.pieces)
    return s->now.pieces < s->best.pieces;
  for (size_t i = 0; i < s->n; i++)
    if (s->now.quantity[i] != s->best.quantity[i])
      return s->now.quantity[i] > s->best.quantity[i];
  return false;
}

/* No set from here on can carry the rest, or none as cheaply as the best one. */
static bool is_hopeless(const struct search *s, size_t depth, const double missing[PACK_GAINS])
{
  double least = 0;
  for (int g = 0; g < PACK_GAINS; g++) {
    if (missing[g] <= s->scale[g])
      continue;
    if (s->most[depth][g] < missing[g] - s->scale[g])
      return true;
    least = fmax(least, s->best_ratio[depth][g] * missing[g]);
  }
  /* A little below the bound, so that rounding never cuts off an equal price. */
  return s->found && (double)s->now.price + least * (1 - 1e-12) - 0.5 > (double)s->best.price;
}

static unsigned most_pieces(const struct pack_item *item, const double missing[PACK_GAINS],
                            const double room[PACK_ROOMS])
{
  double most = item->max;
  for (int r = 0; r < PACK_ROOMS; r++)
    if (item->uses[r] > 0)
      most = fmin(most, floor(room[r] / item->uses[r] * (1 + SAME)));
  double useful = 0;
  for (int g = 0; g < PACK_GAINS; g++)
    if (missing[g] > 0 && item->gain[g] > 0)
      useful = fmax(useful, ceil(missing[g] / item->gain[g] * (1 - SAME)));
  unsigned step = item->step > 0 ? item->step : 1;
  useful = ceil(useful / step) * step;
  most = fmin(most, useful);
  return most > 0 ? (unsigned)most / step * step : 0;
}

static void descend(struct search *s, size_t depth, const double missing[PACK_GAINS],
                    const double room[PACK_ROOMS])
{
  bool done = true;
  for (int g = 0; g < PACK_GAINS; g++)
    done = done && missing[g] <= s->scale[g];
  if (done) {
    if (is_better(s)) {
      s->best = s->now;
      s->found = true;
    }
    return;
  }
  if (depth == s->n || is_hopeless(s, depth, missing) || ++s->steps > PACK_MAX_STEPS)
    return;
  size_t at = s->order[depth];
  const struct pack_item *item = &s->items[at];
  unsigned step = item->step > 0 ? item->step : 1;
  for (unsigned q = most_pieces(item, missing, room);; q -= step) {
    double still[PACK_GAINS];
    double left[PACK_ROOMS];
    for (int g = 0; g < PACK_GAINS; g++)
      still[g] = missing[g] - q * item->gain[g];
    for (int r = 0; r < PACK_ROOMS; r++)
      left[r] = q > 0 ? room[r] - q * item->uses[r] : room[r];
    s->now.quantity[at] = q;
    s->now.pieces += q;
    s->now.price += (int64_t)q * item->price;
    descend(s, depth + 1, still, left);
    s->now.quantity[at] = 0;
    s->now.pieces -= q;
    s->now.price -= (int64_t)q * item->price;
    if (q == 0)
      break;
  }
}

int pack_cheapest(const struct pack_item *items, size_t n, const struct pack_need *need,
                  struct pack_set *set)
{
  if (n > PACK_MAX_ITEMS)
    return -E2BIG;
  struct search s = {.items = items, .n = n};
  prepare(&s, need);
  descend(&s, 0, need->gain, need->room);
  if (!s.found)
    return -ENOENT;
  *set = s.best;
  set->proven = s.steps <= PACK_MAX_STEPS;
  return 0;
}
