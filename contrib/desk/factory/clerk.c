/* SPDX-License-Identifier: MIT */
#include "contrib/desk/factory/clerk.h"

#include "common/clock.h"
#include "common/json.h"
#include "common/log.h"
#include "contrib/desk/desk.h"
#include "contrib/desk/factory/factory.h"
#include "contrib/desk/factory/hold.h"
#include "contrib/desk/factory/inquiry.h"
#include "contrib/desk/factory/issue.h"
#include "contrib/desk/work/lease.h"
#include "contrib/desk/work/ticker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* A back end in trouble is asked again after 2, 4, ... seconds; what needs a person, each hour: the
 * shelves may have been counted anew. */
enum { LATER_MAX_S = 300, HOUR = 3600, SWEEP_S = 5, AFTER_FAILURE_S = 10, AT_ONCE = 32 };

struct clerk {
  const struct desk *desk;
  struct factory *factory;
  struct lease lease;
  struct issuer issuer;
  struct ticker *ticker;
  double swept;
  bool in_trouble;
};

/* --- what is due ---------------------------------------------------------------------------- */

struct due {
  int64_t now;
  json_t *inquiries, *holds;
};

static int read_due(struct db *db, void *arg, struct tm_error *err)
{
  struct due *d = arg;
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "SELECT inquiry, by_name, asked_at, shop, lines_json, wanted_on,"
                      " recommendation, note, tries FROM inquiries"
                      " WHERE (?1 IS NULL OR customer_id = ?1) AND state = 'open'"
                      " AND next_try_at <= ?2 ORDER BY next_try_at LIMIT ?3",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_customer(stmt, 1);
  db_bind_int(stmt, 2, d->now);
  db_bind_int(stmt, 3, AT_ONCE);
  rc = db_take_rows(stmt, &d->inquiries, err);
  return rc == 0 ? hold_due(db, d->now, &d->holds, err) : rc;
}

/* --- one inquiry ---------------------------------------------------------------------------- */

struct keeping {
  const char *id;
  json_t *answer, *from, *row;
  const char *by, *why;
  int64_t now, next_try_at;
  enum inquiry_kept kept;
};

static int keep_answer(struct db *db, void *arg, struct tm_error *err)
{
  struct keeping *k = arg;
  int rc = inquiry_answer(db, k->answer, k->from, k->by, k->now, &k->kept, err);
  return rc == 0 ? inquiry_read(db, k->id, &k->row, err) : rc;
}

static int put_off(struct db *db, void *arg, struct tm_error *err)
{
  const struct keeping *k = arg;
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "UPDATE inquiries SET tries = tries + 1, next_try_at = ?2, error = ?3"
                      " WHERE inquiry = ?1 AND state = 'open'",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, k->id);
  db_bind_int(stmt, 2, k->next_try_at);
  db_bind_text(stmt, 3, k->why);
  return db_exec(stmt, err);
}

static int64_t backoff(const json_t *row)
{
  json_int_t tries = json_integer_value(json_object_get(row, "tries"));
  return tries > 7 ? LATER_MAX_S : (int64_t)2 << tries;
}

/* Trouble is said once until it is over. */
static void note_trouble(struct clerk *c, int rc, const struct tm_error *err)
{
  bool trouble = rc != 0 && rc != -EBADMSG && rc != -ENODATA;
  if (trouble && !c->in_trouble)
    tm_log_warning("the factory (%s) does not answer, inquiries wait: %s", c->factory->ops->name,
                   err->text);
  else if (!trouble && c->in_trouble)
    tm_log_warning("the factory (%s) answers again", c->factory->ops->name);
  c->in_trouble = trouble;
}

static int ask(struct clerk *c, const json_t *row, struct tm_error *err)
{
  struct tm_error why = {0};
  struct store *store = c->desk->store;
  struct keeping k = {.id = tm_json_get_string(row, "inquiry"), .by = c->factory->ops->name};
  json_t *inquiry = inquiry_document(row);
  k.now = c->desk->now();
  int told = factory_answer(c->factory, inquiry, k.now, &k.answer, &k.from, &why);
  int rc;
  json_decref(inquiry);
  note_trouble(c, told, &why);
  k.now = c->desk->now();
  if (told == 0) {
    rc = store_write(store, &db_everyone, keep_answer, &k, err);
    if (rc == 0 && k.kept == INQUIRY_ANSWERED)
      inquiry_publish(c->desk->topics, k.row, tm_date_days(k.now));
  } else {
    k.why = why.text;
    k.next_try_at = k.now + (told == -EBADMSG ? HOUR : backoff(row));
    rc = store_write(store, &db_everyone, put_off, &k, err);
  }
  json_decref(k.answer);
  json_decref(k.from);
  json_decref(k.row);
  return rc < 0 ? rc : c->in_trouble ? 1 : 0;
}

/* --- what is kept by an ERP ----------------------------------------------------------------- */

struct telling {
  const char *inquiry, *refused, *why;
  char shipments[200];
  int64_t now, next_try_at;
};

static int write_told(struct db *db, void *arg, struct tm_error *err)
{
  const struct telling *t = arg;
  return t->why != NULL ? hold_later(db, t->inquiry, t->next_try_at, t->why, err)
                        : hold_told(db, t->inquiry, t->shipments, t->refused, t->now, err);
}

