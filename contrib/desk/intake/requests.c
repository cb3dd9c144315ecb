/* SPDX-License-Identifier: MIT */
#include "contrib/desk/intake/requests.h"

#include "common/json.h"

#include <errno.h>
#include <stdlib.h>

static int note_sent(struct db *db, const struct credential *to, int64_t now, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "UPDATE requests SET first_sent_at = ?3 WHERE customer_id = ?1 AND site = ?2"
                      " AND status = 'open' AND expires_at > ?3 AND first_sent_at IS NULL",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, to->customer);
  db_bind_text(stmt, 2, to->site);
  db_bind_int(stmt, 3, now);
  return db_exec(stmt, err);
}

json_t *requests_open(struct db *db, const struct credential *to, int64_t now, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  json_t *list = json_array();
  int rc = db_prepare(db,
                      "SELECT document_json FROM requests WHERE customer_id = ?1 AND site = ?2"
                      " AND status = 'open' AND expires_at > ?3 ORDER BY asked_at, request"
                      " LIMIT ?4",
                      &stmt, err);
  if (rc < 0) {
    json_decref(list);
    return NULL;
  }
  db_bind_text(stmt, 1, to->customer);
  db_bind_text(stmt, 2, to->site);
  db_bind_int(stmt, 3, now);
  db_bind_int(stmt, 4, REQUESTS_AT_ONCE);
  while ((rc = db_step(stmt, err)) == 1) {
    json_t *row = db_row(stmt, err);
    json_array_append(list, json_object_get(row, "document"));
    json_decref(row);
  }
  db_done(stmt);
  if (rc == 0 && json_array_size(list) > 0)
    rc = note_sent(db, to, now, err);
  if (rc < 0) {
    json_decref(list);
    return NULL;
  }
  return list;
}

static int close_request(struct db *db, const struct credential *from, const struct event *e,
                         int64_t now, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "UPDATE requests SET status = ?4, answered_at = ?5 WHERE request = ?1"
                      " AND customer_id = ?2 AND site = ?3 AND status = 'open'",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, tm_json_get_string(e->data, "request"));
  db_bind_text(stmt, 2, from->customer);
  db_bind_text(stmt, 3, from->site);
  db_bind_text(stmt, 4, tm_json_get_string(e->data, "status"));
  db_bind_int(stmt, 5, now);
  return db_exec(stmt, err);
}

int requests_keep_values(struct db *db, const struct credential *from, const struct event *e,
                         int64_t now, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  struct tm_buf text = TM_BUF_INIT(EVENT_MAX);
  int64_t observed = tm_json_time_or(e->data, "observed_at", INT64_MIN);
  int rc = tm_json_append(&text, e->data);
  if (rc < 0)
    rc = tm_fail(err, rc, "item values: too large");
  else
    rc = db_prepare(db,
                    "INSERT INTO item_values (event, customer_id, request, device_id, arrived_at,"
                    " observed_at, status, document_json) VALUES (?1, ?2, ?3,"
                    " (SELECT id FROM devices WHERE customer_id = ?2 AND site = ?4 AND host = ?5"
                    " AND device = ?6), ?7, ?8, ?9, ?10)",
                    &stmt, err);
  if (rc == 0) {
    db_bind_text(stmt, 1, e->id);
    db_bind_text(stmt, 2, from->customer);
    db_bind_text(stmt, 3, tm_json_get_string(e->data, "request"));
    db_bind_text(stmt, 4, from->site);
    db_bind_text(stmt, 5, tm_json_get_string(json_object_get(e->data, "customer"), "host"));
    db_bind_text(stmt, 6, tm_json_get_string(e->data, "device"));
    db_bind_int(stmt, 7, now);
    db_bind_int_or_null(stmt, 8, observed != INT64_MIN, observed);
    db_bind_text(stmt, 9, tm_json_get_string(e->data, "status"));
    db_bind_text(stmt, 10, text.ptr);
    rc = db_exec(stmt, err);
  }
  tm_buf_release(&text);
  return rc < 0 ? rc : close_request(db, from, e, now, err);
}
