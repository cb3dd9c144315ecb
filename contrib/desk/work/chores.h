/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_CHORES_H
#define TM_DESK_CHORES_H

#include "contrib/desk/desk.h"

/*
 * What the desk does by itself, in a thread of its own and behind what people and sites want:
 * advice on what came, claims whose answers are here, erasing, the night's work, and letters to the
 * sales people. All of it is due by rows of the store, so that it is done later when the desk ends
 * now, and by another desk when this one does not come back.
 */
struct chores;

/* Of the desk the store, the configuration and the templates are used; without templates no letter
 * is written. */
int chores_start(struct chores **chores, const struct desk *desk, struct tm_error *err);
/* Waits until the piece of work in hand is done. NULL is fine. */
void chores_end(struct chores *chores);

/* Does all that is due at `now` and returns: the command `nightly`. */
int chores_once(const struct desk *desk, int64_t now, struct tm_error *err);

#endif
