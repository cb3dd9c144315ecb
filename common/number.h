/* SPDX-License-Identifier: MIT */
#ifndef TM_NUMBER_H
#define TM_NUMBER_H

#include <stddef.h>
#include <stdint.h>

/*
 * Strict reading and plain writing of numbers. The whole text must be the number: no blanks, no
 * sign where none is meant, no trailing bytes. 0, -EINVAL (not a number) or -ERANGE, with *value
 * written only on success.
 */
int tm_parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *value);
int tm_parse_i64(const char *text, int64_t min, int64_t max, int64_t *value);
/* Decimal point whatever the locale; "nan", "inf" and hexadecimal are refused. */
int tm_parse_double(const char *text, double *value);
/* "90", "90s", "15m", "1h", "7d", "2w": seconds, 0..10 years. */
int tm_parse_duration(const char *text, int64_t *seconds);
/* "1000", "64K", "10MiB", "2G", "1TiB": bytes, steps of 1024. */
int tm_parse_bytes(const char *text, uint64_t *bytes);

/* The share of a whole in whole percent for people, rounded down: what is not full is not said to
 * be. NAN without a whole. */
double tm_percent(double part, double whole);

/* "00", "01" to "99", one after the other: what writes numbers by the million takes two digits at
 * once. */
extern const char tm_digit_pairs[201];

/* Units that people read: "97.6 TiB", "812 B"; "unknown" for NAN. Returns out. */
char *tm_format_bytes(char *out, size_t size, double bytes);
/* A count with three significant figures: "843", "12.4 k", "3.1 M". "unknown" for NAN. */
char *tm_format_count(char *out, size_t size, double count);
/* A decimal number as text, its thousands apart: "-1234567.50" becomes "-1,234,567.50". What stands
 * behind the whole part is kept as it is. Returns out, cut at size. */
char *tm_format_grouped(char *out, size_t size, const char *decimal);

#endif
