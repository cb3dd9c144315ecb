/* SPDX-License-Identifier: MIT */
/* Making, printing and mailing quotes. */
#include "common/clock.h"
#include "common/json.h"
#include "common/log.h"
#include "contrib/desk/chart/drawing.h"
#include "contrib/desk/chart/series.h"
#include "contrib/desk/desk.h"
#include "contrib/desk/http/fields.h"
#include "contrib/desk/people/audit.h"
#include "contrib/desk/rooms.h"
#include "contrib/desk/sales/device.h"
#include "contrib/desk/sales/find.h"
#include "contrib/desk/sales/quote.h"
#include "exporters/chart.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { LINES = 50, EMPTY_LINES = 2, VALID_DAYS = 30, TEXT_BYTES = 2 << 20 };

/* One request for any of these pages. */
struct quoting {
  const struct request *r;
  int64_t item, today;
  const char *number, *error, *bad;
  struct device_view view;
  json_t *quotes, *quote, *addresses;
  struct quote_wish wish;
  struct quote_sending sending;
  int64_t before;
  int limit, sent;
};

static void release(struct quoting *q)
{
  device_view_release(&q->view);
  json_decref(q->quotes);
  json_decref(q->quote);
  json_decref(q->addresses);
}

static int item_of(struct quoting *q, struct tm_error *err)
{
  return part_number(q->r, "id", &q->item, "there is no item with this number", err);
}

/* --- the form ----------------------------------------------------------------------------- */

static int read_item(struct db *db, void *arg, struct tm_error *err)
{
  struct quoting *q = arg;
  int rc = device_view_read(db, &q->view, 0, q->item, q->today, err);
  return rc == 0 ? quote_list(db, q->item, 0, 50, &q->quotes, err) : rc;
}

static void add_row(json_t *rows, const char *sku, const char *quantity, const char *price)
{
  json_array_append_new(rows,
                        json_pack("{s:i, s:s?, s:s?, s:s?}", "n", (int)json_array_size(rows) + 1,
                                  "sku", sku, "quantity", quantity, "price", price));
}

/* What was typed, or what is advised; and some empty lines. */
static json_t *form_rows(const struct quoting *q)
{
  const json_t *lines = json_object_get(json_object_get(q->view.item, "advice"), "lines");
  json_t *rows = json_array();
  size_t i;
  const json_t *line;
  if (q->error != NULL) {
    for (i = 0; i < LINES && request_field_nth(q->r, "sku", i) != NULL; i++)
      add_row(rows, request_field_nth(q->r, "sku", i), request_field_nth(q->r, "quantity", i),
              request_field_nth(q->r, "price", i));
    if (i > 0)
      return rows;
  }
  json_array_foreach(lines, i, line)
  {
    char quantity[32];
    const json_t *price = json_object_get(line, "price");
    snprintf(quantity, sizeof(quantity), "%.0f", tm_json_get_number(line, "quantity"));
    add_row(rows, tm_json_get_string(line, "sku"), quantity, tm_json_get_string(price, "amount"));
  }
  for (i = 0; i < EMPTY_LINES; i++)
    add_row(rows, "", "", "");
  return rows;
}

static const char *typed_or(const struct quoting *q, const char *name, const char *otherwise)
{
  const char *typed = q->error != NULL ? request_field(q->r, name) : NULL;
  return typed != NULL ? typed : otherwise;
}

static int show_form(struct quoting *q, struct response *to, int status, struct tm_error *err)
{
  char until[TM_DATE_SIZE];
  int rc = store_read(q->r->desk->store, &q->r->scope, read_item, q, err);
  if (rc != 0)
    return rc;
  const char *currency = tm_json_get_string(json_object_get(q->view.item, "price"), "currency");
  json_t *model =
      json_pack("{s:s, s:O, s:o, s:s, s:s, s:s, s:s?, s:O, s:b}", "title", "Quote", "item",
                q->view.item, "rows", form_rows(q), "currency",
                typed_or(q, "currency", currency != NULL ? currency : "JPY"), "valid_until",
                typed_or(q, "valid_until", tm_date_format_days(until, q->today + VALID_DAYS)),
                "remarks", typed_or(q, "remarks", ""), "error", q->error, "quotes", q->quotes,
                "some", json_array_size(q->quotes) > 0);
  rc = respond_page(q->r, to, status, "quote-new.html", model, err);
  json_decref(model);
  return rc;
}

static int get_form(const struct request *r, struct response *to, struct tm_error *err)
{
  struct quoting q = {.r = r, .today = tm_date_days(r->now)};
  int rc = item_of(&q, err);
  if (rc == 0)
    rc = show_form(&q, to, 200, err);
  release(&q);
  return rc;
}

