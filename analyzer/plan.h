/* SPDX-License-Identifier: MIT */
#ifndef TM_PLAN_H
#define TM_PLAN_H

#include "analyzer/rules/rules.h"

/*
 * From needs to purchases that do not contradict one another. What concerns the device itself
 * (grow, cache, faster, a successor, its software) becomes one plan: a device that is replaced gets
 * no shelf, cache or firmware any more, and what is bought for one need counts for the others.
 * Supplies and maintenance are bought at other times and by other people: plans of their own.
 */
#define PLAN_MAX       3
#define PLAN_MAX_LINES 32 /* two needs' */

struct plan {
  enum need_action action;                /* of the first need */
  const struct need *needs[NEED_ACTIONS]; /* the leading one first; borrowed */
  size_t n_needs;
  struct need_line
      lines[PLAN_MAX_LINES]; /* n_lines is 0 when nothing in the catalogue carries it */
  size_t n_lines;
  const struct catalogue_item *replacement; /* the model that takes the device's place; NULL */
  bool cheapest;                            /* proven: no other set costs less */
  double share; /* of the way to what is needed that this carries: 1, 0.5, 0.25, or 0 for nothing */
  struct outlook when; /* the need that comes first */
  int64_t order_by;
  double lead_time_days;
};

/* Makes the plans of the needs that hold, indexed by action. Returns their number. */
size_t plan_make(const struct rule_facts *f, const struct need needs[NEED_ACTIONS],
                 struct plan plans[PLAN_MAX]);

#endif
