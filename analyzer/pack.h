/* SPDX-License-Identifier: MIT */
#ifndef TM_PACK_H
#define TM_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The cheapest set of items that carries a need: how many of each, so that every gain is reached
 * and no room is overfilled, at the least price. Of equal prices the one with fewer pieces, and of
 * equal pieces the one that takes more of the items that stand first.
 *
 * The search is exact: branch and bound over whole quantities. It gives up proving after
 * PACK_MAX_STEPS steps and then returns the best set that it has found, with proven = false.
 */
#define PACK_MAX_ITEMS 48
#define PACK_MAX_STEPS 2000000

enum { PACK_SIZE, PACK_SPEED, PACK_GAINS }; /* what is needed: capacity, transfers per second */
enum { PACK_BAYS, PACK_TOTAL, PACK_CACHE, PACK_ROOMS }; /* what is limited */

struct pack_item {
  double gain[PACK_GAINS]; /* of one piece, 0 or more */
  double uses[PACK_ROOMS];
  int64_t price;
  unsigned max;  /* pieces at most */
  unsigned step; /* in multiples of this, 1 or more */
};

struct pack_need {
  double gain[PACK_GAINS]; /* 0 or less: nothing of it is needed */
  double room[PACK_ROOMS]; /* INFINITY: no limit */
};

struct pack_set {
  unsigned quantity[PACK_MAX_ITEMS];
  unsigned pieces;
  int64_t price;
  bool proven;
};

/* 0 with *set written, -ENOENT when no set carries it (proven unless the steps ran out), or -E2BIG
 * for more than PACK_MAX_ITEMS items. */
int pack_cheapest(const struct pack_item *items, size_t n, const struct pack_need *need,
                  struct pack_set *set);

#endif
