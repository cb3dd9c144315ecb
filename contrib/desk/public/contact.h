/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_CONTACT_H
#define TM_DESK_CONTACT_H

#include "contrib/desk/desk.h"
#include "contrib/desk/people/responsible.h"

#include <jansson.h>

/*
 * What a visitor of a product page asks, and how it reaches the person in charge: kept with the
 * product as of now, and in the same transaction a task at the desk and a letter. Whose it is
 * stands in whose.h; where nobody knows, the task says so and goes to the team.
 */
enum { CONTACT_NUMBER = 16 };

struct contact {
  const struct desk *desk;
  const char *kind; /* quote, material, call, question */
  const char *sku;
  const char *key;      /* of the form that was sent */
  const char *customer; /* where it is known already, by login or link; NULL: to be found */
  const char *found_by; /* of that: "login" or "link" */
  const char *name, *email, *phone, *given_number, *text; /* NULL: not given */
  const char *address; /* of the visitor, for the limit of the rate */
  int64_t page_at, now;
  /* What comes of it. */
  char number[CONTACT_NUMBER];
  int64_t wait_s; /* of -EDQUOT */
};

/* A piece of work for a scope of all customers. -ENOENT for an SKU that is none, -EDQUOT for too
 * many of one address. Sent again (by its key), it is the same contact. */
int contact_store(struct db *db, void *contact, struct tm_error *err);

/* Who hears of a customer's contact: 1 and the person, 0 the team. customer NULL: the team. */
int contact_person(struct db *db, const char *customer, int64_t now, struct responsible *out,
                   struct tm_error *err);

/* Puts a letter to that person, or to the team where there is none or it has no address; nothing
 * where the desk sends no mail. page and model as mail.h has them. */
int contact_tell(struct db *db, const struct desk *desk, const struct responsible *person,
                 const char *customer, const char *key, const char *reply_to, const char *page,
                 const json_t *model, int64_t now, struct tm_error *err);

/*
 * All that a person needs to know of one: {"contact", "customer" (or absent), "devices",
 * "product"}: what the letter says and the task shows. New reference; -ENOENT.
 */
int contact_view(struct db *db, int64_t id, json_t **view, struct tm_error *err);

/* A person says whose it is: -ENOENT for a customer that is none, -EEXIST where it is known. The
 * task goes to who looks after the customer, and a letter with it. */
int contact_assign(struct db *db, const struct desk *desk, int64_t id, const char *customer,
                   const char *by, int64_t now, struct tm_error *err);

/* "A quote", … for pages and letters. */
const char *contact_word(const char *kind);

#endif
