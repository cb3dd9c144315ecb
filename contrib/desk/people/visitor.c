/* SPDX-License-Identifier: MIT */
#include "contrib/desk/people/visitor.h"

#include "contrib/desk/desk.h"
#include "contrib/desk/intake/credential.h"
#include "contrib/desk/people/secret.h"
#include "contrib/desk/people/session.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <strings.h>

enum { TOUCH_S = 60 }; /* how exactly it is known when a session was last used */

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
  struct db_stmt *stmt = NULL;
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
  struct db_stmt *stmt = NULL;
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
  struct db_stmt *stmt = NULL;
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
  int rc = store_read(store, &db_everyone, find, s, err);
  if (rc == 0 && s->found && s->x->request.now - s->used_at >= TOUCH_S)
    rc = store_write(store, &db_everyone, note, s, err);
  return rc;
}

/* rc: of looking the credential up. */
static int take_site(struct search *s, const struct credential *c, int rc)
{
  struct visitor *v = &s->x->visitor;
  const struct request *r = &s->x->request;
  if (rc < 0)
    return rc == -ENOENT ? -EACCES : rc;
  v->role = ROLE_SITE;
  v->credential = c->id;
  v->customer = request_keep(r, c->customer);
  v->site = v->name = request_keep(r, c->site);
  return v->customer != NULL && v->site != NULL ? 0 : -ENOMEM;
}

static int by_bearer(struct search *s, const char *token, struct tm_error *err)
{
  const struct request *r = &s->x->request;
  struct credential c;
  s->x->visitor.by_token = true;
  if (strncmp(token, TOKEN_PREFIX, sizeof(TOKEN_PREFIX) - 1) != 0)
    return take_site(s, &c, credential_by_token(r->desk->store, token, r->now, &c, err));
  int rc = look_up(s, token, find_token, touch_token, err);
  return rc == 0 && !s->found ? -EACCES : rc;
}

/* Letters of base64 between the two lines, without the blanks that a proxy may have made of its
 * line ends. */
bool visitor_certificate(const char *escaped, char out[TM_SHA256_HEX])
{
  static const char begin[] = "-----BEGIN CERTIFICATE-----", end[] = "-----END CERTIFICATE-----";
  char pem[8192];
  unsigned char der[6144];
  size_t len = 0;
  if (strlen(escaped) >= sizeof(pem) || !guard_decode(escaped, strlen(escaped), false, true, pem))
    return false;
  const char *from = strstr(pem, begin);
  const char *to = from != NULL ? strstr(from, end) : NULL;
  if (to == NULL)
    return false;
  from += sizeof(begin) - 1;
  if (sodium_base642bin(der, sizeof(der), from, (size_t)(to - from), " \r\n\t", &len, NULL,
                        sodium_base64_VARIANT_ORIGINAL) != 0 ||
      len == 0)
    return false;
  tm_sha256_hex(out, der, len);
  return true;
}

static int by_certificate(struct search *s, const char *escaped, struct tm_error *err)
{
  const struct request *r = &s->x->request;
  struct credential c;
  char hash[TM_SHA256_HEX];
  s->x->visitor.by_token = true;
  if (!visitor_certificate(escaped, hash))
    return -EACCES;
  return take_site(s, &c, credential_by_certificate(r->desk->store, hash, r->now, &c, err));
}

/* What a proxy says that is ours; nobody else's word counts. */
static const char *certificate_of(const struct request *r)
{
  const char *verified = r->by_proxy ? request_header(r, "x-ssl-client-verify") : NULL;
  if (verified == NULL || strcmp(verified, "SUCCESS") != 0)
    return NULL;
  return request_header(r, "x-ssl-client-cert");
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
  const char *certificate = certificate_of(r);
  int rc = 0;
  if (bearer != NULL && strncasecmp(bearer, "bearer ", 7) == 0)
    rc = by_bearer(&search, bearer + 7, err);
  else if (certificate != NULL)
    rc = by_certificate(&search, certificate, err);
  else if (cookie != NULL && strlen(cookie) < SECRET_SIZE)
    rc = by_cookie(&search, cookie, err);
  r->scope.customer = x->visitor.customer;
  if (rc == 0 && x->visitor.role == ROLE_CUSTOMER && x->visitor.customer == NULL)
    rc = tm_fail(err, -EIO, "user %lld is of no customer", (long long)x->visitor.user_id);
  return rc;
}
