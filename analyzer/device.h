/* SPDX-License-Identifier: MIT */
#ifndef TM_DEVICE_H
#define TM_DEVICE_H

#include "analyzer/catalogue.h"
#include "analyzer/forecast/forecast.h"
#include "analyzer/registration.h"
#include "analyzer/rules/rules.h"
#include "analyzer/series.h"
#include "common/buf.h"
#include "common/conf.h"
#include "common/error.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The way of one device through the analyzer: series -> forecast -> track record -> summary line.
 * What is the same for all devices stands in device_settings; what one job uses again and again in
 * device_work.
 */
struct device_settings {
  const struct tm_conf *conf;
  const struct registrations *registrations; /* empty: nothing is registered */
  bool has_inventory;                /* the plugins have left what they found in the state folder */
  const struct catalogue *catalogue; /* NULL: this site has none, nothing is recommended */
  struct rule_thresholds thresholds;
  bool forecast;
  bool brief;      /* capacity and maxima only, see struct summary */
  bool has_ledger; /* there is a ledger to read */
  int64_t as_of;   /* INT64_MIN: the newest row's time */
  unsigned history_days;
};

struct device_work {
  struct forecast_work *forecast;
  struct tm_buf line;
  struct forecast_result result; /* of the device in hand, when forecasted */
  bool forecasted;
  char host[256];     /* whose inventory was looked for last, */
  bool has_inventory; /* and whether it has one */
};

/* 0 or -ENOMEM. */
int device_work_init(struct device_work *w);
void device_work_release(struct device_work *w);

/* Makes the summary's line (no newline) in w->line. A negative errno when the device cannot be told
 * at all. */
int device_summarize(struct device_work *w, const struct device_settings *settings,
                     const struct series *series, struct tm_error *err);

/* Appends the forecast of the device that was summarized last to the ledger and writes its own
 * summary file. What fails here takes nothing from the report. */
int device_record(struct device_work *w, const struct device_settings *settings,
                  const struct series *series, struct tm_error *err);

#endif
