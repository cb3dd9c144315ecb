/* SPDX-License-Identifier: MIT */
#include "contrib/desk/intake/keep.h"

#include "common/clock.h"
#include "common/conf.h"
#include "common/json.h"
#include "contrib/desk/store/history.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What the desk knows of a device before this document. */
struct known {
  int64_t id;
  bool has_summary;
  int64_t period_to, generated_at; /* of its newest summary */
};

static int find_device(struct db *db, const struct credential *from, const struct event *e,
                       struct known *known, struct tm_error *err)
{
  const json_t *product = json_object_get(e->data, "product");
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "SELECT d.id, d.period_to, s.generated_at FROM devices d"
                      " LEFT JOIN summaries s ON s.id = d.summary_id"
                      " WHERE d.customer_id = ?1 AND d.site = ?2 AND d.host = ?3 AND d.device = ?4",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, from->customer);
  db_bind_text(stmt, 2, from->site);
  db_bind_text(stmt, 3, tm_json_get_string(json_object_get(e->data, "customer"), "host"));
  db_bind_text(stmt, 4, tm_json_get_string(product, "device"));
  rc = db_step(stmt, err);
  if (rc == 1) {
    known->id = db_int(stmt, 0);
    known->has_summary = !db_is_null(stmt, 2);
    known->period_to = db_int(stmt, 1);
    known->generated_at = db_int(stmt, 2);
  }
  db_done(stmt);
  return rc;
}

static int make_device(struct db *db, const struct credential *from, const struct event *e,
                       int64_t now, struct known *known, struct tm_error *err)
{
  const json_t *product = json_object_get(e->data, "product");
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "INSERT INTO devices (customer_id, site, host, device, first_seen_at,"
                      " last_seen_at) VALUES (?1, ?2, ?3, ?4, ?5, ?5) RETURNING id",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, from->customer);
  db_bind_text(stmt, 2, from->site);
  db_bind_text(stmt, 3, tm_json_get_string(json_object_get(e->data, "customer"), "host"));
  db_bind_text(stmt, 4, tm_json_get_string(product, "device"));
  db_bind_int(stmt, 5, now);
  rc = db_step(stmt, err);
  if (rc == 1)
    known->id = db_int(stmt, 0);
  db_done(stmt);
  return rc < 0 ? rc : 0;
}

static int keep_bytes(struct db *db, const struct credential *from, const struct event *e,
                      int64_t device, int64_t now, int64_t *summary, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  bool packed = e->packed.len > 0;
  int rc = db_prepare(db,
                      "INSERT INTO summaries (customer_id, device_id, event, kind, period_from,"
                      " period_to, generated_at, arrived_at, sha256, size, data_at, data_len,"
                      " encoding, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12,"
                      " ?13, ?14) RETURNING id",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, from->customer);
  db_bind_int(stmt, 2, device);
  db_bind_text(stmt, 3, e->id);
  db_bind_text(stmt, 4, e->type == EVENT_SUMMARY ? "summary" : "history");
  db_bind_int_or_null(stmt, 5, e->period_from != INT64_MIN, e->period_from);
  db_bind_int(stmt, 6, e->period_to);
  db_bind_int(stmt, 7, e->generated_at);
  db_bind_int(stmt, 8, now);
  db_bind_text(stmt, 9, e->sha256);
  db_bind_int(stmt, 10, (int64_t)e->len);
  db_bind_int(stmt, 11, (int64_t)e->data_at);
  db_bind_int(stmt, 12, (int64_t)e->data_len);
  db_bind_text(stmt, 13, packed ? "deflate" : "plain");
  db_bind_blob(stmt, 14, packed ? e->packed.ptr : e->bytes, packed ? e->packed.len : e->len);
  rc = db_step(stmt, err);
  if (rc == 1)
    *summary = db_int(stmt, 0);
  db_done(stmt);
  return rc < 0 ? rc : 0;
}

/* --- what queries need of the newest summary ---------------------------------------------- */

static int64_t consent_of(const json_t *data)
{
  const char *purpose;
  json_t *v;
  int64_t bits = 0;
  json_object_foreach(json_object_get(data, "consent"), purpose, v) bits |= tm_purpose_of(purpose);
  return bits;
}

/* A date, or a time's, as days; INT64_MIN where there is none. */
static int64_t day_of(const json_t *object, const char *key)
{
  int64_t t = tm_json_time_or(object, key, INT64_MIN);
  return t == INT64_MIN ? t : t / TM_DAY;
}

static void bind_day(struct db_stmt *stmt, int at, int64_t day)
{
  db_bind_int_or_null(stmt, at, day != INT64_MIN, day);
}

/* What a search looks through: each text once in lower case, separated by blanks. */
static char *words_of(const struct credential *from, const json_t *data)
{
  const json_t *product = json_object_get(data, "product");
  const json_t *customer = json_object_get(data, "customer");
  const char *const texts[] = {from->customer,
                               tm_json_get_string(customer, "name"),
                               from->site,
                               tm_json_get_string(customer, "host"),
                               tm_json_get_string(product, "device"),
                               tm_json_get_string(product, "vendor"),
                               tm_json_get_string(product, "model"),
                               tm_json_get_string(product, "name"),
                               tm_json_get_string(product, "product_number"),
                               tm_json_get_string(product, "serial")};
  struct tm_buf b = TM_BUF_INIT(8192);
  for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
    if (texts[i] != NULL)
      tm_buf_printf(&b, "%s%s", b.len > 0 ? " " : "", texts[i]);
  }
  for (size_t i = 0; i < b.len; i++)
    b.ptr[i] = (char)tolower((unsigned char)b.ptr[i]);
  return tm_buf_take(&b);
}

