/* SPDX-License-Identifier: MIT */
#include "contrib/desk/sales/quote.h"

#include "common/clock.h"
#include "common/json.h"
#include "contrib/desk/advice/items.h"
#include "contrib/desk/mail/mail.h"
#include "contrib/desk/people/responsible.h"
#include "contrib/desk/sales/device.h"
#include "contrib/desk/sales/life.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { DOCUMENT_MAX = 4 << 20 };

/* --- reading ------------------------------------------------------------------------------ */

int quote_read(struct db *db, const char *number, json_t **out, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "SELECT document_json AS quote_json, sent_to, sent_at FROM quotes"
                      " WHERE (?1 IS NULL OR customer_id = ?1) AND number = ?2",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_customer(stmt, 1);
  db_bind_text(stmt, 2, number);
  return db_take_row(stmt, out, "there is no quote with this number", err);
}

int quote_list(struct db *db, int64_t item, int64_t before, int limit, json_t **list,
               struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "SELECT id, number, item_id, customer_id, made_at, by_name, valid_until,"
                      " sent_to, sent_at, document_json AS quote_json FROM quotes"
                      " WHERE (?1 IS NULL OR customer_id = ?1) AND (?2 IS NULL OR item_id = ?2)"
                      " AND (?3 IS NULL OR id < ?3) ORDER BY id DESC LIMIT ?4",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_customer(stmt, 1);
  db_bind_int_or_null(stmt, 2, item != 0, item);
  db_bind_int_or_null(stmt, 3, before != 0, before);
  db_bind_int(stmt, 4, limit);
  rc = db_take_rows(stmt, list, err);
  if (rc < 0)
    return rc;
  size_t i;
  json_t *row;
  json_array_foreach(*list, i, row)
  {
    const json_t *quote = json_object_get(row, "quote");
    json_object_set(row, "lines", json_object_get(quote, "lines"));
    json_object_set(row, "total", json_object_get(quote, "total"));
    json_object_del(row, "quote");
  }
  return 0;
}

int quote_addresses(struct db *db, const char *customer, json_t **list, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "SELECT address, name FROM addresses WHERE (?1 IS NULL OR customer_id = ?1)"
                      " AND customer_id = ?2 AND kind = 'email' ORDER BY address",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_customer(stmt, 1);
  db_bind_text(stmt, 2, customer);
  return db_take_rows(stmt, list, err);
}

/* --- making ------------------------------------------------------------------------------- */

static int read_customer(struct db *db, const char *customer, json_t **out, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "SELECT customer_id AS id, name, contact, address FROM customers"
                      " WHERE (?1 IS NULL OR customer_id = ?1) AND customer_id = ?2",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_customer(stmt, 1);
  db_bind_text(stmt, 2, customer);
  return db_take_row(stmt, out, "there is no such customer", err);
}

static json_t *some_of(const json_t *from, const char *const *names)
{
  json_t *out = json_object();
  for (; *names != NULL; names++) {
    json_t *value = json_object_get(from, *names);
    json_object_set(out, *names, value != NULL ? value : json_null());
  }
  return out;
}

/* The summary of that day with all its history: what every later drawing is made of. */
static json_t *evidence_of(const struct device_view *v)
{
  json_t *summary = json_copy(v->summary);
  if (json_is_object(summary) && json_array_size(v->days) > 0)
    json_object_set(summary, "history", v->days);
  return summary;
}

/* The first sentence of a reason: what the device shows. What it would cost, and how late that is,
 * is said by the quote itself. */
static json_t *evidence_text(const char *reason)
{
  const char *end = reason != NULL ? strstr(reason, ". ") : NULL;
  if (reason == NULL)
    return json_null();
  return end != NULL ? json_stringn(reason, (size_t)(end - reason) + 1) : json_string(reason);
}

static json_t *document_of(const struct quote_wish *w, const struct device_view *v,
                           json_t *customer)
{
  static const char *const device[] = {"id",        "device", "model",  "vendor",
                                       "kind_word", "site",   "serial", NULL};
  static const char *const item[] = {"id", "key", "action_word", "reason", "order_by", NULL};
  const char *zone = tm_json_get_string(v->device, "timezone");
  char until[TM_DATE_SIZE], today[TM_DATE_SIZE];
  json_t *offered = some_of(v->item, item);
  const json_t *order_by = json_object_get(offered, "order_by");
  json_object_set_new(offered, "reason", evidence_text(tm_json_get_string(v->item, "reason")));
  /* A customer is not told to have ordered before this quote was made. */
  if (json_is_integer(order_by) && json_integer_value(order_by) < tm_date_days(w->now))
    json_object_set_new(offered, "order_by", json_null());
  return json_pack("{s:I, s:s, s:s, s:s?, s:{s:s, s:s?}, s:o, s:o, s:o, s:O, s:O, s:s, s:s?, s:o}",
                   "made_at", (json_int_t)w->now, "by", w->by, "valid_until",
                   tm_date_format_days(until, w->valid_until), "remarks", w->remarks, "vendor",
                   "name", w->desk->conf->vendor, "address", w->desk->conf->vendor_address,
                   "customer", customer, "device", some_of(v->device, device), "item", offered,
                   "lines", w->lines, "total", w->total, "today", tm_date_format(today, w->now),
                   "timezone", zone, "evidence", evidence_of(v));
}

