/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_REQUESTS_H
#define TM_DESK_REQUESTS_H

#include "contrib/desk/intake/event.h"

/*
 * Requests for data items (contrib/schema/request.schema.json): they ride along with every answer
 * to the site that they are for, until it has answered or refused them, or their time is over.
 */
enum { REQUESTS_AT_ONCE = 100 };

/* Those that are open for this site, as an array. New reference; NULL with err. Notes when each was
 * handed over for the first time, so that it belongs into a piece of writing. */
json_t *requests_open(struct db *db, const struct credential *to, int64_t now,
                      struct tm_error *err);

/* Keeps an answer: its values, or that the site refuses. One to what nobody asked is kept apart. */
int requests_keep_values(struct db *db, const struct credential *from, const struct event *e,
                         int64_t now, struct tm_error *err);

#endif
