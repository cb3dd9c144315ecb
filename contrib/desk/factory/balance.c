/* SPDX-License-Identifier: MIT */
#include "contrib/desk/factory/balance.h"

#include "common/clock.h"
#include "common/json.h"
#include "contrib/desk/factory/goods.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The range of a week holds 8 chances in 10, as the normal distribution has it. */
#define TENTH 1.2816
/* Sums of chances that are told with three digits. */
#define ROUNDING 0.01
#define WEEK     7

struct reading {
  const struct balance_wish *wish;
  int64_t today, monday; /* of the first week */
  struct goods goods;    /* of the SKU in hand */
  char sku[204];
  int shelved; /* whether it is something that can lie in a shop */
  double pool; /* what the factory's store can send still */
  json_t *rows, *stock;
};

static const char *text_of(const json_t *object, const char *key)
{
  const char *text = tm_json_get_string(object, key);
  return text != NULL ? text : "";
}

/* --- stock ---------------------------------------------------------------------------------- */

/* Days until a new order reaches a shop; HANDOVER_NEVER when nothing says so. */
static int64_t lead_of(const struct goods *goods, size_t shop)
{
  int64_t best = HANDOVER_NEVER;
  struct handover_goods g = goods_handover(goods);
  for (size_t i = 0; i < goods->len; i++) {
    int64_t road = handover_road(&g, i, shop);
    if (goods->shops[i].supply_days >= 0 && road != HANDOVER_NEVER &&
        goods->shops[i].supply_days + road < best)
      best = goods->shops[i].supply_days + road;
  }
  return best;
}

static json_t *days_json(int64_t days)
{
  return days == HANDOVER_NEVER ? json_null() : json_integer(days);
}

static void add_stock(struct reading *r)
{
  for (size_t i = 0; r->stock != NULL && i < r->goods.len; i++) {
    if (r->goods.there[i] == 0 && r->goods.kept[i] == 0 && r->goods.coming[i] == 0)
      continue;
    if (r->wish->shop != NULL && strcmp(r->wish->shop, r->goods.names[i]) != 0)
      continue;
    json_array_append_new(
        r->stock,
        json_pack("{s:s,s:s,s:s,s:I,s:I,s:I,s:I,s:o}", "sku", r->sku, "shop", r->goods.names[i],
                  "shop_name", r->goods.titles[i], "there", (json_int_t)r->goods.there[i], "kept",
                  (json_int_t)r->goods.kept[i], "coming", (json_int_t)r->goods.coming[i], "free",
                  (json_int_t)r->goods.shops[i].stock, "lead_days",
                  days_json(lead_of(&r->goods, i))));
  }
}

/* Software and services lie on no shelf: they cannot run short. */
static int is_shelved(struct db *db, const char *sku, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "SELECT 1 FROM catalogue_items WHERE sku = ?1"
                      " AND type IN ('software', 'service')",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, sku);
  rc = db_step(stmt, err);
  db_done(stmt);
  return rc < 0 ? rc : rc == 0;
}

static int turn_to(struct db *db, struct reading *r, const char *sku, struct tm_error *err)
{
  if (strcmp(r->sku, sku) == 0)
    return 0;
  goods_release(&r->goods);
  snprintf(r->sku, sizeof(r->sku), "%s", sku);
  r->pool = 0;
  if (!r->wish->own)
    return 0;
  r->shelved = is_shelved(db, sku, err);
  if (r->shelved < 0)
    return r->shelved;
  int rc = goods_read(db, sku, r->today, &r->goods, err);
  for (size_t i = 0; rc == 0 && i < r->goods.len; i++) {
    if (!r->goods.shops[i].sells)
      r->pool += (double)r->goods.shops[i].stock;
  }
  if (rc == 0)
    add_stock(r);
  return rc;
}

/* --- one product at one shop ---------------------------------------------------------------- */

/* The weeks of the wish, those without demand with zeros. */
static json_t *make_cells(const struct reading *r, const json_t *lines, size_t from, size_t to)
{
  json_t *cells = json_array();
  double expected = 0, spread = 0;
  for (unsigned w = 0; w < r->wish->weeks; w++) {
    int64_t monday = r->monday + (int64_t)WEEK * w;
    const json_t *found = NULL;
    char date[TM_DATE_SIZE];
    for (size_t i = from; i < to; i++) {
      const json_t *line = json_array_get(lines, i);
      if (tm_json_day(line, "week_start") == monday)
        found = line;
    }
    double low = found != NULL ? tm_json_get_number(found, "low") : 0;
    double middle = found != NULL ? tm_json_get_number(found, "middle") : 0;
    double high = found != NULL ? tm_json_get_number(found, "high") : 0;
    double one = (high - low) / (2 * TENTH);
    expected += found != NULL ? tm_json_get_number(found, "expected") : 0;
    spread += one * one;
    json_array_append_new(cells,
                          json_pack("{s:I,s:s,s:s,s:I,s:I,s:I,s:f,s:f}", "day", (json_int_t)monday,
                                    "date", tm_date_format_days(date, monday), "short_date",
                                    tm_date_format_days(date, monday) + 5, "low", (json_int_t)low,
                                    "middle", (json_int_t)middle, "high", (json_int_t)high,
                                    "so_far", expected, "spread", sqrt(spread)));
  }
  return cells;
}

