/* SPDX-License-Identifier: MIT */
#include "contrib/desk/work/nightly.h"

#include "common/clock.h"
#include "contrib/desk/advice/advise.h"
#include "contrib/desk/advice/items.h"
#include "contrib/desk/store/days.h"

#include <errno.h>

enum { HOUR = 2 * 3600, AT_ONCE = 500 };

/* The day whose night's work is due at `now`: from two o'clock in the morning on. */
static int64_t night_of(int64_t now)
{
  return tm_date_days(now - HOUR);
}

/* --- piece by piece ----------------------------------------------------------------------- */

struct piece {
  store_work *work;
  const char *sql; /* of work that only deletes */
  int64_t now, before, at;
  int64_t next; /* where the next piece begins: `at` stays, for this one may be done again */
  bool more;
};

static int repeat(struct night *n, struct piece *p, int64_t now, struct tm_error *err)
{
  int rc;
  p->now = now;
  do {
    if (n->ended != NULL && n->ended(n->user))
      return tm_fail(err, -ECANCELED, "the desk is to end");
    p->next = p->at;
    rc = store_write(n->store, &db_everyone, p->work, p, err);
    p->at = p->next;
    if (rc == 0)
      rc = lease_renew(n->store, &n->lease, tm_now(), err);
  } while (rc == 0 && p->more);
  return rc;
}

static int weigh(struct db *db, void *arg, struct tm_error *err)
{
  struct piece *p = arg;
  p->next = p->at;
  int rc = items_weigh(db, p->now, AT_ONCE, &p->next, err);
  p->more = rc == 0 && p->next != INT64_MAX;
  return rc;
}

/* Deletes what is older than `before`, some at a time. */
static int delete_some(struct db *db, void *arg, struct tm_error *err)
{
  struct piece *p = arg;
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db, p->sql, &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, p->before);
  db_bind_int(stmt, 2, AT_ONCE);
  rc = db_exec(stmt, err);
  p->more = rc == 0 && db_changes(stmt) > 0;
  return rc;
}

/* Months lie in the order of their devices: they are walked by these. */
static int delete_months(struct db *db, void *arg, struct tm_error *err)
{
  struct piece *p = arg;
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "SELECT max(id) FROM (SELECT id FROM devices WHERE id > ?1 ORDER BY id"
                      " LIMIT 500) part",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, p->at);
  rc = db_step(stmt, err);
  int64_t until = db_int(stmt, 0);
  p->more = rc == 1 && !db_is_null(stmt, 0);
  db_done(stmt);
  if (rc < 0 || !p->more)
    return rc < 0 ? rc : 0;
  rc = db_prepare(db, "DELETE FROM history WHERE device_id > ?1 AND device_id <= ?2 AND month < ?3",
                  &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, p->at);
  db_bind_int(stmt, 2, until);
  db_bind_int(stmt, 3, p->before);
  rc = db_exec(stmt, err);
  p->next = until;
  return rc;
}

static int close_requests(struct db *db, void *arg, struct tm_error *err)
{
  struct piece *p = arg;
  struct db_stmt *stmt = NULL;
  p->more = false;
  int rc = db_prepare(db,
                      "UPDATE requests SET status = 'expired' WHERE status = 'open'"
                      " AND expires_at <= ?1",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, p->now);
  return db_exec(stmt, err);
}

/* --- what was kept long enough ------------------------------------------------------------ */

static int retain(struct night *n, int64_t now, struct tm_error *err)
{
  const struct desk_conf_retention *r = &n->conf->retention;
  const struct {
    int64_t keep_s;
    const char *sql;
  } rows[] = {
      /* The newest summary of a device is what is known of it, however old. */
      {r->summaries_s, "DELETE FROM summaries WHERE id IN (SELECT s.id FROM summaries s"
                       " JOIN devices d ON d.id = s.device_id WHERE s.arrived_at < ?1"
                       " AND (d.summary_id IS NULL OR d.summary_id <> s.id) LIMIT ?2)"},
      {r->events_s, "DELETE FROM events WHERE (event, customer_id) IN"
                    " (SELECT event, customer_id FROM events WHERE arrived_at < ?1 LIMIT ?2)"},
      {r->events_s, "DELETE FROM quarantine WHERE id IN"
                    " (SELECT id FROM quarantine WHERE arrived_at < ?1 LIMIT ?2)"},
      {r->events_s, "DELETE FROM letters WHERE id IN (SELECT id FROM letters"
                    " WHERE COALESCE(sent_at, dead_at) < ?1 LIMIT ?2)"},
      /* Of several customers' data, which no erasure would find. */
      {7 * TM_DAY, "DELETE FROM letters WHERE id IN (SELECT id FROM letters"
                   " WHERE customer_id = '' AND COALESCE(sent_at, dead_at) < ?1 LIMIT ?2)"},
      {r->closed_s, "DELETE FROM items WHERE id IN"
                    " (SELECT id FROM items WHERE open = 0 AND state_at < ?1 LIMIT ?2)"},
      {r->closed_s, "DELETE FROM product_contacts WHERE id IN"
                    " (SELECT id FROM product_contacts WHERE sent_at < ?1 LIMIT ?2)"},
      {r->closed_s, "DELETE FROM todos WHERE id IN"
                    " (SELECT id FROM todos WHERE done_at < ?1 LIMIT ?2)"},
      {r->audit_s, "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at < ?1 LIMIT ?2)"},
      {TM_DAY, "DELETE FROM sessions WHERE id IN"
               " (SELECT id FROM sessions WHERE expires_at < ?1 LIMIT ?2)"},
      /* By the server's clock: each of these pieces of work leaves such a row itself. */
      {2 * TM_DAY, "DELETE FROM outcomes WHERE token IN (SELECT token FROM outcomes WHERE at < ?1"
                   " AND at < (SELECT MAX(at) FROM outcomes) - 172800 LIMIT ?2)"},
      {TM_DAY, "DELETE FROM login_links WHERE token_sha256 IN"
               " (SELECT token_sha256 FROM login_links WHERE expires_at < ?1 LIMIT ?2)"},
  };
  int rc = 0;
  for (size_t i = 0; rc == 0 && i < sizeof(rows) / sizeof(rows[0]); i++) {
    struct piece p = {.work = delete_some, .sql = rows[i].sql, .before = now - rows[i].keep_s};
    if (rows[i].keep_s != 0)
      rc = repeat(n, &p, now, err);
  }
  if (rc == 0 && r->history_s != 0) {
    struct piece p = {.work = delete_months,
                      .before = days_month(tm_date_days(now - r->history_s))};
    rc = repeat(n, &p, now, err);
  }
  return rc;
}

int nightly_run(struct night *n, int64_t now, struct tm_error *err)
{
  int64_t day = night_of(now);
  struct piece weighing = {.work = weigh}, closing = {.work = close_requests};
  int rc = lease_take(n->store, &n->lease, day, now, err);
  if (rc <= 0)
    return rc;
  rc = advise_all(n->store, now, err);
  if (rc == 0)
    rc = repeat(n, &weighing, now, err);
  if (rc == 0)
    rc = repeat(n, &closing, now, err);
  if (rc == 0)
    rc = retain(n, now, err);
  if (rc == 0)
    rc = lease_finish(n->store, &n->lease, day, now, err);
  return rc < 0 ? rc : 1;
}
