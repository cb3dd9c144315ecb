/* SPDX-License-Identifier: MIT */
#include "exporters/tryton/forecast.h"

#include "common/buf.h"
#include "common/clock.h"
#include "common/json.h"
#include "exporters/tryton/product.h"
#include "exporters/tryton/value.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MODEL "stock.forecast"
enum { WEEK_DAYS = 7, MAX_NOTE = 64 << 10 };

struct issue {
  struct stock *stock;
  const char *title;
  json_int_t destination; /* the customers */
  json_t *there;          /* forecasts of these weeks, whoever made them */
  struct forecast_counts *counts;
  json_t *warnings;
};

static void warn(struct issue *k, const char *shop, const char *from, const char *what)
{
  json_array_append_new(k->warnings, json_sprintf("%s, week from %s: %s", shop, from, what));
}

/* --- what is there -------------------------------------------------------------------------- */

static int read_destination(struct issue *k, struct tm_error *err)
{
  json_t *found = NULL;
  int rc =
      tryton_find(k->stock->rpc, "stock.location", json_pack("[[s,s,s]]", "type", "=", "customer"),
                  1, json_pack("[s]", "code"), NULL, &found, err);
  k->destination = tryton_id(json_array_get(found, 0), "id");
  json_decref(found);
  return rc == 0 && k->destination < 0 ? tm_fail(err, -EBADMSG, "Tryton has no customer location")
                                       : rc;
}

/* Their lines beside them: {"PRODUCT":quantity}, and the ids of the lines are in "lines". */
static int read_lines(struct issue *k, struct tm_error *err)
{
  json_t *ids = json_array(), *found = NULL, *one, *line;
  size_t i, j;
  json_array_foreach(k->there, i, one)
  {
    json_array_append(ids, json_object_get(one, "id"));
  }
  int rc =
      tryton_find(k->stock->rpc, MODEL ".line", json_pack("[[s,s,o]]", "forecast", "in", ids), 0,
                  json_pack("[s,s,s]", "forecast", "product", "quantity"), NULL, &found, err);
  json_array_foreach(k->there, i, one)
  {
    json_t *goods = json_object();
    json_array_foreach(found, j, line)
    {
      char product[32];
      if (tryton_id(line, "forecast") != tryton_id(one, "id"))
        continue;
      snprintf(product, sizeof(product), "%lld", (long long)tryton_id(line, "product"));
      json_object_set_new(goods, product, tm_json_number(tm_json_get_number(line, "quantity")));
    }
    json_object_set_new(one, "goods", goods);
  }
  json_decref(found);
  return rc;
}

static int read_there(struct issue *k, const char *from, struct tm_error *err)
{
  int rc = tryton_find(k->stock->rpc, MODEL,
                       json_pack("[[s,s,I],[s,s,I],[s,s,o]]", "destination", "=", k->destination,
                                 "company", "=", tryton_company(k->stock->rpc), "to_date",
                                 ">=", tryton_date(from)),
                       0,
                       json_pack("[s,s,s,s,s,s,s]", "warehouse", "from_date", "to_date", "state",
                                 "lines", "create_uid", "write_uid"),
                       NULL, &k->there, err);
  return rc == 0 ? read_lines(k, err) : rc;
}

static bool is_ours(const struct issue *k, const json_t *forecast)
{
  json_int_t me = tryton_user(k->stock->rpc), writer = tryton_id(forecast, "write_uid");
  int64_t first = tryton_day_of(json_object_get(forecast, "from_date"));
  int64_t last = tryton_day_of(json_object_get(forecast, "to_date"));
  return tryton_id(forecast, "create_uid") == me && (writer < 0 || writer == me) &&
         first != INT64_MIN && last == first + WEEK_DAYS - 1;
}

/* The forecast of a warehouse that touches a week; ours before others. */
static json_t *find_week(const struct issue *k, json_int_t warehouse, int64_t monday)
{
  size_t i;
  json_t *one, *best = NULL;
  json_array_foreach(k->there, i, one)
  {
    if (tryton_id(one, "warehouse") != warehouse ||
        tryton_day_of(json_object_get(one, "from_date")) >= monday + WEEK_DAYS ||
        tryton_day_of(json_object_get(one, "to_date")) < monday)
      continue;
    bool exact = tryton_day_of(json_object_get(one, "from_date")) == monday;
    if (best == NULL || (exact && is_ours(k, one)))
      best = one;
  }
  return best;
}

