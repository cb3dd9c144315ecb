/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_WORKER_H
#define TM_DESK_WORKER_H

#include "contrib/desk/conf.h"
#include "contrib/desk/store/store.h"

/*
 * What the desk does by itself, in a thread of its own and behind what people and sites want:
 * advice on what came, erasing, and the night's work. All of it is due by rows of the store, so
 * that it is done later when the desk ends now, and by another desk when this one does not come
 * back.
 */
struct worker;

int worker_start(struct worker **worker, struct store *store, const struct desk_conf *conf,
                 struct tm_error *err);
/* Waits until the piece of work in hand is done. NULL is fine. */
void worker_end(struct worker *worker);

/* Does all that is due at `now` and returns: the command `nightly`. */
int worker_once(struct store *store, const struct desk_conf *conf, int64_t now,
                struct tm_error *err);

#endif
