/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_SENDER_H
#define TM_DESK_SENDER_H

#include "contrib/desk/conf.h"
#include "contrib/desk/store/store.h"

/*
 * The thread that sends letters. A letter is lent to one desk at a time; whoever does not come back
 * loses it after SENDER_LENT_S. What a mail server refuses for good is given up with its words
 * beside it; everything else is tried again, later and later, for SENDER_DAYS.
 */
struct sender;

enum { SENDER_LENT_S = 900, SENDER_DAYS = 30 };

/* Without mail.url nothing is sent and letters wait: *sender is then NULL and 0 is returned. */
int sender_start(struct sender **sender, struct store *store, const struct desk_conf *conf,
                 struct tm_error *err);
/* Waits until the letter in hand is done with. NULL is fine. */
void sender_end(struct sender *sender);

#endif
