/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_PEOPLE_H
#define TM_DESK_PEOPLE_H

#include "contrib/desk/http/route.h"

/* What this room keeps in memory: who saw whom this hour, and how many passwords are being hashed
 * (64 MiB each: no more than two at once). */
struct people;

/* Takes a moment: a password of nobody is hashed. NULL when memory is short. */
struct people *people_new(void);
void people_free(struct people *p);

/* True when this is the first time in this hour. */
bool people_sees(struct people *p, int64_t user_id, const char *customer, int64_t now);

/* A place among those that hash; false when as many are waiting already as workers can be spared:
 * the caller says 503. */
bool people_hash_begin(struct people *p);
void people_hash_end(struct people *p);
/* The hash of nobody's password: checked against where there is no account, so that the answer
 * takes the same time. */
const char *people_nobody(const struct people *p);

#endif
