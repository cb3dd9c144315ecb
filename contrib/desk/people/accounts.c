/* SPDX-License-Identifier: MIT */
#include "contrib/desk/people/accounts.h"

#include "contrib/desk/http/route.h"
#include "contrib/desk/people/audit.h"
#include "contrib/desk/people/session.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

enum { LOGIN_SIZE = 256, TOKEN_DAYS = 365 };

static int note(struct db *db, const struct account *a, const char *what, const char *text,
                struct tm_error *err)
{
  struct audit entry = {.at = a->now,
                        .user_id = a->by_id,
                        .by = a->by,
                        .role = a->by_role,
                        .address = a->address,
                        .what = what,
                        .subject = a->login,
                        .text = text};
  return audit_add(db, &entry, err);
}

static void lower(char out[LOGIN_SIZE], const char *login)
{
  size_t i = 0;
  for (; login[i] != '\0' && i + 1 < LOGIN_SIZE; i++)
    out[i] = (char)tolower((unsigned char)login[i]);
  out[i] = '\0';
}

/* "admin" is the only login that is no address. */
static bool is_login(const char *login)
{
  const char *at = strchr(login, '@');
  size_t len = strlen(login);
  if (strcmp(login, "admin") == 0)
    return true;
  return at != NULL && at > login && at[1] != '\0' && strchr(at + 1, '@') == NULL && len < 200 &&
         strpbrk(login, " \t\r\n,;<>\"") == NULL;
}

static int check_new(const struct account *a, struct tm_error *err)
{
  static const unsigned people = ROLE_PEOPLE;
  if (!is_login(a->login))
    return tm_fail(err, -EINVAL, "%s: an e-mail address is wanted", a->login);
  if (a->name == NULL || a->name[0] == '\0' || strlen(a->name) > 200)
    return tm_fail(err, -EINVAL, "%s: a name of at most 200 bytes is wanted", a->login);
  if (a->role == NULL || ((unsigned)role_of(a->role) & people) == 0)
    return tm_fail(err, -EINVAL,
                   "%s: role: sales, service, factory, engineer, customer or admin is wanted",
                   a->login);
  if ((role_of(a->role) == ROLE_CUSTOMER) != (a->customer != NULL))
    return tm_fail(err, -EINVAL, "%s: a customer is named for the role customer, and for it alone",
                   a->login);
  return 0;
}

static int find_id(struct db *db, struct account *a, struct tm_error *err)
{
  char login[LOGIN_SIZE];
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db, "SELECT id FROM users WHERE login = ?1", &stmt, err);
  if (rc < 0)
    return rc;
  lower(login, a->login);
  db_bind_text(stmt, 1, login);
  rc = db_step(stmt, err);
  a->id = rc == 1 ? db_int(stmt, 0) : 0;
  db_done(stmt);
  return rc < 0 ? rc : 0;
}

static int find_login(struct db *db, struct account *a, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db, "SELECT login FROM users WHERE id = ?1", &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, a->id);
  rc = db_step(stmt, err);
  if (rc == 1) {
    snprintf(a->login_of_id, sizeof(a->login_of_id), "%s", db_text(stmt, 0));
    a->login = a->login_of_id;
  }
  db_done(stmt);
  return rc == 0 ? tm_fail(err, -ENOENT, "there is no such account") : rc < 0 ? rc : 0;
}

static int need_id(struct db *db, struct account *a, struct tm_error *err)
{
  if (a->login == NULL || a->login == a->login_of_id)
    return find_login(db, a, err);
  int rc = find_id(db, a, err);
  if (rc == 0 && a->id == 0)
    rc = tm_fail(err, -ENOENT, "%s: there is no such account", a->login);
  return rc;
}

static int need_row(struct db *db, const char *sql, const char *key, const char *what,
                    struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  if (key == NULL)
    return 0;
  int rc = db_prepare(db, sql, &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, key);
  rc = db_step(stmt, err);
  db_done(stmt);
  return rc == 0 ? tm_fail(err, -ENOENT, "%s: there is no such %s", key, what) : rc < 0 ? rc : 0;
}

static int insert(struct db *db, struct account *a, struct tm_error *err)
{
  char login[LOGIN_SIZE];
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "INSERT INTO users (login, name, role, customer_id, staff, created_at)"
                      " VALUES (?1, ?2, ?3, ?4, ?5, ?6) RETURNING id",
                      &stmt, err);
  if (rc < 0)
    return rc;
  lower(login, a->login);
  db_bind_text(stmt, 1, login);
  db_bind_text(stmt, 2, a->name);
  db_bind_text(stmt, 3, a->role);
  db_bind_text(stmt, 4, a->customer);
  db_bind_text(stmt, 5, a->staff);
  db_bind_int(stmt, 6, a->now);
  rc = db_step(stmt, err);
  a->id = rc == 1 ? db_int(stmt, 0) : 0;
  db_done(stmt);
  return rc < 0 ? rc : 0;
}

static int make_link(struct db *db, struct account *a, struct tm_error *err)
{
  char hash[TM_SHA256_HEX];
  struct db_stmt *stmt = NULL;
  int rc =
      db_prepare(db, "DELETE FROM login_links WHERE user_id = ?1 OR expires_at < ?2", &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, a->id);
  db_bind_int(stmt, 2, a->now);
  rc = db_exec(stmt, err);
  if (rc == 0)
    rc = db_prepare(db,
                    "INSERT INTO login_links (token_sha256, user_id, made_at, expires_at)"
                    " VALUES (?1, ?2, ?3, ?4)",
                    &stmt, err);
  if (rc < 0)
    return rc;
  secret_make(a->secret, "");
  db_bind_text(stmt, 1, secret_hash(hash, a->secret));
  db_bind_int(stmt, 2, a->id);
  db_bind_int(stmt, 3, a->now);
  db_bind_int(stmt, 4, a->now + (int64_t)LINK_HOURS * 3600);
  return db_exec(stmt, err);
}