/* The number is that of the row: whoever makes two at once gets two. */
static int insert(struct db *db, const struct quote_wish *w, const char *customer, char number[32],
                  int64_t *id, struct tm_error *err)
{
  unsigned char random[12];
  char date[TM_DATE_SIZE];
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "INSERT INTO quotes (customer_id, item_id, number, made_at, by_name,"
                      " valid_until, document_json) VALUES (?1, ?2, ?3, ?4, ?5, ?6, '{}')"
                      " RETURNING id",
                      &stmt, err);
  if (rc < 0)
    return rc;
  randombytes_buf(random, sizeof(random));
  sodium_bin2hex(number, 32, random, sizeof(random));
  db_bind_text(stmt, 1, customer);
  db_bind_int(stmt, 2, w->item);
  db_bind_text(stmt, 3, number);
  db_bind_int(stmt, 4, w->now);
  db_bind_text(stmt, 5, w->by);
  db_bind_int(stmt, 6, w->valid_until);
  rc = db_step(stmt, err);
  if (rc == 1)
    *id = db_int(stmt, 0);
  db_done(stmt);
  snprintf(number, 32, "Q-%.4s-%04lld", tm_date_format(date, w->now), (long long)*id);
  return rc < 0 ? rc : 0;
}

static int keep(struct db *db, int64_t id, const char *number, const json_t *document,
                struct tm_error *err)
{
  struct tm_buf text = TM_BUF_INIT(DOCUMENT_MAX);
  struct db_stmt *stmt = NULL;
  int rc = tm_json_append(&text, document);
  if (rc < 0)
    tm_fail(err, rc, "%s: too large to be kept", number);
  else
    rc = db_prepare(db, "UPDATE quotes SET number = ?2, document_json = ?3 WHERE id = ?1", &stmt,
                    err);
  if (rc == 0) {
    db_bind_int(stmt, 1, id);
    db_bind_text(stmt, 2, number);
    db_bind_text(stmt, 3, text.ptr);
    rc = db_exec(stmt, err);
  }
  tm_buf_release(&text);
  return rc;
}

/* An item that waits to be proposed is so now. */
static int propose(struct db *db, const struct quote_wish *w, const json_t *item,
                   const char *customer, const char *number, struct tm_error *err)
{
  static const char *const before[] = {"new", "contacted", "snoozed"};
  const struct life_change change = {
      .item = w->item, .to = "proposed", .by = w->by, .staff = w->staff, .now = w->now};
  const char *state = tm_json_get_string(item, "state"), *field;
  int rc = 0;
  for (size_t i = 0; rc == 0 && state != NULL && i < 3; i++)
    if (strcmp(state, before[i]) == 0)
      rc = life_apply(db, &change, &field, err);
  return rc == 0 ? item_note(db, customer, w->item, w->now, w->by, "quote", NULL, NULL, number, err)
                 : rc;
}

static bool is_open(const json_t *item)
{
  const char *state = tm_json_get_string(item, "state");
  return state != NULL && strcmp(state, "lost") != 0 && strcmp(state, "installed") != 0 &&
         strcmp(state, "gone") != 0;
}

int quote_make(struct db *db, const struct quote_wish *w, json_t **quote, struct tm_error *err)
{
  struct device_view view = {0};
  json_t *customer = NULL, *document = NULL;
  char number[32];
  int64_t id = 0;
  int rc = device_view_read(db, &view, 0, w->item, tm_date_days(w->now), err);
  const char *whose = tm_json_get_string(view.device, "customer_id");
  if (rc == 0 && !is_open(view.item))
    rc = tm_fail(err, -EINVAL, "this item is closed: take it up again first");
  if (rc == 0)
    rc = read_customer(db, whose, &customer, err);
  if (rc == 0)
    rc = insert(db, w, whose, number, &id, err);
  if (rc == 0) {
    document = document_of(w, &view, customer);
    if (document == NULL || json_object_set_new(document, "number", json_string(number)) != 0)
      rc = tm_fail(err, -ENOMEM, "out of memory");
  }
  if (rc == 0)
    rc = keep(db, id, number, document, err);
  if (rc == 0)
    rc = propose(db, w, view.item, whose, number, err);
  if (rc == 0) {
    json_decref(*quote);
    *quote = json_incref(document);
  }
  json_decref(document);
  device_view_release(&view);
  return rc;
}

