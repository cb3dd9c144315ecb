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
 * call the same function and get the same keys.
 *
 * *recommendations becomes a new array (empty: nothing is needed, or the catalogue does not know
 * the model), the one to be ordered first in front; each as contrib/schema's summary has it. `now`
 * is the day of the advice: lateness counts from it.
 *
 * 0, -EBADMSG for a summary of the wrong shape (err says which part), or -ENOMEM.
 */
int recommend(const json_t *summary, const struct catalogue *c, const struct rule_thresholds *t,
              int64_t now, json_t **recommendations, struct tm_error *err);

#endif
