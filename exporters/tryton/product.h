/* SPDX-License-Identifier: MIT */
#ifndef TM_TRYTON_PRODUCT_H
#define TM_TRYTON_PRODUCT_H

#include "common/error.h"
#include "exporters/tryton/rpc.h"

/* A SKU as Tryton's product: its code is template code and variant suffix, and not unique. */
struct product {
  json_int_t id;   /* -1: there is none, or several */
  json_int_t unit; /* in which it is counted */
  int matches;     /* how many have this code: 0, 1, or 2 for more */
};

/* Looks it up, or takes it from the cache (an object, SKU -> what was found). 0 also where there is
 * none; errors as tryton_call(). */
int product_find(struct tryton_rpc *rpc, json_t *cache, const char *sku, struct product *p,
                 struct tm_error *err);

#endif
