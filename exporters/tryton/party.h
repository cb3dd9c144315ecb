/* SPDX-License-Identifier: MIT */
#ifndef TM_TRYTON_PARTY_H
#define TM_TRYTON_PARTY_H

#include "exporters/tryton/sales.h"

/* The customer of a summary, as Tryton's party: found by its code or one of its identifiers,
 * created where that is allowed. */
struct party {
  json_int_t id;
  json_int_t address; /* -1: it has none */
};

/* Errors as sales_offer(). */
int party_find(struct sales *s, const json_t *summary, struct party *p, struct tm_error *err);

#endif
