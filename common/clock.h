/* SPDX-License-Identifier: MIT */
#ifndef TM_CLOCK_H
#define TM_CLOCK_H

#include "common/error.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Times are int64_t seconds since 1970 UTC. Library code never asks what time it is: 'now' is
 * handed in, so that the same input gives the same output. Only a program's main and the plugins
 * call tm_now().
 */

#define TM_TIME_SIZE 24 /* room for "2026-11-20T00:05:00Z" */
#define TM_TIME_LEN  20
#define TM_DATE_SIZE 16 /* "2026-11-20" */
#define TM_DATE_LEN  10
#define TM_DAY       86400

int64_t tm_now(void);
/* Seconds that never jump; with CLOCK_BOOTTIME, so that a suspended machine's wait goes on. */
double tm_monotonic(void);

/* RFC 3339 in UTC, whole seconds, always TM_TIME_LEN bytes. Before March of the year 0 and after
 * 9999 it is clamped. Returns out. */
char *tm_time_format(char out[TM_TIME_SIZE], int64_t t);
/* Reads RFC 3339 (any offset, fraction dropped), "2026-11-20" (midnight UTC) or "@SECONDS".
 * 0, or -EINVAL with *t unchanged. */
int tm_time_parse(const char *text, int64_t *t);

/*
 * The zone in which days begin and end, for the whole process: the name of an entry of the system's
 * zoneinfo ("Asia/Tokyo", "UTC"). NULL leaves the system's own zone. -EINVAL when there is no such
 * zone (libc would silently take UTC). Call it before threads start.
 */
int tm_zone_use(const char *name, struct tm_error *err);
/* Whether this system has such a zone. */
bool tm_zone_is_known(const char *name);
/* The local midnight at or before t; days of 23 and 25 hours included. Where clocks go forward at
 * midnight the day begins with its first existing second. */
int64_t tm_day_start(int64_t t);
/* The start of the next local day. */
int64_t tm_day_next(int64_t t);
/* The local date of t as days since 1970-01-01, and that written as "2026-11-20": for a row of
 * days, each of which is the next number, without asking the zone for each. Always TM_DATE_LEN
 * bytes. Returns out. */
int64_t tm_date_days(int64_t t);
char *tm_date_format_days(char out[TM_DATE_SIZE], int64_t days);
/* The date of t in UTC: what a forecast's dates are told in, at a site as at its vendor. */
char *tm_date_format_utc(char out[TM_DATE_SIZE], int64_t t);
/* Local date of t, "2026-11-20". Returns out. */
char *tm_date_format(char out[TM_DATE_SIZE], int64_t t);

#endif
