/* SPDX-License-Identifier: MIT */
#ifndef TM_RRD_SEND_H
#define TM_RRD_SEND_H

#include "analyzer/series.h"
#include "analyzer/source/rrd_lane.h"

/*
 * The worker's side of a lane. What is sent waits for room in the ring as long as the job takes;
 * what was written but not published is lost with a worker that dies, and sent by its successor.
 */
struct rrd_sender {
  struct rrd_lane *lane;
  char *ring;
  uint64_t at;     /* bytes written so far, published or not */
  size_t complete; /* devices below this are written */
};

void rrd_send_begin(struct rrd_sender *s, struct rrd_lane *lane, char *ring);
/* A refusal of the device that is being read: the k-th, from 0. */
void rrd_send_refusal(struct rrd_sender *s, size_t device, uint32_t k, const char *text);
/* The device is complete. */
void rrd_send_series(struct rrd_sender *s, size_t device, const struct series *series);
/* No more devices. */
void rrd_send_end(struct rrd_sender *s);
/* Makes visible what was written. */
void rrd_send_publish(struct rrd_sender *s);

#endif
