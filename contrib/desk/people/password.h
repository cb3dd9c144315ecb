/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_PASSWORD_H
#define TM_DESK_PASSWORD_H

#include "common/error.h"
#include "contrib/desk/people/people.h"

#include <stdbool.h>

enum { PASSWORD_MIN = 8, PASSWORD_MAX = 256, PASSWORD_HASH = 128 };

/*
 * NULL when the password may be one, else what is wrong, for people: shorter than 8 characters,
 * longer than 256 bytes, one that everybody tries first (also with figures behind, or with figures
 * in place of letters), or the account's own name.
 */
const char *password_fault(const char *password, const char *login, const char *name);

/* argon2id; -EBUSY when too many are at it. */
int password_make(struct people *p, const char *password, char out[PASSWORD_HASH],
                  struct tm_error *err);
/*
 * Whether the password is the hash's; *stale when it should be made anew. hash NULL (no such
 * account, or none set): false, after the same time. -EBUSY as above.
 */
int password_check(struct people *p, const char *hash, const char *password, bool *right,
                   bool *stale, struct tm_error *err);

#endif