/* --- making one --------------------------------------------------------------------------- */

/* Lines as fields that come several times, or as objects of a JSON body. */
static int typed_lines(const struct request *r, struct quote_line lines[LINES], size_t *n,
                       struct tm_error *err)
{
  const char *text;
  *n = 0;
  for (size_t i = 0; i < LINES && (text = request_field_nth(r, "lines", i)) != NULL; i++) {
    json_t *line = tm_json_parse(text, strlen(text), "lines", err);
    if (line == NULL)
      return tm_fail(err, -EINVAL, "line %zu: an object with sku, quantity and price", i + 1);
    char quantity[32];
    const json_t *price = json_object_get(line, "price");
    snprintf(quantity, sizeof(quantity), "%.0f", tm_json_get_number(line, "quantity"));
    lines[(*n)++] = (struct quote_line){
        request_keep(r, tm_json_get_string(line, "sku")), request_keep(r, quantity),
        request_keep(r, json_is_string(price) ? json_string_value(price)
                                              : tm_json_get_string(price, "amount"))};
    json_decref(line);
  }
  for (size_t i = 0; *n < LINES && (text = request_field_nth(r, "sku", i)) != NULL; i++)
    lines[(*n)++] = (struct quote_line){text, request_field_nth(r, "quantity", i),
                                        request_field_nth(r, "price", i)};
  return 0;
}

static int read_wish(struct quoting *q, json_t **lines, json_t **total, struct tm_error *err)
{
  struct quote_line typed[LINES];
  size_t n = 0;
  struct quote_wish *w = &q->wish;
  const struct visitor *v = q->r->visitor;
  *w = (struct quote_wish){
      .desk = q->r->desk, .item = q->item, .by = v->name, .staff = v->staff, .now = q->r->now};
  int rc = field_day(q->r, "valid_until", &w->valid_until, &q->bad, err);
  if (rc == 0 && w->valid_until == INT64_MIN)
    w->valid_until = q->today + VALID_DAYS;
  if (rc == 0 && w->valid_until < q->today) {
    q->bad = "valid_until";
    rc = tm_fail(err, -EINVAL, "a quote is valid until a day that is still to come");
  }
  if (rc == 0)
    rc = field_may(q->r, "remarks", FIELD_TEXT, &w->remarks, &q->bad, err);
  if (rc == 0) {
    q->bad = "lines";
    rc = typed_lines(q->r, typed, &n, err);
  }
  if (rc == 0)
    rc = quote_count(typed, n, request_field(q->r, "currency"), lines, total, err);
  w->lines = *lines;
  w->total = *total;
  return rc;
}

static int write_quote(struct db *db, void *arg, struct tm_error *err)
{
  struct quoting *q = arg;
  return quote_make(db, &q->wish, &q->quote, err);
}

static int answer_made(struct quoting *q, struct response *to, struct tm_error *err)
{
  char path[80];
  const char *number = tm_json_get_string(q->quote, "number");
  snprintf(path, sizeof(path), "/quotes/%s", number);
  return q->r->wants_json ? respond_json(q->r, to, 201, q->quote, err)
                          : respond_redirect(to, path, err);
}

static int post_quote(const struct request *r, struct response *to, struct tm_error *err)
{
  struct quoting q = {.r = r, .today = tm_date_days(r->now)};
  json_t *lines = NULL, *total = NULL;
  int rc = item_of(&q, err);
  if (rc == 0)
    rc = read_wish(&q, &lines, &total, err);
  if (rc == 0) {
    q.bad = NULL;
    rc = store_write(r->desk->store, &r->scope, write_quote, &q, err);
  }
  if (rc == 0) {
    rc = answer_made(&q, to, err);
  } else if (rc == -EINVAL && r->wants_json) {
    rc = respond_error(r, to, 422, q.bad, err->text);
  } else if (rc == -EINVAL) {
    q.error = request_keep(r, err->text);
    rc = show_form(&q, to, 422, err);
  }
  json_decref(lines);
  json_decref(total);
  release(&q);
  return rc;
}

/* --- the letter --------------------------------------------------------------------------- */

static int read_quote(struct db *db, void *arg, struct tm_error *err)
{
  struct quoting *q = arg;
  int rc = quote_read(db, q->number, &q->quote, err);
  const json_t *customer = json_object_get(json_object_get(q->quote, "quote"), "customer");
  return rc == 0 ? quote_addresses(db, tm_json_get_string(customer, "id"), &q->addresses, err) : rc;
}

