/* SPDX-License-Identifier: MIT */
#include "contrib/desk/hooks/deliver.h"

#include "common/clock.h"
#include "common/http.h"
#include "common/log.h"
#include "common/sign.h"
#include "common/text.h"
#include "contrib/desk/work/ticker.h"
#include "exporters/spool.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TIMEOUT_MS = 15000, ANSWER_MAX = 64 * 1024, GONE = 410, PAUSE_S = 1, TROUBLE_S = 30 };
#define NEVER INT64_C(253402300799) /* the year 9999: due_at of what was given up */

/* A message in hand: a copy, so that no transaction is open while a server is spoken to. */
struct message {
  int64_t id, hook, made_at, tries, now;
  bool fresh; /* the webhook was not in trouble before */
  char key[200], url[2048], name[200];
  struct tm_secret secret;
  struct tm_buf body;
  int status; /* of the answer; 0: none came */
  char error[512];
};

static void message_release(struct message *m)
{
  tm_buf_release(&m->body);
  tm_secret_release(&m->secret);
}

/* --- lending and giving back -------------------------------------------------------------- */

static int find(struct db *db, struct message *m, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  m->id = 0;
  int rc = db_prepare(db,
                      "SELECT q.id, w.id, q.made_at, q.tries, q.key, w.url, w.name, w.secret,"
                      " q.body, w.error FROM webhook_queue q JOIN webhooks w ON w.id = q.webhook_id"
                      " WHERE q.due_at <= ?1 AND w.stopped_at IS NULL AND q.dead_at IS NULL"
                      " AND NOT EXISTS (SELECT 1 FROM webhook_queue p"
                      " WHERE p.webhook_id = q.webhook_id AND p.item_id = q.item_id"
                      " AND p.id < q.id AND p.dead_at IS NULL)"
                      " ORDER BY q.due_at, q.id LIMIT 1",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, m->now);
  rc = db_step(stmt, err);
  if (rc == 1) {
    m->id = db_int(stmt, 0);
    m->hook = db_int(stmt, 1);
    m->made_at = db_int(stmt, 2);
    m->tries = db_int(stmt, 3) + 1;
    tm_text_copy(m->key, sizeof(m->key), db_text(stmt, 4));
    tm_text_copy(m->url, sizeof(m->url), db_text(stmt, 5));
    tm_text_copy(m->name, sizeof(m->name), db_text(stmt, 6));
    rc = tm_secret_parse(&m->secret, db_text(stmt, 7), err);
    tm_buf_reset(&m->body);
    if (rc == 0)
      rc = tm_buf_puts(&m->body, db_text(stmt, 8));
    m->fresh = db_is_null(stmt, 9);
  }
  db_done(stmt);
  return rc;
}

static int take(struct db *db, void *arg, struct tm_error *err)
{
  struct message *m = arg;
  struct db_stmt *stmt = NULL;
  int rc = find(db, m, err);
  if (rc < 0 || m->id == 0)
    return rc;
  rc = db_prepare(db,
                  "UPDATE webhook_queue SET due_at = ?2, tries = tries + 1 WHERE id = ?1"
                  " AND due_at <= ?3",
                  &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, m->id);
  db_bind_int(stmt, 2, m->now + DELIVER_LENT_S);
  db_bind_int(stmt, 3, m->now);
  rc = db_exec(stmt, err);
  if (rc == 0 && db_changes(stmt) == 0)
    m->id = 0; /* another desk was quicker */
  return rc;
}

static int note_hook(struct db *db, const struct message *m, bool delivered, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "UPDATE webhooks SET sent_at = COALESCE(?2, sent_at), error = ?3,"
                      " error_at = COALESCE(?4, error_at), stopped_at = ?5 WHERE id = ?1",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, m->hook);
  db_bind_int_or_null(stmt, 2, delivered, m->now);
  db_bind_text(stmt, 3, delivered ? NULL : m->error);
  db_bind_int_or_null(stmt, 4, !delivered, m->now);
  db_bind_int_or_null(stmt, 5, m->status == GONE, m->now);
  return db_exec(stmt, err);
}

static int delivered(struct db *db, void *arg, struct tm_error *err)
{
  const struct message *m = arg;
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db, "DELETE FROM webhook_queue WHERE id = ?1", &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, m->id);
  rc = db_exec(stmt, err);
  return rc == 0 ? note_hook(db, m, true, err) : rc;
}

/* The address is left alone for a while: others of its messages wait as long. */
static int postpone(struct db *db, const struct message *m, int64_t until, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(
      db, "UPDATE webhook_queue SET due_at = ?2 WHERE webhook_id = ?1 AND due_at < ?2", &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, m->hook);
  db_bind_int(stmt, 2, until);
  return db_exec(stmt, err);
}

