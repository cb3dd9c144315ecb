/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_REGISTERED_H
#define TM_DESK_REGISTERED_H

#include "contrib/desk/desk.h"

#include <jansson.h>

/*
 * What is registered of a customer, and how the customer changes it: checked, kept with old, new,
 * who and when, and told to the person in charge and to the CRM in the same transaction. A version
 * counts the changes, so that of two at once the second is told.
 */
struct registered {
  const struct desk *desk;
  const char *customer;
  /* What is wanted; NULL: left as it is. Several telephone numbers or addresses are separated by
   * semicolons. */
  const char *contact, *phone, *email, *language;
  int64_t version; /* as it was seen */
  const char *by;
  int64_t by_user, now;
  /* What comes of it. */
  const char *field; /* of -EINVAL */
  size_t changed;
};

/* {"customer_id", "name", "region", "contact", "shop", "language", "phone", "email", "version"}.
 * New reference; -ENOENT. */
int registered_read(struct db *db, const char *customer, json_t **row, struct tm_error *err);

/* A piece of work: -EINVAL with the field; -EEXIST where it was changed meanwhile; 0 also where
 * nothing is different. */
int registered_change(struct db *db, void *registered, struct tm_error *err);

/* The newest changes: [{"at","by_name","field","old_value","new_value","version"}]. */
int registered_changes(struct db *db, const char *customer, json_t **rows, struct tm_error *err);

/* A list of telephone numbers as they are kept ("+81600000102;+81…"), or of addresses in lower
 * case. Those of `known` (a kept list) are taken as they are; false with the wrong one in *bad. */
bool registered_phones(const char *typed, const char *known, char *out, size_t size,
                       const char **bad);
bool registered_emails(const char *typed, char *out, size_t size, const char **bad);

#endif
