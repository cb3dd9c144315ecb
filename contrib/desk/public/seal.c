/* SPDX-License-Identifier: MIT */
#include "contrib/desk/public/seal.h"

#include "common/number.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

/* --- the key -------------------------------------------------------------------------------- */

static int read_key(struct db *db, void *arg, struct tm_error *err)
{
  struct tm_secret *key = arg;
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db, "SELECT value FROM settings WHERE name = 'seal_key'", &stmt, err);
  if (rc < 0)
    return rc;
  rc = db_step(stmt, err);
  if (rc == 1)
    rc = tm_secret_parse(key, db_text(stmt, 0), err);
  else if (rc == 0)
    key->len = 0;
  db_done(stmt);
  return rc;
}

/* Of two desks at their first start one's key stands. */
static int make_key(struct db *db, void *arg, struct tm_error *err)
{
  char text[TM_SECRET_TEXT];
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "INSERT INTO settings (name, value) VALUES ('seal_key', ?1)"
                      " ON CONFLICT (name) DO NOTHING",
                      &stmt, err);
  if (rc < 0)
    return rc;
  tm_secret_make(text);
  db_bind_text(stmt, 1, text);
  rc = db_exec(stmt, err);
  sodium_memzero(text, sizeof(text));
  return rc == 0 ? read_key(db, arg, err) : rc;
}

int seal_key(struct store *store, struct tm_secret *key, struct tm_error *err)
{
  int rc = store_read(store, &db_everyone, read_key, key, err);
  if (rc == 0 && key->len == 0)
    rc = store_write(store, &db_everyone, make_key, key, err);
  return rc;
}

/* --- pages ---------------------------------------------------------------------------------- */

char *seal_page(char out[TM_SHA256_HEX], const struct tm_secret *key, const char *thing, int64_t at)
{
  char text[400];
  snprintf(text, sizeof(text), "%lld %.300s", (long long)at, thing);
  return tm_hmac_hex(out, key, "page", text);
}

static bool same(const char *given, const char *right)
{
  return given != NULL && strlen(given) == strlen(right) &&
         sodium_memcmp(given, right, strlen(right)) == 0;
}

enum seal seal_check(const struct tm_secret *key, const char *thing, const char *at,
                     const char *seal, int64_t now, int64_t *made)
{
  char right[TM_SHA256_HEX];
  int64_t t;
  if (at == NULL || tm_parse_i64(at, 0, INT64_MAX / 2, &t) != 0 ||
      !same(seal, seal_page(right, key, thing, t)))
    return SEAL_BROKEN;
  *made = t;
  return now - t < SEAL_LEAST_S ? SEAL_SOON : now - t > SEAL_MOST_S ? SEAL_OLD : SEAL_GOOD;
}

/* --- marks in links ------------------------------------------------------------------------- */

void seal_mark(char out[SEAL_MARK], const struct tm_secret *key, const char *customer)
{
  char hex[TM_SHA256_HEX];
  snprintf(out, SEAL_MARK, "%.200s~%s", customer, tm_hmac_hex(hex, key, "mark", customer));
}

bool seal_mark_read(const struct tm_secret *key, const char *mark, char *customer, size_t size)
{
  char right[TM_SHA256_HEX];
  const char *end = mark != NULL ? strrchr(mark, '~') : NULL;
  size_t len = end != NULL ? (size_t)(end - mark) : 0;
  if (len == 0 || len >= size)
    return false;
  memcpy(customer, mark, len);
  customer[len] = '\0';
  return same(end + 1, tm_hmac_hex(right, key, "mark", customer));
}
