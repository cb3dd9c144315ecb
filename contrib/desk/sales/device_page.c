/* SPDX-License-Identifier: MIT */
/* One device with all its evidence, and the item that is worked on. */
#include "common/clock.h"
#include "common/json.h"
#include "common/number.h"
#include "contrib/desk/chart/drawing.h"
#include "contrib/desk/desk.h"
#include "contrib/desk/factory/item_part.h"
#include "contrib/desk/http/fields.h"
#include "contrib/desk/people/audit.h"
#include "contrib/desk/rooms.h"
#include "contrib/desk/sales/device.h"
#include "contrib/desk/sales/find.h"
#include "contrib/desk/sales/life.h"
#include "contrib/desk/sales/words.h"
#include "contrib/desk/store/document.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { WEEKS = 26 };

struct looking {
  const struct request *r;
  int64_t device, item, today;
  struct device_view view;
  json_t *staff;   /* who could look after an item, for the page of who may say so */
  json_t *factory; /* what is in stock for the item, and what was asked; see item_part.h */
};

static int read_staff(struct db *db, struct looking *l, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "SELECT staff AS value, name AS text FROM staff WHERE role = 'sales'"
                      " AND (left_on IS NULL OR left_on > ?1) ORDER BY name, staff LIMIT 500",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, l->today);
  return db_take_rows(stmt, &l->staff, err);
}

static int read_view(struct db *db, void *arg, struct tm_error *err)
{
  struct looking *l = arg;
  int rc = device_view_read(db, &l->view, l->device, l->item, l->today, err);
  if (rc == 0 && l->r->visitor->role != ROLE_CUSTOMER)
    rc = item_part_read(db, l->view.item, !l->r->desk->conf->factory.tryton, l->today, &l->factory,
                        err);
  return rc == 0 && l->r->visitor->role == ROLE_SALES && !l->r->wants_json ? read_staff(db, l, err)
                                                                           : rc;
}

/* What cannot be a number is as absent as a number that nobody has. */
/* Of its life the states, and not what colleagues think of the advice, what they ask of the factory
 * or why a sale was lost. */
static void keep_life(struct device_view *view)
{
  static const char *const ours[] = {"feedback", "owner", "inquiry", "answer", "reservation"};
  enum { OURS = sizeof(ours) / sizeof(ours[0]) };
  json_t *shown = json_array();
  size_t i;
  json_t *row;
  json_array_foreach(view->life, i, row)
  {
    const char *what = tm_json_get_string(row, "what"), *to = tm_json_get_string(row, "to_state");
    size_t k = 0;
    while (k < OURS && (what == NULL || strcmp(what, ours[k]) != 0))
      k++;
    if (k < OURS)
      continue;
    if (to != NULL && strcmp(to, "lost") == 0)
      json_object_set_new(row, "text", json_null());
    json_array_append(shown, row);
  }
  json_decref(view->life);
  view->life = shown;
  if (view->item != NULL)
    find_strip(view->item);
  json_array_foreach(view->items, i, row) find_strip(row);
}

/* What colleagues say among themselves is not for the customer; what he said, or is to see, is. */
static void keep_to_ourselves(struct device_view *view)
{
  json_t *shown = json_array();
  size_t i;
  json_t *row;
  json_array_foreach(view->comments, i, row)
  {
    const char *role = tm_json_get_string(row, "by_role");
    if (json_integer_value(json_object_get(row, "to_customer")) != 0 ||
        (role != NULL && strcmp(role, "customer") == 0))
      json_array_append(shown, row);
  }
  json_decref(view->comments);
  view->comments = shown;
  json_array_clear(view->contacts);
  keep_life(view);
}

static int look(struct looking *l, const char *part, int64_t *number, struct tm_error *err)
{
  int rc = part_number(l->r, part, number, "there is nothing with this number", err);
  if (rc == 0)
    rc = store_read(l->r->desk->store, &l->r->scope, read_view, l, err);
  if (rc == 0 && l->r->visitor->role == ROLE_CUSTOMER)
    keep_to_ourselves(&l->view);
  return rc;
}

