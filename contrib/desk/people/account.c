/* SPDX-License-Identifier: MIT */
#include "common/json.h"
#include "common/text.h"
#include "contrib/desk/desk.h"
#include "contrib/desk/http/fields.h"
#include "contrib/desk/people/audit.h"
#include "contrib/desk/people/password.h"
#include "contrib/desk/people/secret.h"
#include "contrib/desk/people/session.h"
#include "contrib/desk/rooms.h"

#include <errno.h>
#include <string.h>

enum { TOKEN_DAYS = 365, TOKENS = 20 };

/* --- the page: one's own account ------------------------------------------------------------ */

struct own {
  const struct request *r;
  json_t *account, *sessions, *tokens;
  char hash[PASSWORD_HASH];
};

static int read_account(struct db *db, struct own *own, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "SELECT login, name, role, password_at, last_login_at, password"
                      " FROM users WHERE id = ?1",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, own->r->visitor->user_id);
  rc = db_take_row(stmt, &own->account, "the account is gone", err);
  if (rc < 0)
    return rc;
  const char *hash = tm_json_get_string(own->account, "password");
  tm_text_copy(own->hash, sizeof(own->hash), hash);
  json_object_set_new(own->account, "has_password", json_boolean(hash != NULL));
  json_object_del(own->account, "password");
  return 0;
}

static int read_rows(struct db *db, const struct own *own, const char *sql, json_t **rows,
                     struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db, sql, &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, own->r->visitor->user_id);
  db_bind_int(stmt, 2, own->r->now);
  return db_take_rows(stmt, rows, err);
}

static int read_own(struct db *db, void *arg, struct tm_error *err)
{
  struct own *own = arg;
  int rc = read_account(db, own, err);
  if (rc == 0)
    rc = read_rows(db, own,
                   "SELECT id, id_sha256, created_at, used_at, address, agent FROM sessions"
                   " WHERE user_id = ?1 AND expires_at > ?2 ORDER BY used_at DESC, id DESC",
                   &own->sessions, err);
  if (rc == 0)
    rc = read_rows(db, own,
                   "SELECT id, name, prefix, created_at, used_at, expires_at FROM api_tokens"
                   " WHERE user_id = ?1 AND revoked_at IS NULL"
                   " AND (expires_at IS NULL OR expires_at > ?2) ORDER BY id DESC",
                   &own->tokens, err);
  return rc;
}

static void release_own(struct own *own)
{
  json_decref(own->account);
  json_decref(own->sessions);
  json_decref(own->tokens);
}

/* Which of the sessions is this one; the others' hashes are nobody's business. */
static void mark_current(const struct request *r, json_t *sessions)
{
  char hash[TM_SHA256_HEX] = "";
  const char *id = session_id(r);
  size_t i;
  json_t *row;
  if (id != NULL)
    secret_hash(hash, id);
  json_array_foreach(sessions, i, row)
  {
    const char *its = json_string_value(json_object_get(row, "id_sha256"));
    json_object_set_new(row, "current", json_boolean(its != NULL && strcmp(its, hash) == 0));
    json_object_del(row, "id_sha256");
  }
}

/* What has just been done, after a redirect. */
static void say(const struct request *r, json_t *model)
{
  static const char *const words[][2] = {
      {"password", "Your password is changed. All your other sessions have ended."},
      {"session", "That session has ended."},
      {"revoked", "That token is void."},
  };
  const char *said = request_query(r, "said");
  for (size_t i = 0; said != NULL && i < sizeof(words) / sizeof(words[0]); i++) {
    if (strcmp(words[i][0], said) == 0)
      json_object_set_new(model, "said", json_string(words[i][1]));
  }
}

/* error: {field: text}, NULL for none; token: a new one, shown this once. */
static int show_account(const struct request *r, struct response *to, int status,
                        const json_t *error, const char *token, struct tm_error *err)
{
  struct own own = {.r = r};
  int rc = store_read(r->desk->store, &db_everyone, read_own, &own, err);
  if (rc == 0) {
    mark_current(r, own.sessions);
    json_t *model = json_pack("{s:s, s:O, s:O, s:O, s:O?, s:s?}", "title", "My account", "account",
                              own.account, "sessions", own.sessions, "tokens", own.tokens, "error",
                              error, "new_token", token);
    say(r, model);
    rc = r->wants_json ? respond_json(r, to, status, model, err)
                       : respond_page(r, to, status, "account.html", model, err);
    json_decref(model);
  }
  release_own(&own);
  return rc;
}

