/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_ITEMS_H
#define TM_DESK_ITEMS_H

#include "contrib/desk/store/db.h"

#include <jansson.h>

/*
 * Items: recommendations as people work on them. Of each key there is one, whatever was computed
 * how often. What newly computed advice does to them, all of it noted in item_events:
 *
 *   a key that is new            a new item, state 'new', of whom people/responsible.h names
 *   a key that is open           its numbers, dates and price become those of today
 *   a key that was closed        it comes back as 'new': after 'gone' at once, after 'installed'
 *                                ITEM_INSTALLED_DAYS later (until then the device may not have been
 *                                read), after 'lost' ITEM_LOST_DAYS later (the customer said no)
 *   an open item without advice  'installed' where the device has got more capacity since the day
 *                                in its key; else 'gone', unless something is ordered: what is
 *                                agreed, ordered or delivered stays open until somebody says what
 *                                became of it
 */
enum { ITEM_INSTALLED_DAYS = 30, ITEM_LOST_DAYS = 180 };

struct item_device {
  int64_t id;
  const char *customer; /* its id */
  const char *site;     /* NULL: not known */
  const char *region;   /* of the customer; may be NULL */
  const char *kind;     /* of the device; may be NULL */
  /* "2026-11-20", the day on which it got the capacity that it has; NULL: not known. */
  const char *capacity_since;
  bool capacity_grew;      /* then, and not shrank */
  const char *gone_reason; /* why what is not in the list is gone */
};

/* list: what recommend() gave (borrowed). */
int items_advise(struct db *db, const struct item_device *device, const json_t *list, int64_t now,
                 struct tm_error *err);

/* money x probability x urgency, by which items are ranked. Urgency is 1 on the day of the order,
 * half of that 30 days before, and up to 2 when it is late. NAN counts as nothing known: no money
 * is 0, no probability a half, no date a tenth. */
double item_urgency(int64_t order_by, bool has_order_by, int64_t today);
double item_weight(double money, double probability, double urgency);

/* Weighs all open items for another day, `limit` at a time from *after_id on (0 to begin);
 * *after_id becomes INT64_MAX at the end. Wakes the snoozed ones whose time has come. */
int items_weigh(struct db *db, int64_t now, int limit, int64_t *after_id, struct tm_error *err);

/* Notes what happened to an item. texts may be NULL. */
int item_note(struct db *db, const char *customer, int64_t item, int64_t now, const char *by,
              const char *what, const char *from_state, const char *to_state, const char *text,
              struct tm_error *err);

#endif
