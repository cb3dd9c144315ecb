/* SPDX-License-Identifier: MIT */
#ifndef TM_RRD_KEEPER_H
#define TM_RRD_KEEPER_H

#include "analyzer/source/rrd_device.h"
#include "analyzer/source/rrd_lane.h"
#include "analyzer/source/rrd_scan.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * The processes that read. A keeper, a child of the program that has no other threads, starts one
 * sandboxed worker for each lane and starts it again when it dies or hangs; what it had in hand is
 * left out from then on and refused by name. All of them end with the program.
 *
 * When the files are not in the page cache, so that workers wait for the disk, some more processes
 * read ahead of them and throw away what they read: disks answer many questions as fast as one.
 */
struct rrd_workers {
  pid_t keeper;
  unsigned n;
  struct rrd_shared *shared; /* lanes and rings, shared by all the processes */
  size_t size;
};

/* Starts n workers over the devices of a scan, which must stay as it is. */
int rrd_workers_start(struct rrd_workers *w, const struct rrd_scan *scan,
                      const struct rrd_wanted *wanted, unsigned n, struct tm_error *err);
/* Ends them all, or, when every lane has come to its end, lets them end by themselves. Harmless
 * when they were not started, and twice. */
void rrd_workers_stop(struct rrd_workers *w, bool over);
/* True when nothing will ever come from them again. */
bool rrd_workers_ended(const struct rrd_workers *w);

#endif
