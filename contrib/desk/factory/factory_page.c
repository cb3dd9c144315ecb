/* SPDX-License-Identifier: MIT */
/* What the factory opens in the morning: demand against stock, alarms, and who waits for an answer.
 */
#include "common/clock.h"
#include "common/json.h"
#include "common/number.h"
#include "contrib/desk/chart/drawing.h"
#include "contrib/desk/desk.h"
#include "contrib/desk/factory/balance.h"
#include "contrib/desk/factory/hold.h"
#include "contrib/desk/factory/inquiry.h"
#include "contrib/desk/factory/inquiry_model.h"
#include "contrib/desk/http/filters.h"
#include "contrib/desk/people/audit.h"
#include "contrib/desk/rooms.h"
#include "contrib/desk/sales/csv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { WEEKS = 9, INQUIRIES = 12 };

struct seeing {
  const struct request *r;
  int64_t today;
  struct balance_wish wish;
  struct issue issue;
  int64_t refused; /* agreed, and not kept */
  bool has_issue, cut;
  json_t *rows, *stock, *waiting, *inquiries, *holds, *shops, *strays;
};

static void release(struct seeing *s)
{
  json_decref(s->issue.document);
  json_decref(s->rows);
  json_decref(s->stock);
  json_decref(s->waiting);
  json_decref(s->inquiries);
  json_decref(s->holds);
  json_decref(s->shops);
  json_decref(s->strays);
}

static const char *asked(const struct request *r, const char *name)
{
  const char *value = request_query(r, name);
  return value != NULL && value[0] != '\0' && strcmp(value, "all") != 0 ? value : NULL;
}

static int read_wish(struct seeing *s, const char **field, struct tm_error *err)
{
  const char *weeks = asked(s->r, "weeks"), *only = asked(s->r, "only");
  int64_t n = WEEKS;
  s->today = tm_date_days(s->r->now);
  *field = "weeks";
  if (weeks != NULL && tm_parse_i64(weeks, 1, ISSUE_WEEKS, &n) != 0)
    return tm_fail(err, -EINVAL, "a number from 1 to %d", ISSUE_WEEKS);
  *field = "only";
  if (only != NULL && strcmp(only, "alarms") != 0)
    return tm_fail(err, -EINVAL, "alarms or all");
  s->wish = (struct balance_wish){.sku = asked(s->r, "q"),
                                  .shop = asked(s->r, "shop"),
                                  .alarms = only != NULL,
                                  .weeks = (unsigned)n,
                                  .own = !s->r->desk->conf->factory.tryton};
  return 0;
}

static int read_inquiries(struct db *db, struct seeing *s, struct tm_error *err)
{
  struct inquiry_list open = {.state = "open", .before_at = INT64_MAX, .limit = INQUIRIES};
  struct inquiry_list any = {.before_at = INT64_MAX, .limit = INQUIRIES};
  int rc = inquiry_list(db, &open, &s->waiting, err);
  return rc == 0 ? inquiry_list(db, &any, &s->inquiries, err) : rc;
}

static int read_demand(struct db *db, struct seeing *s, bool with_stock, struct tm_error *err)
{
  int rc = issue_read(db, 0, &s->issue, err);
  s->has_issue = rc == 0;
  if (rc == -ENOENT) {
    json_decref(s->issue.document);
    s->issue.document = json_object();
    rc = 0;
  }
  return rc == 0 ? balance_read(db, &s->issue, &s->wish, s->today, &s->rows,
                                with_stock ? &s->stock : NULL, &s->cut, err)
                 : rc;
}

static int read_all(struct db *db, void *arg, struct tm_error *err)
{
  struct seeing *s = arg;
  int rc = read_demand(db, s, true, err);
  if (rc == 0)
    rc = read_inquiries(db, s, err);
  if (rc == 0)
    rc = hold_refused(db, s->today, &s->refused, err);
  if (rc == 0)
    rc = db_read_rows(db,
                      "SELECT inquiry, number, shop, sku, quantity, expires_on, coming_on"
                      " FROM reservations"
                      " WHERE state = 'held' ORDER BY expires_on, id LIMIT 500",
                      &s->holds, err);
  if (rc == 0)
    rc = db_read_rows(db, "SELECT shop, name FROM shops ORDER BY name, shop LIMIT 1000", &s->shops,
                      err);
  return rc == 0 ? db_read_rows(db,
                                "SELECT inquiry, arrived_at FROM stray_answers ORDER BY id DESC"
                                " LIMIT 5",
                                &s->strays, err)
                 : rc;
}

