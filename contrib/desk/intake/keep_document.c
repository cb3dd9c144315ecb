/* SPDX-License-Identifier: MIT */
#include "contrib/desk/intake/keep.h"

#include "common/conf.h"
#include "common/json.h"
#include "contrib/desk/store/history.h"
#include "contrib/desk/store/pack.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- what a device is --------------------------------------------------------------------- */

static int64_t consent_of(const json_t *data)
{
  const char *purpose;
  json_t *v;
  int64_t bits = 0;
  json_object_foreach(json_object_get(data, "consent"), purpose, v) bits |= tm_purpose_of(purpose);
  return bits;
}

static void bind_day(struct db_stmt *stmt, int at, int64_t day)
{
  db_bind_int_or_null(stmt, at, day != INT64_MIN, day);
}

/* What a search looks through: each text once in lower case, separated by blanks. */
static void add_words(struct tm_buf *b, const struct credential *from, const json_t *data)
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
  for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
    if (texts[i] != NULL) {
      tm_buf_puts(b, b->len > 0 ? " " : "");
      tm_buf_puts(b, texts[i]);
    }
  }
  for (size_t i = 0; i < b->len; i++)
    b->ptr[i] = (char)tolower((unsigned char)b->ptr[i]);
}

/* As it stands in the device's row: it changes once in months, and three indices hang on it. */
enum { PRODUCT_TEXTS = 7 };
struct product {
  const char *texts[PRODUCT_TEXTS]; /* the last: its words */
  int64_t sold_on, consent;
  struct tm_buf words;
};

static void read_product(struct product *p, const struct credential *from, const json_t *data)
{
  static const char *const names[] = {"kind",           "vendor", "model",
                                      "product_number", "serial", "firmware"};
  const json_t *product = json_object_get(data, "product");
  *p = (struct product){.words = TM_BUF_INIT(8192)};
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
    p->texts[i] = tm_json_get_string(product, names[i]);
  add_words(&p->words, from, data);
  p->texts[PRODUCT_TEXTS - 1] = p->words.ptr != NULL ? p->words.ptr : "";
  p->sold_on = tm_json_day(product, "sold_on");
  p->consent = consent_of(data);
}

static int write_product(struct db *db, const struct product *p, int64_t device,
                         struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "UPDATE devices SET kind = ?2, vendor = ?3, model = ?4, product_number = ?5,"
                      " serial = ?6, firmware = ?7, words = ?8, sold_on = ?9, consent = ?10"
                      " WHERE id = ?1",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, device);
  for (int i = 0; i < PRODUCT_TEXTS; i++)
    db_bind_text(stmt, 2 + i, p->texts[i]);
  bind_day(stmt, 9, p->sold_on);
  db_bind_int(stmt, 10, p->consent);
  return db_exec(stmt, err);
}

/* --- what the desk knows of it before this document --------------------------------------- */

struct known {
  int64_t id;
  bool has_summary;
  int64_t period_to, generated_at; /* of its newest summary */
  bool same_product;
};

/* The row's columns from `first` on are those of a struct product. */
static bool is_same(struct db_stmt *stmt, int first, const struct product *p)
{
  for (int i = 0; i < PRODUCT_TEXTS; i++) {
    const char *text = db_text(stmt, first + i);
    if ((text == NULL) != (p->texts[i] == NULL) || (text != NULL && strcmp(text, p->texts[i]) != 0))
      return false;
  }
  int at = first + PRODUCT_TEXTS;
  bool told = p->sold_on != INT64_MIN;
  return db_is_null(stmt, at) != told && (!told || db_int(stmt, at) == p->sold_on) &&
         db_int(stmt, at + 1) == p->consent;
}

static int find_device(struct db *db, const struct credential *from, const struct event *e,
                       const struct product *product, struct known *known, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "SELECT d.id, d.period_to, s.generated_at, d.kind, d.vendor, d.model,"
                      " d.product_number, d.serial, d.firmware, d.words, d.sold_on, d.consent"
                      " FROM devices d LEFT JOIN summaries s ON s.id = d.summary_id"
                      " WHERE d.customer_id = ?1 AND d.site = ?2 AND d.host = ?3 AND d.device = ?4",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, from->customer);
  db_bind_text(stmt, 2, from->site);
  db_bind_text(stmt, 3, tm_json_get_string(json_object_get(e->data, "customer"), "host"));
  db_bind_text(stmt, 4, tm_json_get_string(json_object_get(e->data, "product"), "device"));
  rc = db_step(stmt, err);
  if (rc == 1) {
    known->id = db_int(stmt, 0);
    known->has_summary = !db_is_null(stmt, 2);
    known->period_to = db_int(stmt, 1);
    known->generated_at = db_int(stmt, 2);
    known->same_product = is_same(stmt, 3, product);
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
  db_bind_text(stmt, 13, packed ? PACK_ZSTD : PACK_PLAIN);
  db_bind_blob(stmt, 14, packed ? e->packed.ptr : e->bytes, packed ? e->packed.len : e->len);
  rc = db_step(stmt, err);
  if (rc == 1)
    *summary = db_int(stmt, 0);
  db_done(stmt);
  return rc < 0 ? rc : 0;
}