/* --- sending ------------------------------------------------------------------------------ */

static int is_address_of(struct db *db, const char *customer, const char *to, struct tm_error *err)
{
  json_t *list = NULL;
  size_t i;
  const json_t *row;
  bool found = false;
  int rc = quote_addresses(db, customer, &list, err);
  json_array_foreach(list, i, row)
  {
    const char *address = tm_json_get_string(row, "address");
    found = found || (address != NULL && strcmp(address, to) == 0);
  }
  json_decref(list);
  if (rc == 0 && !found)
    rc = tm_fail(err, -EINVAL, "not an address of this customer");
  return rc;
}

/* 1 there is such a letter already. One that the mail server refused for good makes room for
 * another one. */
static int was_put(struct db *db, const char *key, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db, "DELETE FROM letters WHERE key = ?1 AND dead_at IS NOT NULL", &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, key);
  rc = db_exec(stmt, err);
  if (rc == 0)
    rc = db_prepare(db, "SELECT 1 FROM letters WHERE key = ?1", &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, key);
  rc = db_step(stmt, err);
  db_done(stmt);
  return rc;
}

static int note_sent(struct db *db, const struct quote_sending *s, const json_t *quote,
                     struct tm_error *err)
{
  const json_t *customer = json_object_get(quote, "customer");
  char text[64];
  struct db_stmt *stmt = NULL;
  int rc =
      db_prepare(db, "UPDATE quotes SET sent_to = ?2, sent_at = ?3 WHERE number = ?1", &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, s->number);
  db_bind_text(stmt, 2, s->to);
  db_bind_int(stmt, 3, s->now);
  rc = db_exec(stmt, err);
  if (rc == 0)
    rc = db_prepare(db,
                    "INSERT INTO contacts (customer_id, item_id, at, by_name, way, with_whom, text)"
                    " VALUES (?1, ?2, ?3, ?4, 'mail', ?5, ?6)",
                    &stmt, err);
  if (rc < 0)
    return rc;
  snprintf(text, sizeof(text), "Quote %s", s->number);
  db_bind_text(stmt, 1, tm_json_get_string(customer, "id"));
  db_bind_int(stmt, 2, json_integer_value(json_object_get(json_object_get(quote, "item"), "id")));
  db_bind_int(stmt, 3, s->now);
  db_bind_text(stmt, 4, s->by);
  db_bind_text(stmt, 5, s->to);
  db_bind_text(stmt, 6, text);
  return db_exec(stmt, err);
}

static int put(struct db *db, const struct quote_sending *s, const json_t *quote, const char *key,
               struct tm_error *err)
{
  const struct tm_mail_part chart = {"evidence.png", "image/png", s->chart, s->chart_len};
  const json_t *customer = json_object_get(quote, "customer");
  struct responsible me = {0};
  json_t *model = json_copy((json_t *)quote);
  int rc = s->staff != NULL ? responsible_for(db, s->staff, tm_date_days(s->now), &me, err) : 0;
  json_object_set_new(model, "chart", json_boolean(s->chart != NULL));
  const struct mail mail = {.key = key,
                            .customer = tm_json_get_string(customer, "id"),
                            .to = s->to,
                            .to_name = tm_json_get_string(customer, "contact"),
                            .reply_to = tm_mail_is_address(me.email) ? me.email : NULL,
                            .page = "mail-quote.txt",
                            .model = model,
                            .parts = &chart,
                            .parts_len = s->chart != NULL};
  if (rc >= 0)
    rc = mail_put(db, s->desk, &mail, s->now, err);
  json_decref(model);
  return rc;
}

int quote_send(struct db *db, const struct quote_sending *s, struct tm_error *err)
{
  json_t *row = NULL;
  char key[400];
  snprintf(key, sizeof(key), "quote/%s/%s", s->number, s->to);
  int rc = quote_read(db, s->number, &row, err);
  const json_t *quote = json_object_get(row, "quote");
  int64_t until = tm_json_time_or(quote, "valid_until", INT64_MAX);
  if (rc == 0)
    rc =
        is_address_of(db, tm_json_get_string(json_object_get(quote, "customer"), "id"), s->to, err);
  if (rc == 0)
    rc = was_put(db, key, err);
  if (rc == 1) {
    json_decref(row);
    return 0;
  }
  if (rc == 0 && until / TM_DAY < tm_date_days(s->now))
    rc = tm_fail(err, -EINVAL, "this quote is not valid any more: make another one");
  if (rc == 0)
    rc = put(db, s, quote, key, err);
  if (rc == 0)
    rc = note_sent(db, s, quote, err);
  json_decref(row);
  return rc < 0 ? rc : 1;
}