/* --- the page ------------------------------------------------------------------------------- */

static void decorate(json_t *rows, int64_t today)
{
  size_t i;
  json_t *row;
  json_array_foreach(rows, i, row)
  {
    inquiry_decorate(row, today);
    inquiry_strip(row);
  }
}

/* Each shelf with what is kept on it. */
static void add_holds(const struct seeing *s)
{
  size_t i, j;
  json_t *row, *hold;
  json_array_foreach(s->stock, i, row)
  {
    json_t *own = json_array();
    json_array_foreach(s->holds, j, hold)
    {
      if (json_equal(json_object_get(hold, "shop"), json_object_get(row, "shop")) &&
          json_equal(json_object_get(hold, "sku"), json_object_get(row, "sku")))
        json_array_append(own, hold);
    }
    json_object_set_new(row, "holds", own);
  }
}

static json_t *filters(const struct seeing *s)
{
  static const char *const weeks[][2] = {{"9", "9"}, {"13", "13"}, {"26", "26"}, {NULL}};
  static const char *const only[][2] = {{"all", "Everything"}, {"alarms", "Alarms only"}, {NULL}};
  char n[16];
  size_t i;
  const json_t *shop;
  const char *chosen = s->wish.shop != NULL ? s->wish.shop : "all";
  json_t *shops = json_array();
  filter_option(shops, "all", "All shops", chosen);
  json_array_foreach(s->shops, i, shop) filter_option(shops, tm_json_get_string(shop, "shop"),
                                                      tm_json_get_string(shop, "name"), chosen);
  snprintf(n, sizeof(n), "%u", s->wish.weeks);
  return json_pack("{s:s,s:{s:s,s:s,s:s,s:s},s:[{s:s,s:s,s:o},{s:s,s:s,s:o},{s:s,s:s,s:o}]}",
                   "path", "/factory", "search", "name", "q", "label", "SKU", "value",
                   s->wish.sku != NULL ? s->wish.sku : "", "hint", "a part of it", "fields", "name",
                   "shop", "label", "Shop", "options", shops, "name", "weeks", "label", "Weeks",
                   "options", filter_options(weeks, n), "name", "only", "label", "Show", "options",
                   filter_options(only, s->wish.alarms ? "alarms" : "all"));
}

static json_t *alarms_of(const json_t *rows)
{
  json_t *list = json_array();
  size_t i;
  const json_t *row;
  json_array_foreach(rows, i, row)
  {
    if (json_object_get(row, "alarm") != NULL)
      json_array_append(list, (json_t *)row);
  }
  return list;
}

/* "2 products run short before a new order can arrive. 1 inquiry waits." */
static json_t *verdict(const struct seeing *s, size_t alarms)
{
  size_t waiting = json_array_size(s->waiting);
  char first[120], second[80], third[80] = "";
  if (!s->wish.own)
    snprintf(first, sizeof(first), "What lies there, Tryton knows.");
  else if (alarms == 0)
    snprintf(first, sizeof(first), "Nothing runs short before a new order can arrive.");
  else
    snprintf(first, sizeof(first), "%zu product%s before a new order can arrive.", alarms,
             alarms == 1 ? " runs short" : "s run short");
  if (waiting == 0)
    snprintf(second, sizeof(second), "No inquiry waits.");
  else
    snprintf(second, sizeof(second), "%zu%s inquir%s.", waiting,
             waiting == INQUIRIES ? " or more" : "", waiting == 1 ? "y waits" : "ies wait");
  if (s->refused > 0)
    snprintf(third, sizeof(third), " %lld agreed sale%s not reserved.", (long long)s->refused,
             s->refused == 1 ? " is" : "s are");
  return json_sprintf("%s %s%s", first, second, third);
}

static json_t *weeks_of(const struct seeing *s)
{
  json_t *weeks = json_array();
  size_t i;
  const json_t *cell;
  json_array_foreach(json_object_get(json_array_get(s->rows, 0), "cells"), i, cell)
  {
    json_array_append(weeks, (json_t *)cell);
  }
  return weeks;
}

