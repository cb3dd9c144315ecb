/* SPDX-License-Identifier: MIT */
#ifndef TM_RULES_LOAD_H
#define TM_RULES_LOAD_H

#include "analyzer/rules/rules.h"

/* Fills f->load from status.transfers and history[]: speeds of the busiest interval by day, and
 * the limit of the model with what is built in. */
void load_read(struct rule_facts *f);
/* Fills f->load.outlook by the forecast of these maxima against the limit; leaves it empty where
 * the load is far from the limit or too short to judge. 0 or -ENOMEM. */
int load_forecast(struct rule_facts *f, struct tm_error *err);
/* The need that a load near its limit makes, whichever rule takes it up. */
void load_need(const struct rule_facts *f, double want_speed, struct need *need);

#endif
