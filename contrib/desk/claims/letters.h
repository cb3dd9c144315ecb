/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_CLAIM_LETTERS_H
#define TM_DESK_CLAIM_LETTERS_H

#include "contrib/desk/desk.h"

/*
 * A letter about a claim to the person in charge: its owner, or who stands in for that one today;
 * where nobody is in charge, to each of the service team; where none of them has an address, an
 * administrator hears of it. One letter of a claim, what and person, however often it is tried.
 *
 * page: a template that ends in .txt; its model is the claim's row, "link", and the members of
 * `more` (borrowed; NULL: none).
 */
int letters_claim(struct db *db, const struct desk *desk, int64_t claim, const char *what,
                  const char *page, const json_t *more, int64_t now, struct tm_error *err);

#endif