static int get_account(const struct request *r, struct response *to, struct tm_error *err)
{
  return show_account(r, to, 200, NULL, NULL, err);
}

/* A token that leaked must not make itself a second one, nor lock its owner out. */
static bool by_program(const struct request *r, struct response *to, int *rc)
{
  if (r->visitor->by_token)
    *rc = respond_error(r, to, 403, NULL, "Sign in with a password or a link for this.");
  return r->visitor->by_token;
}

static int refuse_field(const struct request *r, struct response *to, const char *field,
                        const char *text, struct tm_error *err)
{
  if (r->wants_json)
    return respond_error(r, to, 422, field, text);
  json_t *error = json_pack("{s:s}", field, text);
  int rc = show_account(r, to, 422, error, NULL, err);
  json_decref(error);
  return rc;
}

/* --- password ------------------------------------------------------------------------------- */

struct change {
  const struct request *r;
  char hash[PASSWORD_HASH];
  char keep[TM_SHA256_HEX];
};

static int do_password(struct db *db, void *arg, struct tm_error *err)
{
  const struct change *change = arg;
  const struct request *r = change->r;
  struct db_stmt *stmt = NULL;
  int rc =
      db_prepare(db, "UPDATE users SET password = ?2, password_at = ?3 WHERE id = ?1", &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, r->visitor->user_id);
  db_bind_text(stmt, 2, change->hash);
  db_bind_int(stmt, 3, r->now);
  rc = db_exec(stmt, err);
  if (rc == 0)
    rc = sessions_drop(db, r->visitor->user_id, change->keep, err);
  return rc == 0 ? audit_request(db, r, "password", NULL, NULL, err) : rc;
}

/* Who is signed in by a link for the first time has no old password to show. */
static int check_old(const struct request *r, const struct own *own, bool *right,
                     struct tm_error *err)
{
  const char *old = request_field(r, "old");
  bool stale;
  *right = own->hash[0] == '\0';
  if (*right)
    return 0;
  return password_check(r->desk->people, own->hash, old != NULL ? old : "", right, &stale, err);
}

static int post_password(const struct request *r, struct response *to, struct tm_error *err)
{
  struct change change = {.r = r};
  struct own own = {.r = r};
  const char *new = request_field(r, "new");
  const char *again = request_field(r, "again");
  bool right = false;
  int rc = 0;
  if (by_program(r, to, &rc))
    return rc;
  rc = store_read(r->desk->store, &db_everyone, read_own, &own, err);
  if (rc == 0)
    rc = check_old(r, &own, &right, err);
  const char *login = json_string_value(json_object_get(own.account, "login"));
  const char *fault = new == NULL || login == NULL ? "Write a new password."
                                                   : password_fault(new, login, r->visitor->name);
  release_own(&own);
  if (rc < 0)
    return rc;
  if (!right)
    return refuse_field(r, to, "old", "This is not your password of today.", err);
  if (fault != NULL)
    return refuse_field(r, to, "new", fault, err);
  if (again == NULL || strcmp(again, new) != 0)
    return refuse_field(r, to, "again", "The two are not the same.", err);
  if (session_id(r) != NULL)
    secret_hash(change.keep, session_id(r));
  rc = password_make(r->desk->people, new, change.hash, err);
  if (rc == 0)
    rc = store_write(r->desk->store, &db_everyone, do_password, &change, err);
  if (rc == 0)
    topics_end_user(r->desk->topics, r->visitor->user_id);
  return rc == 0 ? respond_redirect(to, "/account?said=password", err) : rc;
}

/* --- sessions and tokens -------------------------------------------------------------------- */

struct one {
  const struct request *r;
  int64_t id;
  bool found;
};

static int read_id(const struct request *r, struct one *one, struct tm_error *err)
{
  *one = (struct one){.r = r};
  return part_number(r, "id", &one->id, "no such thing", err);
}

static int run_one(struct db *db, struct one *one, const char *sql, const char *what,
                   struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db, sql, &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, one->id);
  db_bind_int(stmt, 2, one->r->visitor->user_id);
  db_bind_int(stmt, 3, one->r->now);
  rc = db_step(stmt, err);
  one->found = rc == 1;
  db_done(stmt);
  if (rc < 0 || !one->found)
    return rc < 0 ? rc : 0;
  return audit_request(db, one->r, what, NULL, NULL, err);
}

