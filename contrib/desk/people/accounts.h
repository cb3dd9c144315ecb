/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_ACCOUNTS_H
#define TM_DESK_ACCOUNTS_H

#include "contrib/desk/people/secret.h"
#include "contrib/desk/store/store.h"

/*
 * Accounts as an administrator sees them, from the command line as from the page. Each is a piece
 * of work for store_write(), and is written into the audit log with who did it.
 */
struct account {
  const char *login;                          /* a mail address; compared in lower case */
  const char *name, *role, *customer, *staff; /* the last two NULL where there is none */
  /* Who does it, for the audit log. */
  int64_t now, by_id;
  const char *by, *by_role, *address;
  /* What comes of it. */
  int64_t id;
  char login_of_id[256];
  char secret[SECRET_SIZE]; /* of a link or token */
  json_t *list;             /* new reference */
};

enum { LINK_HOURS = 24 };

/* -EEXIST for a login that is there, -EINVAL for a role, name or address that is none, -ENOENT for
 * a customer or person of staff that is not there; each said in err. */
int account_add(struct db *db, void *account, struct tm_error *err);
/* A link that is good for one sign-in, 24 h long; earlier ones of this account are void. */
int account_link(struct db *db, void *account, struct tm_error *err);
/* Signs it out everywhere. -EINVAL for the account of who does it, here as in account_role(): a
 * desk must not lose its last administrator by a slip. */
int account_disable(struct db *db, void *account, struct tm_error *err);
int account_enable(struct db *db, void *account, struct tm_error *err);
/* Signs it out everywhere: rights are those of a new session. */
int account_role(struct db *db, void *account, struct tm_error *err);
/* An API token; name says what for. */
int account_token(struct db *db, void *account, struct tm_error *err);
int account_list(struct db *db, void *account, struct tm_error *err);

/* When there is no account at all: adds "admin" and makes a link for it; else id stays 0. */
int account_first(struct db *db, void *account, struct tm_error *err);

#endif
