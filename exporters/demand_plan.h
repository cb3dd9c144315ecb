/* SPDX-License-Identifier: MIT */
#ifndef TM_DEMAND_PLAN_H
#define TM_DEMAND_PLAN_H

#include "common/error.h"

#include <jansson.h>

/*
 * A demand document (contrib/schema/demand.schema.json) as whole pieces per shop and week: what a
 * factory's forecast takes. No I/O.
 */
enum demand_figure { DEMAND_EXPECTED, DEMAND_LOW, DEMAND_MIDDLE, DEMAND_HIGH };

/* The figure of that name; -1 for none. */
int demand_figure_of(const char *name);

/* Whether it is one, in every member that is used here. -EBADMSG. */
int demand_check(const json_t *demand, struct tm_error *err);

/*
 * [{"shop":…|null,"from":MONDAY,"lines":{SKU:{"pieces":n,"low":…,"middle":…,"high":…,
 * "expected":…}}}], by shop (null first) and week; weeks without a piece are left out. `expected`
 * is a fraction, which no factory makes: what a week lacks for a whole piece is carried to the
 * next, so that the sum over all weeks is right to half a piece. The others are whole already.
 */
json_t *demand_plan(const json_t *demand, enum demand_figure figure);

#endif