static json_t *past_rows(const json_t *past)
{
  json_t *rows = json_array();
  size_t i;
  const json_t *row;
  json_array_foreach(past, i, row)
  {
    json_t *copy = json_copy((json_t *)row);
    int64_t late = tm_date_days(json_integer_value(json_object_get(row, "arrived_at"))) -
                   tm_date_days(json_integer_value(json_object_get(row, "period_to")));
    const char *sha256 = tm_json_get_string(row, "sha256");
    json_object_set_new(copy, "delay",
                        late <= 0   ? json_string("same day")
                        : late == 1 ? json_string("a day later")
                                    : json_sprintf("%lld days later", (long long)late));
    json_object_set_new(copy, "fingerprint",
                        json_sprintf("%.12s\xe2\x80\xa6", sha256 != NULL ? sha256 : ""));
    json_array_append_new(rows, copy);
  }
  return rows;
}

/* The lines of an offer, each with its sum. */
static json_t *offer_lines(const json_t *lines)
{
  json_t *rows = json_array();
  size_t i;
  const json_t *line;
  json_array_foreach(lines, i, line)
  {
    json_t *row = json_copy((json_t *)line);
    const json_t *price = json_object_get(line, "price");
    const char *each = tm_json_get_string(price, "amount");
    double amount, quantity = tm_json_get_number(line, "quantity");
    if (each != NULL && tm_parse_double(each, &amount) == 0 && quantity > 0) {
      char sum[48];
      const char *point = strchr(each, '.');
      int decimals = point != NULL ? (int)strlen(point + 1) : 0;
      snprintf(sum, sizeof(sum), "%.*f", decimals > 4 ? 4 : decimals, amount * quantity);
      json_object_set_new(
          row, "sum",
          json_pack("{s:s, s:O*}", "amount", sum, "currency", json_object_get(price, "currency")));
    }
    json_object_set_new(row, "several", json_boolean(quantity > 1));
    json_array_append_new(rows, row);
  }
  return rows;
}

/* "2 % in 30 days, 99 % in 365", beside the chance within 90 days. */
static void add_chances(json_t *model, const json_t *summary)
{
  const json_t *by = json_object_get(json_object_get(json_object_get(summary, "forecast"), "fill"),
                                     "probability_by_horizon");
  static const int days[] = {30, 180, 365};
  struct tm_buf text = TM_BUF_INIT(256);
  for (size_t i = 0; i < 3; i++) {
    char key[8];
    snprintf(key, sizeof(key), "%dd", days[i]);
    double p = tm_json_get_number(by, key);
    if (!isnan(p))
      tm_buf_printf(&text, "%s%.0f\u00a0%% in\u00a0%d%s", text.len > 0 ? ", " : "", floor(p * 100),
                    days[i], text.len > 0 ? "" : "\u00a0days");
  }
  double within_90 = tm_json_get_number(by, "90d");
  if (!isnan(within_90))
    json_object_set_new(model, "chance_90d", json_real(within_90));
  if (text.len > 0)
    json_object_set_new(model, "chances", json_string(text.ptr));
  tm_buf_release(&text);
}

/* Numbers of evidence as they stand in the document: name and value. */
static json_t *evidence_rows(const json_t *evidence)
{
  json_t *rows = json_array();
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)evidence, key, value)
  {
    char name[80];
    snprintf(name, sizeof(name), "%s", key);
    for (char *c = name; *c != '\0'; c++)
      if (*c == '_')
        *c = ' ';
    json_array_append_new(rows, json_pack("{s:s, s:O}", "name", name, "value", value));
  }
  return rows;
}

/* One day a week of the last half year, newest first. */
static json_t *weeks(const json_t *days)
{
  json_t *rows = json_array();
  size_t n = json_array_size(days);
  for (size_t i = 0; i < n && i < WEEKS * 7; i += 7)
    json_array_append(rows, json_array_get(days, n - 1 - i));
  return rows;
}

/* The people, and which of them it is. */
static void add_staff(json_t *model, const struct looking *l)
{
  const char *owner = tm_json_get_string(l->view.item, "owner");
  size_t i;
  json_t *row;
  json_array_foreach(l->staff, i, row)
  {
    const char *staff = tm_json_get_string(row, "value");
    json_object_set_new(row, "chosen", json_boolean(owner != NULL && strcmp(owner, staff) == 0));
  }
  json_object_set(model, "staff", l->staff);
  json_object_set_new(model, "has_staff", json_boolean(json_array_size(l->staff) > 0));
}