static int not_delivered(struct db *db, void *arg, struct tm_error *err)
{
  const struct message *m = arg;
  struct db_stmt *stmt = NULL;
  bool old = m->now - m->made_at > (int64_t)DELIVER_DAYS * TM_DAY;
  int64_t again = m->now + spool_backoff_s((int)m->tries - 1, randombytes_random());
  int rc =
      db_prepare(db, "UPDATE webhook_queue SET due_at = ?2, dead_at = ?3, error = ?4 WHERE id = ?1",
                 &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, m->id);
  db_bind_int(stmt, 2, old ? NEVER : again);
  db_bind_int_or_null(stmt, 3, old, m->now);
  db_bind_text(stmt, 4, m->error);
  rc = db_exec(stmt, err);
  if (rc == 0)
    rc = postpone(db, m, again, err);
  return rc == 0 ? note_hook(db, m, false, err) : rc;
}

/* --- delivering --------------------------------------------------------------------------- */

static bool send_message(struct message *m)
{
  const struct tm_http_options options = {.timeout_ms = TIMEOUT_MS, .max_body_bytes = ANSWER_MAX};
  struct tm_http_reply reply = {0};
  struct tm_http *http = NULL;
  struct tm_error err = {0};
  char signature[TM_SIGNATURE_SIZE], lines[4][300];
  tm_sign(signature, &m->secret, m->key, m->now, m->body.ptr, m->body.len);
  snprintf(lines[0], sizeof(lines[0]), "Content-Type: application/json");
  snprintf(lines[1], sizeof(lines[1]), "webhook-id: %s", m->key);
  snprintf(lines[2], sizeof(lines[2]), "webhook-timestamp: %lld", (long long)m->now);
  snprintf(lines[3], sizeof(lines[3]), "webhook-signature: %s", signature);
  const char *const headers[] = {lines[0], lines[1], lines[2], lines[3], NULL};
  const struct tm_http_request request = {
      .method = "POST", .headers = headers, .body = m->body.ptr, .body_len = m->body.len};
  int rc = tm_http_new(&http, m->url, &options, &err);
  if (rc == 0)
    rc = tm_http_do(http, &request, &reply, &err);
  m->status = rc == 0 ? (int)reply.status : 0;
  if (rc == 0)
    rc = tm_http_require_success(http, &reply, &err);
  tm_text_copy(m->error, sizeof(m->error), err.text);
  tm_http_reply_release(&reply);
  tm_http_free(http);
  return rc == 0;
}

/* 1: one that is due was delivered; 0: none is due, or it was not delivered. */
static int deliver_next(struct store *store, struct tm_error *err)
{
  struct message m = {.now = tm_now(), .body = TM_BUF_INIT(2 << 20)};
  bool sent = false;
  int rc = store_write(store, &db_everyone, take, &m, err);
  if (rc == 0 && m.id != 0) {
    sent = send_message(&m);
    rc = store_write(store, &db_everyone, sent ? delivered : not_delivered, &m, err);
    if (!sent && m.status == GONE)
      tm_log_warning("webhook %s: stopped, for it answered 410", m.name);
    else if (!sent && m.fresh)
      tm_log_warning("webhook %s: waits: %s", m.name, m.error);
    else if (sent && !m.fresh)
      tm_log_warning("webhook %s: takes messages again", m.name);
  }
  message_release(&m);
  return rc < 0 ? rc : sent;
}

/* --- the thread --------------------------------------------------------------------------- */

struct deliverer {
  struct store *store;
  struct ticker *ticker;
};

/* Reading is free; only what is there is lent by a write. */
static int is_any_due(struct db *db, void *arg, struct tm_error *err)
{
  struct message *m = arg;
  int rc = find(db, m, err);
  return rc < 0 ? rc : 0;
}

static int work_once(struct deliverer *d, struct tm_error *err)
{
  struct message due = {.now = tm_now(), .body = TM_BUF_INIT(2 << 20)};
  int rc = store_read(d->store, &db_everyone, is_any_due, &due, err);
  bool any = due.id != 0;
  message_release(&due);
  return rc == 0 && any ? deliver_next(d->store, err) : rc;
}

static int tick(void *user)
{
  struct deliverer *d = user;
  struct tm_error err = {0};
  int rc = work_once(d, &err);
  if (rc < 0)
    tm_log_error("webhooks: %s", err.text);
  return rc == 1 ? 0 : rc == 0 ? PAUSE_S : TROUBLE_S;
}

int deliver_start(struct deliverer **deliverer, struct store *store, struct tm_error *err)
{
  struct deliverer *d = calloc(1, sizeof(*d));
  if (d == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  d->store = store;
  int rc = ticker_start(&d->ticker, tick, d, err);
  if (rc < 0)
    free(d);
  else
    *deliverer = d;
  return rc;
}

void deliver_end(struct deliverer *d)
{
  if (d == NULL)
    return;
  ticker_end(d->ticker);
  free(d);
}
