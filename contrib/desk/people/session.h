/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_SESSION_H
#define TM_DESK_SESSION_H

#include "contrib/desk/http/request.h"

/*
 * A session ends after idle_s without use and after total_s in any case (desk.conf), at logout, and
 * when the account is disabled or its role or password changes.
 */

/* Of the request's cookie; NULL when there is none. */
const char *session_id(const struct request *r);

/* A new session with a new id for a user, in place of the one that the request may carry; its
 * cookie is put into the answer. */
int session_start(const struct request *r, struct response *to, int64_t user_id,
                  struct tm_error *err);
/* Ends the request's session, and takes the cookie away. */
int session_end(const struct request *r, struct response *to, struct tm_error *err);

/* All of a user but the one with this hash (NULL: none is kept), within a piece of work. */
int sessions_drop(struct db *db, int64_t user_id, const char *keep_sha256, struct tm_error *err);

#endif
