/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_SEAL_H
#define TM_DESK_SEAL_H

#include "common/sign.h"
#include "contrib/desk/store/store.h"

#include <stdbool.h>

/*
 * What the desk hands out and wants back unchanged: the time at which a form's page was made, and
 * who a link in a letter was made for. An HMAC by a key of the database, so that it holds over a
 * restart and between several desks. Label says what for: one is no good for another.
 */

/* SEAL_LEAST_S after its page at the soonest (a person reads and types), SEAL_MOST_S at the latest
 * (prices change). */
enum { SEAL_LEAST_S = 3, SEAL_MOST_S = 86400 };

/* The key; made at the first call. */
int seal_key(struct store *store, struct tm_secret *key, struct tm_error *err);

/* Over the time at which a page of a thing was made. Returns out. */
char *seal_page(char out[TM_SHA256_HEX], const struct tm_secret *key, const char *thing,
                int64_t at);

enum seal { SEAL_GOOD, SEAL_BROKEN, SEAL_SOON, SEAL_OLD };
/* at and seal as a form brings them; NULL is broken. *made is the page's time where it is not
 * broken. */
enum seal seal_check(const struct tm_secret *key, const char *thing, const char *at,
                     const char *seal, int64_t now, int64_t *made);

/* A customer's own mark in links of letters, "C-1001~<64 digits>", and back: false for none. */
enum { SEAL_MARK = 300 };
void seal_mark(char out[SEAL_MARK], const struct tm_secret *key, const char *customer);
bool seal_mark_read(const struct tm_secret *key, const char *mark, char *customer, size_t size);

#endif
