/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_NIGHTLY_H
#define TM_DESK_NIGHTLY_H

#include "contrib/desk/conf.h"
#include "contrib/desk/work/lease.h"

#include <stdbool.h>

/*
 * Once a day, by one desk: everything is due for advice with today's catalogue, open items are
 * weighed anew and snoozed ones woken, requests whose time is over are closed, and what was kept
 * long enough goes. In small pieces, so that what sites send meanwhile is not kept waiting; what
 * was done stays done when it is interrupted, and is not done twice.
 */
struct night {
  struct store *store;
  const struct desk_conf *conf;
  struct lease lease;
  bool (*ended)(void *user); /* true: the desk is to end now; NULL: never */
  void *user;
};

/* 1 done, 0 not ours or done already, or a negative errno. */
int nightly_run(struct night *night, int64_t now, struct tm_error *err);

#endif
