/* SPDX-License-Identifier: MIT */
/* A customer takes his data along, or has them deleted. */
#include "common/clock.h"
#include "common/json.h"
#include "common/number.h"
#include "contrib/desk/customers/registered.h"
#include "contrib/desk/desk.h"
#include "contrib/desk/intake/erase.h"
#include "contrib/desk/people/audit.h"
#include "contrib/desk/rooms.h"
#include "contrib/desk/store/document.h"
#include "contrib/desk/store/history.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { ALL_DAYS = 100000 };

/* --- the export ----------------------------------------------------------------------------- */

struct taking {
  const struct request *r;
  struct tm_buf *out;
};

typedef int put_row(struct db *db, const struct taking *t, const char *kind, json_t *row,
                    struct tm_error *err);

/* Members that are called kind get another name. */
static int put_line(struct db *db, const struct taking *t, const char *kind, json_t *row,
                    struct tm_error *err)
{
  (void)db;
  json_t *line = json_pack("{s:s}", "kind", kind);
  json_object_update_missing(line, row);
  int rc = tm_json_append(t->out, line);
  if (rc == 0)
    rc = tm_buf_puts(t->out, "\n");
  json_decref(line);
  return rc < 0 ? tm_fail(err, rc, "the export: %s", strerror(-rc)) : 0;
}

static int put_day(void *user, const struct day *day, struct tm_error *err)
{
  struct json_out *out = user;
  day_write(out, day, 1);
  return out->rc < 0 ? tm_fail(err, out->rc, "the export: %s", strerror(-out->rc)) : 0;
}

/* A device and all its days: what its chart is drawn of. The days go straight out: a fleet's years
 * of them are hundreds of megabytes as a tree. */
static int put_device(struct db *db, const struct taking *t, const char *kind, json_t *row,
                      struct tm_error *err)
{
  int64_t id = json_integer_value(json_object_get(row, "id")), to = t->r->now / TM_DAY + DAYS_AHEAD;
  struct json_out out = JSON_OUT_INIT(t->out);
  int rc = put_line(db, t, kind, row, err);
  if (rc < 0)
    return rc;
  t->out->len -= strlen("}\n");
  out.rc = tm_buf_puts(t->out, ",\"days\":");
  json_out_open(&out, '[');
  rc = history_read(db, id, to - ALL_DAYS, to, put_day, &out, err);
  json_out_close(&out, ']');
  if (rc == 0 && out.rc == 0)
    out.rc = tm_buf_puts(t->out, "}\n");
  return rc < 0 ? rc : out.rc < 0 ? tm_fail(err, out.rc, "the export: %s", strerror(-out.rc)) : 0;
}

/* Byte for byte: the event is a string, whose hash stands beside it. */
static int put_document(struct db *db, const struct taking *t, const char *kind, json_t *row,
                        struct tm_error *err)
{
  struct document d = {0};
  int rc = document_read(db, json_integer_value(json_object_get(row, "id")), &d, err);
  if (rc < 0)
    return rc;
  struct json_out out = JSON_OUT_INIT(t->out);
  json_out_open(&out, '{');
  json_out_key(&out, "kind"), json_out_plain(&out, kind);
  json_out_key(&out, "id"), json_out_int(&out, d.id);
  json_out_key(&out, "device_id"), json_out_int(&out, d.device_id);
  json_out_key(&out, "document"), json_out_plain(&out, d.kind);
  json_out_key(&out, "arrived_at"), json_out_int(&out, d.arrived_at);
  json_out_key(&out, "sha256"), json_out_plain(&out, d.sha256);
  json_out_key(&out, "event"), json_out_exact(&out, d.bytes.ptr, d.bytes.len);
  json_out_close(&out, '}');
  document_release(&d);
  rc = out.rc == 0 ? tm_buf_puts(t->out, "\n") : out.rc;
  return rc < 0 ? tm_fail(err, rc, "document %lld: %s", (long long)d.id, strerror(-rc)) : 0;
}

/* A line for each of the customer's rows. */
static int put_rows(struct db *db, const struct taking *t, const char *kind, const char *sql,
                    put_row *put, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  json_t *rows = NULL, *row;
  size_t i;
  int rc = db_prepare(db, sql, &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, t->r->visitor->customer);
  rc = db_take_rows(stmt, &rows, err);
  json_array_foreach(rows, i, row)
  {
    if (rc == 0)
      rc = put(db, t, kind, row, err);
  }
  json_decref(rows);
  return rc;
}

/* As the pages have it (sales/device_page.c): not why a colleague thinks that a sale was lost, nor
 * what he thinks of the advice, or asks of the factory; and of a claim not what service says to
 * itself, or has found with others (claim_events, comments, and the answers of peers). What the
 * customer himself has answered is an answer. */
