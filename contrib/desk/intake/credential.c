/* SPDX-License-Identifier: MIT */
#include "contrib/desk/intake/credential.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* How often it is written down that a credential is in use. */
enum { NOTE_EVERY_S = 60 };

#define FIND(condition)                                                                            \
  "SELECT c.id, c.customer_id, c.site, c.secret FROM credentials c"                                \
  " JOIN customers u ON u.customer_id = c.customer_id"                                             \
  " WHERE " condition " AND c.revoked_at IS NULL AND u.deleted_at IS NULL"                         \
  " AND (c.valid_until IS NULL OR c.valid_until > ?2)"

struct search {
  const char *sql, *text;
  int64_t id, now;
  struct credential *out;
};

static int find(struct db *db, void *arg, struct tm_error *err)
{
  const struct search *s = arg;
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db, s->sql, &stmt, err);
  if (rc < 0)
    return rc;
  if (s->text != NULL)
    db_bind_text(stmt, 1, s->text);
  else
    db_bind_int(stmt, 1, s->id);
  db_bind_int(stmt, 2, s->now);
  rc = db_step(stmt, err);
  if (rc == 1) {
    s->out->id = db_int(stmt, 0);
    snprintf(s->out->customer, sizeof(s->out->customer), "%s", db_text(stmt, 1));
    snprintf(s->out->site, sizeof(s->out->site), "%s", db_text(stmt, 2));
    snprintf(s->out->secret, sizeof(s->out->secret), "%s", db_text(stmt, 3));
  }
  db_done(stmt);
  return rc == 1 ? 0 : rc == 0 ? tm_fail(err, -ENOENT, "no such credential") : rc;
}

/* --- by what a site brings ---------------------------------------------------------------- */
/* Before it is known whose it is, all customers' are looked through. */

int credential_by_token(struct store *store, const char *token, int64_t now, struct credential *out,
                        struct tm_error *err)
{
  char hash[TM_SHA256_HEX];
  tm_sha256_hex(hash, token, strlen(token));
  struct search s = {.sql = FIND("c.token_sha256 = ?1"), .text = hash, .now = now, .out = out};
  return store_read(store, &db_everyone, find, &s, err);
}

int credential_by_certificate(struct store *store, const char *sha256, int64_t now,
                              struct credential *out, struct tm_error *err)
{
  struct search s = {
      .sql = FIND("c.certificate_sha256 = ?1"), .text = sha256, .now = now, .out = out};
  return store_read(store, &db_everyone, find, &s, err);
}

int credential_by_id(struct store *store, int64_t id, int64_t now, struct credential *out,
                     struct tm_error *err)
{
  struct search s = {.sql = FIND("c.id = ?1"), .id = id, .now = now, .out = out};
  return store_read(store, &db_everyone, find, &s, err);
}

static int end_older(struct db *db, const struct credential *c, int64_t now, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "UPDATE credentials SET valid_until = ?4 WHERE customer_id = ?1 AND site = ?2"
                      " AND id < ?3 AND target = (SELECT target FROM credentials WHERE id = ?3)"
                      " AND revoked_at IS NULL AND (valid_until IS NULL OR valid_until > ?4)",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, c->customer);
  db_bind_text(stmt, 2, c->site);
  db_bind_int(stmt, 3, c->id);
  db_bind_int(stmt, 4, now + CREDENTIAL_GRACE_S);
  return db_exec(stmt, err);
}

int credential_used(struct db *db, const struct credential *c, int64_t now, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db, "SELECT first_used_at, last_used_at FROM credentials WHERE id = ?1",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, c->id);
  rc = db_step(stmt, err);
  bool first = rc == 1 && db_is_null(stmt, 0);
  bool noted = rc == 1 && !first && db_int(stmt, 1) > now - NOTE_EVERY_S;
  db_done(stmt);
  if (rc < 0 || noted)
    return rc < 0 ? rc : 0;
  rc = db_prepare(db,
                  "UPDATE credentials SET first_used_at = coalesce(first_used_at, ?2),"
                  " last_used_at = ?2 WHERE id = ?1",
                  &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, c->id);
  db_bind_int(stmt, 2, now);
  rc = db_exec(stmt, err);
  return rc == 0 && first ? end_older(db, c, now, err) : rc;
}
