/* SPDX-License-Identifier: MIT */
/* Inquiries as people see them: one, all of mine, and the answers as they arrive. */
#include "common/clock.h"
#include "common/json.h"
#include "common/number.h"
#include "contrib/desk/desk.h"
#include "contrib/desk/factory/hold.h"
#include "contrib/desk/factory/inquiry.h"
#include "contrib/desk/factory/inquiry_look.h"
#include "contrib/desk/factory/inquiry_model.h"
#include "contrib/desk/factory/offer.h"
#include "contrib/desk/http/filters.h"
#include "contrib/desk/people/audit.h"
#include "contrib/desk/rooms.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { PAGE = 50, PAGE_MAX = 500, MINE = 8 };

void inquiry_look_release(struct looking *l)
{
  json_decref(l->row);
  json_decref(l->rows);
  json_decref(l->names);
  json_decref(l->shops);
  json_decref(l->reserved);
  ask_form_release(&l->form);
}

static bool is_factory(const struct request *r)
{
  return r->visitor->role == ROLE_FACTORY;
}

/* Code -> name. */
static int read_names(struct db *db, struct looking *l, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "SELECT shop, name, address, phone, kind FROM shops ORDER BY name, shop"
                      " LIMIT 1000",
                      &stmt, err);
  if (rc == 0)
    rc = db_take_rows(stmt, &l->shops, err);
  size_t i;
  const json_t *shop;
  json_decref(l->names);
  l->names = json_object();
  json_array_foreach(l->shops, i, shop)
  {
    json_object_set(l->names, tm_json_get_string(shop, "shop"), json_object_get(shop, "name"));
  }
  return rc;
}

static int read_reserved(struct db *db, struct looking *l, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "SELECT r.number, r.shop, s.name AS shop_name, r.sku, r.quantity, r.state,"
                      " r.from_day, CASE WHEN r.coming_on > ?3 THEN r.coming_on END AS coming_on"
                      " FROM reservations r LEFT JOIN shops s ON s.shop = r.shop"
                      " WHERE (?1 IS NULL OR r.customer_id = ?1) AND r.inquiry = ?2"
                      " AND r.state IN ('held', 'fetched') ORDER BY r.id",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_customer(stmt, 1);
  db_bind_text(stmt, 2, l->id);
  db_bind_int(stmt, 3, l->today);
  return db_take_rows(stmt, &l->reserved, err);
}

static int read_one(struct db *db, void *arg, struct tm_error *err)
{
  struct looking *l = arg;
  int rc = inquiry_read(db, l->id, &l->row, err);
  if (rc == 0)
    rc = read_names(db, l, err);
  if (rc == 0)
    rc = read_reserved(db, l, err);
  if (rc == 0 && !is_factory(l->r) && !l->r->wants_json) {
    l->list = (struct inquiry_list){
        .user = l->r->visitor->user_id, .before_at = INT64_MAX, .limit = MINE};
    rc = inquiry_list(db, &l->list, &l->rows, err);
    l->form.item = json_integer_value(json_object_get(l->row, "item_id"));
    if (rc == 0 && l->form.item != 0)
      rc = ask_form_read(db, &l->form, err);
  }
  return rc;
}

int inquiry_look(struct looking *l, struct tm_error *err)
{
  l->id = request_part(l->r, "id");
  l->today = tm_date_days(l->r->now);
  return store_read(l->r->desk->store, &l->r->scope, read_one, l, err);
}

static int mark_seen(struct db *db, void *arg, struct tm_error *err)
{
  const struct looking *l = arg;
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "UPDATE answers SET seen_at = ?2 WHERE inquiry = ?1 AND seen_at IS NULL"
                      " AND (?3 IS NULL OR customer_id = ?3)",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, l->id);
  db_bind_int(stmt, 2, l->r->now);
  db_bind_customer(stmt, 3);
  return db_exec(stmt, err);
}

static bool is_first_look(const struct looking *l)
{
  json_int_t user = json_integer_value(json_object_get(l->row, "asked_by"));
  return json_is_object(json_object_get(l->row, "answer")) && user != 0 &&
         user == l->r->visitor->user_id && json_is_null(json_object_get(l->row, "seen_at"));
}

/* --- lists ---------------------------------------------------------------------------------- */

/* The rows, each with what people read; those of the visitor that wait listen for news. */
static void decorate_all(const struct looking *l)
{
  size_t i;
  json_t *row;
  json_array_foreach(l->rows, i, row)
  {
    json_int_t user = json_integer_value(json_object_get(row, "asked_by"));
    const char *id = tm_json_get_string(row, "inquiry");
    inquiry_decorate(row, l->today);
    if (json_is_true(json_object_get(row, "waiting")) && user == l->r->visitor->user_id)
      json_object_set_new(row, "listens", json_true());
    if (l->id != NULL && strcmp(id, l->id) == 0)
      json_object_set_new(row, "current", json_true());
    if (is_factory(l->r))
      inquiry_strip(row);
  }
}

