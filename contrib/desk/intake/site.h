/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_SITE_H
#define TM_DESK_SITE_H

#include "contrib/desk/store/db.h"

#include <jansson.h>

/*
 * Sites and what they are known by: pieces of work for store_write() and store_read(), whose
 * argument is a struct site.
 */
struct site {
  const char *customer, *site;
  const char *customer_name; /* of a new customer; NULL: the customer must be there */
  const char *name;          /* of the site, may be NULL */
  const char *target;        /* how the site will call this receiver */
  const char *url;           /* where it pushes to */
  const json_t *purposes;    /* array of names, for the enrolment; NULL: all that a desk is for */
  const char *certificate;   /* its hash, or NULL */
  int64_t now;
  int64_t valid_until; /* of the older credentials, when nobody uses the new ones before */
  int64_t silent_s;    /* list only those not heard of for so long; 0: all */
  json_t *result;      /* new reference: the enrolment, or the list */
};

enum { SITE_ROTATE_S = 30 * 86400 };

/* Adds a site that is not there yet (-EEXIST) and gives its enrolment
 * (contrib/schema/enrolment.schema.json): the only time that token and secret can be seen. */
int site_add(struct db *db, void *site, struct tm_error *err);
/* New credentials beside the old ones, which end when these are used, or at valid_until. -ENOENT
 * for a site that is not there. */
int site_rotate(struct db *db, void *site, struct tm_error *err);
/* Ends all credentials of a site, at once. */
int site_revoke(struct db *db, void *site, struct tm_error *err);
/* Rows of customer_id, site, name, last_seen_at, last_summary_at, devices, token_prefix (of the
 * newest that is valid) and valid (how many are). The longest silent first. */
int site_list(struct db *db, void *site, struct tm_error *err);

#endif
