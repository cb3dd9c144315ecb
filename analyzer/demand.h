/* SPDX-License-Identifier: MIT */
#ifndef TM_DEMAND_H
#define TM_DEMAND_H

#include "analyzer/shops.h"
#include "common/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What the factory should have ready: pieces per SKU, shop and ISO week, over all recommendations
 * of all summaries. Each recommendation counts in the weeks in which it may be needed, by the
 * chance that it is needed then: its quantity is spread over the range of its fill date. Needs of
 * different devices are taken as independent of one another, and the sum's distribution is
 * computed: low, middle and high are its 0.1, 0.5 and 0.9 quantiles, expected its mean.
 *
 * No customer is named: only how many they are.
 *
 * Nothing but the summaries, the map of shops (shops_load() or shops_parse()) and the time that is
 * passed in counts: no file is read, no clock asked, and the same summaries in any order give the
 * same document. One thread, one struct demand.
 */
struct demand_settings {
  int64_t now;               /* the first week is the one of this day; earlier needs count there */
  unsigned weeks;            /* 1..DEMAND_MAX_WEEKS */
  const struct shops *shops; /* borrowed */
  bool customers;            /* list the customers' ids too */
};
#define DEMAND_MAX_WEEKS 156

struct demand;
struct demand *demand_new(const struct demand_settings *settings); /* NULL: out of memory */
void demand_free(struct demand *d);                                /* NULL is fine */

/* Whether a summary's recommendations have the right shape: 0, or -EBADMSG saying what has not. */
int demand_check(const json_t *summary, struct tm_error *err);

/* Adds what one summary recommends. 0, -EBADMSG for a wrong shape (nothing was added) or -ENOMEM.
 * Of several summaries of one device the caller gives the newest. */
int demand_add(struct demand *d, const json_t *summary, struct tm_error *err);

/*
 * The document of contrib/schema/demand.schema.json; lines by SKU, shop (none last) and week, weeks
 * without any chance of a need left out. NULL when memory is out.
 */
json_t *demand_json(struct demand *d);

/* The distribution behind low, middle and high: of n independent needs, quantity[i] pieces with
 * chance p[i]. Exact up to 1024 pieces, beyond that by the normal distribution. */
struct demand_range {
  double expected;
  unsigned long low, middle, high;
};
int demand_range_of(const unsigned *quantity, const double *p, size_t n, struct demand_range *out);

#endif
