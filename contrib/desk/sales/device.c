/* SPDX-License-Identifier: MIT */
#include "contrib/desk/sales/device.h"

#include "common/clock.h"
#include "common/json.h"
#include "common/number.h"
#include "contrib/desk/chart/series.h"
#include "contrib/desk/sales/find.h"
#include "contrib/desk/sales/words.h"
#include "contrib/desk/store/document.h"
#include "contrib/desk/store/history.h"

#include <errno.h>
#include <math.h>

void device_view_release(struct device_view *v)
{
  json_decref(v->device);
  json_decref(v->summary);
  json_decref(v->days);
  json_decref(v->item);
  json_decref(v->items);
  json_decref(v->life);
  json_decref(v->comments);
  json_decref(v->claims);
  json_decref(v->contacts);
  json_decref(v->quotes);
  json_decref(v->past);
  *v = (struct device_view){0};
}

/* One row or -ENOENT. */
static int read_row(struct db *db, const char *sql, int64_t id, json_t **row, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db, sql, &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_customer(stmt, 1);
  db_bind_int(stmt, 2, id);
  return db_take_row(stmt, row, "there is none with this number", err);
}

static int read_rows(struct db *db, const char *sql, int64_t id, int64_t other, json_t **rows,
                     struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db, sql, &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_customer(stmt, 1);
  db_bind_int(stmt, 2, id);
  db_bind_int(stmt, 3, other);
  return db_take_rows(stmt, rows, err);
}

static int device_of_item(struct db *db, int64_t item, int64_t *device, struct tm_error *err)
{
  json_t *row = NULL;
  int rc =
      read_row(db, "SELECT device_id FROM items WHERE (?1 IS NULL OR customer_id = ?1) AND id = ?2",
               item, &row, err);
  if (rc == 0)
    *device = json_integer_value(json_object_get(row, "device_id"));
  json_decref(row);
  return rc;
}

/* All items of the device, of which one stands in the middle of the page. */
static int read_items(struct db *db, struct device_view *v, int64_t device, int64_t item,
                      int64_t today, struct tm_error *err)
{
  static const char *const states[] = {NULL, "snoozed", "closed"};
  json_t *next = NULL;
  int rc = 0;
  v->items = json_array();
  for (size_t i = 0; i < 3 && rc == 0; i++) {
    const struct find f = {
        .device = device, .state = states[i], .after_weight = NAN, .limit = FIND_LIMIT};
    json_t *some = NULL;
    rc = find_items(db, &f, today, &some, &next, err);
    json_decref(next);
    if (rc == 0)
      json_array_extend(v->items, some);
    json_decref(some);
  }
  size_t k;
  json_t *row;
  json_array_foreach(v->items, k, row)
  {
    int64_t id = json_integer_value(json_object_get(row, "id"));
    if (item != 0 ? id != item : k > 0)
      continue;
    v->item = json_incref(row);
    json_array_remove(v->items, k);
    break;
  }
  return rc;
}

static int read_advice(struct db *db, struct device_view *v, struct tm_error *err)
{
  json_t *row = NULL;
  int rc = read_row(db,
                    "SELECT advice_json FROM items WHERE (?1 IS NULL OR customer_id = ?1)"
                    " AND id = ?2",
                    json_integer_value(json_object_get(v->item, "id")), &row, err);
  if (rc == 0)
    json_object_set(v->item, "advice", json_object_get(row, "advice"));
  json_decref(row);
  return rc;
}

static int read_talk(struct db *db, struct device_view *v, int64_t device, struct tm_error *err)
{
  int64_t item = json_integer_value(json_object_get(v->item, "id"));
  int rc = read_rows(db,
                     "SELECT at, by_name, what, from_state, to_state, text FROM item_events"
                     " WHERE (?1 IS NULL OR customer_id = ?1) AND item_id = ?2 AND ?3 = ?3"
                     " ORDER BY id",
                     item, 0, &v->life, err);
  if (rc == 0)
    rc = read_rows(db,
                   "SELECT id, at, by_name, by_role, to_customer, text, claim_id FROM comments"
                   " WHERE (?1 IS NULL OR (customer_id = ?1 AND to_customer = 1))"
                   " AND (item_id = ?2 OR device_id = ?3)"
                   " ORDER BY id DESC LIMIT 100",
                   item, device, &v->comments, err);
  if (rc == 0)
    rc = read_rows(db,
                   "SELECT id, 'K-' || id AS id_text, type, state, claimed_at FROM claims"
                   " WHERE ?1 IS NULL AND ?2 = ?2 AND device_id = ?3 ORDER BY id DESC LIMIT 20",
                   0, device, &v->claims, err);
  if (rc == 0)
    rc = read_rows(db,
                   "SELECT at, by_name, way, with_whom, text FROM contacts"
                   " WHERE (?1 IS NULL OR customer_id = ?1) AND item_id = ?2 AND ?3 = ?3"
                   " ORDER BY id DESC LIMIT 100",
                   item, 0, &v->contacts, err);
  if (rc == 0)
    rc = read_rows(db,
                   "SELECT number, made_at, by_name, valid_until, sent_to, sent_at FROM quotes"
                   " WHERE (?1 IS NULL OR customer_id = ?1) AND item_id = ?2 AND ?3 = ?3"
                   " ORDER BY id DESC",
                   item, 0, &v->quotes, err);
  return rc;
}

