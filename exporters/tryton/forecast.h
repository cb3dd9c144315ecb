/* SPDX-License-Identifier: MIT */
#ifndef TM_TRYTON_FORECAST_H
#define TM_TRYTON_FORECAST_H

#include "common/error.h"
#include "exporters/tryton/stock.h"

#include <jansson.h>
#include <stddef.h>

/*
 * Demand as Tryton's stock.forecast: one for each warehouse and week, confirmed, so that the supply
 * run makes purchase requests of it. What is there of an earlier issue is rewritten or taken back;
 * a forecast that a person made or changed is left alone.
 */
struct forecast_counts {
  size_t written, unchanged, taken_back;
  size_t left; /* to a person, or refused */
};

/* plan as demand_plan() makes it; from: the first Monday that it speaks of; title: the first line
 * of the note beside each forecast that is written. warnings (an array) gets what could not be
 * done. Errors as tryton_call(); calling it again goes on. */
int forecast_issue(struct stock *s, const json_t *plan, const char *from, const char *title,
                   struct forecast_counts *counts, json_t *warnings, struct tm_error *err);

#endif
