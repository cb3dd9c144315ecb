/* SPDX-License-Identifier: MIT */
/* Lines of a quote, and their exact sums. */
#include "contrib/desk/sales/quote.h"

#include "analyzer/price.h"
#include "common/number.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { LINES_MAX = 50, SKU_MAX = 80, QUANTITY_MAX = 1000000, UNIT = 10000 };

/* An amount in 1/10000 with so many decimals. */
static json_t *money(int64_t amount, int decimals, const char *currency)
{
  char text[40];
  int at = snprintf(text, sizeof(text), "%" PRId64, amount / UNIT);
  if (decimals > 0)
    snprintf(text + at, sizeof(text) - (size_t)at, ".%04d", (int)(amount % UNIT));
  if (decimals > 0)
    text[at + 1 + decimals] = '\0';
  return json_pack("{s:s, s:s}", "amount", text, "currency", currency);
}

static bool is_empty(const char *text)
{
  return text == NULL || text[strspn(text, " \t")] == '\0';
}

static int count_line(const struct quote_line *typed, size_t number, const char *currency,
                      json_t *lines, struct price *total, struct tm_error *err)
{
  int64_t quantity, each, sum;
  int decimals;
  if (is_empty(typed->sku) || strlen(typed->sku) > SKU_MAX)
    return tm_fail(err, -EINVAL, "line %zu: say what it is, as the catalogue calls it", number);
  if (is_empty(typed->quantity) || tm_parse_i64(typed->quantity, 1, QUANTITY_MAX, &quantity) != 0)
    return tm_fail(err, -EINVAL, "line %zu: a quantity from 1 to %d is wanted", number,
                   QUANTITY_MAX);
  if (is_empty(typed->price) || price_parse(typed->price, &each, &decimals) != 0)
    return tm_fail(err, -EINVAL, "line %zu: a price is written as 1200000 or 4800.50", number);
  if (__builtin_mul_overflow(each, quantity, &sum) ||
      __builtin_add_overflow(total->amount, sum, &total->amount))
    return tm_fail(err, -EINVAL, "line %zu: this is more money than can be counted", number);
  if (decimals > total->decimals)
    total->decimals = decimals;
  json_array_append_new(lines,
                        json_pack("{s:s, s:I, s:o, s:o}", "sku", typed->sku, "quantity",
                                  (json_int_t)quantity, "price", money(each, decimals, currency),
                                  "sum", money(sum, decimals, currency)));
  return 0;
}

int quote_count(const struct quote_line *typed, size_t n, const char *currency, json_t **lines,
                json_t **total, struct tm_error *err)
{
  struct price all = {0};
  json_t *list = json_array();
  int rc = 0;
  if (currency == NULL || strlen(currency) != 3 ||
      strspn(currency, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 3)
    rc = tm_fail(err, -EINVAL, "a currency is written by three letters, as JPY");
  if (rc == 0 && n > LINES_MAX)
    rc = tm_fail(err, -EINVAL, "at most %d lines", LINES_MAX);
  for (size_t i = 0; rc == 0 && i < n; i++)
    if (!is_empty(typed[i].sku) || !is_empty(typed[i].price))
      rc = count_line(&typed[i], i + 1, currency, list, &all, err);
  if (rc == 0 && json_array_size(list) == 0)
    rc = tm_fail(err, -EINVAL, "a quote has at least one line");
  if (rc < 0) {
    json_decref(list);
    return rc;
  }
  *lines = list;
  *total = money(all.amount, all.decimals, currency);
  return 0;
}