/* --- what queries need of the newest summary ---------------------------------------------- */

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
  db_bind_real(stmt, 5, capacity);
  db_bind_real(stmt, 6, used);
  db_bind_real(stmt, 7, share);
  db_bind_real(stmt, 8, tm_json_get_number(forecast, "growth_bytes_per_day"));
  bind_day(stmt, 9, tm_json_day(fill, "0.1"));
  bind_day(stmt, 10, tm_json_day(fill, "0.5"));
  bind_day(stmt, 11, tm_json_day(fill, "0.9"));
  db_bind_int_or_null(stmt, 12, observed != INT64_MIN, observed);
}

/* Both statements of a document that came begin with these three. */
#define MARK                                                                                       \
  "UPDATE devices SET last_seen_at = ?2, advise_at = ?2,"                                          \
  " last_day = CASE WHEN last_day IS NULL OR last_day < ?3 THEN ?3 ELSE last_day END"

static void bind_mark(struct db_stmt *stmt, const struct event *e, int64_t device, int64_t now)
{
  bool days = e->days_len > 0;
  db_bind_int(stmt, 1, device);
  db_bind_int(stmt, 2, now);
  db_bind_int_or_null(stmt, 3, days, days ? e->days[e->days_len - 1].date : 0);
}

static int mark_device(struct db *db, const struct event *e, int64_t device, int64_t now,
                       struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db, MARK " WHERE id = ?1", &stmt, err);
  if (rc < 0)
    return rc;
  bind_mark(stmt, e, device, now);
  return db_exec(stmt, err);
}

static int show_summary(struct db *db, const struct event *e, int64_t device, int64_t summary,
                        int64_t now, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      MARK ", summary_id = ?4, capacity_bytes = ?5, used_bytes = ?6,"
                           " used_fraction = ?7, growth_bytes_per_day = ?8, fill_early = ?9,"
                           " fill_middle = ?10, fill_late = ?11, observed_at = ?12,"
                           " period_to = ?13, forecast_model = ?14, forecast_mase = ?15"
                           " WHERE id = ?1",
                      &stmt, err);
  if (rc < 0)
    return rc;
  const json_t *forecast = json_object_get(e->data, "forecast");
  bind_mark(stmt, e, device, now);
  db_bind_int(stmt, 4, summary);
  bind_status(stmt, e->data);
  db_bind_int(stmt, 13, e->period_to);
  db_bind_text(stmt, 14, tm_json_get_string(forecast, "model"));
  db_bind_real(stmt, 15, tm_json_get_number(json_object_get(forecast, "backtest"), "mase"));
  return db_exec(stmt, err);
}

/* --- the whole ---------------------------------------------------------------------------- */

static int keep_days(struct db *db, const struct credential *from, const struct event *e,
                     int64_t device, struct tm_error *err)
{
  int64_t changed = history_merge(db, from->customer, device, e->days, e->days_len, err);
  return changed < 0 ? (int)changed : 0;
}

int keep_document(struct db *db, const struct credential *from, const struct event *e, int64_t now,
                  struct tm_error *err)
{
  struct known known = {0};
  struct product product;
  int64_t summary = 0;
  read_product(&product, from, e->data);
  int rc = find_device(db, from, e, &product, &known, err);
  if (rc == 0)
    rc = make_device(db, from, e, now, &known, err);
  if (rc >= 0)
    rc = keep_bytes(db, from, e, known.id, now, &summary, err);
  /* What came late, or by another way, is kept, and does not take the newest one's place. */
  bool newest = e->type == EVENT_SUMMARY &&
                (!known.has_summary || e->period_to > known.period_to ||
                 (e->period_to == known.period_to && e->generated_at >= known.generated_at));
  if (rc == 0 && newest && !known.same_product)
    rc = write_product(db, &product, known.id, err);
  if (rc == 0)
    rc = keep_days(db, from, e, known.id, err);
  if (rc == 0)
    rc = newest ? show_summary(db, e, known.id, summary, now, err)
                : mark_device(db, e, known.id, now, err);
  tm_buf_release(&product.words);
  return rc;
}