static int read_past(struct db *db, struct device_view *v, int64_t device, struct tm_error *err)
{
  int rc = read_rows(db,
                     "SELECT id, kind, period_to, arrived_at, size, sha256 FROM summaries"
                     " WHERE (?1 IS NULL OR customer_id = ?1) AND device_id = ?2"
                     " ORDER BY period_to DESC, id DESC LIMIT ?3",
                     device, DEVICE_PAST, &v->past, err);
  json_t *count = NULL;
  if (rc == 0)
    rc = read_row(db,
                  "SELECT COUNT(*) AS n FROM summaries WHERE (?1 IS NULL OR customer_id = ?1)"
                  " AND device_id = ?2",
                  device, &count, err);
  if (rc == 0)
    v->past_len = json_integer_value(json_object_get(count, "n"));
  json_decref(count);
  return rc;
}

static int read_newest(struct db *db, struct device_view *v, int64_t device, struct tm_error *err)
{
  struct document newest = {0};
  int rc = document_newest(db, device, &newest, err);
  if (rc == 0) {
    v->summary = document_json(&newest, err);
    rc = v->summary != NULL ? 0 : -EBADMSG;
  } else if (rc == -ENOENT) {
    v->summary = json_null();
    rc = 0;
  }
  document_release(&newest);
  return rc;
}

int device_view_read(struct db *db, struct device_view *v, int64_t device, int64_t item,
                     int64_t today, struct tm_error *err)
{
  device_view_release(v);
  int rc = device == 0 ? device_of_item(db, item, &device, err) : 0;
  if (rc == 0)
    rc = read_row(db,
                  "SELECT d.id, d.customer_id, c.name AS customer, c.region, d.site, d.host,"
                  " d.device, d.kind, d.vendor, d.model, d.product_number, d.serial, d.sold_on,"
                  " d.firmware, d.capacity_bytes, d.used_bytes, d.used_fraction,"
                  " d.growth_bytes_per_day, d.fill_early, d.fill_middle, d.fill_late,"
                  " d.observed_at, d.first_seen_at, d.last_seen_at, d.period_to,"
                  " s.timezone, s.name AS site_name"
                  " FROM devices d JOIN customers c ON c.customer_id = d.customer_id"
                  " LEFT JOIN sites s ON s.customer_id = d.customer_id AND s.site = d.site"
                  " WHERE (?1 IS NULL OR d.customer_id = ?1) AND d.id = ?2",
                  device, &v->device, err);
  if (rc == 0)
    rc = read_items(db, v, device, item, today, err);
  if (rc == 0 && item != 0 && v->item == NULL)
    rc = tm_fail(err, -ENOENT, "the device has no such item");
  if (rc == 0 && v->item != NULL)
    rc = read_advice(db, v, err);
  if (rc == 0)
    rc = read_talk(db, v, device, err);
  if (rc == 0)
    rc = read_past(db, v, device, err);
  if (rc == 0)
    rc = read_newest(db, v, device, err);
  if (rc == 0) {
    v->days = history_json(db, device, today, DEVICE_DAYS, 0, err);
    rc = v->days != NULL ? 0 : err->code != 0 ? err->code : -EIO;
  }
  if (rc == 0)
    json_object_set_new(v->device, "kind_word",
                        json_string(words_kind(tm_json_get_string(v->device, "kind"))));
  return rc;
}

/* Where history ends: the day of the newest summary, or today when that is later by a little only
 * (a site of another zone). */
