/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_CLAIM_PROGRESS_H
#define TM_DESK_CLAIM_PROGRESS_H

#include "contrib/desk/desk.h"

/*
 * The life of a claim: open, collecting, ready, answered, closed. What comes from sites moves it to
 * 'ready' by itself, with a letter of the values to the person in charge; the rest people do.
 */

/* Looks at the claims that collect. Called by the chores (work/chores.h). */
int claims_work(const struct desk *desk, int64_t now, struct tm_error *err);

struct claim_move {
  int64_t claim;
  const char *to;
  const char *text; /* the answer to the customer, for 'answered'; else a reason, or NULL */
  const char *by;
  int64_t version; /* as the person saw it; 0: not looked at */
  int64_t now;
  const char *field; /* what is wrong, for the answer */
};
/* A piece of work: to 'answered' with a text, to 'closed', or from there back to 'open'. What is
 * still asked for is taken back when it closes. */
int claim_move(struct db *db, void *move, struct tm_error *err);
/* Whether a person may do that. */
bool claim_may(const char *from, const char *to);

#endif
