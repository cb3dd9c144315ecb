/* SPDX-License-Identifier: MIT */
/* A customer's own pages: all that the desk knows of him, what he says to our advice, and what is
 * registered of him. */
#include "common/clock.h"
#include "common/conf.h"
#include "common/json.h"
#include "common/number.h"
#include "contrib/desk/claims/types.h"
#include "contrib/desk/claims/words.h"
#include "contrib/desk/customers/registered.h"
#include "contrib/desk/desk.h"
#include "contrib/desk/public/contact.h"
#include "contrib/desk/rooms.h"
#include "contrib/desk/sales/find.h"
#include "contrib/desk/sales/words.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SENT = 50, DEVICES = 500 };

struct own {
  const struct request *r;
  int64_t after; /* documents before this one; 0: the newest */
  json_t *row, *devices, *sites, *items, *past, *sent, *told, *changes, *receipts, *said;
  int64_t sent_len;
  struct responsible person;
};

static void own_release(struct own *o)
{
  json_t **const all[] = {&o->row,  &o->devices, &o->sites,   &o->items,    &o->past,
                          &o->sent, &o->told,    &o->changes, &o->receipts, &o->said};
  for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
    json_decref(*all[i]);
    *all[i] = NULL;
  }
}

static int read_rows(struct db *db, const struct own *o, const char *sql, int64_t n, json_t **rows,
                     struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db, sql, &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, o->r->visitor->customer);
  if (strstr(sql, "?2") != NULL)
    db_bind_int(stmt, 2, n);
  if (strstr(sql, "?3") != NULL)
    db_bind_int(stmt, 3, o->after != 0 ? o->after : INT64_MAX);
  return db_take_rows(stmt, rows, err);
}

static int read_devices(struct db *db, struct own *o, struct tm_error *err)
{
  size_t i;
  json_t *row;
  int rc = read_rows(db, o,
                     "SELECT id, site, host, device, kind, model, used_bytes, capacity_bytes,"
                     " used_fraction, fill_early, fill_middle, fill_late, observed_at, consent,"
                     " last_seen_at FROM devices WHERE customer_id = ?1"
                     " ORDER BY fill_middle IS NULL, fill_middle, id LIMIT ?2",
                     DEVICES, &o->devices, err);
  json_array_foreach(o->devices, i, row) json_object_set_new(
      row, "kind_word", json_string(words_kind(tm_json_get_string(row, "kind"))));
  return rc;
}

static int read_sent(struct db *db, struct own *o, struct tm_error *err)
{
  json_t *count = NULL;
  size_t i;
  json_t *row;
  int rc = read_rows(db, o,
                     "SELECT s.id, s.arrived_at, s.kind, s.size, s.sha256, d.device, d.site"
                     " FROM summaries s JOIN devices d ON d.id = s.device_id"
                     " WHERE s.customer_id = ?1 AND s.id < ?3 ORDER BY s.id DESC LIMIT ?2",
                     SENT, &o->sent, err);
  json_array_foreach(o->sent, i, row) json_object_set_new(
      row, "fingerprint", json_sprintf("%.12s\xe2\x80\xa6", tm_json_get_string(row, "sha256")));
  if (rc == 0)
    rc = read_rows(db, o, "SELECT COUNT(*) AS n FROM summaries WHERE customer_id = ?1", 0, &count,
                   err);
  o->sent_len = json_integer_value(json_object_get(json_array_get(count, 0), "n"));
  json_decref(count);
  return rc;
}

static json_t *told_items(const json_t *document)
{
  json_t *list = json_array();
  char label[256], text[CLAIM_VALUE_TEXT];
  size_t i;
  json_t *item;
  json_array_foreach(json_object_get(document, "items"), i, item)
  {
    const char *name = tm_json_get_string(item, "name");
    json_t *value = json_object_get(item, "value");
    bool known = value != NULL && !json_is_null(value);
    json_array_append_new(
        list, json_pack("{s:s, s:s, s:O?, s:O?, s:s}", "name", name, "label",
                        claim_item_label(label, sizeof(label), name), "value", value, "unit",
                        json_object_get(item, "unit"), "text",
                        known ? claim_value_text(text, sizeof(text), value) : "not told"));
  }
  return list;
}

/* The answers to service's requests: they are sent by the site, too. */
static int read_told(struct db *db, struct own *o, struct tm_error *err)
{
  size_t i;
  json_t *row;
  int rc = read_rows(db, o,
                     "SELECT v.request, v.arrived_at, v.status, v.document_json, d.device, d.site,"
                     " r.purpose, r.asked_at FROM item_values v"
                     " LEFT JOIN devices d ON d.id = v.device_id"
                     " LEFT JOIN requests r ON r.request = v.request AND r.customer_id = ?1"
                     " WHERE v.customer_id = ?1 ORDER BY v.arrived_at DESC, v.event LIMIT ?2",
                     SENT, &o->told, err);
  json_array_foreach(o->told, i, row)
  {
    const json_t *document = json_object_get(row, "document");
    const char *reason = tm_json_get_string(document, "reason");
    json_object_set_new(row, "reason", reason != NULL ? json_string(reason) : json_null());
    json_object_set_new(row, "items", told_items(document));
    json_object_del(row, "document");
  }
  return rc;
}

