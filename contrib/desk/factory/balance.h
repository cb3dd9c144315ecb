/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_BALANCE_H
#define TM_DESK_BALANCE_H

#include "contrib/desk/factory/issue.h"

#include <jansson.h>
#include <stdbool.h>

/*
 * Demand against what lies there, product by product and shop by shop. A shop has what lies on its
 * shelf, pieces that are kept for somebody included (whoever they are kept for is in the demand),
 * and what the factory's own store can send. What is expected so far is the sum of chances.
 */
struct balance_wish {
  const char *sku;  /* a part of it; NULL: any */
  const char *shop; /* NULL: any */
  bool alarms;      /* only where demand exceeds supply before a new order can arrive */
  unsigned weeks;
  bool own; /* the desk knows the stock: else there is nothing to hold demand against */
};
enum { BALANCE_ROWS = 200 };

/*
 * [{"sku", "shop", "shop_name", "lead_days" (null: not known), "customers", "there", "supply",
 *   "cells": [{"week", "week_start", "day", "low", "middle", "high", "left" (text, or absent),
 *   "class": "inside|short|"," short" (pieces)}], "alarm": {"pieces", "by" (day), "first" (day),
 *   "arrives" (day)} or absent}], alarms first. stock (may be NULL) gets [{"sku", "shop", "there",
 * "kept", "coming" (kept of what is still to come), "free", "lead_days"}]. New references; at most
 * BALANCE_ROWS, *cut when there are more.
 */
int balance_read(struct db *db, const struct issue *issue, const struct balance_wish *wish,
                 int64_t today, json_t **rows, json_t **stock, bool *cut, struct tm_error *err);

/* tidemark.series/1 of a row: running demand against supply; NULL when memory is out. */
json_t *balance_series(const json_t *row, int64_t today);

#endif
