/* SPDX-License-Identifier: MIT */
/* Customers: all of them by what is looked for, and one with its addresses, sites, devices, items
 * and contacts. */
#include "common/clock.h"
#include "common/conf.h"
#include "common/json.h"
#include "common/number.h"
#include "contrib/desk/desk.h"
#include "contrib/desk/people/audit.h"
#include "contrib/desk/rooms.h"
#include "contrib/desk/sales/find.h"
#include "contrib/desk/sales/quote.h"
#include "contrib/desk/sales/words.h"
#include "contrib/desk/store/document.h"

#include <errno.h>
#include <math.h>
#include <string.h>

enum { DEVICES = 200, CONTACTS = 50, QUOTES = 20 };

struct looking {
  const struct request *r;
  int64_t today;
  /* the list */
  const char *region, *owner, *after;
  char words[200];
  int64_t none;
  int limit;
  json_t *customers, *regions;
  /* one of them */
  const char *id;
  json_t *customer, *addresses, *sites, *devices, *items, *contacts, *quotes;
};

static void release(struct looking *l)
{
  json_t **const all[] = {&l->customers, &l->regions, &l->customer, &l->addresses, &l->sites,
                          &l->devices,   &l->items,   &l->contacts, &l->quotes};
  for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
    json_decref(*all[i]);
}

/* --- the list ----------------------------------------------------------------------------- */

static int read_regions(struct db *db, struct looking *l, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "SELECT DISTINCT region AS value, region AS text FROM customers"
                      " WHERE region IS NOT NULL AND (?1 IS NULL OR customer_id = ?1)"
                      " ORDER BY region",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_customer(stmt, 1);
  return db_take_rows(stmt, &l->regions, err);
}