/* What is open, and what sleeps or is over. */
static int read_items(struct db *db, struct own *o, struct tm_error *err)
{
  static const char *const states[] = {NULL, "snoozed", "closed"};
  int rc = 0;
  o->past = json_array();
  for (size_t i = 0; rc == 0 && i < 3; i++) {
    const struct find f = {.customer = o->r->visitor->customer,
                           .state = states[i],
                           .after_weight = NAN,
                           .limit = FIND_LIMIT};
    json_t *next = NULL, *some = NULL, *item;
    size_t k;
    rc = find_items(db, &f, tm_date_days(o->r->now), &some, &next, err);
    json_decref(next);
    json_array_foreach(some, k, item) find_strip(item);
    if (rc == 0 && i == 0)
      o->items = json_incref(some);
    else if (rc == 0)
      json_array_extend(o->past, some);
    json_decref(some);
  }
  return rc;
}

static int read_own(struct db *db, void *arg, struct tm_error *err)
{
  struct own *o = arg;
  own_release(o);
  int rc = registered_read(db, o->r->visitor->customer, &o->row, err);
  if (rc == 0)
    rc = registered_changes(db, o->r->visitor->customer, &o->changes, err);
  if (rc == 0)
    rc = read_devices(db, o, err);
  if (rc == 0)
    rc = read_rows(db, o,
                   "SELECT site, name, timezone, shop, last_seen_at, last_summary_at FROM sites"
                   " WHERE customer_id = ?1 ORDER BY site",
                   0, &o->sites, err);
  if (rc == 0)
    rc = read_items(db, o, err);
  if (rc == 0)
    rc = read_sent(db, o, err);
  if (rc == 0)
    rc = read_told(db, o, err);
  if (rc == 0)
    rc = read_rows(db, o,
                   "SELECT receipt, extent, at FROM own_receipts WHERE customer_id = ?1"
                   " ORDER BY at DESC",
                   0, &o->receipts, err);
  if (rc == 0)
    rc = read_rows(db, o,
                   "SELECT number, kind, sku, sent_at, text FROM product_contacts"
                   " WHERE customer_id = ?1 ORDER BY id DESC LIMIT ?2",
                   SENT, &o->said, err);
  return rc;
}

/* Assignments by region are nobody's rows: they are not in a customer's scope. */
static int read_person(struct db *db, void *arg, struct tm_error *err)
{
  struct own *o = arg;
  int rc = contact_person(db, o->r->visitor->customer, o->r->now, &o->person, err);
  return rc < 0 ? rc : 0;
}

/* --- the model ------------------------------------------------------------------------------ */

/* Each purpose, and of how many devices the newest summaries carry it. */
static json_t *consent_rows(const json_t *devices)
{
  static const char *const lets_out[] = {
      "capacity, load, forecast, advice",
      "product, week and shop of a likely order, without your name",
      "data items of a device you complain about",
      "the same items, for averages over a model, without your name"};
  json_t *rows = json_array();
  for (int p = 0; p < TM_PURPOSES; p++) {
    size_t i, n = 0;
    const json_t *device;
    json_array_foreach(devices, i, device)
    {
      n += (json_integer_value(json_object_get(device, "consent")) & (1 << p)) != 0;
    }
    json_array_append_new(rows, json_pack("{s:s, s:s, s:i, s:i, s:b}", "purpose",
                                          tm_purpose_name((enum tm_purpose)(1 << p)), "lets_out",
                                          lets_out[p], "devices", (int)n, "of",
                                          (int)json_array_size(devices), "some", n > 0));
  }
  return rows;
}

static json_t *person_model(const struct responsible *p)
{
  if (p->name[0] == '\0')
    return NULL;
  json_t *person = json_pack("{s:s}", "name", p->name);
  if (p->email[0] != '\0')
    json_object_set_new(person, "email", json_string(p->email));
  if (p->instead_of[0] != '\0')
    json_object_set_new(person, "instead_of", json_string(p->instead_of));
  return person;
}

static json_t *own_model(const struct own *o)
{
  json_t *oldest = json_object_get(json_array_get(o->sent, json_array_size(o->sent) - 1), "id");
  bool more = json_array_size(o->sent) == SENT;
  return json_pack("{s:O, s:O, s:O, s:O, s:O, s:O, s:I, s:O*, s:O, s:O, s:O, s:O, s:o, s:o*}",
                   "customer", o->row, "devices", o->devices, "sites", o->sites, "items", o->items,
                   "past_items", o->past, "sent", o->sent, "sent_total", (json_int_t)o->sent_len,
                   "older", more ? oldest : NULL, "told", o->told, "changes", o->changes,
                   "receipts", o->receipts, "asked", o->said, "consent", consent_rows(o->devices),
                   "person", person_model(&o->person));
}