static int64_t last_day(const struct device_view *v, int64_t today)
{
  const json_t *last = json_array_get(v->days, json_array_size(v->days) - 1);
  const char *date = json_array_size(v->days) > 0 ? tm_json_get_string(last, "date") : NULL;
  int64_t t;
  return date != NULL && tm_time_parse(date, &t) == 0 ? t / TM_DAY : today;
}

json_t *device_series(const struct device_view *v, int64_t today)
{
  char day[TM_DATE_SIZE], order_by[TM_DATE_SIZE];
  const json_t *order = json_object_get(v->item, "order_by");
  int64_t last = last_day(v, today);
  const struct series_input in = {
      .summary = v->summary,
      .days = v->days,
      .timezone = tm_json_get_string(v->device, "timezone"),
      .today = tm_date_format_days(day, last > today ? last : today),
      .order_by =
          json_is_integer(order) ? tm_date_format_days(order_by, json_integer_value(order)) : NULL,
  };
  return series_document(&in);
}

/* --- sold, and now ---------------------------------------------------------------------------- */

static void add_row(json_t *rows, const char *what, json_t *sold, json_t *now, json_t *remark)
{
  if (sold == NULL && now == NULL) {
    json_decref(remark);
    return;
  }
  json_t *row = json_pack("{s:s}", "what", what);
  json_object_set_new(row, "sold", sold != NULL ? sold : json_null());
  json_object_set_new(row, "now", now != NULL ? now : json_null());
  json_object_set_new(row, "remark", remark != NULL ? remark : json_string(""));
  json_array_append_new(rows, row);
}

static json_t *bytes_text(double bytes)
{
  char text[32];
  return isnan(bytes) ? NULL : json_string(tm_format_bytes(text, sizeof(text), bytes));
}

static json_t *count_text(double count, const char *unit, double seconds)
{
  char text[32];
  if (isnan(count))
    return NULL;
  tm_format_count(text, sizeof(text), count);
  return isnan(seconds) ? json_sprintf("%s %s", text, unit)
                        : json_sprintf("%s %s in %.0f s", text, unit, seconds);
}

static json_t *said(const json_t *object, const char *key)
{
  const char *text = tm_json_get_string(object, key);
  return text != NULL ? json_string(text) : NULL;
}

json_t *device_sold_and_now(const struct device_view *v)
{
  const json_t *product = json_object_get(v->summary, "product");
  const json_t *status = json_object_get(v->summary, "status");
  const json_t *load = json_object_get(status, "transfers");
  const char *unit = tm_json_get_string(load, "unit"), *since;
  double interval = tm_json_get_number(load, "interval_s");
  double used = tm_json_get_number(status, "used_bytes");
  json_t *rows = json_array(), *now = bytes_text(tm_json_get_number(status, "capacity_bytes"));
  if (now != NULL && !isnan(used)) {
    char text[32];
    json_t *both = json_sprintf("%s, %s used", json_string_value(now),
                                tm_format_bytes(text, sizeof(text), used));
    json_decref(now);
    now = both;
  }
  since = tm_json_get_string(status, "capacity_changed_on");
  add_row(rows, "Capacity", bytes_text(tm_json_get_number(product, "capacity_bytes_sold")), now,
          since != NULL ? json_sprintf("changed on %s", since) : NULL);
  add_row(rows, "Slots", count_text(tm_json_get_number(product, "slots_sold"), "slots", NAN),
          count_text(tm_json_get_number(status, "slots_total"), "slots", NAN), NULL);
  add_row(rows, "Configuration", said(product, "configuration"), NULL, NULL);
  add_row(rows, "Cache", bytes_text(tm_json_get_number(product, "cache_bytes")), NULL, NULL);
  size_t i;
  const json_t *software;
  json_array_foreach(json_object_get(product, "software"), i, software)
  {
    const char *name = tm_json_get_string(software, "name");
    add_row(rows, name != NULL ? name : "Software", said(software, "version"), NULL, NULL);
  }
  add_row(rows, "Firmware found", NULL, said(product, "firmware"), NULL);
  add_row(
      rows, "Busiest interval", NULL,
      count_text(tm_json_get_number(load, "max_per_interval"), unit != NULL ? unit : "", interval),
      NULL);
  add_row(
      rows, "Mean interval", NULL,
      count_text(tm_json_get_number(load, "mean_per_interval"), unit != NULL ? unit : "", interval),
      NULL);
  add_row(rows, "Serial number", said(product, "serial"), NULL, said(product, "product_number"));
  return rows;
}
