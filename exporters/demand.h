/* SPDX-License-Identifier: MIT */
#ifndef TM_EXPORT_DEMAND_H
#define TM_EXPORT_DEMAND_H

#include "common/conf.h"
#include "exporters/demand_plan.h"

#include <stdint.h>

/*
 * Gives a demand document to the ERP as its forecast (role vendor). Each document that differs from
 * the one before is an issue of the next number, and replaces it whole; one that is older than the
 * last issue is refused. Returns the exit status.
 */
struct demand_order {
  const struct tm_conf *conf;
  const char *target; /* as inquire_order */
  enum demand_figure figure;
  int64_t now;
};
int demand_run(const struct demand_order *order, const char *file);

#endif