/* --- one week ------------------------------------------------------------------------------- */

static int press(struct issue *k, const char *button, json_int_t id, struct tm_error *err)
{
  char method[64];
  snprintf(method, sizeof(method), "model." MODEL ".%s", button);
  return tryton_press(k->stock->rpc, method, id, NULL, err);
}

static int take_back(struct issue *k, const json_t *forecast, struct tm_error *err)
{
  const char *state = tryton_text(forecast, "state");
  json_int_t id = tryton_id(forecast, "id");
  int rc = state != NULL && strcmp(state, "done") == 0 ? press(k, "draft", id, err) : 0;
  return rc == 0 ? press(k, "delete", id, err) : rc;
}

/* SKUs as products: values to create, and the same as read_lines() writes them. */
static int make_lines(struct issue *k, const json_t *week, const char *shop, json_t *lines,
                      json_t *goods, struct tm_error *err)
{
  const char *sku;
  json_t *line;
  json_object_foreach(json_object_get(week, "lines"), sku, line)
  {
    struct product p;
    char id[32], what[1024];
    int rc = product_find(k->stock->rpc, k->stock->products, sku, &p, err);
    if (rc < 0)
      return rc;
    if (p.id < 0) {
      snprintf(what, sizeof(what), "%s: %s products of Tryton have this code; left out", sku,
               p.matches == 0 ? "no" : "several");
      warn(k, shop, tm_json_get_string(week, "from"), what);
      continue;
    }
    json_t *pieces = json_object_get(line, "pieces");
    snprintf(id, sizeof(id), "%lld", (long long)p.id);
    json_object_set(goods, id, pieces);
    json_array_append_new(lines, json_pack("{s:I,s:I,s:O,s:i}", "product", p.id, "uom", p.unit,
                                           "quantity", pieces, "minimal_quantity", 1));
  }
  return 0;
}

/* What stands behind the pieces, for the planner. */
static int write_note(struct issue *k, json_int_t id, const json_t *week, struct tm_error *err)
{
  struct tm_buf b = TM_BUF_INIT(MAX_NOTE);
  char resource[64];
  const char *sku;
  json_t *found = NULL, *line;
  tm_buf_printf(&b, "%s\n", k->title);
  json_object_foreach(json_object_get(week, "lines"), sku, line)
  {
    tm_buf_printf(&b, "\n%s: expected %.3g, low %.0f, middle %.0f, high %.0f", sku,
                  tm_json_get_number(line, "expected"), tm_json_get_number(line, "low"),
                  tm_json_get_number(line, "middle"), tm_json_get_number(line, "high"));
  }
  snprintf(resource, sizeof(resource), MODEL ",%lld", (long long)id);
  int rc = tryton_find(k->stock->rpc, "ir.note",
                       json_pack("[[s,s,s],[s,s,I]]", "resource", "=", resource, "create_uid", "=",
                                 tryton_user(k->stock->rpc)),
                       1, json_pack("[s]", "message"), NULL, &found, err);
  json_int_t note = tryton_id(json_array_get(found, 0), "id");
  json_decref(found);
  if (rc == 0 && note < 0)
    rc = tryton_create(k->stock->rpc, "ir.note",
                       json_pack("{s:s,s:s}", "resource", resource, "message", b.ptr), NULL, err);
  else if (rc == 0)
    rc = tryton_call(k->stock->rpc, "model.ir.note.write",
                     json_pack("[[I],{s:s}]", note, "message", b.ptr), NULL, NULL, err);
  tm_buf_release(&b);
  return rc;
}

static int create(struct issue *k, size_t shop, int64_t monday, json_t *lines, json_int_t *id,
                  struct tm_error *err)
{
  return tryton_create(k->stock->rpc, MODEL,
                       json_pack("{s:I,s:I,s:I,s:o,s:o,s:[[s,O]]}", "warehouse",
                                 k->stock->places[shop].warehouse, "destination", k->destination,
                                 "company", tryton_company(k->stock->rpc), "from_date",
                                 tryton_day(monday), "to_date", tryton_day(monday + WEEK_DAYS - 1),
                                 "lines", "create", lines),
                       id, err);
}