static int read_list(struct db *db, void *arg, struct tm_error *err)
{
  struct looking *l = arg;
  return inquiry_list(db, &l->list, &l->rows, err);
}

/* "1763600000.Q-1001": continue behind this one. */
static int read_after(struct looking *l, struct tm_error *err)
{
  const char *after = request_query(l->r, "after"), *dot;
  char at[32];
  l->list.before_at = INT64_MAX;
  if (after == NULL || after[0] == '\0')
    return 0;
  dot = strchr(after, '.');
  if (dot == NULL || (size_t)(dot - after) >= sizeof(at) || strlen(dot + 1) >= INQUIRY_ID)
    return tm_fail(err, -EINVAL, "not a place in this list");
  snprintf(at, sizeof(at), "%.*s", (int)(dot - after), after);
  if (tm_parse_i64(at, 0, INT64_MAX, &l->list.before_at) != 0)
    return tm_fail(err, -EINVAL, "not a place in this list");
  snprintf(l->before_id, sizeof(l->before_id), "%s", dot + 1);
  l->list.before_id = l->before_id;
  return 0;
}

static int read_wish(struct looking *l, const char **field, struct tm_error *err)
{
  const char *owner = request_query(l->r, "owner"), *state = request_query(l->r, "state");
  const char *limit = request_query(l->r, "limit");
  int64_t n = PAGE;
  /* A person sees their own first; the factory and programs all. */
  bool mine = owner != NULL && owner[0] != '\0' ? strcmp(owner, "mine") == 0
                                                : !is_factory(l->r) && !l->r->visitor->by_token;
  *field = "owner";
  if (owner != NULL && owner[0] != '\0' && !mine && strcmp(owner, "all") != 0)
    return tm_fail(err, -EINVAL, "mine or all");
  *field = "state";
  if (state != NULL && state[0] != '\0' && strcmp(state, "all") != 0) {
    if (strcmp(state, "open") != 0 && strcmp(state, "answered") != 0 &&
        strcmp(state, "refused") != 0)
      return tm_fail(err, -EINVAL, "open, answered, refused or all");
    l->list.state = state;
  }
  *field = "limit";
  if (limit != NULL && tm_parse_i64(limit, 1, PAGE_MAX, &n) != 0)
    return tm_fail(err, -EINVAL, "a number from 1 to %d", PAGE_MAX);
  l->list.user = mine ? l->r->visitor->user_id : 0;
  l->list.limit = (int)n + 1;
  *field = "after";
  return read_after(l, err);
}

static json_t *cursor(struct looking *l)
{
  size_t n = json_array_size(l->rows), want = (size_t)l->list.limit - 1;
  if (n <= want)
    return NULL;
  while (json_array_size(l->rows) > want)
    json_array_remove(l->rows, want);
  const json_t *last = json_array_get(l->rows, want - 1);
  return json_sprintf("%lld.%s", (long long)json_integer_value(json_object_get(last, "asked_at")),
                      tm_json_get_string(last, "inquiry"));
}

static json_t *empty_list(const struct looking *l)
{
  if (is_factory(l->r))
    return json_pack("{s:s,s:s,s:[{s:s,s:s,s:b}]}", "title", "No inquiry matches", "text",
                     "Sales asks from an item; what waits for an answer stands here and on the "
                     "factory's page.",
                     "actions", "path", "/factory", "text", "Demand and stock", "primary", 1);
  return json_pack("{s:s,s:s,s:[{s:s,s:s,s:b}]}", "title", "No inquiry yet", "text",
                   "Ask the factory from an item: \xe2\x80\x9c"
                   "Ask the factory\xe2\x80\x9d fills in its products and the customer's shop.",
                   "actions", "path", "/opportunities", "text", "Choose an item", "primary", 1);
}

