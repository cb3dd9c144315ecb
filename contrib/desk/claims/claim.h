/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_CLAIM_H
#define TM_DESK_CLAIM_H

#include "contrib/desk/desk.h"

/*
 * A claim as it comes in, whichever way: a document of contrib/schema/claim.schema.json becomes one
 * row of the table claims. The device is found by the serial number that the claim names or its
 * text mentions, else by customer, site, host and name; where that is none or several, a person
 * decides later.
 */
struct claim_intake {
  const struct desk *desk;
  const json_t *document; /* checked by claim_check() */
  const char *via;        /* form, api, mail, crm: a literal */
  const char *source;     /* of this very way: "api/12"; one external id of a source is one claim */
  const char *external_id; /* NULL: none, or what the document says */
  const char *entered_by;  /* a person of ours who typed it, NULL: it came by itself */
  const char *staff;       /* ... and the key of that one, or NULL */
  int64_t now;
  /* What comes of it. */
  int64_t id;
  bool duplicate; /* it was there already: id is that one's */
};

/* Whether it fits the schema: -EINVAL with the field's name. */
int claim_check(const json_t *document, char field[200], struct tm_error *err);

/* A piece of work. Writes to the person in charge about a claim that nobody of ours typed. */
int claim_take(struct db *db, void *intake, struct tm_error *err);

struct claim_device {
  int64_t id; /* 0: none, or several that fit */
  char customer[200], site[200], host[256], device[201], kind[64], vendor[201], model[201];
};
/* By what the document says. */
int claim_device_find(struct db *db, const json_t *document, struct claim_device *out,
                      struct tm_error *err);
/* The claim is about this device, as a person says. -ENOENT where there is no such one. */
int claim_device_set(struct db *db, int64_t claim, int64_t device, const char *by, int64_t now,
                     struct tm_error *err);

/* Adds to the record of a claim. from, to, text may be NULL. */
int claim_note(struct db *db, int64_t claim, int64_t now, const char *by, const char *what,
               const char *from, const char *to, const char *text, struct tm_error *err);

/* A claim's row with its device's names, within the scope: members as the columns, and id_text
 * "K-12", customer, site, host, device, kind, region, owner_name. -ENOENT. New reference. */
int claim_read(struct db *db, int64_t id, json_t **claim, struct tm_error *err);
/* "K-12" or "12" as a number; 0 for what is none. */
int64_t claim_number(const char *text);

#endif
