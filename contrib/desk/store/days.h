/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_DAYS_H
#define TM_DESK_DAYS_H

#include "common/buf.h"
#include "common/error.h"
#include "common/json_out.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Days of a device's history, as a summary's history[] has them, and how a month of them is kept:
 * packed into some 30 bytes a day, for 100,000 devices with two years each are 73 million days.
 */
enum day_field {
  DAY_CAPACITY,
  DAY_USED,
  DAY_SLOTS_TOTAL,
  DAY_SLOTS_USED,
  DAY_MAX,
  DAY_MAX_AT, /* a time, in seconds */
  DAY_MEAN,
  DAY_P95,
  DAY_COVERED,
  DAY_FIELDS
};

enum day_state { DAY_ABSENT /* was not agreed to */, DAY_NULL /* is not known */, DAY_KNOWN };

/* A history may end so many days after the desk's day in UTC: no zone is farther ahead. */
enum { DAYS_AHEAD = 2 };

struct day {
  int64_t date;       /* days since 1970-01-01 */
  int64_t arrived_on; /* the same: the desk's local date */
  uint8_t state[DAY_FIELDS];
  double value[DAY_FIELDS]; /* where known */
};

/* The member's name in history[]. */
const char *day_field_name(enum day_field field);

/* Reads an element of history[]; members that are not known here are passed over. -EBADMSG where
 * the date is none. */
int day_read(struct day *day, const json_t *json, int64_t arrived_on);
/* The same element again; with `arrived` the day on which it came too. New reference. */
json_t *day_json(const struct day *day, int arrived);
/* The same straight into text: for days by the ten thousand. */
void day_write(struct json_out *out, const struct day *day, int arrived);

/* Months since 1970-01, and the first date of one. */
int64_t days_month(int64_t date);
int64_t days_month_start(int64_t month);

enum { DAYS_OF_MONTH = 31 };

/* Packs n days of one month, by ascending dates. */
int days_pack(struct tm_buf *out, const struct day *days, size_t n);
/* -EBADMSG for what days_pack() did not make. */
int days_unpack(const void *data, size_t len, int64_t month, struct day days[DAYS_OF_MONTH],
                size_t *n, struct tm_error *err);

/* Puts sent days into those of a month, as common/merge.h does: of two of a date the one that
 * covers more of the day stands, else the one that was sent. What is told again with the same
 * numbers keeps its day of arrival. Returns how many are new or changed. */
size_t days_merge(struct day days[DAYS_OF_MONTH], size_t *n, const struct day *sent, size_t sent_n);

#endif