/* What was typed stands in the form again beside what is wrong with it. */
static void keep_typed(const struct request *r, json_t *form, const char *field, const char *text)
{
  static const char *const names[] = {"contact", "phone", "email", "language"};
  for (size_t i = 0; i < 4; i++)
    if (request_field(r, names[i]) != NULL)
      json_object_set_new(form, names[i], json_string(request_field(r, names[i])));
  if (text != NULL)
    json_object_set_new(form, "error", json_pack("{s:s}", field != NULL ? field : "form", text));
}

static int show(const struct request *r, struct response *to, int status, const char *field,
                const char *text, struct tm_error *err)
{
  struct own o = {.r = r};
  const char *before = request_query(r, "before");
  if (before != NULL && tm_parse_i64(before, 1, INT64_MAX, &o.after) != 0)
    return respond_error(r, to, 422, "before", "not a number");
  int rc = store_read(r->desk->store, &r->scope, read_own, &o, err);
  if (rc == 0)
    rc = store_read(r->desk->store, &db_everyone, read_person, &o, err);
  json_t *model = rc == 0 ? own_model(&o) : NULL;
  if (rc == 0 && r->wants_json) {
    rc = respond_json(r, to, status, model, err);
  } else if (rc == 0) {
    json_t *form = json_copy(o.row);
    keep_typed(r, form, field, text);
    json_object_set_new(model, "form", form);
    json_object_set_new(model, "title", json_string("What we know of you"));
    json_object_set_new(model, "reading", json_true());
    json_object_set_new(model, "devices_len", json_integer((json_int_t)json_array_size(o.devices)));
    json_object_set_new(model, "sites_len", json_integer((json_int_t)json_array_size(o.sites)));
    json_object_set_new(model, "items_len", json_integer((json_int_t)json_array_size(o.items)));
    json_object_set_new(model, "has_past", json_boolean(json_array_size(o.past) > 0));
    json_object_set_new(model, "has_changes", json_boolean(json_array_size(o.changes) > 0));
    json_object_set_new(model, "has_receipts", json_boolean(json_array_size(o.receipts) > 0));
    json_object_set_new(model, "has_told", json_boolean(json_array_size(o.told) > 0));
    json_object_set_new(model, "has_asked", json_boolean(json_array_size(o.said) > 0));
    json_object_set_new(model, "saved", json_boolean(request_query(r, "saved") != NULL));
    rc = respond_page(r, to, status, "me.html", model, err);
  }
  json_decref(model);
  own_release(&o);
  return rc;
}

static int show_me(const struct request *r, struct response *to, struct tm_error *err)
{
  return show(r, to, 200, NULL, NULL, err);
}

/* --- what is registered --------------------------------------------------------------------- */

static int change_data(const struct request *r, struct response *to, struct tm_error *err)
{
  struct registered c = {.desk = r->desk,
                         .customer = r->visitor->customer,
                         .contact = request_field(r, "contact"),
                         .phone = request_field(r, "phone"),
                         .email = request_field(r, "email"),
                         .language = request_field(r, "language"),
                         .by = r->visitor->name,
                         .by_user = r->visitor->user_id,
                         .now = r->now};
  const char *version = request_field(r, "version");
  if (version == NULL || tm_parse_i64(version, 1, INT64_MAX - 1, &c.version) != 0)
    return respond_error(r, to, 422, "version", "the version that was seen is wanted");
  int rc = store_write(r->desk->store, &db_everyone, registered_change, &c, err);
  if (rc == -EINVAL || rc == -EEXIST) {
    int status = rc == -EINVAL ? 422 : 409;
    return r->wants_json ? respond_error(r, to, status, c.field, err->text)
                         : show(r, to, status, c.field, err->text, err);
  }
  if (rc < 0)
    return rc;
  return r->wants_json ? show(r, to, 200, NULL, NULL, err)
                       : respond_redirect(to, "/me?saved=1#data", err);
}

const struct route me_routes[] = {
    {"GET", "/me", ROLE_CUSTOMER, 0, "All that the desk knows of the customer who asks", show_me},
    {"POST", "/me/data", ROLE_CUSTOMER, 16384, "Changes what is registered of the customer",
     change_data},
    {"GET", "/api/v1/me", ROLE_CUSTOMER, 0, "All that the desk knows of the customer who asks",
     show_me},
    {"PATCH", "/api/v1/me", ROLE_CUSTOMER, 16384, "Changes what is registered of the customer",
     change_data},
    {0},
};
