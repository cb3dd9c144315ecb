/* SPDX-License-Identifier: MIT */
#include "contrib/desk/intake/site.h"

#include "common/clock.h"
#include "common/json.h"
#include "common/sign.h"
#include "common/text.h"
#include "contrib/desk/intake/credential.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { TOKEN_BYTES = 32, TOKEN_SIZE = sizeof(CREDENTIAL_PREFIX) + 2 * TOKEN_BYTES, SHOWN = 12 };

/* A part of addresses, keys and files: no blanks at the ends, no slash, nothing that cannot be
 * printed. */
static int check_id(const char *what, const char *id, struct tm_error *err)
{
  char clean[CREDENTIAL_ID];
  size_t n = tm_text_clean(clean, sizeof(clean), id, strlen(id));
  if (n == 0 || strcmp(clean, id) != 0 || strchr(id, '/') != NULL || n > 64)
    return tm_fail(err, -EINVAL, "%s '%s': 1 to 64 printable characters without '/' are wanted",
                   what, clean);
  return 0;
}

/* --- customers and sites ------------------------------------------------------------------ */

/* 1 there, 0 not. */
static int has_customer(struct db *db, const struct site *s, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db, "SELECT deleted_at FROM customers WHERE customer_id = ?1", &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, s->customer);
  rc = db_step(stmt, err);
  if (rc == 1 && !db_is_null(stmt, 0))
    rc = tm_fail(err, -EEXIST, "customer %s is being erased", s->customer);
  db_done(stmt);
  return rc;
}

static int want_customer(struct db *db, const struct site *s, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = has_customer(db, s, err);
  if (rc != 0)
    return rc < 0 ? rc : 0;
  if (s->customer_name == NULL)
    return tm_fail(err, -ENOENT,
                   "customer %s is not known: import it, or give its name by --customer-name",
                   s->customer);
  rc = db_prepare(db, "INSERT INTO customers (customer_id, name, created_at) VALUES (?1, ?2, ?3)",
                  &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, s->customer);
  db_bind_text(stmt, 2, s->customer_name);
  db_bind_int(stmt, 3, s->now);
  return db_exec(stmt, err);
}

static int make_site(struct db *db, const struct site *s, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "INSERT INTO sites (customer_id, site, name, created_at, enrolled_at)"
                      " VALUES (?1, ?2, ?3, ?4, ?4) ON CONFLICT (customer_id, site) DO UPDATE SET"
                      " enrolled_at = excluded.enrolled_at,"
                      " name = coalesce(excluded.name, sites.name)"
                      " WHERE sites.enrolled_at IS NULL",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, s->customer);
  db_bind_text(stmt, 2, s->site);
  db_bind_text(stmt, 3, s->name);
  db_bind_int(stmt, 4, s->now);
  rc = db_exec(stmt, err);
  if (rc == 0 && db_changes(stmt) == 0)
    rc =
        tm_fail(err, -EEXIST, "site %s/%s is there already: 'site rotate' gives it new credentials",
                s->customer, s->site);
  return rc;
}

/* --- credentials -------------------------------------------------------------------------- */

static json_t *enrolment(const struct site *s, const char *name, const char *token,
                         const char *secret)
{
  json_t *purposes = s->purposes != NULL
                         ? json_incref((json_t *)s->purposes)
                         : json_pack("[s, s, s, s]", "sales", "factory", "service", "comparison");
  return json_pack("{s:s, s:s, s:{s:s, s:s?}, s:s, s:s, s:s, s:s, s:o, s:o}", "schema",
                   "tidemark.enrolment/1", "target", s->target, "customer", "id", s->customer,
                   "name", name, "site", s->site, "url", s->url, "token", token, "secret", secret,
                   "purposes", purposes, "issued_at", tm_json_time(s->now));
}

static int put_credential(struct db *db, const struct site *s, const char *token,
                          const char *secret, struct tm_error *err)
{
  char hash[TM_SHA256_HEX], shown[SHOWN + 1];
  struct db_stmt *stmt = NULL;
  snprintf(shown, sizeof(shown), "%.*s", SHOWN, token);
  int rc = db_prepare(db,
                      "INSERT INTO credentials (customer_id, site, target, token_prefix,"
                      " token_sha256, secret, certificate_sha256, created_at)"
                      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, s->customer);
  db_bind_text(stmt, 2, s->site);
  db_bind_text(stmt, 3, s->target);
  db_bind_text(stmt, 4, shown);
  db_bind_text(stmt, 5, tm_sha256_hex(hash, token, strlen(token)));
  db_bind_text(stmt, 6, secret);
  db_bind_text(stmt, 7, s->certificate);
  db_bind_int(stmt, 8, s->now);
  return db_exec(stmt, err);
}

static int customer_name(struct db *db, const struct site *s, char *out, size_t size,
                         struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db, "SELECT name FROM customers WHERE customer_id = ?1", &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, s->customer);
  rc = db_step(stmt, err);
  snprintf(out, size, "%s", rc == 1 ? db_text(stmt, 0) : "");
  db_done(stmt);
  return rc < 0 ? rc : 0;
}

