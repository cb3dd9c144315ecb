/* SPDX-License-Identifier: MIT */
#include "contrib/desk/people/people.h"

#include "contrib/desk/desk.h"
#include "contrib/desk/http/nav.h"
#include "contrib/desk/people/audit.h"
#include "contrib/desk/people/buckets.h"
#include "contrib/desk/people/password.h"
#include "contrib/desk/people/secret.h"
#include "contrib/desk/people/session.h"
#include "contrib/desk/rooms.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

enum { ADDRESS_TIMES = 5 }; /* an office has one address: so many times an account's tries */

/* --- the page ------------------------------------------------------------------------------- */

/* Where a sign-in goes on to: a page of this desk, else the start. */
static const char *next_of(const char *next)
{
  bool own = next != NULL && next[0] == '/' && next[1] != '/' && next[1] != '\\' &&
             strlen(next) < 400 && strncmp(next, "/login", 6) != 0;
  return own ? next : "/";
}

static int show_login(const struct request *r, struct response *to, int status, const char *error,
                      struct tm_error *err)
{
  const char *next = request_query(r, "next");
  if (next == NULL)
    next = request_field(r, "next");
  json_t *model = json_pack("{s:s, s:b, s:s?, s:s?, s:s, s:i, s:i}", "title", "Sign in", "reading",
                            1, "error", error, "login", request_field(r, "login"), "next",
                            next_of(next), "idle_minutes", (int)(r->desk->conf->limits.idle_s / 60),
                            "total_hours", (int)(r->desk->conf->limits.total_s / 3600));
  json_object_set_new(model, "mails", json_boolean(r->desk->conf->mail.url != NULL));
  int rc = r->wants_json && error != NULL ? respond_error(r, to, status, NULL, error)
                                          : respond_page(r, to, status, "login.html", model, err);
  json_decref(model);
  return rc;
}

static int get_login(const struct request *r, struct response *to, struct tm_error *err)
{
  if (r->visitor->role != ROLE_NONE)
    return respond_redirect(to, next_of(request_query(r, "next")), err);
  return show_login(r, to, 200, NULL, err);
}

/* --- trying --------------------------------------------------------------------------------- */

struct
try {
  const struct request *r;
  char login[256]; /* lower case */
  struct bucket buckets[2];
  int64_t wait_s;
  int64_t user_id;
  char hash[PASSWORD_HASH];
  char fresh[PASSWORD_HASH]; /* a hash made anew; "" when none is needed */
};

/* One token of each bucket, before the password is looked at. */
static int take_tokens(struct db *db, void *arg, struct tm_error *err)
{
  struct try *t = arg;
  int rc = 0;
  for (size_t i = 0; i < 2 && rc == 0; i++)
    rc = bucket_take(db, &t->buckets[i], t->r->now, &t->wait_s, err);
  return rc;
}

static int find_user(struct db *db, void *arg, struct tm_error *err)
{
  struct try *t = arg;
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "SELECT id, password FROM users WHERE login = ?1 AND disabled_at IS NULL"
                      " AND password IS NOT NULL",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, t->login);
  rc = db_step(stmt, err);
  if (rc == 1) {
    t->user_id = db_int(stmt, 0);
    snprintf(t->hash, sizeof(t->hash), "%s", db_text(stmt, 1));
  }
  db_done(stmt);
  return rc < 0 ? rc : 0;
}

static int note_success(struct db *db, void *arg, struct tm_error *err)
{
  struct try *t = arg;
  struct db_stmt *stmt = NULL;
  int rc = 0;
  for (size_t i = 0; i < 2 && rc == 0; i++)
    rc = bucket_give_back(db, &t->buckets[i], err);
  if (rc < 0 || t->fresh[0] == '\0')
    return rc;
  rc = db_prepare(db, "UPDATE users SET password = ?2 WHERE id = ?1", &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, t->user_id);
  db_bind_text(stmt, 2, t->fresh);
  return db_exec(stmt, err);
}

/* What was typed as a name is only written down where it is one: it may be a password. */
static int note_failure(struct db *db, void *arg, struct tm_error *err)
{
  struct try *t = arg;
  struct audit entry = {.at = t->r->now,
                        .by = "nobody",
                        .address = t->r->address,
                        .what = "login-failed",
                        .subject = t->user_id != 0 ? t->login : NULL};
  return audit_add(db, &entry, err);
}

static void prepare_try(struct try *t, const struct request *r, const char *login)
{
  const struct desk_conf_limits *limits = &r->desk->conf->limits;
  size_t i = 0;
  t->r = r;
  for (; login[i] != '\0' && i + 1 < sizeof(t->login); i++)
    t->login[i] = (char)tolower((unsigned char)login[i]);
  double size = (double)limits->tries;
  t->buckets[0] = (struct bucket){"account", t->login, size, limits->try_s};
  t->buckets[1] = (struct bucket){"address", r->address, size * ADDRESS_TIMES, limits->try_s};
}