static int end_session(struct db *db, void *arg, struct tm_error *err)
{
  return run_one(db, arg,
                 "DELETE FROM sessions WHERE id = ?1 AND user_id = ?2 AND created_at <= ?3"
                 " RETURNING id",
                 "session-ended", err);
}

static int revoke_token(struct db *db, void *arg, struct tm_error *err)
{
  return run_one(db, arg,
                 "UPDATE api_tokens SET revoked_at = ?3 WHERE id = ?1 AND user_id = ?2"
                 " AND revoked_at IS NULL RETURNING id",
                 "token-revoked", err);
}

static int post_one(const struct request *r, struct response *to, store_work *work,
                    const char *next, struct tm_error *err)
{
  struct one one;
  int rc = read_id(r, &one, err);
  if (rc == 0)
    rc = store_write(r->desk->store, &db_everyone, work, &one, err);
  if (rc == 0 && !one.found)
    rc = tm_fail(err, -ENOENT, "no such thing");
  if (rc == 0) /* streams of other sessions of theirs come again */
    topics_end_user(r->desk->topics, r->visitor->user_id);
  return rc == 0 ? respond_redirect(to, next, err) : rc;
}

static int post_end_session(const struct request *r, struct response *to, struct tm_error *err)
{
  return post_one(r, to, end_session, "/account?said=session#sessions", err);
}

static int post_revoke_token(const struct request *r, struct response *to, struct tm_error *err)
{
  return post_one(r, to, revoke_token, "/account?said=revoked#tokens", err);
}

struct new_token {
  const struct request *r;
  const char *name;
  char token[SECRET_SIZE];
  bool too_many;
};

static int add_token(struct db *db, void *arg, struct tm_error *err)
{
  struct new_token *new = arg;
  const struct request *r = new->r;
  char hash[TM_SHA256_HEX], prefix[16];
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "INSERT INTO api_tokens (user_id, name, prefix, token_sha256, created_at,"
                      " expires_at) SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE (SELECT COUNT(*) FROM"
                      " api_tokens WHERE user_id = ?1 AND revoked_at IS NULL) < ?7",
                      &stmt, err);
  if (rc < 0)
    return rc;
  snprintf(prefix, sizeof(prefix), "%.10s", new->token);
  db_bind_int(stmt, 1, r->visitor->user_id);
  db_bind_text(stmt, 2, new->name);
  db_bind_text(stmt, 3, prefix);
  db_bind_text(stmt, 4, secret_hash(hash, new->token));
  db_bind_int(stmt, 5, r->now);
  db_bind_int(stmt, 6, r->now + (int64_t)TOKEN_DAYS * 86400);
  db_bind_int(stmt, 7, TOKENS);
  rc = db_exec(stmt, err);
  new->too_many = rc == 0 && db_changes(stmt) == 0;
  if (rc < 0 || new->too_many)
    return rc;
  return audit_request(db, r, "token-made", prefix, new->name, err);
}

static int post_token(const struct request *r, struct response *to, struct tm_error *err)
{
  struct new_token new = {.r = r, .name = request_field(r, "name")};
  int rc = 0;
  if (by_program(r, to, &rc))
    return rc;
  if (new.name == NULL || new.name[0] == '\0' || strlen(new.name) > 100)
    return refuse_field(r, to, "token_name", "Say what the token is for, in at most 100 letters.",
                        err);
  secret_make(new.token, TOKEN_PREFIX);
  rc = store_write(r->desk->store, &db_everyone, add_token, &new, err);
  if (rc < 0)
    return rc;
  if (new.too_many)
    return refuse_field(r, to, "token_name", "There are 20 tokens already. Revoke one first.", err);
  return show_account(r, to, 200, NULL, new.token, err);
}

const struct route account_routes[] = {
    {"GET", "/account", ROLE_PEOPLE, 0, "One's own account: password, sessions, API tokens.",
     get_account},
    {"POST", "/account/password", ROLE_PEOPLE, 8192, "Changes one's own password.", post_password},
    {"POST", "/account/sessions/{id}/end", ROLE_PEOPLE, 1024, "Ends another session of one's own.",
     post_end_session},
    {"POST", "/account/tokens", ROLE_PEOPLE, 2048, "Makes an API token, which is shown once.",
     post_token},
    {"POST", "/account/tokens/{id}/revoke", ROLE_PEOPLE, 1024, "Revokes an API token of one's own.",
     post_revoke_token},
    {0},
};