static json_t *list_model(const struct looking *l, const char *next)
{
  const char *state = l->list.state != NULL ? l->list.state : "all";
  bool mine = l->list.user != 0;
  char path[256];
  json_t *model =
      json_pack("{s:s,s:O,s:b,s:b,s:b}", "title", "Inquiries", "rows", l->rows, "any",
                json_array_size(l->rows) > 0, "mine", mine, "for_sales", !is_factory(l->r));
  static const char *const states[][2] = {{"all", "Any state"},
                                          {"open", "Waiting"},
                                          {"answered", "Answered"},
                                          {"refused", "Refused"},
                                          {NULL}};
  static const char *const owners[][2] = {{"mine", "Mine"}, {"all", "Everybody's"}, {NULL}};
  json_object_set_new(model, "filters",
                      json_pack("{s:s,s:[{s:s,s:s,s:o},{s:s,s:s,s:o}]}", "path", "/inquiries",
                                "fields", "name", "owner", "label", "Asked by", "options",
                                filter_options(owners, mine ? "mine" : "all"), "name", "state",
                                "label", "State", "options", filter_options(states, state)));
  if (next != NULL) {
    snprintf(path, sizeof(path), "/inquiries?owner=%s&state=%s&after=%s", mine ? "mine" : "all",
             state, next);
    json_object_set_new(model, "pager",
                        json_pack("{s:s,s:s}", "text", "newest first", "older", path));
  }
  if (json_array_size(l->rows) == 0)
    json_object_set_new(model, "empty", empty_list(l));
  return model;
}

static int show_list(const struct request *r, struct response *to, struct tm_error *err)
{
  struct looking l = {.r = r, .today = tm_date_days(r->now)};
  const char *field = NULL;
  if (read_wish(&l, &field, err) != 0)
    return respond_error(r, to, 422, field, err->text);
  int rc = store_read(r->desk->store, &r->scope, read_list, &l, err);
  json_t *next = rc == 0 ? cursor(&l) : NULL;
  if (rc == 0) {
    decorate_all(&l);
    json_t *model = r->wants_json ? json_pack("{s:O,s:O?}", "inquiries", l.rows, "next", next)
                                  : list_model(&l, json_string_value(next));
    rc = respond_model(r, to, "inquiries.html", model, err);
    json_decref(model);
  }
  json_decref(next);
  inquiry_look_release(&l);
  return rc;
}

/* --- one ------------------------------------------------------------------------------------ */

static void set_defaults(const struct looking *l, json_t *model)
{
  static const char *const names[] = {"who", "on", "until"};
  char date[TM_DATE_SIZE], until[TM_DATE_SIZE];
  const json_t *answer = json_object_get(l->row, "answer");
  int64_t ready = tm_json_time_or(answer, "complete_on", l->today * TM_DAY) / TM_DAY;
  const char *defaults[] = {
      "", tm_date_format_days(date, l->today),
      tm_date_format_days(until, (ready > l->today ? ready : l->today) + HOLD_DAYS)};
  for (size_t i = 0; i < 3; i++) {
    const char *typed = request_field(l->r, names[i]);
    json_object_set_new(model, names[i], json_string(typed != NULL ? typed : defaults[i]));
  }
  if (l->field != NULL && l->error != NULL) {
    json_t *error = json_object();
    json_object_set_new(error, l->field, json_string(l->error));
    json_object_set_new(model, "error", error);
  }
}

static json_t *offers_of(const struct looking *l)
{
  const json_t *answer = json_object_get(l->row, "answer");
  if (!json_is_object(answer))
    return json_array();
  json_t *offers =
      offer_shops(answer, json_object_get(l->row, "from"), tm_json_get_string(l->row, "shop"),
                  json_object_get(l->row, "wanted_on"), l->names, l->today);
  const char *typed = request_field(l->r, "shop");
  size_t i;
  json_t *offer;
  json_array_foreach(offers, i, offer)
  {
    const char *shop = tm_json_get_string(offer, "shop");
    if (typed != NULL)
      json_object_set_new(offer, "chosen", json_boolean(strcmp(typed, shop) == 0));
  }
  return offers;
}

static json_t *one_model(struct looking *l)
{
  char title[INQUIRY_ID + 32];
  json_t *offers = offers_of(l);
  json_int_t user = json_integer_value(json_object_get(l->row, "asked_by"));
  snprintf(title, sizeof(title), "Inquiry %s", l->id);
  json_t *model =
      json_pack("{s:s,s:O,s:o,s:o,s:O,s:b,s:b,s:o}", "title", title, "inquiry", l->row, "verdict",
                inquiry_verdict(offers), "steps", inquiry_steps(l->row), "reserved", l->reserved,
                "for_factory", is_factory(l->r), "for_sales", !is_factory(l->r), "offers", offers);
  json_object_set_new(model, "listens",
                      json_boolean(user == l->r->visitor->user_id &&
                                   json_is_true(json_object_get(l->row, "waiting"))));
  json_object_set_new(model, "has_offers", json_boolean(json_array_size(offers) > 0));
  set_defaults(l, model);
  if (is_factory(l->r)) {
    json_object_set(model, "shops", l->shops);
    return model;
  }
  if (l->form.about != NULL)
    json_object_set_new(model, "ask", ask_form_model(&l->form));
  if (l->rows != NULL)
    json_object_set(model, "rows", l->rows);
  return model;
}

