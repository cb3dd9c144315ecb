/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_KEEP_H
#define TM_DESK_KEEP_H

#include "contrib/desk/intake/event.h"

/*
 * Keeps the events of one request, in one transaction: it is durable, or nothing of it is. Those
 * that were refused go into quarantine; of the others each becomes accepted, a duplicate, or
 * refused, for it says something else than the event of this id that is here already.
 *
 * Where one of them cannot be stored by itself, the others are. *requests becomes what is asked of
 * the site: an array, a new reference. Without events it is only noted that the site asked.
 */
int keep_events(struct store *store, const struct credential *from, struct event *events, size_t n,
                int64_t now, json_t **requests, struct tm_error *err);

/* One summary or history of a device, inside a transaction. */
int keep_document(struct db *db, const struct credential *from, const struct event *e, int64_t now,
                  struct tm_error *err);

#endif