static int put_all(struct db *db, void *arg, struct tm_error *err)
{
  static const struct {
    const char *kind, *sql;
    put_row *put;
  } tables[] = {
      {"change",
       "SELECT at, by_name, field, old_value, new_value, version FROM customer_changes"
       " WHERE customer_id = ?1 ORDER BY id",
       put_line},
      {"site",
       "SELECT site, name, timezone, shop, created_at, last_seen_at, last_summary_at"
       " FROM sites WHERE customer_id = ?1 ORDER BY site",
       put_line},
      {"account",
       "SELECT login, name, created_at, last_login_at FROM users WHERE customer_id = ?1"
       " ORDER BY id",
       put_line},
      {"item",
       "SELECT id, device_id, key, action, state, price, currency, order_by, fill_middle,"
       " reason, advice_json, first_at, last_at, agreed_by, agreed_at, snoozed_until"
       " FROM items WHERE customer_id = ?1 ORDER BY id",
       put_line},
      {"item_event",
       "SELECT item_id, at, by_name, what, from_state, to_state,"
       " CASE WHEN to_state = 'lost' THEN NULL ELSE text END AS text"
       " FROM item_events WHERE customer_id = ?1"
       " AND what NOT IN ('feedback', 'owner', 'inquiry', 'answer', 'reservation') ORDER BY id",
       put_line},
      {"answer",
       "SELECT item_id, made_at AS at, text FROM todos WHERE customer_id = ?1"
       " AND kind = 'answer' ORDER BY id",
       put_line},
      {"comment",
       "SELECT item_id, device_id, at, by_name, text FROM comments"
       " WHERE customer_id = ?1 AND (to_customer = 1 OR by_role = 'customer')"
       " ORDER BY id",
       put_line},
      {"quote",
       "SELECT item_id, number, made_at, by_name, valid_until, sent_to, sent_at,"
       " document_json FROM quotes WHERE customer_id = ?1 ORDER BY id",
       put_line},
      {"contact",
       "SELECT number, kind AS wanted, sku, page_at, sent_at, name, email, phone,"
       " given_number, text FROM product_contacts WHERE customer_id = ?1 ORDER BY id",
       put_line},
      {"claim",
       "SELECT id, external_id, device_id, vendor, model, via, by_name, claimed_at, arrived_at,"
       " type, text, state, state_at, answer, answered_at, answered_by"
       " FROM claims WHERE customer_id = ?1 ORDER BY id",
       put_line},
      {"receipt",
       "SELECT receipt, extent, at FROM own_receipts WHERE customer_id = ?1"
       " ORDER BY at",
       put_line},
      {"device",
       "SELECT id, site, host, device, kind AS device_kind, vendor, model, product_number, serial,"
       " sold_on, firmware, capacity_bytes, used_bytes, fill_early, fill_middle, fill_late,"
       " observed_at, consent, first_seen_at, last_seen_at FROM devices"
       " WHERE customer_id = ?1 ORDER BY id",
       put_device},
      {"request",
       "SELECT request, device_id, site, purpose, asked_at, expires_at, status, answered_at,"
       " document_json FROM requests WHERE customer_id = ?1 ORDER BY asked_at, request",
       put_line},
      {"item_values",
       "SELECT event, request, device_id, arrived_at, observed_at, status, document_json"
       " FROM item_values WHERE customer_id = ?1 ORDER BY arrived_at, event",
       put_line},
      {"document", "SELECT id FROM summaries WHERE customer_id = ?1 ORDER BY id", put_document},
  };
  struct taking *t = arg;
  json_t *row = NULL;
  tm_buf_reset(t->out);
  int rc = registered_read(db, t->r->visitor->customer, &row, err);
  if (rc == 0)
    rc = put_line(db, t, "customer", row, err);
  json_decref(row);
  for (size_t i = 0; rc == 0 && i < sizeof(tables) / sizeof(tables[0]); i++)
    rc = put_rows(db, t, tables[i].kind, tables[i].sql, tables[i].put, err);
  return rc;
}

static int note_export(struct db *db, void *arg, struct tm_error *err)
{
  const struct request *r = arg;
  return audit_request(db, r, "export", r->visitor->customer, "own data", err);
}

static int give_all(const struct request *r, struct response *to, struct tm_error *err)
{
  struct taking t = {.r = r, .out = &to->body};
  int rc = store_read(r->desk->store, &r->scope, put_all, &t, err);
  if (rc == 0)
    rc = store_write(r->desk->store, &db_everyone, note_export, (void *)r, err);
  if (rc < 0)
    return rc;
  to->status = 200;
  to->content_type = "application/x-ndjson";
  return respond_header(to, "Content-Disposition", "attachment; filename=\"tidemark-data.ndjson\"");
}

/* --- deletion ------------------------------------------------------------------------------- */

struct forgetting {
  const struct request *r;
  int64_t device; /* 0: everything */
  char site[300], host[300], name[300];
  struct erasure erasure;
};