static void bind_product(struct db_stmt *stmt, const json_t *data)
{
  static const char *const texts[] = {"kind", "vendor", "model", "product_number", "serial"};
  const json_t *product = json_object_get(data, "product");
  for (int i = 0; i < 5; i++)
    db_bind_text(stmt, 2 + i, tm_json_get_string(product, texts[i]));
  bind_day(stmt, 7, day_of(product, "sold_on"));
  db_bind_text(stmt, 8, tm_json_get_string(product, "firmware"));
}

static void bind_status(struct db_stmt *stmt, const json_t *data)
{
  const json_t *status = json_object_get(data, "status");
  const json_t *forecast = json_object_get(data, "forecast");
  const json_t *fill = json_object_get(forecast, "fill");
  bool slots = tm_json_get_number(status, "slots_total") > 0;
  double capacity = tm_json_get_number(status, "capacity_bytes");
  double used = tm_json_get_number(status, "used_bytes");
  double share =
      slots ? tm_json_get_number(status, "slots_used") / tm_json_get_number(status, "slots_total")
            : used / capacity;
  int64_t observed = tm_json_time_or(status, "observed_at", INT64_MIN);
  db_bind_real(stmt, 9, capacity);
  db_bind_real(stmt, 10, used);
  db_bind_real(stmt, 11, share);
  db_bind_real(stmt, 12, tm_json_get_number(forecast, "growth_bytes_per_day"));
  bind_day(stmt, 13, day_of(fill, "0.1"));
  bind_day(stmt, 14, day_of(fill, "0.5"));
  bind_day(stmt, 15, day_of(fill, "0.9"));
  db_bind_int_or_null(stmt, 16, observed != INT64_MIN, observed);
}

static int show_summary(struct db *db, const struct credential *from, const struct event *e,
                        int64_t device, int64_t summary, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "UPDATE devices SET kind = ?2, vendor = ?3, model = ?4, product_number = ?5,"
                      " serial = ?6, sold_on = ?7, firmware = ?8, capacity_bytes = ?9,"
                      " used_bytes = ?10, used_fraction = ?11, growth_bytes_per_day = ?12,"
                      " fill_early = ?13, fill_middle = ?14, fill_late = ?15, observed_at = ?16,"
                      " consent = ?17, period_to = ?18, summary_id = ?19, words = ?20,"
                      " forecast_model = ?21, forecast_mase = ?22 WHERE id = ?1",
                      &stmt, err);
  if (rc < 0)
    return rc;
  char *words = words_of(from, e->data);
  db_bind_int(stmt, 1, device);
  bind_product(stmt, e->data);
  bind_status(stmt, e->data);
  db_bind_int(stmt, 17, consent_of(e->data));
  db_bind_int(stmt, 18, e->period_to);
  db_bind_int(stmt, 19, summary);
  db_bind_text(stmt, 20, words != NULL ? words : "");
  const json_t *forecast = json_object_get(e->data, "forecast");
  db_bind_text(stmt, 21, tm_json_get_string(forecast, "model"));
  db_bind_real(stmt, 22, tm_json_get_number(json_object_get(forecast, "backtest"), "mase"));
  free(words);
  return db_exec(stmt, err);
}

/* --- the whole ---------------------------------------------------------------------------- */

static int mark_device(struct db *db, const struct event *e, int64_t device, int64_t now,
                       struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  bool days = e->days_len > 0;
  int rc = db_prepare(db,
                      "UPDATE devices SET last_seen_at = ?2, advise_at = ?2,"
                      " last_day = CASE WHEN last_day IS NULL OR last_day < ?3 THEN ?3"
                      " ELSE last_day END WHERE id = ?1",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, device);
  db_bind_int(stmt, 2, now);
  db_bind_int_or_null(stmt, 3, days, days ? e->days[e->days_len - 1].date : 0);
  return db_exec(stmt, err);
}

int keep_document(struct db *db, const struct credential *from, const struct event *e, int64_t now,
                  struct tm_error *err)
{
  struct known known = {0};
  int64_t summary = 0;
  int rc = find_device(db, from, e, &known, err);
  if (rc == 0)
    rc = make_device(db, from, e, now, &known, err);
  if (rc >= 0)
    rc = keep_bytes(db, from, e, known.id, now, &summary, err);
  /* What came late, or by another way, is kept, and does not take the newest one's place. */
  bool newest = !known.has_summary || e->period_to > known.period_to ||
                (e->period_to == known.period_to && e->generated_at >= known.generated_at);
  if (rc == 0 && e->type == EVENT_SUMMARY && newest)
    rc = show_summary(db, from, e, known.id, summary, err);
  if (rc == 0) {
    int64_t changed = history_merge(db, from->customer, known.id, e->days, e->days_len, err);
    rc = changed < 0 ? (int)changed : 0;
  }
  return rc == 0 ? mark_device(db, e, known.id, now, err) : rc;
}
