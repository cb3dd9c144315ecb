/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_TICKER_H
#define TM_DESK_TICKER_H

#include "common/error.h"

/*
 * A thread of its own that does something now and then, until it is ended.
 */
struct ticker;

/* tick is called at once, and again so many seconds after it returned as it says; 0: at once. */
int ticker_start(struct ticker **ticker, int (*tick)(void *user), void *user, struct tm_error *err);
/* Not before its time, but now. */
void ticker_hurry(struct ticker *t);
/* Waits until the tick in hand is done. NULL is fine. */
void ticker_end(struct ticker *t);

#endif