/* What was said of claims on this device; item or not, sales reads it here. */
static void add_claims(json_t *model, const struct device_view *v)
{
  json_t *said = json_array();
  size_t i;
  json_t *row;
  json_array_foreach(v->comments, i, row)
  {
    if (json_is_integer(json_object_get(row, "claim_id")))
      json_array_append(said, row);
  }
  json_object_set(model, "claims", v->claims);
  json_object_set_new(model, "has_claims", json_boolean(json_array_size(v->claims) > 0));
  json_object_set_new(model, "claim_comments", said);
}

/* Mustache cannot ask how many there are of a thing. */
static void add_flags(json_t *model, const struct looking *l)
{
  const struct device_view *v = &l->view;
  add_claims(model, v);
  json_object_set_new(model, "has_others", json_boolean(json_array_size(v->items) > 0));
  json_object_set_new(model, "past_shown", json_integer((json_int_t)json_array_size(v->past)));
  json_object_set_new(model, "weeks", weeks(v->days));
  add_chances(model, v->summary);
}

static json_t *page_model(struct looking *l)
{
  struct device_view *v = &l->view;
  const char *name = tm_json_get_string(v->device, "device");
  const json_t *advice = json_object_get(v->item, "advice");
  json_t *series = device_series(v, l->today);
  json_t *drawing = series != NULL ? drawing_model(series) : NULL;
  int64_t id = json_integer_value(json_object_get(v->device, "id"));
  json_t *model = json_pack(
      "{s:s, s:b, s:O, s:O, s:O*, s:O, s:O, s:O, s:O, s:O, s:o, s:I, s:o, s:o}", "title",
      name != NULL ? name : "device", "charts", 1, "device", v->device, "summary", v->summary,
      "item", v->item, "items", v->items, "life", v->life, "comments", v->comments, "contacts",
      v->contacts, "quotes", v->quotes, "past", past_rows(v->past), "past_len",
      (json_int_t)v->past_len, "sold_and_now", device_sold_and_now(v), "evidence",
      evidence_rows(json_object_get(advice, "evidence")));
  if (model != NULL) {
    add_flags(model, l);
    if (l->staff != NULL)
      add_staff(model, l);
    json_object_set_new(model, "offer_lines", offer_lines(json_object_get(advice, "lines")));
    json_object_set_new(model, "steps", life_steps(v->item, v->life));
    json_t *moves = life_moves(v->item);
    json_object_set_new(model, "has_moves", json_boolean(json_array_size(moves) > 0));
    json_object_set_new(model, "moves", moves);
    json_object_set_new(model, "has_chart", json_boolean(drawing != NULL));
    if (drawing != NULL)
      json_object_set(model, "drawing", drawing);
    json_object_set(model, "events", json_object_get(series, "events"));
    json_object_set_new(model, "series", json_sprintf("/devices/%lld/series", (long long)id));
    json_object_set_new(model, "may_act", json_boolean(l->r->visitor->role == ROLE_SALES));
    json_object_set(model, "factory", l->factory);
    json_object_set_new(model, "may_answer", json_boolean(l->r->visitor->role == ROLE_CUSTOMER));
    json_object_set_new(model, "may_talk", json_boolean(l->r->visitor->role != ROLE_CUSTOMER));
  }
  json_decref(drawing);
  json_decref(series);
  return model;
}

/* The same for programs: what is known, without what only a page needs. */
static json_t *api_model(const struct looking *l)
{
  const struct device_view *v = &l->view;
  return json_pack("{s:O, s:O, s:O*, s:O, s:O, s:O, s:O, s:O, s:O, s:I, s:O*, s:O}", "device",
                   v->device, "summary", v->summary, "item", v->item, "items", v->items, "life",
                   v->life, "comments", v->comments, "contacts", v->contacts, "quotes", v->quotes,
                   "documents", v->past, "documents_total", (json_int_t)v->past_len, "factory",
                   l->factory, "claims", v->claims);
}

