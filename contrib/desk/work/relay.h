/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_RELAY_H
#define TM_DESK_RELAY_H

#include "contrib/desk/desk.h"

/*
 * Between the desks that serve one database: what one says to its streams (http/topics.h) the
 * others say to theirs, so that whoever looks at any of them sees it without a reload. It is done
 * by the database (store_tell); what gets lost is asked for by the pages themselves, now and then.
 */
struct relay;

/* Before there are streams. *relay stays NULL where no other desk can be. */
int relay_start(struct relay **relay, const struct desk *desk, struct tm_error *err);
/* After the last one that has something to say. NULL is fine. */
void relay_end(struct relay *relay);

#endif