static void add_chart(const struct seeing *s, json_t *model)
{
  const json_t *row = json_array_get(s->rows, 0);
  const char *sku = tm_json_get_string(row, "sku"), *shop = tm_json_get_string(row, "shop");
  json_t *series = row != NULL ? balance_series(row, s->today) : NULL;
  json_t *drawing = series != NULL ? drawing_model(series) : NULL;
  if (drawing != NULL) {
    json_object_set(model, "drawing", drawing);
    json_object_set(model, "charted", (json_t *)row);
    json_object_set_new(model, "charts", json_true());
    json_object_set_new(model, "chart_sku", json_string(sku));
    json_object_set_new(model, "chart_shop", json_string(shop != NULL ? shop : ""));
  }
  json_decref(drawing);
  json_decref(series);
}

static json_t *page_model(struct seeing *s)
{
  json_t *alarms = alarms_of(s->rows);
  decorate(s->inquiries, s->today);
  decorate(s->waiting, s->today);
  add_holds(s);
  json_t *model = json_pack(
      "{s:s,s:b,s:I,s:I,s:O,s:O,s:O,s:O,s:O,s:o,s:b,s:b,s:O}", "title", "Demand and stock",
      "has_issue", s->has_issue, "number", (json_int_t)s->issue.number, "made_at",
      (json_int_t)s->issue.made_at, "rows", s->rows, "stock", s->stock, "inquiries", s->inquiries,
      "waiting", s->waiting, "alarms", alarms, "verdict", verdict(s, json_array_size(alarms)),
      "own", s->wish.own, "cut", s->cut, "strays", s->strays);
  json_object_set_new(model, "weeks", weeks_of(s));
  json_object_set_new(model, "filters", filters(s));
  json_object_set_new(model, "any", json_boolean(json_array_size(s->rows) > 0));
  json_object_set_new(model, "any_alarm", json_boolean(json_array_size(alarms) > 0));
  json_object_set_new(model, "any_stock", json_boolean(json_array_size(s->stock) > 0));
  json_object_set_new(model, "any_inquiry", json_boolean(json_array_size(s->inquiries) > 0));
  json_object_set_new(model, "any_stray", json_boolean(json_array_size(s->strays) > 0));
  json_object_set(model, "devices", json_object_get(s->issue.document, "summaries"));
  if (json_array_size(s->waiting) > 0)
    json_object_set(model, "first", json_array_get(s->waiting, json_array_size(s->waiting) - 1));
  add_chart(s, model);
  json_decref(alarms);
  return model;
}

static int show_factory(const struct request *r, struct response *to, struct tm_error *err)
{
  struct seeing s = {.r = r};
  const char *field = NULL;
  if (read_wish(&s, &field, err) != 0)
    return respond_error(r, to, 422, field, err->text);
  int rc = store_read(r->desk->store, &r->scope, read_all, &s, err);
  if (rc == 0) {
    json_t *model = r->wants_json ? json_pack("{s:I,s:O,s:O}", "issue", (json_int_t)s.issue.number,
                                              "demand", s.rows, "stock", s.stock)
                                  : page_model(&s);
    rc = respond_model(r, to, "factory.html", model, err);
    json_decref(model);
  }
  release(&s);
  return rc;
}

/* --- for the chart and for programs --------------------------------------------------------- */

static int read_one(struct db *db, void *arg, struct tm_error *err)
{
  return read_demand(db, arg, false, err);
}

static int show_series(const struct request *r, struct response *to, struct tm_error *err)
{
  struct seeing s = {.r = r};
  const char *field = NULL, *sku = request_query(r, "sku"), *shop = request_query(r, "shop");
  const json_t *row, *found = NULL;
  size_t i;
  if (read_wish(&s, &field, err) != 0)
    return respond_error(r, to, 422, field, err->text);
  s.wish.sku = sku;
  s.wish.shop = shop;
  int rc = store_read(r->desk->store, &r->scope, read_one, &s, err);
  json_array_foreach(s.rows, i, row)
  {
    const char *is = tm_json_get_string(row, "sku");
    if (sku != NULL && is != NULL && strcmp(sku, is) == 0 && found == NULL)
      found = row;
  }
  if (rc == 0 && found == NULL)
    rc = tm_fail(err, -ENOENT, "no demand for this product at this shop");
  if (rc == 0) {
    json_t *series = balance_series(found, s.today);
    rc = respond_json(r, to, 200, series, err);
    json_decref(series);
  }
  release(&s);
  return rc;
}

