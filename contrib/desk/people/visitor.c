/* SPDX-License-Identifier: MIT */
#include "contrib/desk/people/visitor.h"

#include "contrib/desk/desk.h"
#include "contrib/desk/people/secret.h"
#include "contrib/desk/people/session.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

enum { TOUCH_S = 60 }; /* how exactly it is known when a session was last used */

static const struct db_scope everyone = {NULL};

struct search {
  struct exchange *x;
  char hash[TM_SHA256_HEX];
  int64_t used_at;
  bool found;
};

/* Columns: id, name, role, customer_id, staff, used_at. */
static void take_user(struct search *s, struct db_stmt *stmt)
{
  struct visitor *v = &s->x->visitor;
  const struct request *r = &s->x->request;
  v->user_id = db_int(stmt, 0);
  v->name = request_keep(r, db_text(stmt, 1));
  v->role = role_of(db_text(stmt, 2));
  v->customer = request_keep(r, db_text(stmt, 3));
  v->staff = request_keep(r, db_text(stmt, 4));
  s->used_at = db_int(stmt, 5);
  s->found = true;
}

static int find_session(struct db *db, void *arg, struct tm_error *err)
{
  struct search *s = arg;
  const struct request *r = &s->x->request;
  struct db_stmt *stmt;
  int rc = db_prepare(db,
                      "SELECT u.id, u.name, u.role, u.customer_id, u.staff, s.used_at"
                      " FROM sessions s JOIN users u ON u.id = s.user_id"
                      " WHERE s.id_sha256 = ?1 AND s.expires_at > ?2 AND s.used_at > ?3"
                      " AND u.disabled_at IS NULL",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, s->hash);
  db_bind_int(stmt, 2, r->now);
  db_bind_int(stmt, 3, r->now - r->desk->conf->limits.idle_s);
  rc = db_step(stmt, err);
  if (rc == 1)
    take_user(s, stmt);
  db_done(stmt);
  return rc < 0 ? rc : 0;
}

static int find_token(struct db *db, void *arg, struct tm_error *err)
{
  struct search *s = arg;
  struct db_stmt *stmt;
  int rc = db_prepare(db,
                      "SELECT u.id, u.name, u.role, u.customer_id, u.staff, COALESCE(t.used_at, 0)"
                      " FROM api_tokens t JOIN users u ON u.id = t.user_id"
                      " WHERE t.token_sha256 = ?1 AND t.revoked_at IS NULL"
                      " AND (t.expires_at IS NULL OR t.expires_at > ?2)"
                      " AND u.disabled_at IS NULL",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, s->hash);
  db_bind_int(stmt, 2, s->x->request.now);
  rc = db_step(stmt, err);
  if (rc == 1)
    take_user(s, stmt);
  db_done(stmt);
  return rc < 0 ? rc : 0;
}

static int touch(struct db *db, const struct search *s, const char *sql, struct tm_error *err)
{
  struct db_stmt *stmt;
  int rc = db_prepare(db, sql, &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, s->hash);
  db_bind_int(stmt, 2, s->x->request.now);
  return db_exec(stmt, err);
}

static int touch_session(struct db *db, void *arg, struct tm_error *err)
{
  return touch(db, arg, "UPDATE sessions SET used_at = ?2 WHERE id_sha256 = ?1", err);
}

static int touch_token(struct db *db, void *arg, struct tm_error *err)
{
  return touch(db, arg, "UPDATE api_tokens SET used_at = ?2 WHERE token_sha256 = ?1", err);
}

/* Looks the secret up by one piece of work, and by the other notes that it was used. */
static int look_up(struct search *s, const char *secret, store_work *find, store_work *note,
                   struct tm_error *err)
{
  struct store *store = s->x->request.desk->store;
  secret_hash(s->hash, secret);
  int rc = store_read(store, &everyone, find, s, err);
  if (rc == 0 && s->found && s->x->request.now - s->used_at >= TOUCH_S)
    rc = store_write(store, &everyone, note, s, err);
  return rc;
}

static int by_bearer(struct search *s, const char *token, struct tm_error *err)
{
  s->x->visitor.by_token = true;
  if (strncmp(token, TOKEN_PREFIX, sizeof(TOKEN_PREFIX) - 1) != 0)
    return -EACCES;
  int rc = look_up(s, token, find_token, touch_token, err);
  return rc == 0 && !s->found ? -EACCES : rc;
}

static int by_cookie(struct search *s, const char *id, struct tm_error *err)
{
  char *csrf = exchange_alloc(s->x, TM_SHA256_HEX);
  if (csrf == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  int rc = look_up(s, id, find_session, touch_session, err);
  if (rc == 0 && s->found)
    s->x->request.csrf = secret_csrf(csrf, id);
  return rc;
}

int visitor_find(struct exchange *x, struct tm_error *err)
{
  struct search search = {.x = x};
  struct request *r = &x->request;
  const char *bearer = request_header(r, "authorization");
  const char *cookie = session_id(r);
  int rc = 0;
  if (bearer != NULL && strncasecmp(bearer, "bearer ", 7) == 0)
    rc = by_bearer(&search, bearer + 7, err);
  else if (cookie != NULL && strlen(cookie) < SECRET_SIZE)
    rc = by_cookie(&search, cookie, err);
  r->scope.customer = x->visitor.customer;
  if (rc == 0 && x->visitor.role == ROLE_CUSTOMER && x->visitor.customer == NULL)
    rc = tm_fail(err, -EIO, "user %lld is of no customer", (long long)x->visitor.user_id);
  return rc;
}
