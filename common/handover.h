/* SPDX-License-Identifier: MIT */
#ifndef TM_HANDOVER_H
#define TM_HANDOVER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Where and when goods can be handed over: stock and lead times in, an answer out. It asks nobody
 * and keeps nothing, so that an ERP's figures and a desk's own tables give the same answer.
 *
 * A shop has what is on its shelf today. What is on another's comes by a transfer, what is on none
 * comes from the supplier to the shops that are supplied, and by a transfer from there. One
 * transfer, never two. Days are calendar days.
 */
struct handover_shop {
  const char *name;
  uint64_t stock;      /* pieces there that nobody has reserved */
  int64_t supply_days; /* until new ones arrive there when ordered today; -1: they do not */
  bool sells;          /* goods are handed over here; a factory's store only passes them on */
};

struct handover_transfer {
  size_t from, to;
  int64_t days;
};

/* Of one kind of goods. */
struct handover_goods {
  const struct handover_shop *shops;
  size_t shops_len;
  const struct handover_transfer *transfers;
  size_t transfers_len;
};

#define HANDOVER_NEVER INT64_MAX

struct handover {
  size_t shop;    /* the wished one, or where it can be had first when that never has it */
  int64_t days;   /* from today; HANDOVER_NEVER: nobody can tell, and nothing else holds */
  bool is_sooner; /* another shop has it earlier: */
  size_t sooner_shop;
  int64_t sooner_days;
};

/* Days of the shortest transfer between two shops, 0 for one and the same; HANDOVER_NEVER when
 * there is none. */
int64_t handover_road(const struct handover_goods *g, size_t from, size_t to);

/* In how many days a shop has so many pieces; HANDOVER_NEVER when nothing says so. */
int64_t handover_days(const struct handover_goods *g, size_t shop, uint64_t pieces);
void handover_find(struct handover *out, const struct handover_goods *g, size_t wished,
                   uint64_t pieces);

/* From which shelves the pieces are taken for a shop: its own first, then by the length of the
 * transfer. Returns how many parts (at most shops_len) were written; the sum is less than wanted
 * where the shelves hold less. */
struct handover_part {
  size_t from;
  uint64_t pieces;
  int64_t days; /* until they are at the shop */
  bool coming;  /* they are on no shelf yet: the supplier brings them to `from` */
};
size_t handover_parts(struct handover_part *parts, const struct handover_goods *g, size_t shop,
                      uint64_t pieces);

/* How so many pieces come to a shop by handover_days(): from shelves that are nearer than the
 * supplier, and the rest from him. In the order of their days, at most shops_len + 1 parts; 0 when
 * nothing says how. */
size_t handover_plan(struct handover_part *parts, const struct handover_goods *g, size_t shop,
                     uint64_t pieces);

/* One line of an answer (contrib/schema/answer.schema.json); today is a local day number. */
json_t *handover_line(const char *sku, uint64_t pieces, const struct handover_goods *g,
                      size_t wished, const struct handover *h, int64_t today);

#endif
