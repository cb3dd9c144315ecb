/* SPDX-License-Identifier: MIT */
#ifndef TM_QUEUE_H
#define TM_QUEUE_H

#include "common/conf.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Turns summaries into items of the spool, one for each target that may have it. What was queued
 * once for a target is not queued again while it is the same; a key is told on standard output
 * ("queued KEY TARGET") once its item is durable.
 */
struct queue_order {
  const struct tm_conf *conf;
  const char *target; /* this one alone, or NULL */
  char *const *files; /* as input_read() takes them */
  bool now;           /* passes over the schedule */
  int64_t time_ms;    /* UTC now, milliseconds */
};

/* Returns the exit status. */
int queue_run(const struct queue_order *order);

/*
 * Shows what would leave: the items that wait in the spool, byte for byte, then those that
 * queue_run() with order->now would add from these summaries, without adding them; of each its
 * SHA-256, and what of a summary would not leave. What was sent before in the same words would not
 * leave again. With output, every event is also written to OUTPUT/KEY.json. Returns the exit
 * status.
 */
int preview_run(const struct queue_order *order, const char *output);

#endif
