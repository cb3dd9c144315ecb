/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_SECRET_H
#define TM_DESK_SECRET_H

#include "common/sign.h"

/* What opens a door here: 256 random bits as text. Only the hash is ever kept. */
enum { SECRET_BYTES = 32, SECRET_SIZE = 48 }; /* 43 characters of base64url, a prefix, NUL */

#define TOKEN_PREFIX "tmd_" /* of a person's API token */

/* A new one, with a prefix of at most 4 characters in front. */
void secret_make(char out[SECRET_SIZE], const char *prefix);
/* What the database has of it. Returns out. */
char *secret_hash(char out[TM_SHA256_HEX], const char *secret);
/* The field of every form of a session, made of its id. Returns out. */
char *secret_csrf(char out[TM_SHA256_HEX], const char *session);

#endif
