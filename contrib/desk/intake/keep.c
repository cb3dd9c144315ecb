/* SPDX-License-Identifier: MIT */
#include "contrib/desk/intake/keep.h"

#include "contrib/desk/intake/alarm.h"
#include "contrib/desk/intake/erase.h"
#include "contrib/desk/intake/requests.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* How often it is written down that a site was heard of. */
enum { NOTE_EVERY_S = 60, QUARANTINE_BYTES = 65536 };

struct keeping {
  const struct credential *from;
  struct event *events;
  size_t n;
  int64_t now;
  json_t *requests;
  bool each_alone; /* a savepoint each: what cannot be stored costs itself alone */
};

/* --- known already ------------------------------------------------------------------------ */

/* 1 new, 0 known: the event's status tells. */
static int note_event(struct db *db, const struct credential *from, struct event *e, int64_t now,
                      struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc =
      db_prepare(db,
                 "INSERT INTO events (event, customer_id, site, type, sha256, arrived_at)"
                 " VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (event, customer_id) DO NOTHING",
                 &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, e->id);
  db_bind_text(stmt, 2, from->customer);
  db_bind_text(stmt, 3, from->site);
  db_bind_text(stmt, 4, event_type_name(e->type));
  db_bind_text(stmt, 5, e->sha256);
  db_bind_int(stmt, 6, now);
  rc = db_exec(stmt, err);
  if (rc < 0 || db_changes(stmt) == 1)
    return rc < 0 ? rc : 1;
  rc =
      db_prepare(db, "SELECT sha256 FROM events WHERE event = ?1 AND customer_id = ?2", &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, e->id);
  db_bind_text(stmt, 2, from->customer);
  rc = db_step(stmt, err);
  if (rc == 1 && strcmp(db_text(stmt, 0), e->sha256) == 0)
    e->status = EVENT_DUPLICATE;
  else if (rc == 1)
    event_refuse(e, "id", "other bytes came under this id before");
  db_done(stmt);
  return rc < 0 ? rc : 0;
}

/* --- refused ------------------------------------------------------------------------------ */

static int keep_refused(struct db *db, const struct credential *from, const struct event *e,
                        int64_t now, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "INSERT INTO quarantine (customer_id, site, event, arrived_at, field, reason,"
                      " sha256, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
                      " ON CONFLICT (customer_id, event, sha256) DO UPDATE SET"
                      " times = quarantine.times + 1, arrived_at = excluded.arrived_at,"
                      " field = excluded.field, reason = excluded.reason",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, from->customer);
  db_bind_text(stmt, 2, from->site);
  db_bind_text(stmt, 3, e->id);
  db_bind_int(stmt, 4, now);
  db_bind_text(stmt, 5, e->field);
  db_bind_text(stmt, 6, e->error);
  db_bind_text(stmt, 7, e->sha256);
  /* Enough of it to see what was wrong; the site has the rest. */
  db_bind_blob(stmt, 8, e->bytes, e->len < QUARANTINE_BYTES ? e->len : QUARANTINE_BYTES);
  rc = db_exec(stmt, err);
  if (rc < 0 || !e->foreign)
    return rc;
  char subject[2 * CREDENTIAL_ID + 16], text[2 * CREDENTIAL_ID + 300];
  snprintf(subject, sizeof(subject), "%s/%s", from->customer, from->site);
  snprintf(text, sizeof(text), "%s sent a document that names %s", subject, e->error);
  return alarm_raise(db, "foreign", subject, from->customer, from->site, text, now, err);
}

/* --- accepted ----------------------------------------------------------------------------- */

static int keep_one(struct db *db, const struct keeping *k, struct event *e, struct tm_error *err)
{
  int rc = note_event(db, k->from, e, k->now, err);
  if (rc <= 0)
    return rc;
  switch (e->type) {
  case EVENT_SUMMARY:
  case EVENT_HISTORY:
    return keep_document(db, k->from, e, k->now, err);
  case EVENT_ITEM_VALUES:
    return requests_keep_values(db, k->from, e, k->now, err);
  case EVENT_DELETE_REQUEST:
    return erase_ask(db, k->from, e, k->now, err);
  }
  return 0;
}

static int keep_alone(struct db *db, const struct keeping *k, struct event *e, struct tm_error *err)
{
  struct tm_error own = {0};
  int rc = db_savepoint(db, err);
  if (rc < 0)
    return rc;
  rc = keep_one(db, k, e, &own);
  if (rc >= 0)
    return db_savepoint_keep(db, err);
  db_savepoint_undo(db);
  if (rc == -EAGAIN || rc == -ENOSPC || rc == -ENOMEM)
    return tm_fail(err, rc, "%s", own.text);
  event_refuse(e, "", "cannot be stored: %.150s", own.text);
  return 0;
}

/* That somebody at this site asked: sites and credentials in use are told from silent ones. */
static int note_seen(struct db *db, const struct credential *from, bool summary, int64_t now,
                     struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = credential_used(db, from, now, err);
  if (rc == 0)
    rc = db_prepare(db,
                    "UPDATE sites SET first_seen_at = coalesce(first_seen_at, ?3),"
                    " last_seen_at = ?3, last_summary_at = CASE WHEN ?5 = 1 THEN ?3"
                    " ELSE last_summary_at END WHERE customer_id = ?1 AND site = ?2"
                    " AND (last_seen_at IS NULL OR last_seen_at < ?4"
                    " OR (?5 = 1 AND (last_summary_at IS NULL OR last_summary_at < ?4)))",
                    &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, from->customer);
  db_bind_text(stmt, 2, from->site);
  db_bind_int(stmt, 3, now);
  db_bind_int(stmt, 4, now - NOTE_EVERY_S);
  db_bind_int(stmt, 5, summary);
  return db_exec(stmt, err);
}

static int keep_all(struct db *db, void *arg, struct tm_error *err)
{
  struct keeping *k = arg;
  bool summary = false;
  int rc = 0;
  for (size_t i = 0; rc >= 0 && i < k->n; i++) {
    struct event *e = &k->events[i];
    if (e->status == EVENT_REFUSED)
      continue;
    e->status = EVENT_ACCEPTED; /* this may be the second run */
    rc = k->each_alone ? keep_alone(db, k, e, err) : keep_one(db, k, e, err);
    summary = summary || (e->type == EVENT_SUMMARY && e->status != EVENT_REFUSED);
  }
  for (size_t i = 0; rc >= 0 && i < k->n; i++) {
    if (k->events[i].status == EVENT_REFUSED)
      rc = keep_refused(db, k->from, &k->events[i], k->now, err);
  }
  if (rc >= 0)
    rc = note_seen(db, k->from, summary, k->now, err);
  if (rc < 0)
    return rc;
  json_decref(k->requests);
  k->requests = requests_open(db, k->from, k->now, err);
  return k->requests != NULL ? 0 : -EIO;
}

int keep_events(struct store *store, const struct credential *from, struct event *events, size_t n,
                int64_t now, json_t **requests, struct tm_error *err)
{
  const struct db_scope scope = {from->customer};
  struct keeping k = {.from = from, .events = events, .n = n, .now = now};
  int rc = store_write(store, &scope, keep_all, &k, err);
  if (rc < 0 && rc != -EAGAIN && rc != -ENOSPC && rc != -ENOMEM) {
    k.each_alone = true;
    rc = store_write(store, &scope, keep_all, &k, err);
  }
  if (rc == 0)
    *requests = k.requests;
  else
    json_decref(k.requests);
  return rc;
}
