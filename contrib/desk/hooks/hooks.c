/* SPDX-License-Identifier: MIT */
#include "contrib/desk/hooks/hooks.h"

#include "common/clock.h"
#include "common/http.h"
#include "common/json.h"

#include <errno.h>
#include <string.h>

enum { MESSAGE_MAX = 1 << 20 };

/* --- which there are ---------------------------------------------------------------------- */

int hook_add(struct db *db, void *arg, struct tm_error *err)
{
  struct hook *hook = arg;
  struct tm_http *http = NULL;
  struct db_stmt *stmt = NULL;
  int rc = tm_http_new(&http, hook->url, NULL, err); /* what is allowed is said there */
  tm_http_free(http);
  if (rc == 0)
    rc = db_prepare(db,
                    "INSERT INTO webhooks (name, url, secret, what, created_at)"
                    " VALUES (?1, ?2, ?3, 'items', ?4) ON CONFLICT (name) DO NOTHING",
                    &stmt, err);
  if (rc != 0)
    return rc;
  tm_secret_make(hook->secret);
  db_bind_text(stmt, 1, hook->name);
  db_bind_text(stmt, 2, hook->url);
  db_bind_text(stmt, 3, hook->secret);
  db_bind_int(stmt, 4, hook->now);
  rc = db_exec(stmt, err);
  if (rc == 0 && db_changes(stmt) == 0)
    rc = tm_fail(err, -EEXIST, "%s: there is such a webhook already", hook->name);
  return rc;
}

int hook_stop(struct db *db, void *arg, struct tm_error *err)
{
  struct hook *hook = arg;
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "UPDATE webhooks SET stopped_at = COALESCE(stopped_at, ?2),"
                      " name = name || ' (stopped ' || id || ')' WHERE name = ?1",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, hook->name);
  db_bind_int(stmt, 2, hook->now);
  rc = db_exec(stmt, err);
  if (rc == 0 && db_changes(stmt) == 0)
    rc = tm_fail(err, -ENOENT, "%s: there is no such webhook", hook->name);
  return rc < 0 ? rc
                : db_run_one(db,
                             "DELETE FROM webhook_queue WHERE webhook_id IN"
                             " (SELECT id FROM webhooks WHERE stopped_at IS NOT NULL)",
                             err);
}

int hook_list(struct db *db, void *arg, struct tm_error *err)
{
  struct hook *hook = arg;
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "SELECT w.name, w.url, w.created_at, w.stopped_at, w.sent_at, w.error,"
                      " w.error_at, (SELECT COUNT(*) FROM webhook_queue q"
                      " WHERE q.webhook_id = w.id AND q.dead_at IS NULL) AS waiting,"
                      " (SELECT COUNT(*) FROM webhook_queue q WHERE q.webhook_id = w.id"
                      " AND q.dead_at IS NOT NULL) AS given_up FROM webhooks w ORDER BY w.id",
                      &stmt, err);
  if (rc < 0)
    return rc;
  return db_take_rows(stmt, &hook->list, err);
}

/* --- what they are told ------------------------------------------------------------------- */

static int any(struct db *db, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db, "SELECT 1 FROM webhooks WHERE stopped_at IS NULL LIMIT 1", &stmt, err);
  if (rc < 0)
    return rc;
  rc = db_step(stmt, err);
  db_done(stmt);
  return rc;
}

static int read_item(struct db *db, int64_t id, json_t **item, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "SELECT i.id, i.key, i.action, i.state, i.open, i.order_by, i.price,"
                      " i.currency, i.probability, i.weight, i.reason, i.confidence, i.owner,"
                      " s.name AS owner_name, i.agreed_by, i.lost_reason, i.closed_reason,"
                      " i.version, i.customer_id, c.name AS customer, d.id AS device_id, d.site,"
                      " d.host, d.device, d.model, d.kind, i.advice_json"
                      " FROM items i JOIN devices d ON d.id = i.device_id"
                      " JOIN customers c ON c.customer_id = i.customer_id"
                      " LEFT JOIN staff s ON s.staff = i.owner WHERE i.id = ?1",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, id);
  return db_take_row(stmt, item, "there is no such item", err);
}

/* Days as dates, price as documents have it, and of the advice its lines alone. */
static void make_readable(json_t *item)
{
  const json_t *day = json_object_get(item, "order_by");
  const char *amount = tm_json_get_string(item, "price");
  const char *currency = tm_json_get_string(item, "currency");
  char date[TM_DATE_SIZE];
  if (json_is_integer(day))
    json_object_set_new(item, "order_by",
                        json_string(tm_date_format_days(date, json_integer_value(day))));
  json_object_set_new(item, "price",
                      amount != NULL && currency != NULL
                          ? json_pack("{s:s, s:s}", "amount", amount, "currency", currency)
                          : json_null());
  json_t *lines = json_object_get(json_object_get(item, "advice"), "lines");
  json_object_set(item, "lines", lines != NULL ? lines : json_null());
  json_object_del(item, "advice");
  json_object_del(item, "currency");
  json_object_set_new(item, "open",
                      json_boolean(json_integer_value(json_object_get(item, "open")) != 0));
}

static int put(struct db *db, int64_t item, const json_t *row, const struct hook_change *c,
               const char *message, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "INSERT INTO webhook_queue (webhook_id, customer_id, key, item_id, made_at,"
                      " due_at, body) SELECT id, ?1, ?2, ?3, ?4, ?4, ?5 FROM webhooks"
                      " WHERE stopped_at IS NULL ON CONFLICT (webhook_id, key) DO NOTHING",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, tm_json_get_string(row, "customer_id"));
  db_bind_text(stmt, 2, c->key);
  db_bind_int(stmt, 3, item);
  db_bind_int(stmt, 4, c->at);
  db_bind_text(stmt, 5, message);
  return db_exec(stmt, err);
}

int hook_item(struct db *db, int64_t item, const struct hook_change *c, struct tm_error *err)
{
  struct tm_buf text = TM_BUF_INIT(MESSAGE_MAX);
  json_t *row = NULL;
  char time[TM_TIME_SIZE];
  int rc = any(db, err);
  if (rc <= 0)
    return rc;
  rc = read_item(db, item, &row, err);
  if (rc < 0)
    return rc;
  make_readable(row);
  tm_time_format(time, c->at);
  json_t *message = json_pack("{s:s, s:s, s:s, s:{s:O, s:{s:s?, s:s?, s:s?, s:s?, s:s?, s:s}}}",
                              "type", "tidemark.item.v1", "timestamp", time, "id", c->key, "data",
                              "item", row, "change", "what", c->what, "from", c->from, "to", c->to,
                              "by", c->by, "text", c->text, "at", time);
  rc = message != NULL ? tm_json_append(&text, message) : -ENOMEM;
  if (rc < 0)
    tm_fail(err, rc, "%s: too large to be told", c->key);
  else
    rc = put(db, item, row, c, text.ptr, err);
  json_decref(message);
  json_decref(row);
  tm_buf_release(&text);
  return rc;
}