static int tell(struct clerk *c, const json_t *row, struct tm_error *err)
{
  struct tm_error why = {0};
  struct factory *f = c->factory;
  struct telling t = {.inquiry = tm_json_get_string(row, "inquiry"), .now = c->desk->now()};
  int told = 0;
  if (f->ops->own) /* the back end was another one: there is nobody to be told */
    snprintf(t.shipments, sizeof(t.shipments), "-");
  else if (tm_json_get_string(row, "becomes") != NULL)
    told = f->ops->release(f, t.inquiry, &why);
  else
    told = f->ops->hold(f, t.inquiry, json_object_get(row, "lines"), tm_date_days(t.now),
                        t.shipments, sizeof(t.shipments), &why);
  note_trouble(c, told, &why);
  if (told == -EBADMSG || told == -ENODATA)
    t.refused = why.text;
  else if (told < 0)
    t.why = why.text;
  t.now = c->desk->now();
  t.next_try_at = t.now + backoff(row);
  int rc = store_write(c->desk->store, &db_everyone, write_told, &t, err);
  return rc < 0 ? rc : c->in_trouble ? 1 : 0;
}

/* --- the thread ----------------------------------------------------------------------------- */

/* One desk at a time talks to an ERP: two would reserve the same pieces twice. */
static int work_on(struct clerk *c, const struct due *d, struct tm_error *err)
{
  struct store *store = c->desk->store;
  bool shared = !c->factory->ops->own;
  size_t i;
  const json_t *row;
  int rc = shared ? lease_take(store, &c->lease, d->now, d->now, err) : 1;
  if (rc <= 0)
    return rc;
  rc = 0;
  json_array_foreach(d->holds, i, row)
  {
    if (rc == 0)
      rc = tell(c, row, err);
    if (rc == 0 && shared)
      rc = lease_renew(store, &c->lease, c->desk->now(), err);
  }
  json_array_foreach(d->inquiries, i, row)
  {
    if (rc == 0)
      rc = ask(c, row, err);
    if (rc == 0 && shared)
      rc = lease_renew(store, &c->lease, c->desk->now(), err);
  }
  c->factory->ops->forget(c->factory);
  if (rc >= 0 && shared)
    rc = lease_finish(store, &c->lease, d->now, c->desk->now(), err);
  return rc;
}

struct sweeping {
  bool own;
  int64_t now;
  int ended;
};

static int sweep(struct db *db, void *arg, struct tm_error *err)
{
  struct sweeping *s = arg;
  return hold_sweep(db, s->own, s->now, &s->ended, err);
}

/* Whether anything is over, without a write for nothing. */
static int read_over(struct db *db, void *arg, struct tm_error *err)
{
  struct sweeping *s = arg;
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "SELECT 1 FROM holds h LEFT JOIN items i ON i.id = h.item_id"
                      " WHERE h.state IN ('held', 'wanted') AND h.becomes IS NULL"
                      " AND (h.keep_until < ?1 OR i.open = 0) LIMIT 1",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, tm_date_days(s->now));
  s->ended = rc = db_step(stmt, err);
  db_done(stmt);
  return rc < 0 ? rc : 0;
}

static int sweep_now(struct clerk *c, struct tm_error *err)
{
  struct sweeping s = {.own = c->factory->ops->own, .now = c->desk->now()};
  if (tm_monotonic() - c->swept < SWEEP_S)
    return 0;
  c->swept = tm_monotonic();
  int rc = store_read(c->desk->store, &db_everyone, read_over, &s, err);
  return rc == 0 && s.ended > 0 ? store_write(c->desk->store, &db_everyone, sweep, &s, err) : rc;
}

static int tick(void *user)
{
  struct clerk *c = user;
  struct tm_error err = {0};
  struct due d = {.now = c->desk->now()};
  int rc = sweep_now(c, &err);
  if (rc == 0)
    rc = store_read(c->desk->store, &db_everyone, read_due, &d, &err);
  bool full = json_array_size(d.inquiries) == AT_ONCE;
  if (rc == 0 && json_array_size(d.inquiries) + json_array_size(d.holds) > 0)
    rc = work_on(c, &d, &err);
  json_decref(d.inquiries);
  json_decref(d.holds);
  if (rc == 0 && !full) {
    rc = issuer_work(&c->issuer, c->desk->now(), &err);
    rc = rc > 0 ? 0 : rc;
  }
  if (rc < 0)
    tm_log_error("factory: %s", err.text);
  return rc < 0 ? AFTER_FAILURE_S : rc == 0 && full ? 0 : 1;
}

int clerk_start(struct clerk **clerk, const struct desk *desk, struct tm_error *err)
{
  struct clerk *c = calloc(1, sizeof(*c));
  if (c == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  c->desk = desk;
  c->swept = -SWEEP_S;
  lease_init(&c->lease, "factory");
  issuer_init(&c->issuer, desk->store);
  int rc = factory_new(&c->factory, desk->store, desk->conf, err);
  if (rc == 0)
    rc = ticker_start(&c->ticker, tick, c, err);
  if (rc < 0)
    clerk_end(c);
  else
    *clerk = c;
  return rc;
}

void clerk_hurry(struct clerk *c)
{
  if (c != NULL)
    ticker_hurry(c->ticker);
}

void clerk_end(struct clerk *c)
{
  if (c == NULL)
    return;
  ticker_end(c->ticker);
  factory_free(c->factory);
  free(c);
}
