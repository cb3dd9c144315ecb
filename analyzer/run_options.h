/* SPDX-License-Identifier: MIT */
#ifndef TM_RUN_OPTIONS_H
#define TM_RUN_OPTIONS_H

#include "analyzer/device.h"
#include "analyzer/report/report.h"
#include "analyzer/source/source.h"
#include "common/conf.h"
#include "common/options.h"

#include <stdbool.h>
#include <stdint.h>

/* What `tidemark-analyze run` was asked for. Strings are those of the arguments and of conf. */
struct run_options {
  const struct report_format *format;
  unsigned jobs;     /* 1..SOURCE_MAX_JOBS */
  int64_t warning_s; /* full within this long: what nagios calls soon */
  int64_t critical_s;
  bool record;
  const char *ahead_folder; /* of the forecasts as RRD files; NULL: none */
  struct source_options source;
  struct device_settings settings; /* but for catalogue, registrations, inventory and ledger */
};

/* Fills *o, which is all zeros, from the command line. 0, or a status of sysexits.h after saying
 * why; format may be NULL then. */
int run_options_parse(struct run_options *o, const struct tm_args *args,
                      const struct tm_conf *conf);

#endif
