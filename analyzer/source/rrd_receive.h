/* SPDX-License-Identifier: MIT */
#ifndef TM_RRD_RECEIVE_H
#define TM_RRD_RECEIVE_H

#include "analyzer/series.h"
#include "analyzer/source/rrd_lane.h"

#include <stdbool.h>

/*
 * The job's side of a lane. It trusts nothing in the ring: sizes are copied, then checked, texts
 * are cut and cleaned, and pointers are never taken from it.
 */
struct rrd_receiver;

/* One job, one receiver. NULL when memory is out. ended() is asked now and then while nothing
 * comes. */
struct rrd_receiver *rrd_receiver_new(struct rrd_lane *lane, char *ring, size_t n_devices,
                                      bool (*ended)(void *ctx), void *ctx);
void rrd_receiver_free(struct rrd_receiver *r);
/* The next history: 1, 0 at the end, -EIO when the workers ended before it, -EBADMSG when the ring
 * holds nonsense, -ENOMEM. The series has index, numbers, units and refusals; valid until the next
 * call. */
int rrd_receive(struct rrd_receiver *r, struct series *s);
/* True when the end was received. */
bool rrd_receiver_done(const struct rrd_receiver *r);

#endif
