/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_WHOSE_H
#define TM_DESK_WHOSE_H

#include "contrib/desk/store/db.h"

#include <jansson.h>

/*
 * Which customer somebody is who wrote a customer number, an e-mail address or both. Nobody is
 * guessed: it is known when all that was given leads to one and the same customer.
 */
enum { WHOSE_CUSTOMER = 256 };

struct whose {
  char customer[WHOSE_CUSTOMER]; /* "" where a person has to decide */
  const char *found_by;          /* "number", "email"; NULL for nobody; a literal */
};

int whose_find(struct db *db, const char *number, const char *email, struct whose *out,
               struct tm_error *err);

/* Everybody that either of them leads to, at most 20: [{"customer_id","name","region","by"}]. */
int whose_candidates(struct db *db, const char *number, const char *email, json_t **rows,
                     struct tm_error *err);

#endif
