/* SPDX-License-Identifier: MIT */
#ifndef TM_JSON_H
#define TM_JSON_H

#include "common/buf.h"
#include "common/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * JSON from outside: the size is bounded before parsing, nesting to 32 levels, duplicate keys,
 * NUL characters and numbers beyond 1e308 refused. A message reads "NAME:LINE: what". References:
 * what these functions return is a new reference (json_decref), unless 'borrowed' is said.
 */
#define TM_JSON_DEPTH    32
#define TM_JSON_REAL_MAX 1e308

/* Any value, of a text in memory, or of a file. NULL with err filled: -EBADMSG for what is no such
 * text, -ENOMEM, and for a file what tm_file_read() says (common/file.h; -EFBIG above max_bytes).
 */
json_t *tm_json_parse(const char *data, size_t len, const char *name, struct tm_error *err);
json_t *tm_json_read(const char *path, size_t max_bytes, struct tm_error *err);

/* Appends the compact form: keys in the order of insertion, reals with 15 figures (a value that is
 * a whole number below 2^53 is written without fraction by tm_json_number), no newline. 0, -EFBIG,
 * or -ENOMEM, also for NULL: a value that there was no memory for. */
int tm_json_append(struct tm_buf *b, const json_t *value);

/* null for NAN and infinities; an integer where the value is whole and below 2^53; else a real. */
json_t *tm_json_number(double value);
/* A cleaned string (tm_text_clean); null for NULL and for a text without a printable character. */
json_t *tm_json_text(const char *text);
/* RFC 3339; null for INT64_MIN, which means 'no time'. */
json_t *tm_json_time(int64_t t);

/*
 * What must be whole, built where Jansson's memory is not guarded (common/json_memory.h), as within
 * collectd. Jansson drops a member that it has no memory for and the rest goes on; these drop the
 * whole: *into is NULL from then on, through all that is put after it, so that one look at the end
 * is enough. A value that is NULL is one that there was no memory for. The value is taken over.
 */
void tm_json_put(json_t **into, const char *key, json_t *value);
void tm_json_push(json_t **into, json_t *value);

/* A member as the type that is wanted; the default when it is absent or of another type. The string
 * is borrowed. */
const char *tm_json_get_string(const json_t *object, const char *key); /* NULL */
double tm_json_get_number(const json_t *object, const char *key);      /* NAN */
/* The first object of an array whose member is this string, borrowed; NULL where there is none. */
const json_t *tm_json_find(const json_t *array, const char *key, const char *value);
/* An RFC 3339 string as a time: true and *t written, or false and *t unchanged. */
bool tm_json_get_time(const json_t *object, const char *key, int64_t *t);
/* The same, or `otherwise` where there is no time. */
int64_t tm_json_time_or(const json_t *object, const char *key, int64_t otherwise);
/* The same, in days since 1970-01-01; INT64_MIN where there is no time. */
int64_t tm_json_day(const json_t *object, const char *key);
bool tm_json_get_bool(const json_t *object, const char *key, bool otherwise);

#endif
