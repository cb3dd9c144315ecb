/* SPDX-License-Identifier: MIT */
#include "contrib/desk/people/session.h"

#include "contrib/desk/desk.h"
#include "contrib/desk/people/audit.h"
#include "contrib/desk/people/secret.h"

#include <string.h>

/* A name that begins so is bound to https, to this host and to its root by browsers. On this
 * machine's own http that is not to be had. */
static const char *cookie_name(const struct request *r)
{
  return r->secure ? "__Host-tidemark" : "tidemark";
}

const char *session_id(const struct request *r)
{
  return request_cookie(r, cookie_name(r));
}

static int set_cookie(const struct request *r, struct response *to, const char *id)
{
  char value[256];
  snprintf(value, sizeof(value), "%s=%s; Path=/; HttpOnly; SameSite=Lax%s%s", cookie_name(r), id,
           r->secure ? "; Secure" : "", id[0] == '\0' ? "; Max-Age=0" : "");
  return respond_header(to, "Set-Cookie", value);
}

struct start {
  const struct request *r;
  int64_t user_id;
  char hash[TM_SHA256_HEX];
};

static int drop_one(struct db *db, const char *id, struct tm_error *err)
{
  char hash[TM_SHA256_HEX];
  struct db_stmt *stmt = NULL;
  if (id == NULL)
    return 0;
  int rc = db_prepare(db, "DELETE FROM sessions WHERE id_sha256 = ?1", &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, secret_hash(hash, id));
  return db_exec(stmt, err);
}

static int add_session(struct db *db, const struct start *start, struct tm_error *err)
{
  const struct request *r = start->r;
  const struct desk_conf_limits *limits = &r->desk->conf->limits;
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "INSERT INTO sessions (id_sha256, user_id, created_at, used_at, expires_at,"
                      " address, agent) VALUES (?1, ?2, ?3, ?3, ?4, ?5, ?6)",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, start->hash);
  db_bind_int(stmt, 2, start->user_id);
  db_bind_int(stmt, 3, r->now);
  db_bind_int(stmt, 4, r->now + limits->total_s);
  db_bind_text(stmt, 5, r->address);
  db_bind_text(stmt, 6, request_header(r, "user-agent"));
  return db_exec(stmt, err);
}

static int sweep(struct db *db, int64_t now, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db, "DELETE FROM sessions WHERE expires_at <= ?1", &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, now);
  return db_exec(stmt, err);
}

static int do_start(struct db *db, void *arg, struct tm_error *err)
{
  const struct start *start = arg;
  struct db_stmt *stmt = NULL;
  int rc = drop_one(db, session_id(start->r), err);
  if (rc == 0)
    rc = sweep(db, start->r->now, err);
  if (rc == 0)
    rc = add_session(db, start, err);
  if (rc == 0)
    rc = db_prepare(db, "UPDATE users SET last_login_at = ?2 WHERE id = ?1", &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, start->user_id);
  db_bind_int(stmt, 2, start->r->now);
  rc = db_exec(stmt, err);
  return rc == 0 ? audit_user(db, start->r, start->user_id, "login", err) : rc;
}

int session_start(const struct request *r, struct response *to, int64_t user_id,
                  struct tm_error *err)
{
  char id[SECRET_SIZE];
  struct start start = {.r = r, .user_id = user_id};
  secret_make(id, "");
  secret_hash(start.hash, id);
  int rc = store_write(r->desk->store, &db_everyone, do_start, &start, err);
  return rc == 0 ? set_cookie(r, to, id) : rc;
}

static int do_end(struct db *db, void *arg, struct tm_error *err)
{
  const struct request *r = arg;
  int rc = drop_one(db, session_id(r), err);
  return rc == 0 ? audit_user(db, r, r->visitor->user_id, "logout", err) : rc;
}

int session_end(const struct request *r, struct response *to, struct tm_error *err)
{
  int rc = store_write(r->desk->store, &db_everyone, do_end, (struct request *)r, err);
  if (rc < 0)
    return rc;
  topics_end_user(r->desk->topics, r->visitor->user_id);
  return set_cookie(r, to, "");
}

int sessions_drop(struct db *db, int64_t user_id, const char *keep_sha256, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc =
      db_prepare(db, "DELETE FROM sessions WHERE user_id = ?1 AND id_sha256 <> ?2", &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, user_id);
  db_bind_text(stmt, 2, keep_sha256 != NULL ? keep_sha256 : "");
  return db_exec(stmt, err);
}
