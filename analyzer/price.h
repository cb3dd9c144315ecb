/* SPDX-License-Identifier: MIT */
#ifndef TM_PRICE_H
#define TM_PRICE_H

#include "common/error.h"
#include "common/json_check.h"

#include <stdint.h>

/* An amount of money as documents write it: {"amount":"4800.50","currency":"EUR"}. */
struct price {
  int64_t amount; /* in 1/10000 of the currency; at most 12 figures before the point */
  int decimals;   /* as many as were written: 0..4 */
  char currency[4];
};

/* "1200000" or "4800.50" as 1/10000, and how many decimals were written. 0, or -EINVAL. */
int price_parse(const char *text, int64_t *amount, int *decimals);

/* Reads the member `key`, which must be there. 0, or -EBADMSG with the line that is wrong. */
int price_want(const struct tm_json_file *f, const json_t *object, const char *key,
               struct price *out, struct tm_error *err);

#endif
