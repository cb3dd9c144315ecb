/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_DELIVER_H
#define TM_DESK_DELIVER_H

#include "contrib/desk/store/store.h"

/*
 * The thread that delivers what hooks.h queued. A message is lent to one desk at a time. What is
 * not taken by a 2xx is tried again, later and later, for DELIVER_DAYS; meanwhile nothing newer of
 * the same item goes to that address, so that a receiver sees changes in their order. 410 stops the
 * webhook. What went wrong stands in `webhook list` and once in the log.
 */
struct deliverer;

enum { DELIVER_LENT_S = 120, DELIVER_DAYS = 3 };

int deliver_start(struct deliverer **deliverer, struct store *store, struct tm_error *err);
/* Waits until the message in hand is done with. NULL is fine. */
void deliver_end(struct deliverer *deliverer);

#endif
