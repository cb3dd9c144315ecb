/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_CLAIM_ASK_H
#define TM_DESK_CLAIM_ASK_H

#include "contrib/desk/store/db.h"

#include <stdbool.h>

/*
 * Whom a claim's data items are asked of. The claimed device's own site decides for itself: it is
 * asked, and says no where `service` is not agreed to. Others of the model are asked only where
 * their newest summary says that `comparison` is: the rest is neither asked nor counted.
 */
enum { CLAIM_PEERS = 200, CLAIM_OPEN_S = 7 * 86400 };

struct claim_targets {
  int64_t device; /* 0: not known */
  bool has_model;
  int64_t models;  /* others of the same vendor and model */
  int64_t consent; /* of these, with consent to comparison */
};
/* claim: a row of claim_read(). */
int claim_targets(struct db *db, const json_t *claim, struct claim_targets *out,
                  struct tm_error *err);

struct claim_ask {
  int64_t claim;
  const char *items;   /* names; NULL: those of the claim's type */
  const char *compare; /* "device", "peers", "both"; NULL: what the claim says */
  const char *by;
  int64_t version; /* of the claim as the person saw it; 0: not looked at */
  int64_t now;
  const char *field; /* what is wrong, for the answer */
  int64_t asked;     /* comes of it: how many requests */
};
/* A piece of work: makes the requests, which ride along with the next answer to each site, and
 * moves the claim to 'collecting'. May be done again, for more items. */
int claim_ask(struct db *db, void *ask, struct tm_error *err);

/* Takes back what is still open. */
int claim_withdraw(struct db *db, int64_t claim, int64_t now, struct tm_error *err);

#endif