static int show(struct looking *l, struct response *to, struct tm_error *err)
{
  json_t *model = l->r->wants_json ? api_model(l) : page_model(l);
  const char *customer = tm_json_get_string(l->view.device, "customer_id");
  int rc = audit_seen(l->r, customer, err);
  if (rc == 0)
    rc = respond_model(l->r, to, "device.html", model, err);
  json_decref(model);
  return rc;
}

static void looking_release(struct looking *l)
{
  json_decref(l->factory);
  json_decref(l->staff);
  device_view_release(&l->view);
}

static int show_device(const struct request *r, struct response *to, struct tm_error *err)
{
  struct looking l = {.r = r, .today = tm_date_days(r->now)};
  int rc = look(&l, "id", &l.device, err);
  if (rc == 0)
    rc = show(&l, to, err);
  looking_release(&l);
  return rc;
}

static int show_item(const struct request *r, struct response *to, struct tm_error *err)
{
  struct looking l = {.r = r, .today = tm_date_days(r->now)};
  int rc = look(&l, "id", &l.item, err);
  if (rc == 0)
    rc = show(&l, to, err);
  looking_release(&l);
  return rc;
}

static int show_series(const struct request *r, struct response *to, struct tm_error *err)
{
  struct looking l = {.r = r, .today = tm_date_days(r->now)};
  int rc = look(&l, "id", &l.device, err);
  json_t *series = rc == 0 ? device_series(&l.view, l.today) : NULL;
  if (rc == 0)
    rc = series != NULL ? respond_json(r, to, 200, series, err) : -ENOMEM;
  json_decref(series);
  looking_release(&l);
  return rc;
}

/* --- documents, byte for byte ------------------------------------------------------------------
 */

struct fetching {
  int64_t id;
  struct document document;
};

static int read_document(struct db *db, void *arg, struct tm_error *err)
{
  struct fetching *f = arg;
  document_release(&f->document);
  return document_read(db, f->id, &f->document, err);
}

static int give_document(const struct request *r, struct response *to, struct tm_error *err)
{
  struct fetching f = {0};
  int rc = part_number(r, "id", &f.id, "there is no such document", err);
  if (rc == 0)
    rc = store_read(r->desk->store, &r->scope, read_document, &f, err);
  if (rc == 0)
    rc = tm_buf_add(&to->body, f.document.bytes.ptr, f.document.bytes.len);
  if (rc == 0) {
    char name[128];
    to->status = 200;
    to->content_type = "application/cloudevents+json";
    snprintf(name, sizeof(name), "%s; filename=\"%.64s.json\"",
             request_query(r, "show") != NULL ? "inline" : "attachment", f.document.event);
    rc = respond_header(to, "Content-Disposition", name);
  }
  document_release(&f.document);
  return rc;
}

#define READERS (ROLE_SALES | ROLE_SERVICE | ROLE_ENGINEER | ROLE_ADMIN | ROLE_CUSTOMER)

const struct route device_routes[] = {
    {"GET", "/devices/{id}", READERS, 0, "One device: chart, specification, status, past summaries",
     show_device},
    {"GET", "/items/{id}", ROLE_SALES | ROLE_SERVICE | ROLE_ENGINEER | ROLE_CUSTOMER, 0,
     "One item with the evidence of its device", show_item},
    {"GET", "/devices/{id}/series", READERS, 0, "What the chart of a device shows", show_series},
    {"GET", "/documents/{id}", READERS, 0, "A summary as it was received, byte for byte",
     give_document},
    {"GET", "/api/v1/devices/{id}", READERS, 0,
     "One device: its row, newest summary, items and what was said of them", show_device},
    {"GET", "/api/v1/devices/{id}/series", READERS, 0, "What the chart of a device shows",
     show_series},
    {"GET", "/api/v1/documents/{id}", READERS, 0, "A summary as it was received, byte for byte",
     give_document},
    {"GET", "/api/v1/items/{id}", ROLE_SALES | ROLE_SERVICE | ROLE_ENGINEER | ROLE_CUSTOMER, 0,
     "One item with its device, newest summary and life", show_item},
    {0},
};