static int read_list(struct db *db, void *arg, struct tm_error *err)
{
  static const char sql[] =
      "SELECT c.customer_id AS id, c.name, c.region, c.contact,"
      " (SELECT COUNT(*) FROM sites s WHERE s.customer_id = c.customer_id) AS sites,"
      " (SELECT MAX(s.last_seen_at) FROM sites s WHERE s.customer_id = c.customer_id)"
      " AS last_seen_at,"
      " (SELECT COUNT(*) FROM devices d WHERE d.customer_id = c.customer_id) AS devices,"
      " (SELECT COUNT(*) FROM items i WHERE i.customer_id = c.customer_id AND i.open = 1)"
      " AS open_items,"
      " (SELECT MIN(i.order_by) FROM items i WHERE i.customer_id = c.customer_id AND i.open = 1)"
      " AS order_by"
      " FROM customers c WHERE (?1 IS NULL OR c.customer_id = ?1) AND c.deleted_at IS NULL"
      " AND (?2 IS NULL OR c.customer_id > ?2) AND (?3 IS NULL OR c.region = ?3)"
      " AND (?4 IS NULL OR lower(c.name) LIKE ?4 ESCAPE '\\'"
      " OR lower(c.customer_id) LIKE ?4 ESCAPE '\\' OR lower(c.contact) LIKE ?4 ESCAPE '\\'"
      " OR EXISTS (SELECT 1 FROM addresses a WHERE a.customer_id = c.customer_id"
      " AND a.address LIKE ?4 ESCAPE '\\'))"
      " AND (?5 IS NULL OR EXISTS (SELECT 1 FROM items i WHERE i.customer_id = c.customer_id"
      " AND i.open = 1 AND i.owner = ?5)"
      " OR EXISTS (SELECT 1 FROM assignments g WHERE g.customer_id = c.customer_id"
      " AND g.staff = ?5)) ORDER BY c.customer_id LIMIT ?6";
  struct looking *l = arg;
  struct db_stmt *stmt = NULL;
  int rc = read_regions(db, l, err);
  if (rc == 0)
    rc = db_prepare(db, sql, &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_customer(stmt, 1);
  db_bind_text(stmt, 2, l->after);
  db_bind_text(stmt, 3, l->region);
  db_bind_text(stmt, 4, l->words[0] != '\0' ? l->words : NULL);
  db_bind_text(stmt, 5, l->owner);
  db_bind_int(stmt, 6, l->limit + 1);
  return db_take_rows(stmt, &l->customers, err);
}

static json_t *next_of(struct looking *l)
{
  size_t n = json_array_size(l->customers);
  if (n <= (size_t)l->limit)
    return json_null();
  json_array_remove(l->customers, n - 1);
  return json_incref(json_object_get(json_array_get(l->customers, n - 2), "id"));
}

static void add_when(json_t *rows, int64_t today)
{
  size_t i;
  json_t *row;
  json_array_foreach(rows, i, row)
  {
    const json_t *day = json_object_get(row, "order_by");
    if (json_is_integer(day))
      json_object_set_new(row, "when", words_when(json_integer_value(day), today));
  }
}

static json_t *list_model(struct looking *l, json_t *next)
{
  size_t i;
  json_t *row;
  const char *q = request_query(l->r, "q");
  json_array_foreach(l->regions, i, row)
  {
    const char *name = tm_json_get_string(row, "value");
    json_object_set_new(row, "chosen",
                        json_boolean(l->region != NULL && strcmp(l->region, name) == 0));
  }
  json_t *model = json_pack("{s:s, s:O, s:O, s:s, s:s, s:b, s:b, s:O, s:b}", "title", "Customers",
                            "customers", l->customers, "regions", l->regions, "q",
                            q != NULL ? q : "", "region", l->region != NULL ? l->region : "",
                            "mine", l->owner != NULL, "has_staff", l->r->visitor->staff != NULL,
                            "next", next, "some", json_array_size(l->customers) > 0);
  return model;
}

static int list_customers(const struct request *r, struct response *to, struct tm_error *err)
{
  struct looking l = {.r = r, .today = tm_date_days(r->now)};
  const char *bad = NULL, *after = request_query(r, "after"), *owner = request_query(r, "owner");
  uint64_t limit = FIND_LIMIT;
  const char *many = request_query(r, "limit");
  if (many != NULL && tm_parse_u64(many, 1, FIND_LIMIT_MAX, &limit) != 0) {
    tm_fail(err, -EINVAL, "limit: a whole number from 1 to %d", FIND_LIMIT_MAX);
    bad = "limit";
    return respond_error(r, to, 422, bad, err->text);
  }
  l.limit = (int)limit;
  l.after = after != NULL && after[0] != '\0' ? after : NULL;
  l.region = find_chosen(r, "region");
  l.owner = owner != NULL && strcmp(owner, "mine") == 0 ? r->visitor->staff : NULL;
  find_like(l.words, sizeof(l.words), request_query(r, "q"));
  int rc = store_read(r->desk->store, &r->scope, read_list, &l, err);
  if (rc == 0) {
    json_t *next = next_of(&l);
    add_when(l.customers, l.today);
    json_t *model = r->wants_json ? json_pack("{s:O, s:O}", "customers", l.customers, "next", next)
                                  : list_model(&l, next);
    rc = respond_model(r, to, "customers.html", model, err);
    json_decref(model);
    json_decref(next);
  }
  release(&l);
  return rc;
}

/* --- one of them -------------------------------------------------------------------------- */

static int read_one(struct db *db, struct looking *l, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "SELECT c.customer_id AS id, c.name, c.region, c.contact, c.address, c.shop,"
                      " h.name AS shop_name, c.language FROM customers c"
                      " LEFT JOIN shops h ON h.shop = c.shop"
                      " WHERE (?1 IS NULL OR c.customer_id = ?1) AND c.customer_id = ?2"
                      " AND c.deleted_at IS NULL",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_customer(stmt, 1);
  db_bind_text(stmt, 2, l->id);
  return db_take_row(stmt, &l->customer, "there is no such customer", err);
}

/* Several questions with the customer as ?2 and a limit as ?3. */
static int read_some(struct db *db, const struct looking *l, const char *sql, int limit,
                     json_t **rows, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db, sql, &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_customer(stmt, 1);
  db_bind_text(stmt, 2, l->id);
  db_bind_int(stmt, 3, limit);
  return db_take_rows(stmt, rows, err);
}

/* Who said yes to what, and when: by the newest summary of the site. */
static int read_consent(struct db *db, json_t *site, struct tm_error *err)
{
  struct document newest = {0};
  const json_t *device = json_object_get(site, "newest");
  const char *purpose;
  json_t *given, *list = json_array();
  int rc = json_is_integer(device) ? document_newest(db, json_integer_value(device), &newest, err)
                                   : -ENOENT;
  json_t *summary = rc == 0 ? document_json(&newest, err) : NULL;
  json_object_foreach(json_object_get(summary, "consent"), purpose, given)
  {
    json_t *row = json_pack("{s:s}", "purpose", purpose);
    json_object_set(row, "by", json_object_get(given, "by"));
    json_object_set(row, "on", json_object_get(given, "on"));
    json_array_append_new(list, row);
  }
  json_decref(summary);
  document_release(&newest);
  json_object_set_new(site, "has_consent", json_boolean(json_array_size(list) > 0));
  json_object_set_new(site, "consent", list);
  json_object_del(site, "newest");
  return rc == -ENOENT ? 0 : rc;
}

static int read_sites(struct db *db, struct looking *l, struct tm_error *err)
{
  size_t i;
  json_t *site;
  int rc = read_some(db, l,
                     "SELECT s.site, s.name, s.timezone, s.shop, s.enrolled_at, s.last_seen_at,"
                     " s.last_summary_at, (SELECT COUNT(*) FROM devices d"
                     " WHERE d.customer_id = s.customer_id AND d.site = s.site) AS devices,"
                     " (SELECT d.id FROM devices d WHERE d.customer_id = s.customer_id"
                     " AND d.site = s.site AND d.summary_id IS NOT NULL"
                     " ORDER BY d.period_to DESC LIMIT 1) AS newest"
                     " FROM sites s WHERE (?1 IS NULL OR s.customer_id = ?1)"
                     " AND s.customer_id = ?2 ORDER BY s.site LIMIT ?3",
                     DEVICES, &l->sites, err);
  json_array_foreach(l->sites, i, site) if (rc == 0) rc = read_consent(db, site, err);
  return rc;
}

static int read_items(struct db *db, struct looking *l, struct tm_error *err)
{
  const struct find f = {.customer = l->id, .after_weight = NAN, .limit = DEVICES};
  json_t *next = NULL;
  json_decref(l->items);
  l->items = NULL;
  int rc = find_items(db, &f, l->today, &l->items, &next, err);
  json_decref(next);
  return rc;
}

static int read_customer(struct db *db, void *arg, struct tm_error *err)
{
  struct looking *l = arg;
  int rc = read_one(db, l, err);
  if (rc == 0)
    rc =
        read_some(db, l,
                  "SELECT kind, address, name FROM addresses WHERE (?1 IS NULL OR customer_id = ?1)"
                  " AND customer_id = ?2 ORDER BY kind, address LIMIT ?3",
                  DEVICES, &l->addresses, err);
  if (rc == 0)
    rc = read_sites(db, l, err);
  if (rc == 0)
    rc = read_some(db, l,
                   "SELECT id, site, host, device, kind, vendor, model, serial, capacity_bytes,"
                   " used_bytes, used_fraction, fill_early, fill_late, last_seen_at"
                   " FROM devices WHERE (?1 IS NULL OR customer_id = ?1) AND customer_id = ?2"
                   " ORDER BY site, host, device LIMIT ?3",
                   DEVICES + 1, &l->devices, err);
  if (rc == 0 && (l->r->visitor->role & (ROLE_SALES | ROLE_SERVICE | ROLE_ENGINEER)) != 0)
    rc = read_items(db, l, err);
  if (rc == 0)
    rc = read_some(db, l,
                   "SELECT id, item_id, at, by_name, way, with_whom, text FROM contacts"
                   " WHERE (?1 IS NULL OR customer_id = ?1) AND customer_id = ?2"
                   " ORDER BY id DESC LIMIT ?3",
                   CONTACTS, &l->contacts, err);
  if (rc == 0)
    rc = read_some(db, l,
                   "SELECT number, item_id, made_at, by_name, valid_until, sent_to, sent_at"
                   " FROM quotes WHERE (?1 IS NULL OR customer_id = ?1) AND customer_id = ?2"
                   " ORDER BY id DESC LIMIT ?3",
                   QUOTES, &l->quotes, err);
  return rc;
}

static void make_readable(struct looking *l)
{
  size_t i;
  json_t *row;
  json_array_foreach(l->devices, i, row) json_object_set_new(
      row, "kind_word", json_string(words_kind(tm_json_get_string(row, "kind"))));
}

static const char *address_word(const char *kind)
{
  static const char *const words[][2] = {
      {"email", "E-mail"}, {"phone", "Telephone"}, {"number", "Customer number"}};
  for (size_t i = 0; kind != NULL && i < sizeof(words) / sizeof(words[0]); i++)
    if (strcmp(kind, words[i][0]) == 0)
      return words[i][1];
  return kind != NULL ? kind : "";
}

static void name_addresses(struct looking *l)
{
  size_t i;
  json_t *row;
  json_array_foreach(l->addresses, i, row) json_object_set_new(
      row, "kind_word", json_string(address_word(tm_json_get_string(row, "kind"))));
}

static json_t *customer_model(struct looking *l)
{
  bool more = json_array_size(l->devices) > DEVICES;
  if (more)
    json_array_remove(l->devices, DEVICES);
  make_readable(l);
  json_t *model =
      json_pack("{s:O, s:O, s:O, s:O, s:O*, s:O, s:O, s:b}", "customer", l->customer, "addresses",
                l->addresses, "sites", l->sites, "devices", l->devices, "items", l->items,
                "contacts", l->contacts, "quotes", l->quotes, "more_devices", more);
  if (model == NULL || l->r->wants_json)
    return model;
  name_addresses(l);
  json_object_set(model, "title", json_object_get(l->customer, "name"));
  json_object_set_new(model, "has_items", json_boolean(json_array_size(l->items) > 0));
  json_object_set_new(model, "has_devices", json_boolean(json_array_size(l->devices) > 0));
  json_object_set_new(model, "has_quotes", json_boolean(json_array_size(l->quotes) > 0));
  json_object_set_new(model, "items_len", json_integer((json_int_t)json_array_size(l->items)));
  json_object_set_new(model, "devices_len", json_integer((json_int_t)json_array_size(l->devices)));
  json_object_set_new(model, "sites_len", json_integer((json_int_t)json_array_size(l->sites)));
  json_object_set_new(model, "sees_items", json_boolean(l->items != NULL));
  return model;
}

static int show_customer(const struct request *r, struct response *to, struct tm_error *err)
{
  struct looking l = {.r = r, .today = tm_date_days(r->now), .id = request_part(r, "id")};
  int rc = store_read(r->desk->store, &r->scope, read_customer, &l, err);
  if (rc == 0)
    rc = audit_seen(r, l.id, err);
  if (rc == 0) {
    json_t *model = customer_model(&l);
    rc = respond_model(r, to, "customer.html", model, err);
    json_decref(model);
  }
  release(&l);
  return rc;
}

#define READERS (ROLE_SALES | ROLE_SERVICE | ROLE_ENGINEER | ROLE_ADMIN)

const struct route customer_routes[] = {
    {"GET", "/customers", READERS, 0, "All customers, by what is looked for", list_customers},
    {"GET", "/customers/{id}", READERS, 0,
     "One customer: addresses, sites with consent, devices, open items, contacts", show_customer},
    {"GET", "/api/v1/customers", READERS, 0, "Customers by region and words, a page at a time",
     list_customers},
    {"GET", "/api/v1/customers/{id}", READERS, 0,
     "One customer: addresses, sites with consent, devices, open items, contacts", show_customer},
    {0},
};
