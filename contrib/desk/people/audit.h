/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_AUDIT_H
#define TM_DESK_AUDIT_H

#include "contrib/desk/http/request.h"

/*
 * The record of who did what, which is only ever added to: sign-ins, exports, changes of roles, and
 * which customers were looked at. Within a piece of work, so that it is there when, and only when,
 * the thing itself is.
 */
struct audit {
  int64_t at;
  int64_t user_id; /* 0: none */
  const char *by;  /* "desk", "command line", a name, or what was typed as one */
  const char *role;
  const char *address;
  const char *what; /* "login", "login-failed", "logout", "seen", "export", "role", ... */
  const char *subject;
  const char *text;
};
int audit_add(struct db *db, const struct audit *entry, struct tm_error *err);

/* By the visitor of a request. */
int audit_request(struct db *db, const struct request *r, const char *what, const char *subject,
                  const char *text, struct tm_error *err);
/* A sign-in or sign-out of a user, whom the request's visitor need not be yet. */
int audit_user(struct db *db, const struct request *r, int64_t user_id, const char *what,
               struct tm_error *err);

/* The visitor looks at this customer's data: written down once an hour for each pair, by itself.
 * Nothing is written for a customer's own people. To be called by every page and API answer that
 * shows one customer's data. */
int audit_seen(const struct request *r, const char *customer, struct tm_error *err);

#endif
