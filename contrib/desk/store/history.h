/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_HISTORY_H
#define TM_DESK_HISTORY_H

#include "contrib/desk/store/days.h"
#include "contrib/desk/store/db.h"

/*
 * The days of a device in the table `history`, a row a month.
 */

/* Puts days, by ascending dates and at most HISTORY_SENT_MAX of them, into what is kept. Returns
 * how many were new or changed, or a negative errno. */
enum { HISTORY_SENT_MAX = 4000 };
int64_t history_merge(struct db *db, const char *customer, int64_t device_id,
                      const struct day *days, size_t n, struct tm_error *err);

/* Called for each kept day from `from` until `to` (both included), oldest first. Not 0 ends it. */
typedef int history_each(void *user, const struct day *day, struct tm_error *err);
int history_read(struct db *db, int64_t device_id, int64_t from, int64_t to, history_each *each,
                 void *user, struct tm_error *err);

/* The newest `keep` days until `to` as a summary's history[] has them; with `arrived` each one's
 * day of arrival besides. New reference. */
json_t *history_json(struct db *db, int64_t device_id, int64_t to, size_t keep, int arrived,
                     struct tm_error *err);

#endif
