/* SPDX-License-Identifier: MIT */
#ifndef TM_RECOMMEND_H
#define TM_RECOMMEND_H

#include "analyzer/catalogue.h"
#include "analyzer/rules/rules.h"
#include "common/error.h"

#include <jansson.h>
#include <stdint.h>

/*
 * What to offer for one device, from its summary alone: the site, the vendor's batch and the desk
 * call the same function and get the same keys. It reads and writes nothing else, asks no clock and
 * keeps nothing from one call to the next, so threads may call it side by side with one catalogue.
 *
 * *recommendations becomes a new array (empty: nothing is needed, or the catalogue does not know
 * the model), the one to be ordered first in front; each as contrib/schema's summary has it. `now`
 * is the day of the advice: lateness counts from it.
 *
 * A receiver that was sent the history once and then its newest days puts what it has kept into
 * the summary first (merge_history() of common/merge.h): the load is judged by all of history[],
 * 800 days at most, while capacity, its forecast and capacity_changed_on are the site's own.
 *
 *   catalogue_parse(&c, text, len, "catalogue", &err);       or catalogue_load(), once
 *   rule_thresholds_init(&t);                                or a configuration's block recommend
 *   json_object_set_new(summary, "history", merge_history(kept, sent, MERGE_KEEP_DAYS));
 *   recommend(summary, &c, &t, now, &list, &err);
 *   json_object_set(summary, "recommendations", list);       then demand_add(d, summary, &err)
 *
 * The key of a need is CUSTOMER/SITE/HOST/DEVICE/ACTION/DATE, DATE being the day on which the
 * device got the capacity that it has, else of its sale, else "-". It tells nothing of time: the
 * same need today and tomorrow has one key, a key that is missing from a later list is a need that
 * has gone (bought here, bought elsewhere, or cleaned up), and one that comes back under the same
 * key is the old need again, for a purchase that adds capacity makes a new date. Whether it is then
 * shown anew is the caller's business. A list has a key once.
 *
 * 0, -EBADMSG for a summary of the wrong shape (err says which part), or -ENOMEM.
 */
int recommend(const json_t *summary, const struct catalogue *c, const struct rule_thresholds *t,
              int64_t now, json_t **recommendations, struct tm_error *err);

#endif
