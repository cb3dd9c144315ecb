/* SPDX-License-Identifier: MIT */
#ifndef TM_RRD_WORKER_H
#define TM_RRD_WORKER_H

#include "analyzer/source/rrd_device.h"
#include "analyzer/source/rrd_lane.h"
#include "analyzer/source/rrd_scan.h"

/* What the processes do that rrd_keeper.c starts: they read devices, confined (rrd_sandbox.h). */

/* The status of one for which memory was short: another would have no more of it. */
#define RRD_EXIT_MEMORY 71

/* Takes devices for this lane until there are none left, first those that a predecessor did not
 * complete, and sends their histories. Ends the process: 0, or RRD_EXIT_MEMORY. */
_Noreturn void rrd_worker_run(const struct rrd_scan *scan, const struct rrd_wanted *wanted,
                              struct rrd_shared *shared, unsigned lane);

/* Reads devices that no worker has begun and throws away what it read, until there are none or the
 * disk is not needed for them. Ends the process: 0. */
_Noreturn void rrd_warmer_run(const struct rrd_scan *scan, const struct rrd_wanted *wanted,
                              struct rrd_shared *shared);

#endif