static int rewrite(struct issue *k, const json_t *there, json_t *lines, struct tm_error *err)
{
  const char *state = tryton_text(there, "state");
  json_int_t id = tryton_id(there, "id");
  int rc = state != NULL && strcmp(state, "draft") != 0 ? press(k, "draft", id, err) : 0;
  if (rc < 0)
    return rc;
  json_t *commands =
      json_pack("[[s,O],[s,O]]", "delete", json_object_get(there, "lines"), "create", lines);
  return tryton_call(k->stock->rpc, "model." MODEL ".write",
                     json_pack("[[I],{s:o}]", id, "lines", commands), NULL, NULL, err);
}

/* A forecast that Tryton does not confirm would stand in a planner's way as a draft. */
static int confirm(struct issue *k, json_int_t id, struct tm_error *err)
{
  struct tm_error ignored = {0};
  int rc = press(k, "confirm", id, err);
  if (rc == -EBADMSG && press(k, "delete", id, &ignored) < 0 && ignored.code != -EBADMSG)
    return tm_fail(err, ignored.code, "%s", ignored.text);
  return rc;
}

static int put_week(struct issue *k, size_t shop, int64_t monday, const json_t *week, json_t *lines,
                    const json_t *goods, struct tm_error *err)
{
  json_t *there = find_week(k, k->stock->places[shop].warehouse, monday);
  const char *state = tryton_text(there, "state");
  const char *from = tm_json_get_string(week, "from");
  json_int_t id = tryton_id(there, "id");
  if (there != NULL && !is_ours(k, there)) {
    warn(k, k->stock->shops[shop].name, from, "a person's forecast is there; it is left as it is");
    k->counts->left++;
    return 0;
  }
  if (there != NULL)
    json_object_set_new(there, "seen", json_true());
  if (there != NULL && state != NULL && strcmp(state, "done") == 0 &&
      json_equal(json_object_get(there, "goods"), goods)) {
    k->counts->unchanged++;
    return 0;
  }
  int rc = there == NULL ? create(k, shop, monday, lines, &id, err) : rewrite(k, there, lines, err);
  if (rc == 0)
    rc = write_note(k, id, week, err);
  if (rc == 0)
    rc = confirm(k, id, err);
  if (rc == 0)
    k->counts->written++;
  return rc;
}

static int issue_week(struct issue *k, const json_t *week, struct tm_error *err)
{
  const char *name = tm_json_get_string(week, "shop");
  const char *from = tm_json_get_string(week, "from");
  json_t *lines = json_array(), *goods = json_object(), *monday = tryton_date(from);
  size_t shop = 0;
  int rc =
      name != NULL ? stock_shop(k->stock, name, &shop, err) : stock_factory(k->stock, &shop, err);
  if (rc == 0)
    rc = make_lines(k, week, k->stock->shops[shop].name, lines, goods, err);
  if (rc == 0 && json_array_size(lines) > 0)
    rc = put_week(k, shop, tryton_day_of(monday), week, lines, goods, err);
  json_decref(monday);
  json_decref(lines);
  json_decref(goods);
  if (rc != -EBADMSG)
    return rc;
  warn(k, name != NULL ? name : "no shop", from, err->text);
  k->counts->left++;
  return 0;
}

/* Weeks of an earlier issue that this one does not speak of. */
static int take_back_others(struct issue *k, const char *from, struct tm_error *err)
{
  json_t *first = tryton_date(from), *one;
  int rc = 0;
  size_t i;
  json_array_foreach(k->there, i, one)
  {
    if (json_object_get(one, "seen") != NULL || !is_ours(k, one) ||
        tryton_day_of(json_object_get(one, "from_date")) < tryton_day_of(first))
      continue;
    rc = take_back(k, one, err);
    if (rc < 0)
      break;
    k->counts->taken_back++;
  }
  json_decref(first);
  return rc;
}

int forecast_issue(struct stock *s, const json_t *plan, const char *from, const char *title,
                   struct forecast_counts *counts, json_t *warnings, struct tm_error *err)
{
  struct issue k = {
      .stock = s, .title = title, .counts = counts, .warnings = warnings, .destination = -1};
  size_t i;
  json_t *week;
  *counts = (struct forecast_counts){0};
  int rc = read_destination(&k, err);
  if (rc == 0)
    rc = read_there(&k, from, err);
  json_array_foreach(plan, i, week)
  {
    if (rc < 0)
      break;
    rc = issue_week(&k, week, err);
  }
  if (rc == 0)
    rc = take_back_others(&k, from, err);
  json_decref(k.there);
  return rc;
}
