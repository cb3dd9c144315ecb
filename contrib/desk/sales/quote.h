/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_QUOTE_H
#define TM_DESK_QUOTE_H

#include "contrib/desk/desk.h"
#include "contrib/desk/store/db.h"

#include <jansson.h>

/*
 * Quotes: what is offered for an item, at which price and until when, with the evidence of the day
 * on which it was made. A quote does not change any more: who wants another one makes another one.
 *
 * The document that is kept:
 *   {"number": "Q-2026-0001", "made_at": SECONDS, "by": NAME, "valid_until": DATE,
 *    "remarks": TEXT|null, "vendor": {"name","address"},
 *    "customer": {"id","name","contact","address"}, "device": {"id","device","model","kind_word",
 *    "site","serial"}, "item": {"id","key","action_word","reason","order_by"},
 *    "lines": [{"sku","quantity","price":{},"sum":{}}], "total": {"amount","currency"},
 *    "today": DATE, "timezone": NAME|null, "evidence": the summary with its whole history, or null}
 */

/* Lines as they were typed, every value a text. 0 with what is to be kept, each line with its sum,
 * and the total, exactly. -EINVAL with what would be right. New references. */
struct quote_line {
  const char *sku, *quantity, *price;
};
int quote_count(const struct quote_line *typed, size_t n, const char *currency, json_t **lines,
                json_t **total, struct tm_error *err);

struct quote_wish {
  const struct desk *desk;
  int64_t item;
  const char *by, *staff;
  const json_t *lines, *total; /* of quote_count() */
  int64_t valid_until;         /* day */
  const char *remarks;         /* NULL: none */
  int64_t now;
};

/* Makes one, and moves an item that is not proposed yet to there. *quote is its document. -ENOENT,
 * -EINVAL for an item that is closed. New reference. */
int quote_make(struct db *db, const struct quote_wish *wish, json_t **quote, struct tm_error *err);

/* {"quote": document, "sent_to", "sent_at"} by its number. -ENOENT. New reference. */
int quote_read(struct db *db, const char *number, json_t **out, struct tm_error *err);

/* The newest first, without their evidence, of one item or (0) of all, from before an id (0: the
 * newest) and at most limit. New reference. */
int quote_list(struct db *db, int64_t item, int64_t before, int limit, json_t **list,
               struct tm_error *err);

/* Mail addresses of a customer, the first one first. New reference. */
int quote_addresses(struct db *db, const char *customer, json_t **list, struct tm_error *err);

struct quote_sending {
  const struct desk *desk;
  const char *number, *to; /* one of quote_addresses() */
  const char *by, *staff;  /* whose address answers go to; may be NULL */
  const void *chart;       /* PNG; NULL: none */
  size_t chart_len;
  int64_t now;
};
/* Puts the mail into the queue and a line into the contact log; the same once more is nothing. 1
 * put, 0 was put before, -EINVAL for an address that is not the customer's. */
int quote_send(struct db *db, const struct quote_sending *sending, struct tm_error *err);

#endif