static int give_credential(struct db *db, struct site *s, struct tm_error *err)
{
  unsigned char random[TOKEN_BYTES];
  char token[TOKEN_SIZE] = CREDENTIAL_PREFIX, secret[TM_SECRET_TEXT], name[1024];
  randombytes_buf(random, sizeof(random));
  sodium_bin2hex(token + strlen(token), sizeof(token) - strlen(token), random, sizeof(random));
  tm_secret_make(secret);
  int rc = put_credential(db, s, token, secret, err);
  if (rc == 0)
    rc = customer_name(db, s, name, sizeof(name), err);
  if (rc == 0) {
    json_decref(s->result); /* of a first run of this work */
    s->result = enrolment(s, name[0] != '\0' ? name : NULL, token, secret);
    rc = s->result == NULL ? tm_fail(err, -EINVAL, "the enrolment cannot be written") : 0;
  }
  sodium_memzero(token, sizeof(token));
  sodium_memzero(secret, sizeof(secret));
  return rc;
}

/* --- what is asked for -------------------------------------------------------------------- */

int site_add(struct db *db, void *site, struct tm_error *err)
{
  struct site *s = site;
  int rc = check_id("customer", s->customer, err);
  if (rc == 0)
    rc = check_id("site", s->site, err);
  if (rc == 0)
    rc = want_customer(db, s, err);
  if (rc == 0)
    rc = make_site(db, s, err);
  return rc == 0 ? give_credential(db, s, err) : rc;
}

static int limit_older(struct db *db, const struct site *s, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "UPDATE credentials SET valid_until = ?4 WHERE customer_id = ?1 AND site = ?2"
                      " AND target = ?3 AND revoked_at IS NULL"
                      " AND (valid_until IS NULL OR valid_until > ?4)",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, s->customer);
  db_bind_text(stmt, 2, s->site);
  db_bind_text(stmt, 3, s->target);
  db_bind_int(stmt, 4, s->valid_until);
  return db_exec(stmt, err);
}

static int want_site(struct db *db, const struct site *s, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db, "SELECT 1 FROM sites WHERE customer_id = ?1 AND site = ?2", &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, s->customer);
  db_bind_text(stmt, 2, s->site);
  rc = db_step(stmt, err);
  db_done(stmt);
  return rc == 0   ? tm_fail(err, -ENOENT, "site %s/%s is not known", s->customer, s->site)
         : rc == 1 ? 0
                   : rc;
}

int site_rotate(struct db *db, void *site, struct tm_error *err)
{
  struct site *s = site;
  int rc = want_site(db, s, err);
  if (rc == 0)
    rc = limit_older(db, s, err);
  return rc == 0 ? give_credential(db, s, err) : rc;
}

int site_revoke(struct db *db, void *site, struct tm_error *err)
{
  struct site *s = site;
  struct db_stmt *stmt = NULL;
  int rc = want_site(db, s, err);
  if (rc == 0)
    rc = db_prepare(db,
                    "UPDATE credentials SET revoked_at = ?3 WHERE customer_id = ?1 AND site = ?2"
                    " AND revoked_at IS NULL",
                    &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, s->customer);
  db_bind_text(stmt, 2, s->site);
  db_bind_int(stmt, 3, s->now);
  return db_exec(stmt, err);
}

int site_list(struct db *db, void *site, struct tm_error *err)
{
  struct site *s = site;
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(
      db,
      "SELECT s.customer_id, c.name AS customer, s.site, s.name, s.enrolled_at, s.last_seen_at,"
      " s.last_summary_at,"
      " (SELECT count(*) FROM devices d WHERE d.customer_id = s.customer_id AND d.site = s.site)"
      " AS devices,"
      " (SELECT count(*) FROM credentials k WHERE k.customer_id = s.customer_id AND k.site = s.site"
      " AND k.revoked_at IS NULL AND (k.valid_until IS NULL OR k.valid_until > ?2)) AS valid,"
      " (SELECT k.token_prefix FROM credentials k WHERE k.customer_id = s.customer_id"
      " AND k.site = s.site AND k.revoked_at IS NULL"
      " AND (k.valid_until IS NULL OR k.valid_until > ?2) ORDER BY k.id DESC LIMIT 1)"
      " AS token_prefix"
      " FROM sites s JOIN customers c ON c.customer_id = s.customer_id"
      " WHERE (?1 IS NULL OR s.customer_id = ?1)"
      " AND coalesce(s.last_seen_at, s.enrolled_at, s.created_at) <= ?3"
      " ORDER BY coalesce(s.last_seen_at, 0), s.customer_id, s.site",
      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_customer(stmt, 1);
  db_bind_int(stmt, 2, s->now);
  db_bind_int(stmt, 3, s->now - s->silent_s);
  return db_take_rows(stmt, &s->result, err);
}
