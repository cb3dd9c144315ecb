/* SPDX-License-Identifier: MIT */
#ifndef TM_NEWEST_H
#define TM_NEWEST_H

#include "common/error.h"

#include <jansson.h>
#include <stddef.h>

/*
 * Of several summaries of one device the newest counts. A device is customer, site, host and name.
 */
struct newest {
  struct newest_entry *index;
  struct newest_entry **list; /* in the order in which the devices were first seen */
  size_t n;
  size_t cap;
};

struct newest_entry; /* opaque */

/* Keeps value (the reference is taken, also on failure) for the summary's device, unless a newer
 * summary of it was here before; of equal times the later call counts. 0 or -ENOMEM. */
int newest_put(struct newest *n, const json_t *summary, json_t *value, struct tm_error *err);
/* The value of the summary's device; borrowed, NULL without one. */
json_t *newest_find(const struct newest *n, const json_t *summary);
/* The value of the i-th device, i from 0 to n - 1; borrowed. */
json_t *newest_at(const struct newest *n, size_t i);
void newest_release(struct newest *n);

#endif
