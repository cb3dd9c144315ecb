/* SPDX-License-Identifier: MIT */
#ifndef TM_PUSH_H
#define TM_PUSH_H

#include "common/conf.h"

#include <stdbool.h>

/*
 * Sends what is due, each target by its own thread, so that a sick one holds up nobody. A target
 * that has nothing due and is not to be polled is not connected to at all.
 */
struct push_order {
  const struct tm_conf *conf;
  const char *target; /* this one alone, or NULL */
  bool once;          /* one pass; else retries that are due within a minute are waited for */
  bool manual;        /* a person's call: the first pass does not wait out our own back-off */
  bool now;           /* passes over quiet hours, what the receiver asked, and a stopped target */
};

/* Returns the exit status: EX_OK; EX_DATAERR where an item was refused; EX_TEMPFAIL where items are
 * left for later; EX_UNAVAILABLE where a target did not answer. */
int push_run(const struct push_order *order);

#endif