/* "1-2-3 Chuo, Osaka" as two lines. */
static json_t *lines_of(const char *address)
{
  json_t *lines = json_array();
  while (address != NULL && *address != '\0') {
    const char *end = strstr(address, ", ");
    size_t len = end != NULL ? (size_t)(end - address) : strlen(address);
    json_array_append_new(lines, json_stringn(address, len));
    address = end != NULL ? end + 2 : NULL;
  }
  return lines;
}

static json_t *drawing_of(const json_t *quote)
{
  const json_t *evidence = json_object_get(quote, "evidence");
  const json_t *order = json_object_get(json_object_get(quote, "item"), "order_by");
  char day[TM_DATE_SIZE];
  const struct series_input in = {
      .summary = evidence,
      .days = json_object_get(evidence, "history"),
      .timezone = tm_json_get_string(quote, "timezone"),
      .today = tm_json_get_string(quote, "today"),
      .order_by =
          json_is_integer(order) ? tm_date_format_days(day, json_integer_value(order)) : NULL};
  json_t *series = json_is_object(evidence) ? series_document(&in) : NULL;
  json_t *drawing = series != NULL ? drawing_model(series) : NULL;
  json_decref(series);
  return drawing;
}

static json_t *letter_model(const struct quoting *q)
{
  const json_t *quote = json_object_get(q->quote, "quote");
  const struct desk_conf *conf = q->r->desk->conf;
  bool expired = tm_json_time_or(quote, "valid_until", INT64_MAX) / TM_DAY < q->today;
  bool some = json_array_size(q->addresses) > 0, sales = q->r->visitor->role == ROLE_SALES;
  const char *no_mail = conf->mail.url == NULL
                            ? "This desk sends no mail: desk.conf names no server."
                        : !some ? "No mail address of this customer is known: import customers."
                                : NULL;
  json_t *model = json_copy(q->quote);
  json_object_set_new(model, "title",
                      json_object_get(quote, "number") != NULL
                          ? json_incref(json_object_get(quote, "number"))
                          : json_string("Quote"));
  json_object_set(model, "addresses", q->addresses);
  json_object_set_new(model, "expired", json_boolean(expired));
  json_object_set_new(model, "may_send", json_boolean(sales && !expired && no_mail == NULL));
  json_object_set_new(model, "customer_lines",
                      lines_of(tm_json_get_string(json_object_get(quote, "customer"), "address")));
  json_object_set_new(model, "vendor_lines",
                      lines_of(tm_json_get_string(json_object_get(quote, "vendor"), "address")));
  json_t *drawing = drawing_of(quote);
  if (drawing != NULL)
    json_object_set_new(model, "drawing", drawing);
  if (sales && no_mail != NULL)
    json_object_set_new(model, "no_mail", json_string(no_mail));
  if (q->error != NULL)
    json_object_set_new(model, "error", json_string(q->error));
  return model;
}

static int show_letter(struct quoting *q, struct response *to, int status, struct tm_error *err)
{
  int rc = store_read(q->r->desk->store, &q->r->scope, read_quote, q, err);
  if (rc != 0)
    return rc;
  const json_t *customer = json_object_get(json_object_get(q->quote, "quote"), "customer");
  rc = audit_seen(q->r, tm_json_get_string(customer, "id"), err);
  if (rc != 0)
    return rc;
  if (q->r->wants_json)
    return respond_json(q->r, to, status, q->quote, err);
  json_t *model = letter_model(q);
  rc = respond_page(q->r, to, status, "quote.html", model, err);
  json_decref(model);
  return rc;
}

static int get_quote(const struct request *r, struct response *to, struct tm_error *err)
{
  struct quoting q = {.r = r, .today = tm_date_days(r->now), .number = request_part(r, "number")};
  int rc = show_letter(&q, to, 200, err);
  release(&q);
  return rc;
}

/* --- mailing it --------------------------------------------------------------------------- */

static int write_sending(struct db *db, void *arg, struct tm_error *err)
{
  struct quoting *q = arg;
  q->sent = quote_send(db, &q->sending, err);
  return q->sent < 0 ? q->sent : 0;
}

/* Without a picture the letter goes all the same. */
static void draw(const json_t *quote, struct tm_buf *png)
{
  struct tm_buf text = TM_BUF_INIT(TEXT_BYTES);
  struct tm_error err = {0};
  const json_t *evidence = json_object_get(quote, "evidence");
  int rc = json_is_object(evidence) ? tm_json_append(&text, evidence) : -ENODATA;
  if (rc == 0)
    rc = chart_draw(png, text.ptr, text.len, &err);
  if (rc < 0 && rc != -ENODATA)
    tm_log_warning("%s: goes without its chart: %s", tm_json_get_string(quote, "number"), err.text);
  if (rc < 0)
    tm_buf_reset(png);
  tm_buf_release(&text);
}

