/* SPDX-License-Identifier: MIT */
#include "common/handover.h"

#include "common/clock.h"

#include <stdlib.h>

int64_t handover_road(const struct handover_goods *g, size_t from, size_t to)
{
  int64_t days = from == to ? 0 : HANDOVER_NEVER;
  for (size_t i = 0; i < g->transfers_len; i++) {
    const struct handover_transfer *t = &g->transfers[i];
    if (t->from == from && t->to == to && t->days >= 0 && t->days < days)
      days = t->days;
  }
  return days;
}

/* The shop with stock that is next by its transfer after `after` (days, then place in the list);
 * shops_len when there is no more. */
static size_t next_source(const struct handover_goods *g, size_t shop, int64_t after_days,
                          size_t after)
{
  size_t best = g->shops_len;
  int64_t best_days = HANDOVER_NEVER;
  for (size_t i = 0; i < g->shops_len; i++) {
    int64_t days = handover_road(g, i, shop);
    bool later = days > after_days || (days == after_days && i > after);
    if (g->shops[i].stock > 0 && later && days < best_days) {
      best = i;
      best_days = days;
    }
  }
  return best;
}

/* Pieces that are on a shelf already. */
static int64_t stock_days(const struct handover_goods *g, size_t shop, uint64_t pieces)
{
  uint64_t missing = pieces;
  int64_t days = 0;
  if (g->shops[shop].stock >= missing)
    return 0;
  missing -= g->shops[shop].stock;
  for (size_t from = next_source(g, shop, -1, 0); from < g->shops_len;
       from = next_source(g, shop, days, from)) {
    days = handover_road(g, from, shop);
    if (from == shop)
      continue;
    if (g->shops[from].stock >= missing)
      return days;
    missing -= g->shops[from].stock;
  }
  return HANDOVER_NEVER;
}

/* The shop to which the supplier brings it for this one; shops_len when there is none. */
static size_t supplied(const struct handover_goods *g, size_t shop, int64_t *days_to_it)
{
  int64_t best = HANDOVER_NEVER;
  size_t at = g->shops_len;
  for (size_t i = 0; i < g->shops_len; i++) {
    int64_t transfer = handover_road(g, i, shop);
    if (g->shops[i].supply_days < 0 || transfer == HANDOVER_NEVER)
      continue;
    int64_t days = g->shops[i].supply_days + transfer;
    if (days < best) {
      best = days;
      at = i;
    }
  }
  *days_to_it = best;
  return at;
}

static int64_t supply_days(const struct handover_goods *g, size_t shop)
{
  int64_t days;
  supplied(g, shop, &days);
  return days;
}

int64_t handover_days(const struct handover_goods *g, size_t shop, uint64_t pieces)
{
  int64_t from_stock = stock_days(g, shop, pieces);
  int64_t from_supply = supply_days(g, shop);
  return from_stock <= from_supply ? from_stock : from_supply;
}

/* The first of those that sell, but for one; shops_len when none ever has it. */
static size_t first_shop(const struct handover_goods *g, size_t but, uint64_t pieces, int64_t *days)
{
  size_t best = g->shops_len;
  *days = HANDOVER_NEVER;
  for (size_t i = 0; i < g->shops_len; i++) {
    if (i == but || !g->shops[i].sells)
      continue;
    int64_t d = handover_days(g, i, pieces);
    if (d < *days) {
      *days = d;
      best = i;
    }
  }
  return best;
}

void handover_find(struct handover *out, const struct handover_goods *g, size_t wished,
                   uint64_t pieces)
{
  int64_t days = 0;
  size_t other = first_shop(g, wished, pieces, &days);
  *out = (struct handover){.shop = wished, .days = handover_days(g, wished, pieces)};
  if (out->days == HANDOVER_NEVER) {
    out->days = days;
    out->shop = other < g->shops_len ? other : wished;
  } else if (days < out->days) {
    out->is_sooner = true;
    out->sooner_shop = other;
    out->sooner_days = days;
  }
}