int inquiry_show(struct looking *l, struct response *to, int status, struct tm_error *err)
{
  const struct request *r = l->r;
  const char *customer = tm_json_get_string(l->row, "customer_id");
  int rc = !is_factory(r) && customer != NULL ? audit_seen(r, customer, err) : 0;
  inquiry_decorate(l->row, l->today);
  json_object_set(l->row, "reservations", l->reserved);
  decorate_all(l);
  if (is_factory(r))
    inquiry_strip(l->row);
  if (rc == 0 && r->wants_json)
    return respond_json(r, to, status, l->row, err);
  json_t *model = rc == 0 ? one_model(l) : NULL;
  if (rc == 0)
    rc = respond_page(r, to, status, "inquiry.html", model, err);
  json_decref(model);
  return rc;
}

static int show_one(const struct request *r, struct response *to, struct tm_error *err)
{
  struct looking l = {.r = r};
  int rc = inquiry_look(&l, err);
  if (rc == 0 && is_first_look(&l))
    rc = store_write(r->desk->store, &r->scope, mark_seen, &l, err);
  if (rc == 0)
    rc = inquiry_show(&l, to, 200, err);
  inquiry_look_release(&l);
  return rc;
}

static int show_news(const struct request *r, struct response *to, struct tm_error *err)
{
  struct looking l = {.r = r};
  int rc = inquiry_look(&l, err);
  if (rc == 0) {
    json_t *news = inquiry_news(l.row, l.today);
    rc = respond_json(r, to, 200, news, err);
    json_decref(news);
  }
  inquiry_look_release(&l);
  return rc;
}

/* The answers to what this person has asked, as they come. */
static int stream(const struct request *r, struct response *to, struct tm_error *err)
{
  char topic[TOPIC_NAME];
  const char *kept = request_keep(r, inquiry_topic(topic, r->visitor->user_id));
  return kept != NULL ? respond_events(to, kept) : tm_fail(err, -ENOMEM, "out of memory");
}

static int show_note(const struct request *r, struct response *to, struct tm_error *err)
{
  struct looking l = {.r = r};
  int rc = inquiry_look(&l, err);
  const char *hold = tm_json_get_string(l.row, "hold");
  if (rc == 0 && (hold == NULL || (strcmp(hold, "held") != 0 && strcmp(hold, "fetched") != 0)))
    rc = tm_fail(err, -ENOENT, "nothing is kept for this inquiry");
  if (rc == 0) {
    size_t i;
    const json_t *shop;
    const char *at = tm_json_get_string(l.row, "hold_shop");
    inquiry_decorate(l.row, l.today);
    json_t *model = json_pack("{s:s,s:O,s:O}", "title", tm_json_get_string(l.row, "hold_number"),
                              "inquiry", l.row, "reserved", l.reserved);
    json_array_foreach(l.shops, i, shop)
    {
      if (strcmp(tm_json_get_string(shop, "shop"), at) == 0)
        json_object_set(model, "place", (json_t *)shop);
    }
    if (r->wants_json)
      json_object_set(l.row, "reservations", l.reserved);
    rc = respond_model(r, to, "pickup.html", r->wants_json ? l.row : model, err);
    json_decref(model);
  }
  inquiry_look_release(&l);
  return rc;
}

#define ASKERS (ROLE_SALES | ROLE_FACTORY)

const struct route inquiry_routes[] = {
    {"GET", "/inquiries", ASKERS, 0, "Inquiries and their answers, the newest first", show_list},
    {"GET", "/inquiries/events", ASKERS, 0, "Answers to one's own inquiries, as they arrive",
     stream},
    {"GET", "/inquiries/{id}", ASKERS, 0, "One inquiry: its answer, and what is kept", show_one},
    {"GET", "/inquiries/{id}/news", ASKERS, 0, "Whether the answer is there", show_news},
    {"GET", "/inquiries/{id}/note", ROLE_SALES | ROLE_SERVICE | ROLE_ENGINEER, 0,
     "The note with which reserved goods are picked up, for print", show_note},
    {"GET", "/api/v1/inquiries", ASKERS, 0, "Inquiries and their answers, the newest first",
     show_list},
    {"GET", "/api/v1/inquiries/{id}", ASKERS, 0, "One inquiry: its answer, and what is kept",
     show_one},
    {"GET", "/api/v1/inquiries/{id}/note", ROLE_SALES | ROLE_SERVICE | ROLE_ENGINEER, 0,
     "What stands on the note with which reserved goods are picked up", show_note},
    {0},
};
