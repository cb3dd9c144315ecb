/* SPDX-License-Identifier: MIT */
#ifndef TM_RRD_SETTINGS_H
#define TM_RRD_SETTINGS_H

#include "common/error.h"

#include <stdint.h>

struct rrd_file;

/*
 * What keeps interval maxima from being exact: in RRD files, and in collectd's configuration, which
 * is where it is put right. Each finding is one line, "FILE: what; what to change" or
 * "FILE:LINE: ...".
 */
typedef void rrd_finding_fn(void *ctx, const char *text);

/* An interval_count file whose header was read (see rrd_file.h). interval_s 0 takes the unit
 * interval that the file itself tells. */
void rrd_settings_check(const struct rrd_file *f, int64_t interval_s, rrd_finding_fn *say,
                        void *ctx);

/* The <Plugin rrdtool> block of a collectd.conf, for unit intervals of interval_s. Files that it
 * includes are not followed. 0, or a negative errno when the file cannot be read. */
int rrd_settings_conf(const char *path, int64_t interval_s, rrd_finding_fn *say, void *ctx,
                      struct tm_error *err);

/* The unit interval of an interval_count file: collectd makes a heartbeat twice the interval of its
 * values, unless it is told otherwise. */
int64_t rrd_settings_interval(const struct rrd_file *f);

#endif
