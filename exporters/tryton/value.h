/* SPDX-License-Identifier: MIT */
#ifndef TM_TRYTON_VALUE_H
#define TM_TRYTON_VALUE_H

#include "common/error.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What JSON has no form for, as Tryton writes it: {"__class__":"date","year":2026,...} and the
 * like. What these make is a new reference; null (not NULL) where there is no value.
 */

/* From "2026-11-20", or a time that begins so; null for NULL and for what is no date. */
json_t *tryton_date(const char *text);
/* Days since 1970-01-01. */
json_t *tryton_day(int64_t days);
/* A moment, UTC. */
json_t *tryton_datetime(int64_t t);
json_t *tryton_bytes(const void *data, size_t len);

/*
 * A decimal number as text, rounded half up to so many digits, which is the most that a currency
 * takes: Tryton refuses more. null when the text is no decimal of at most 18 figures.
 */
json_t *tryton_decimal(const char *text, int digits);

/* A timedelta in days; NAN when it is none, or one of more than a hundred years. */
double tryton_days(const json_t *value);
/* A date as days since 1970-01-01, or a datetime as seconds since then, UTC; INT64_MIN when it is
 * none. */
int64_t tryton_day_of(const json_t *value);
int64_t tryton_time_of(const json_t *value);

/* Of a record: the text, the id (-1 where there is none) of a member. Dotted members come back
 * under a key that ends with the dot. */
const char *tryton_text(const json_t *record, const char *key);
json_int_t tryton_id(const json_t *record, const char *key);

#endif
