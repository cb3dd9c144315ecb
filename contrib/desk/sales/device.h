/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_DEVICE_H
#define TM_DESK_DEVICE_H

#include "contrib/desk/http/request.h"

/*
 * All that the desk knows of one device, as a page shows it. Whose it is stands in the scope of the
 * connection: a device of another customer is as absent as one that never was.
 */
struct device_view {
  json_t *device;   /* its row, with the customer's name, and kind_word */
  json_t *summary;  /* the newest document; json null where none is kept */
  json_t *days;     /* its merged history */
  json_t *item;     /* the one that was asked for, else the heaviest open one; NULL: none */
  json_t *items;    /* the other open ones */
  json_t *life;     /* what happened to item, oldest first */
  json_t *comments; /* of the item and the device, newest first */
  json_t *claims;   /* on the device, newest first; for staff alone */
  json_t *contacts;
  json_t *quotes;
  json_t *past;     /* summaries received, newest first, at most DEVICE_PAST */
  int64_t past_len; /* how many there are */
};
enum { DEVICE_PAST = 12, DEVICE_DAYS = 731 };

/* item 0: whichever weighs most. -ENOENT where device (or item, of which the device follows when
 * device is 0) is absent. May be called again with the same view. */
int device_view_read(struct db *db, struct device_view *view, int64_t device, int64_t item,
                     int64_t today, struct tm_error *err);
void device_view_release(struct device_view *view);

/* tidemark.series/1 of it, see chart/series.h. New reference. */
json_t *device_series(const struct device_view *view, int64_t today);

/* The first capacity, cache, software … beside those of now: [{"what","sold","now","remark"}]. */
json_t *device_sold_and_now(const struct device_view *view);

#endif
