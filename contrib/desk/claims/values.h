/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_CLAIM_VALUES_H
#define TM_DESK_CLAIM_VALUES_H

#include "contrib/desk/store/db.h"

/*
 * What has come for a claim, as a page, a mail and the API show it. No name of another customer, of
 * its site or its device is in any of it.
 *
 *   items     [{"name", "label", "unit", "nature" (measurement, setting, counter or null),
 *               "value" (of the claimed device, or null), "state" (why there is none: not-offered,
 *               refused, unavailable, expired, waiting), "peers" (how many told one),
 *               "shown" (false: too few), "mean", "median", "spread", "low", "high", "percentile",
 *               "distance", "most", "most_peers", "same_peers", "outlier", "text" {...}, "strip"}]
 *             measurements first, then settings, then counters
 *   progress  {"wanted", "here", "waiting", "own": {"status", "at", "reason"} or null,
 *              "peers": {"asked", "answered", "refused", "unavailable", "expired", "waiting"},
 *              "models", "without_consent"}
 *   outliers  {"all", "measurements", "settings", "counters", "compared"}
 *   alone     whether no peer was asked: there is nothing to compare with
 */
json_t *claim_values(struct db *db, const json_t *claim, int64_t now, struct tm_error *err);

/* How many requests of a claim are open, and what became of the others: enough to say whether it is
 * ready. */
struct claim_progress {
  int64_t own, own_open, peers, peers_open, peers_answered;
};
int claim_progress(struct db *db, const char *claim, int64_t now, struct claim_progress *out,
                   struct tm_error *err);
/* Nothing is waited for any more; or the claimed device has answered, and of the peers three in
 * four, of which enough told values that a mean may be shown. */
bool claim_is_ready(const struct claim_progress *p);

/* What the claimed device said at other times, and its busiest interval of each day, about the day
 * of the claim: [{"day", "values": [{"text"}], "busiest", "event"}], newest first; "columns" are
 * the labels of up to three items. New references. */
int claim_before_after(struct db *db, const json_t *claim, const json_t *items, json_t **columns,
                       json_t **rows, struct tm_error *err);

#endif