static int too_many(const struct try *t, struct response *to, struct tm_error *err)
{
  char text[160], after[24];
  snprintf(after, sizeof(after), "%" PRId64, t->wait_s);
  snprintf(text, sizeof(text), "Too many wrong tries. Wait %" PRId64 " minute%s, then try again.",
           (t->wait_s + 59) / 60, t->wait_s > 60 ? "s" : "");
  respond_header(to, "Retry-After", after);
  return show_login(t->r, to, 429, text, err);
}

static int post_login(const struct request *r, struct response *to, struct tm_error *err)
{
  const char *login = request_field(r, "login");
  const char *password = request_field(r, "password");
  struct store *store = r->desk->store;
  struct try t = {0};
  bool right = false, stale = false;
  if (login == NULL || login[0] == '\0' || password == NULL || strlen(login) >= sizeof(t.login) ||
      strlen(password) > PASSWORD_MAX)
    return show_login(r, to, 422, "Write your e-mail address and your password.", err);
  prepare_try(&t, r, login);
  int rc = store_write(store, &db_everyone, take_tokens, &t, err);
  bool tried_enough = rc == -EDQUOT;
  if (rc == 0 || tried_enough)
    rc = store_read(store, &db_everyone, find_user, &t, err);
  if (rc == 0)
    rc = password_check(r->desk->people, t.hash[0] != '\0' ? t.hash : NULL, password, &right,
                        &stale, err);
  if (rc == 0 && tried_enough)
    return too_many(&t, to, err);
  if (rc == 0 && !right) {
    rc = store_write(store, &db_everyone, note_failure, &t, err);
    return rc == 0 ? show_login(r, to, 401, "E-mail or password is wrong.", err) : rc;
  }
  if (rc == 0 && stale)
    rc = password_make(r->desk->people, password, t.fresh, err);
  if (rc == 0)
    rc = store_write(store, &db_everyone, note_success, &t, err);
  if (rc == 0)
    rc = session_start(r, to, t.user_id, err);
  return rc == 0 ? respond_redirect(to, next_of(request_field(r, "next")), err) : rc;
}

static int post_logout(const struct request *r, struct response *to, struct tm_error *err)
{
  int rc = session_end(r, to, err);
  return rc == 0 ? respond_redirect(to, "/login", err) : rc;
}

/* --- links that are good for one sign-in ------------------------------------------------------ */

struct link_use {
  int64_t now;
  char hash[TM_SHA256_HEX];
  int64_t user_id;
};

/* Opening the address alone changes nothing: what reads mails ahead of people would use it up. */
static int get_link(const struct request *r, struct response *to, struct tm_error *err)
{
  json_t *model = json_pack("{s:s, s:b, s:s}", "title", "Sign in", "reading", 1, "token",
                            request_part(r, "token"));
  int rc = respond_page(r, to, 200, "login-link.html", model, err);
  json_decref(model);
  return rc;
}

static int use_link(struct db *db, void *arg, struct tm_error *err)
{
  struct link_use *use = arg;
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "UPDATE login_links SET used_at = ?2 WHERE token_sha256 = ?1"
                      " AND used_at IS NULL AND expires_at > ?2 AND EXISTS"
                      " (SELECT 1 FROM users u WHERE u.id = user_id AND u.disabled_at IS NULL)"
                      " RETURNING user_id",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, use->hash);
  db_bind_int(stmt, 2, use->now);
  rc = db_step(stmt, err);
  use->user_id = rc == 1 ? db_int(stmt, 0) : 0;
  db_done(stmt);
  return rc < 0 ? rc : 0;
}

static int post_link(const struct request *r, struct response *to, struct tm_error *err)
{
  struct link_use use = {.now = r->now};
  secret_hash(use.hash, request_part(r, "token"));
  int rc = store_write(r->desk->store, &db_everyone, use_link, &use, err);
  if (rc == 0 && use.user_id == 0)
    return show_login(r, to, 401,
                      "This link was used already, or its time is over. Ask for a new "
                      "one.",
                      err);
  if (rc == 0)
    rc = session_start(r, to, use.user_id, err);
  return rc == 0 ? respond_redirect(to, "/", err) : rc;
}

/* --- the start ------------------------------------------------------------------------------ */

static int get_start(const struct request *r, struct response *to, struct tm_error *err)
{
  const char *first = nav_first(r->visitor->role);
  return respond_redirect(to, first != NULL ? first : "/account", err);
}

const struct route people_routes[] = {
    {"GET", "/", ROLE_PEOPLE, 0, "Goes on to the first page of the visitor's role.", get_start},
    {"GET", "/login", ROLE_NONE, 0, "The sign-in page.", get_login},
    {"POST", "/login", ROLE_NONE, 4096, "Signs in with an e-mail address and a password.",
     post_login},
    {"GET", "/login/{token}", ROLE_NONE, 0, "Asks whether to use a one-time sign-in link.",
     get_link},
    {"POST", "/login/{token}", ROLE_NONE, 4096, "Signs in by a one-time link.", post_link},
    {"POST", "/logout", ROLE_PEOPLE, 4096, "Ends the session.", post_logout},
    {0},
};
