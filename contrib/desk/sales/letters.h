/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_LETTERS_H
#define TM_DESK_LETTERS_H

#include "contrib/desk/desk.h"

/*
 * What the desk writes to the sales people by itself, see people/responsible.h for who gets it: the
 * owner of an item, or who stands in; else who is assigned; else the team's address (desk.conf).
 * Without a mail server nothing is written and nothing counts as told.
 */
enum { LETTERS_AT_ONCE = 200, LETTERS_WEEKLY = 2000 };

/* Items that have become late since the last time: a letter to each person about each customer, and
 * each item once until it is closed and comes back. How many items were told, or a negative
 * errno. */
int letters_late(struct db *db, const struct desk *desk, int64_t now, struct tm_error *err);

/* The week whose letter is due at `now`: from six o'clock on its Monday on. */
int64_t letters_week(int64_t now);
/* What was new and what changed in the week before: a letter to each person; where there is
 * nothing, there is no letter. How many letters, or a negative errno. */
int letters_weekly(struct db *db, const struct desk *desk, int64_t week, int64_t now,
                   struct tm_error *err);

#endif
