/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_RESPONSIBLE_H
#define TM_DESK_RESPONSIBLE_H

#include "contrib/desk/store/db.h"

/*
 * Who of the vendor's people looks after a customer on a day, by the tables assignments, staff and
 * absences and nothing else: the assignment of the site counts before that of the customer, that
 * before one of the region, and one for the kind of device before one for any. Who is absent, or
 * has left, is stood in for by the person of that absence, else by the usual stand-in; who has none
 * is passed over for the next assignment.
 */
struct responsible_ask {
  const char *role;                            /* "sales", "service", ... */
  const char *customer, *site, *region, *kind; /* NULL: not known */
  int64_t day;
};

struct responsible {
  char staff[65], name[201], email[255]; /* email: "" for none */
  char instead_of[201];                  /* the name of who is stood in for; "" for nobody */
};

/* 1 found, 0 there is nobody: the team's address counts. */
int responsible_find(struct db *db, const struct responsible_ask *ask, struct responsible *out,
                     struct tm_error *err);

/* The same for one person: that one, or who stands in on that day. 0 for nobody. */
int responsible_for(struct db *db, const char *staff, int64_t day, struct responsible *out,
                    struct tm_error *err);

#endif