static json_t *left_text(json_int_t left)
{
  return left < 0 ? json_sprintf("\xe2\x88\x92%lld", (long long)-left)
                  : json_sprintf("%lld", (long long)left);
}

/* What the factory's store must send so that the shop lacks nothing before an order can arrive; it
 * sends what it has. */
static double send_from_pool(struct reading *r, const json_t *cells, double there, int64_t lead)
{
  double lacks = 0;
  size_t i;
  const json_t *cell;
  json_array_foreach(cells, i, cell)
  {
    int64_t day = json_integer_value(json_object_get(cell, "day"));
    double so_far = floor(tm_json_get_number(cell, "so_far") + 0.5);
    bool inside = lead == HANDOVER_NEVER || day < r->today + lead;
    if (inside && so_far - there > lacks)
      lacks = so_far - there;
  }
  double sent = lacks < r->pool ? lacks : r->pool;
  r->pool -= sent;
  return sent;
}

static void judge(struct reading *r, json_t *row, json_t *cells, double there, int64_t lead)
{
  int64_t first = 0, last = 0;
  json_int_t most = 0;
  size_t i;
  json_t *cell;
  int64_t arrives = r->today + (lead == HANDOVER_NEVER ? 0 : lead);
  double supply = there + send_from_pool(r, cells, there, lead);
  json_object_set_new(row, "there", json_integer((json_int_t)there));
  json_object_set_new(row, "supply", json_integer((json_int_t)supply));
  json_array_foreach(cells, i, cell)
  {
    int64_t day = json_integer_value(json_object_get(cell, "day"));
    json_int_t left = (json_int_t)(supply - floor(tm_json_get_number(cell, "so_far") + 0.5));
    bool inside = lead == HANDOVER_NEVER || day < r->today + lead;
    json_object_set_new(cell, "left", left_text(left));
    json_object_set_new(cell, "class", json_string(!inside ? "" : left < 0 ? "short" : "inside"));
    if (!inside || left >= 0)
      continue;
    json_object_set_new(cell, "short", json_integer(-left));
    first = first == 0 ? day : first;
    last = -left > most ? day : last;
    most = -left > most ? -left : most;
  }
  if (most > 0 && lead != HANDOVER_NEVER)
    json_object_set_new(row, "alarm",
                        json_pack("{s:I,s:I,s:I,s:I}", "pieces", most, "by", (json_int_t)last,
                                  "first", (json_int_t)first, "arrives", (json_int_t)arrives));
  else if (most > 0)
    json_object_set_new(row, "alarm",
                        json_pack("{s:I,s:I,s:I}", "pieces", most, "by", (json_int_t)last, "first",
                                  (json_int_t)first));
}

static int add_row(struct db *db, struct reading *r, const json_t *lines, size_t from, size_t to,
                   struct tm_error *err)
{
  const json_t *line = json_array_get(lines, from);
  const char *shop = tm_json_get_string(line, "shop");
  json_int_t customers = 0;
  int rc = turn_to(db, r, text_of(line, "sku"), err);
  if (rc < 0)
    return rc;
  for (size_t i = from; i < to; i++) {
    json_int_t n = json_integer_value(json_object_get(json_array_get(lines, i), "customers"));
    customers = n > customers ? n : customers;
  }
  json_t *cells = make_cells(r, lines, from, to);
  json_t *row = json_pack("{s:s,s:s?,s:s,s:I,s:O}", "sku", r->sku, "shop", shop, "shop_name",
                          shop != NULL ? shop : "no shop", "customers", customers, "cells", cells);
  size_t at = shop != NULL ? goods_shop(&r->goods, shop) : r->goods.len;
  if (at < r->goods.len) {
    int64_t lead = lead_of(&r->goods, at);
    json_object_set_new(row, "shop_name", json_string(r->goods.titles[at]));
    json_object_set_new(row, "lead_days", days_json(lead));
    if (r->shelved > 0)
      judge(r, row, cells, (double)r->goods.there[at], lead);
  }
  json_decref(cells);
  if (!r->wish->alarms || json_object_get(row, "alarm") != NULL)
    json_array_append(r->rows, row);
  json_decref(row);
  return 0;
}

/* --- all of them ---------------------------------------------------------------------------- */

