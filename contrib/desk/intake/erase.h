/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_ERASE_H
#define TM_DESK_ERASE_H

#include "contrib/desk/intake/event.h"

/*
 * Erasing on a customer's wish: what was sent of a device, of a site's devices, or everything of a
 * customer, with all that was made of it. A receipt remains in the table erasures, which does not
 * say whose it was: only who knows the names can find it by their hash.
 */
struct erasure {
  const char *customer;
  const char *site;          /* NULL: the customer with everything, accounts and credentials too */
  const char *host, *device; /* NULL: all devices of the site */
  const char *by;            /* who wants it */
  bool crm;                  /* there is one, which may have charts and notes of ours */
  int64_t now;
  char receipt[40]; /* filled: "E-" and 32 digits */
  int64_t devices;  /* filled: how many it were; -ENOENT is given for none */
};

/* A piece of work whose argument is a struct erasure. */
int erase_now(struct db *db, void *erasure, struct tm_error *err);

/* A site asks, by a signed document (contrib/schema/delete-request.schema.json): it becomes due. */
int erase_ask(struct db *db, const struct credential *from, const struct event *e, int64_t now,
              struct tm_error *err);

/* Clears what was erased out of the store's files. It is erased whether this can be done now or
 * not: it is tried again by erase_due(). */
void erase_tidy(struct store *store);

/* Does what is due (crm: as above), and clears what was erased out of the store's files. */
int erase_due(struct store *store, bool crm, int64_t now, struct tm_error *err);

#endif