static int find_device(struct db *db, struct forgetting *f, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(
      db, "SELECT site, host, device FROM devices WHERE id = ?1 AND customer_id = ?2", &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, f->device);
  db_bind_text(stmt, 2, f->r->visitor->customer);
  rc = db_step(stmt, err);
  if (rc == 1) {
    snprintf(f->site, sizeof(f->site), "%s", db_text(stmt, 0));
    snprintf(f->host, sizeof(f->host), "%s", db_text(stmt, 1));
    snprintf(f->name, sizeof(f->name), "%s", db_text(stmt, 2));
  }
  db_done(stmt);
  return rc == 0 ? tm_fail(err, -ENOENT, "there is no such device") : rc < 0 ? rc : 0;
}

static int keep_receipt(struct db *db, const struct forgetting *f, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "INSERT INTO own_receipts (receipt, customer_id, extent, at)"
                      " VALUES (?1, ?2, 'device', ?3)",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, f->erasure.receipt);
  db_bind_text(stmt, 2, f->r->visitor->customer);
  db_bind_int(stmt, 3, f->r->now);
  return db_exec(stmt, err);
}

static int erase(struct db *db, void *arg, struct tm_error *err)
{
  struct forgetting *f = arg;
  f->erasure = (struct erasure){.customer = f->r->visitor->customer,
                                /* A person's name must not outlive him in the receipt. */
                                .by = "the customer, at the desk",
                                .crm = f->r->desk->conf->factory.tryton,
                                .now = f->r->now};
  int rc = 0;
  if (f->device != 0) {
    rc = find_device(db, f, err);
    f->erasure.site = f->site;
    f->erasure.host = f->host;
    f->erasure.device = f->name;
  }
  if (rc == 0)
    rc = erase_now(db, &f->erasure, err);
  if (rc == 0 && f->device != 0)
    rc = keep_receipt(db, f, err);
  return rc;
}

static int show_receipt(const struct request *r, struct response *to, const char *receipt,
                        int64_t at, const char *extent, int64_t devices, struct tm_error *err)
{
  json_t *model =
      json_pack("{s:s, s:b, s:s, s:I, s:s, s:I, s:b}", "title", "Receipt of a deletion", "reading",
                1, "receipt", receipt, "done_at", (json_int_t)at, "extent", extent, "devices",
                (json_int_t)devices, "whole", strcmp(extent, "customer") == 0);
  int rc;
  if (r->wants_json) {
    json_object_del(model, "title");
    json_object_del(model, "reading");
    json_object_del(model, "whole");
  }
  rc = respond_model(r, to, "receipt.html", model, err);
  json_decref(model);
  return rc;
}

static int forget(const struct request *r, struct response *to, struct tm_error *err)
{
  struct forgetting f = {.r = r};
  const char *confirm = request_field(r, "confirm"), *device = request_field(r, "device");
  if (device != NULL && device[0] != '\0' && tm_parse_i64(device, 1, INT64_MAX, &f.device) != 0)
    return respond_error(r, to, 422, "device", "not a device of yours");
  if (confirm == NULL || strcmp(confirm, r->visitor->customer) != 0)
    return respond_error(r, to, 422, "confirm",
                         "To confirm, write your customer number as it stands on your page. "
                         "Nothing was deleted.");
  int rc = store_write(r->desk->store, &db_everyone, erase, &f, err);
  if (rc == 0)
    erase_tidy(r->desk->store);
  return rc == 0 ? show_receipt(r, to, f.erasure.receipt, r->now,
                                f.device != 0 ? "device" : "customer", f.erasure.devices, err)
                 : rc;
}

/* Whoever has its number may see that it was done, and nothing of whom. */
struct receipt {
  const char *number;
  int64_t at, devices;
  char extent[16];
};

static int read_receipt(struct db *db, void *arg, struct tm_error *err)
{
  struct receipt *e = arg;
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db, "SELECT done_at, extent, rows_json FROM erasures WHERE receipt = ?1",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, e->number);
  json_t *row = NULL;
  rc = db_take_row(stmt, &row, "there is no such receipt", err);
  if (rc == 0) {
    e->at = json_integer_value(json_object_get(row, "done_at"));
    e->devices = json_integer_value(json_object_get(json_object_get(row, "rows"), "devices"));
    snprintf(e->extent, sizeof(e->extent), "%s", tm_json_get_string(row, "extent"));
  }
  json_decref(row);
  return rc;
}

static int give_receipt(const struct request *r, struct response *to, struct tm_error *err)
{
  struct receipt e = {.number = request_part(r, "receipt")};
  int rc = store_read(r->desk->store, &db_everyone, read_receipt, &e, err);
  return rc == 0 ? show_receipt(r, to, e.number, e.at, e.extent, e.devices, err) : rc;
}

const struct route take_routes[] = {
    {"GET", "/me/export", ROLE_CUSTOMER, 0,
     "All own data, a JSON object a line: what every chart is drawn of, too", give_all},
    {"POST", "/me/erase", ROLE_CUSTOMER, 4096, "Deletes everything of the customer, or of a device",
     forget},
    {"GET", "/erasures/{receipt}", ROLE_NONE, 0, "The receipt of a deletion, by its number",
     give_receipt},
    {"GET", "/api/v1/me/export", ROLE_CUSTOMER, 0, "All own data, a JSON object a line", give_all},
    {0},
};
