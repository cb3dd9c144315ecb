/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_ADVISE_H
#define TM_DESK_ADVISE_H

#include "contrib/desk/store/store.h"

/*
 * Recommendations computed anew: for each device of which something came, soon after, and for all
 * of them every night, with today's catalogue and the whole of the history that was kept. That it
 * is due stands in the devices' rows, so that nothing is forgotten when the desk ends; several
 * desks on one database share the work.
 */
struct adviser;

struct adviser *adviser_new(struct store *store); /* NULL: out of memory */
void adviser_free(struct adviser *a);

/* Computes what is due at `now`, at most `limit` devices; *done is how many they were. Without a
 * catalogue nothing is advised, and it stays due. One thread a struct adviser. */
int adviser_work(struct adviser *a, int64_t now, int limit, int *done, struct tm_error *err);

/* All devices are due from now on: another day, or another catalogue. */
int advise_all(struct store *store, int64_t now, struct tm_error *err);

#endif
