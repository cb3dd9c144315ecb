/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_TICKER_H
#define TM_DESK_TICKER_H

#include "common/error.h"

#include <stdbool.h>

/*
 * A thread of its own that does something now and then, until it is ended: whatever the desk does
 * in the background is done by one.
 */
struct ticker;

/* tick is called at once, and again so many seconds after it returned as it says; 0: at once.
 * *ticker is set before the first call; NULL when there is none (-ENOMEM, -EAGAIN). */
int ticker_start(struct ticker **ticker, int (*tick)(void *user), void *user, struct tm_error *err);
/* Not before its time, but now. */
void ticker_hurry(struct ticker *t);
/* Asked from within a long tick: does ticker_end() wait for it? False of NULL. */
bool ticker_is_ending(struct ticker *t);
/* Waits until the tick in hand is done. NULL is fine. */
void ticker_end(struct ticker *t);

#endif
