/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_LEASE_H
#define TM_DESK_LEASE_H

#include "contrib/desk/store/store.h"

/*
 * Work that only one of several desks on a database does: who has the lease goes on with it, and
 * says so now and then; when it is not heard of for LEASE_HELD_S, another one may.
 */
enum { LEASE_HELD_S = 900, LEASE_HOLDER = 33 };

struct lease {
  const char *name;          /* a literal: "nightly" */
  char holder[LEASE_HOLDER]; /* this desk: random */
};

void lease_init(struct lease *lease, const char *name);
/* 1 it is ours, for the period `number` (a day, say) that nobody has finished yet; 0 it is not. */
int lease_take(struct store *store, struct lease *lease, int64_t number, int64_t now,
               struct tm_error *err);
/* -EBUSY when another one has it meanwhile. */
int lease_renew(struct store *store, struct lease *lease, int64_t now, struct tm_error *err);
/* The period's work is done, by us. */
int lease_finish(struct store *store, struct lease *lease, int64_t number, int64_t now,
                 struct tm_error *err);
/* Done for now: another one may go on at once, with the same period. */
int lease_release(struct store *store, struct lease *lease, struct tm_error *err);

#endif