static int send_it(struct quoting *q, struct tm_error *err)
{
  struct tm_buf png = TM_BUF_INIT(CHART_MAX);
  const struct request *r = q->r;
  if (r->desk->conf->mail.url == NULL)
    return tm_fail(err, -EINVAL, "this desk sends no mail: desk.conf names no server");
  int rc = store_read(r->desk->store, &r->scope, read_quote, q, err);
  if (rc == 0) {
    draw(json_object_get(q->quote, "quote"), &png);
    q->sending.desk = r->desk;
    q->sending.number = q->number;
    q->sending.by = r->visitor->name;
    q->sending.staff = r->visitor->staff;
    q->sending.chart = png.len > 0 ? png.ptr : NULL;
    q->sending.chart_len = png.len;
    q->sending.now = r->now;
    rc = store_write(r->desk->store, &r->scope, write_sending, q, err);
  }
  tm_buf_release(&png);
  return rc;
}

static int post_send(const struct request *r, struct response *to, struct tm_error *err)
{
  struct quoting q = {.r = r, .today = tm_date_days(r->now), .number = request_part(r, "number")};
  char path[80];
  int rc = field_must(r, "to", 254, &q.sending.to, &q.bad, err);
  if (rc == 0) {
    q.bad = "to";
    rc = send_it(&q, err);
  }
  if (rc == -EINVAL && r->wants_json) {
    rc = respond_error(r, to, 422, q.bad, err->text);
  } else if (rc == -EINVAL) {
    q.error = request_keep(r, err->text);
    rc = show_letter(&q, to, 422, err);
  } else if (rc == 0 && r->wants_json) {
    to->status = 204;
  } else if (rc == 0) {
    snprintf(path, sizeof(path), "/quotes/%.60s", q.number);
    rc = respond_redirect(to, path, err);
  }
  release(&q);
  return rc;
}

/* --- for programs ------------------------------------------------------------------------- */

static int read_list(struct db *db, void *arg, struct tm_error *err)
{
  struct quoting *q = arg;
  return quote_list(db, q->item, q->before, q->limit + 1, &q->quotes, err);
}

static int list_quotes(const struct request *r, struct response *to, struct tm_error *err)
{
  struct quoting q = {.r = r};
  json_t *next = NULL;
  const char *bad = NULL;
  int rc = find_page(r, "after", &q.before, &q.limit, &bad, err);
  if (rc == 0 && request_part(r, "id") != NULL)
    rc = item_of(&q, err);
  if (rc == -EINVAL)
    return respond_error(r, to, 422, bad, err->text);
  if (rc == 0)
    rc = store_read(r->desk->store, &r->scope, read_list, &q, err);
  if (rc == 0) {
    next = find_next(q.quotes, q.limit);
    json_t *model = json_pack("{s:O, s:o}", "quotes", q.quotes, "next", next);
    rc = respond_json(r, to, 200, model, err);
    json_decref(model);
  }
  release(&q);
  return rc;
}

#define READERS (ROLE_SALES | ROLE_SERVICE | ROLE_ADMIN)

const struct route quote_routes[] = {
    {"GET", "/items/{id}/quote", ROLE_SALES, 0, "The form for a quote, with the lines of the item",
     get_form},
    {"POST", "/items/{id}/quote", ROLE_SALES, 65536,
     "Makes a quote: sku, quantity, price (each several times), currency, valid_until, remarks",
     post_quote},
    {"GET", "/quotes/{number}", READERS, 0, "A quote as a letter to be printed", get_quote},
    {"POST", "/quotes/{number}/send", ROLE_SALES, 4096,
     "Mails a quote with its chart to an address of the customer, once", post_send},
    {"GET", "/api/v1/quotes", READERS, 0, "Quotes, the newest first", list_quotes},
    {"GET", "/api/v1/quotes/{number}", READERS, 0, "One quote with its evidence", get_quote},
    {"POST", "/api/v1/quotes/{number}/send", ROLE_SALES, 4096,
     "Mails a quote with its chart to an address of the customer, once", post_send},
    {"GET", "/api/v1/items/{id}/quotes", READERS, 0, "Quotes for one item, the newest first",
     list_quotes},
    {"POST", "/api/v1/items/{id}/quotes", ROLE_SALES, 65536,
     "Makes a quote: lines, currency, valid_until, remarks", post_quote},
    {0},
};
