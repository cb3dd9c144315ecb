/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_HOLD_H
#define TM_DESK_HOLD_H

#include "contrib/desk/store/db.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * What the customer has agreed to is kept for them: held until a day, then fetched, or released, or
 * expired by itself. On the desk's own shelves that is done within the transaction; an ERP is told
 * later by the clerk: until then it is 'wanted', or `becomes` what it is to be.
 */
enum { HOLD_DAYS = 14, HOLD_DAYS_MAX = 180 };

struct hold_agree {
  const char *inquiry, *shop;
  const char *agreed_by; /* at the customer */
  int64_t agreed_on;     /* day; INT64_MIN: not said */
  int64_t keep_until;    /* day; INT64_MIN: HOLD_DAYS after it is there */
  const char *by, *staff;
  int64_t now;
  bool own; /* the desk's own shelves */
};

/*
 * Notes who agreed and when, moves the item on to 'agreed' (sales/life.h), and keeps the goods. 0;
 * -ENOENT; -EINVAL with the field's name; -EEXIST where it is kept already, or the goods are gone
 * meanwhile.
 */
int hold_make(struct db *db, const struct hold_agree *agree, const char **field,
              struct tm_error *err);

/* how: "fetched" or "released". -ENOENT where nothing is kept. */
int hold_end(struct db *db, const char *inquiry, const char *how, const char *by, bool own,
             int64_t now, struct tm_error *err);

/* Ends what is over: its last day is past, the item was lost (released) or its expansion was seen
 * (fetched). *ended counts. */
int hold_sweep(struct db *db, bool own, int64_t now, int *ended, struct tm_error *err);

/* --- of an ERP: for the clerk --------------------------------------------------------------- */

/* [{"inquiry", "becomes" or null, "lines", "tries"}] of which it must be told. New reference. */
int hold_due(struct db *db, int64_t now, json_t **rows, struct tm_error *err);
/* It has done it (shipments: its numbers, for one that was wanted), or refused with why. */
int hold_told(struct db *db, const char *inquiry, const char *shipments, const char *refused,
              int64_t now, struct tm_error *err);
/* How many that were agreed to it refused, and are wanted still: somebody must have them bought or
 * made. today: a day number. */
int hold_refused(struct db *db, int64_t today, int64_t *n, struct tm_error *err);
int hold_later(struct db *db, const char *inquiry, int64_t next_try_at, const char *why,
               struct tm_error *err);

#endif