static bool is_wished(const struct balance_wish *w, const json_t *line)
{
  return (w->sku == NULL || strstr(text_of(line, "sku"), w->sku) != NULL) &&
         (w->shop == NULL || strcmp(text_of(line, "shop"), w->shop) == 0);
}

static bool is_same(const json_t *a, const json_t *b)
{
  return strcmp(text_of(a, "sku"), text_of(b, "sku")) == 0 &&
         strcmp(text_of(a, "shop"), text_of(b, "shop")) == 0;
}

/* Products that lie somewhere and that nobody is expected to need. */
static int add_idle(struct db *db, struct reading *r, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "SELECT sku FROM stock WHERE quantity > 0 UNION SELECT sku FROM reservations"
                      " WHERE state = 'held' ORDER BY sku LIMIT 500",
                      &stmt, err);
  if (rc < 0)
    return rc;
  json_t *rows = db_rows(stmt, err), *row, *one;
  size_t i, j;
  json_array_foreach(rows, i, row)
  {
    const char *sku = text_of(row, "sku");
    bool known = r->wish->sku != NULL && strstr(sku, r->wish->sku) == NULL;
    json_array_foreach(r->stock, j, one)
    {
      known = known || strcmp(text_of(one, "sku"), sku) == 0;
    }
    if (rc == 0 && !known && json_array_size(r->stock) < BALANCE_ROWS)
      rc = turn_to(db, r, sku, err);
  }
  json_decref(rows);
  return rows != NULL ? rc : -EIO;
}

/* Alarms stand first, the others as they were. */
static void put_alarms_first(json_t **rows)
{
  json_t *sorted = json_array(), *row;
  for (int alarms = 1; alarms >= 0; alarms--) {
    size_t i;
    json_array_foreach(*rows, i, row)
    {
      if ((json_object_get(row, "alarm") != NULL) == (alarms == 1))
        json_array_append(sorted, row);
    }
  }
  json_decref(*rows);
  *rows = sorted;
}

int balance_read(struct db *db, const struct issue *issue, const struct balance_wish *wish,
                 int64_t today, json_t **rows, json_t **stock, bool *cut, struct tm_error *err)
{
  const json_t *lines = json_object_get(issue->document, "lines");
  size_t n = json_array_size(lines), from = 0;
  struct reading r = {.wish = wish, .today = today, .monday = tm_json_day(issue->document, "from")};
  int rc = 0;
  r.rows = json_array();
  r.stock = stock != NULL ? json_array() : NULL;
  *cut = false;
  while (rc == 0 && from < n) {
    const json_t *line = json_array_get(lines, from);
    size_t to = from + 1;
    while (to < n && is_same(line, json_array_get(lines, to)))
      to++;
    if (is_wished(wish, line)) {
      *cut = json_array_size(r.rows) >= BALANCE_ROWS;
      if (!*cut)
        rc = add_row(db, &r, lines, from, to, err);
    }
    from = to;
  }
  if (rc == 0 && stock != NULL && wish->own)
    rc = add_idle(db, &r, err);
  goods_release(&r.goods);
  put_alarms_first(&r.rows);
  json_decref(*rows);
  *rows = r.rows;
  if (stock != NULL) {
    json_decref(*stock);
    *stock = r.stock;
  }
  return rc;
}

/* --- as a chart ----------------------------------------------------------------------------- */

json_t *balance_series(const json_t *row, int64_t today)
{
  char date[TM_DATE_SIZE];
  size_t i;
  const json_t *cell, *supply = json_object_get(row, "supply");
  const char *now = tm_date_format_days(date, today);
  json_t *forecast = json_pack("[[s,i,i,i]]", now, 0, 0, 0);
  json_t *series = json_pack("{s:s,s:O,s:O,s:s,s:s,s:o,s:[]}", "schema", "tidemark.series/1", "sku",
                             json_object_get(row, "sku"), "shop", json_object_get(row, "shop_name"),
                             "unit", "pieces", "today", now, "forecast", forecast, "events");
  if (json_is_integer(supply))
    json_object_set_new(series, "capacity", json_pack("[[s,O]]", now, supply));
  json_array_foreach(json_object_get(row, "cells"), i, cell)
  {
    /* Known at the end of the week. */
    int64_t end = json_integer_value(json_object_get(cell, "day")) + WEEK;
    double so_far = tm_json_get_number(cell, "so_far");
    double spread = tm_json_get_number(cell, "spread") * TENTH;
    json_array_append_new(forecast,
                          json_pack("[s,o,o,o]", tm_date_format_days(date, end),
                                    tm_json_number(fmax(0, floor(so_far - spread + ROUNDING))),
                                    tm_json_number(floor(so_far + 0.5)),
                                    tm_json_number(ceil(so_far + spread - ROUNDING))));
  }
  return series;
}