int account_add(struct db *db, void *arg, struct tm_error *err)
{
  struct account *a = arg;
  int rc = check_new(a, err);
  if (rc == 0)
    rc = find_id(db, a, err);
  if (rc == 0 && a->id != 0)
    rc = tm_fail(err, -EEXIST, "%s: there is such an account already", a->login);
  if (rc == 0)
    rc = need_row(db, "SELECT 1 FROM customers WHERE customer_id = ?1 AND deleted_at IS NULL",
                  a->customer, "customer", err);
  if (rc == 0)
    rc = need_row(db, "SELECT 1 FROM staff WHERE staff = ?1", a->staff, "person of staff", err);
  if (rc == 0)
    rc = insert(db, a, err);
  if (rc == 0)
    rc = make_link(db, a, err);
  return rc == 0 ? note(db, a, "account-added", a->role, err) : rc;
}

int account_link(struct db *db, void *arg, struct tm_error *err)
{
  struct account *a = arg;
  int rc = need_id(db, a, err);
  if (rc == 0)
    rc = make_link(db, a, err);
  return rc == 0 ? note(db, a, "link-made", NULL, err) : rc;
}

/* sql takes the id as ?1, the time as ?2 and a text as ?3. */
static int change(struct db *db, struct account *a, const char *sql, const char *text,
                  const char *what, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = need_id(db, a, err);
  if (rc == 0 && a->id == a->by_id)
    rc = tm_fail(err, -EINVAL, "This is your own account: another administrator can do that.");
  if (rc == 0)
    rc = db_prepare(db, sql, &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, a->id);
  db_bind_int(stmt, 2, a->now);
  if (text != NULL)
    db_bind_text(stmt, 3, text);
  rc = db_exec(stmt, err);
  if (rc == 0)
    rc = sessions_drop(db, a->id, NULL, err);
  return rc == 0 ? note(db, a, what, text, err) : rc;
}

int account_disable(struct db *db, void *account, struct tm_error *err)
{
  return change(db, account, "UPDATE users SET disabled_at = ?2 WHERE id = ?1", NULL,
                "account-disabled", err);
}

int account_enable(struct db *db, void *account, struct tm_error *err)
{
  return change(db, account,
                "UPDATE users SET disabled_at = NULL WHERE id = ?1 AND created_at <= ?2", NULL,
                "account-enabled", err);
}

int account_role(struct db *db, void *arg, struct tm_error *err)
{
  struct account *a = arg;
  unsigned staff = ROLE_PEOPLE & ~(unsigned)ROLE_CUSTOMER;
  struct db_stmt *stmt = NULL;
  if (a->role == NULL || ((unsigned)role_of(a->role) & staff) == 0)
    return tm_fail(err, -EINVAL, "%s: role: sales, service, factory, engineer or admin is wanted",
                   a->login);
  int rc = need_id(db, a, err);
  if (rc == 0)
    rc =
        db_prepare(db, "SELECT 1 FROM users WHERE id = ?1 AND customer_id IS NOT NULL", &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, a->id);
  rc = db_step(stmt, err);
  db_done(stmt);
  if (rc == 1)
    return tm_fail(err, -EINVAL, "%s: is a customer's: a customer's account stays one", a->login);
  if (rc < 0)
    return rc;
  return change(db, a, "UPDATE users SET role = ?3 WHERE id = ?1 AND created_at <= ?2", a->role,
                "role", err);
}

int account_token(struct db *db, void *arg, struct tm_error *err)
{
  struct account *a = arg;
  char hash[TM_SHA256_HEX], prefix[16];
  struct db_stmt *stmt = NULL;
  int rc = need_id(db, a, err);
  if (rc == 0)
    rc = db_prepare(db,
                    "INSERT INTO api_tokens (user_id, name, prefix, token_sha256, created_at,"
                    " expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                    &stmt, err);
  if (rc < 0)
    return rc;
  secret_make(a->secret, TOKEN_PREFIX);
  snprintf(prefix, sizeof(prefix), "%.10s", a->secret);
  db_bind_int(stmt, 1, a->id);
  db_bind_text(stmt, 2, a->name != NULL ? a->name : "command line");
  db_bind_text(stmt, 3, prefix);
  db_bind_text(stmt, 4, secret_hash(hash, a->secret));
  db_bind_int(stmt, 5, a->now);
  db_bind_int(stmt, 6, a->now + (int64_t)TOKEN_DAYS * 86400);
  rc = db_exec(stmt, err);
  return rc == 0 ? note(db, a, "token-made", prefix, err) : rc;
}

int account_list(struct db *db, void *arg, struct tm_error *err)
{
  struct account *a = arg;
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "SELECT id, login, name, role, customer_id, staff, created_at, last_login_at,"
                      " disabled_at FROM users ORDER BY role, login",
                      &stmt, err);
  if (rc < 0)
    return rc;
  return db_take_rows(stmt, &a->list, err);
}

int account_first(struct db *db, void *arg, struct tm_error *err)
{
  struct account *a = arg;
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db, "SELECT 1 FROM users LIMIT 1", &stmt, err);
  if (rc < 0)
    return rc;
  rc = db_step(stmt, err);
  db_done(stmt);
  a->id = 0;
  if (rc != 0)
    return rc < 0 ? rc : 0;
  a->login = "admin";
  a->name = "Administrator";
  a->role = "admin";
  return account_add(db, a, err);
}