size_t handover_parts(struct handover_part *parts, const struct handover_goods *g, size_t shop,
                      uint64_t pieces)
{
  size_t n = 0;
  uint64_t missing = pieces;
  uint64_t own = g->shops[shop].stock < missing ? g->shops[shop].stock : missing;
  if (own > 0)
    parts[n++] = (struct handover_part){.from = shop, .pieces = own};
  missing -= own;
  int64_t days = -1;
  for (size_t from = next_source(g, shop, -1, 0); missing > 0 && from < g->shops_len;
       from = next_source(g, shop, days, from)) {
    days = handover_road(g, from, shop);
    if (from == shop)
      continue;
    uint64_t taken = g->shops[from].stock < missing ? g->shops[from].stock : missing;
    parts[n++] = (struct handover_part){.from = from, .pieces = taken, .days = days};
    missing -= taken;
  }
  return n;
}

size_t handover_plan(struct handover_part *parts, const struct handover_goods *g, size_t shop,
                     uint64_t pieces)
{
  int64_t new_days;
  size_t source = supplied(g, shop, &new_days);
  int64_t days = stock_days(g, shop, pieces);
  size_t n = 0, kept = 0;
  uint64_t missing = pieces;
  if (days == HANDOVER_NEVER && source == g->shops_len)
    return 0;
  n = handover_parts(parts, g, shop, pieces);
  if (days <= new_days)
    return n;
  for (size_t i = 0; i < n; i++) {
    if (parts[i].days >= new_days)
      continue;
    missing -= parts[i].pieces;
    parts[kept++] = parts[i];
  }
  parts[kept++] = (struct handover_part){source, missing, new_days, true};
  return kept;
}

/* --- as JSON -------------------------------------------------------------------------------- */

/* Which pieces are there on which day, where not all of them are on one. */
static json_t *parts_of(const struct handover_part *parts, size_t n, int64_t today)
{
  char date[TM_DATE_SIZE];
  json_t *list = json_array();
  for (size_t i = 0; i < n;) {
    int64_t days = parts[i].days;
    uint64_t pieces = 0;
    for (; i < n && parts[i].days == days; i++)
      pieces += parts[i].pieces;
    json_array_append_new(list,
                          json_pack("{s:s,s:I}", "on", tm_date_format_days(date, today + days),
                                    "quantity", (json_int_t)pieces));
  }
  return list;
}

static json_t *spot(const struct handover_goods *g, size_t shop, int64_t days, uint64_t pieces,
                    int64_t today)
{
  char date[TM_DATE_SIZE];
  struct handover_part *plan = calloc(g->shops_len + 1, sizeof(*plan));
  size_t n = plan != NULL ? handover_plan(plan, g, shop, pieces) : 0;
  json_t *out = json_pack("{s:s,s:s,s:I}", "shop", g->shops[shop].name, "on",
                          tm_date_format_days(date, today + days), "quantity", (json_int_t)pieces);
  json_t *parts = parts_of(plan, n, today);
  if (json_array_size(parts) > 1)
    json_object_set(out, "parts", parts);
  json_decref(parts);
  free(plan);
  return out;
}

json_t *handover_line(const char *sku, uint64_t pieces, const struct handover_goods *g,
                      size_t wished, const struct handover *h, int64_t today)
{
  json_t *line = json_pack("{s:s,s:I,s:o}", "sku", sku, "quantity", (json_int_t)pieces, "at",
                           spot(g, h->shop, h->days, pieces, today));
  if (h->is_sooner)
    json_object_set_new(line, "sooner", spot(g, h->sooner_shop, h->sooner_days, pieces, today));
  json_object_set_new(line, "stock", json_integer((json_int_t)g->shops[wished].stock));
  json_object_set_new(line, "lead_time_days", json_integer(h->days));
  return line;
}
