/* SPDX-License-Identifier: MIT */
#ifndef TM_OPPORTUNITY_H
#define TM_OPPORTUNITY_H

#include <jansson.h>
#include <stddef.h>

/*
 * A recommendation as a sales person's system takes it: one document for one need of one device,
 * with who, what and why, and without the rest of the summary
 * (contrib/schema/opportunity.schema.json). A new reference; NULL when memory is out.
 */
json_t *opportunity_of(const json_t *summary, const json_t *recommendation);

/* Sorts an array of opportunities: the earliest order date first, so that late ones lead; of the
 * same date the dearer one; then by key. The order is total. 0 or -ENOMEM. */
int opportunity_sort(json_t *list);

#endif