struct fetching {
  const struct request *r;
  struct issue issue;
  int64_t number;
};

static int read_issue(struct db *db, void *arg, struct tm_error *err)
{
  struct fetching *f = arg;
  return issue_read(db, f->number, &f->issue, err);
}

static int fetch(const struct request *r, struct fetching *f, struct tm_error *err)
{
  const char *number = request_query(r, "issue");
  if (number != NULL && tm_parse_i64(number, 1, INT64_MAX, &f->number) != 0)
    return tm_fail(err, -ENOENT, "there is no such issue");
  return store_read(r->desk->store, &r->scope, read_issue, f, err);
}

static int give_demand(const struct request *r, struct response *to, struct tm_error *err)
{
  struct fetching f = {.r = r};
  char number[32];
  int rc = fetch(r, &f, err);
  if (rc == 0)
    rc = respond_json(r, to, 200, f.issue.document, err);
  snprintf(number, sizeof(number), "%lld", (long long)f.issue.number);
  if (rc == 0)
    rc = respond_header(to, "Tidemark-Issue", number);
  json_decref(f.issue.document);
  return rc;
}

static const struct csv_column columns[] = {
    {"sku", "sku"},
    {"shop", "shop"},
    {"week", "week"},
    {"week_start", "week_start"},
    {"low", "low"},
    {"middle", "middle"},
    {"high", "high"},
    {"expected", "expected"},
    {"customers", "customers"},
    {NULL, NULL},
};

static int note_export(struct db *db, void *arg, struct tm_error *err)
{
  const struct fetching *f = arg;
  return audit_request(db, f->r, "export", "demand.csv", NULL, err);
}

static int give_csv(const struct request *r, struct response *to, struct tm_error *err)
{
  struct fetching f = {.r = r};
  char name[80];
  int rc = fetch(r, &f, err);
  if (rc == 0)
    rc = store_write(r->desk->store, &r->scope, note_export, &f, err);
  if (rc == 0) {
    to->status = 200;
    to->content_type = "text/csv; charset=utf-8";
    rc = csv_table(&to->body, columns, json_object_get(f.issue.document, "lines"));
  }
  snprintf(name, sizeof(name), "attachment; filename=\"demand-%lld.csv\"",
           (long long)f.issue.number);
  if (rc == 0)
    rc = respond_header(to, "Content-Disposition", name);
  json_decref(f.issue.document);
  return rc;
}

static int give_stock(const struct request *r, struct response *to, struct tm_error *err)
{
  struct seeing s = {.r = r};
  const char *field = NULL;
  if (read_wish(&s, &field, err) != 0)
    return respond_error(r, to, 422, field, err->text);
  int rc = store_read(r->desk->store, &r->scope, read_all, &s, err);
  if (rc == 0) {
    add_holds(&s);
    json_t *model = json_pack("{s:O}", "stock", s.stock);
    rc = respond_json(r, to, 200, model, err);
    json_decref(model);
  }
  release(&s);
  return rc;
}

#define SEERS (ROLE_FACTORY | ROLE_ADMIN)

const struct route factory_routes[] = {
    {"GET", "/factory", ROLE_FACTORY, 0,
     "Demand by product, shop and week against stock, alarms, and inquiries that wait",
     show_factory},
    {"GET", "/factory/series", ROLE_FACTORY, 0,
     "Running demand for one sku at one shop against supply, for the chart", show_series},
    {"GET", "/api/v1/demand", SEERS, 0,
     "The newest issue of demand, or the one that issue= names; no customer is named", give_demand},
    {"GET", "/api/v1/demand.csv", SEERS, 0, "The same as a table for spreadsheets", give_csv},
    {"GET", "/api/v1/stock", SEERS, 0, "Stock by product and shop: there, kept and free",
     give_stock},
    {0},
};
