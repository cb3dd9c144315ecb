/* SPDX-License-Identifier: MIT */
#include "contrib/desk/people/buckets.h"

#include "common/sign.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NAME_SIZE = 96 };

/* What was typed as a name may be a password: only its hash is kept. */
static void name_of(const struct bucket *bucket, char out[NAME_SIZE])
{
  char hash[TM_SHA256_HEX];
  tm_sha256_hex(hash, bucket->name, strlen(bucket->name));
  snprintf(out, NAME_SIZE, "%.16s:%s", bucket->kind, hash);
}

double bucket_level(const struct bucket *bucket, double left_over, int64_t at, int64_t now)
{
  double again = now > at ? (double)(now - at) * bucket->size / (double)bucket->per_s : 0;
  return fmin(bucket->size, left_over + again);
}

static int save(struct db *db, const char *name, double level, int64_t now, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "INSERT INTO buckets (name, left_over, at) VALUES (?1, ?2, ?3)"
                      " ON CONFLICT (name) DO UPDATE SET left_over = excluded.left_over,"
                      " at = excluded.at",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, name);
  db_bind_real(stmt, 2, level);
  db_bind_int(stmt, 3, now);
  return db_exec(stmt, err);
}

/* Full ones say nothing: away with them. */
static int sweep(struct db *db, const struct bucket *bucket, int64_t now, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db, "DELETE FROM buckets WHERE at < ?1", &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, now - 2 * bucket->per_s);
  return db_exec(stmt, err);
}

int bucket_take(struct db *db, const struct bucket *bucket, int64_t now, int64_t *wait_s,
                struct tm_error *err)
{
  char name[NAME_SIZE];
  struct db_stmt *stmt = NULL;
  double level = bucket->size;
  name_of(bucket, name);
  int rc = sweep(db, bucket, now, err);
  if (rc == 0)
    rc = db_prepare(db, "SELECT left_over, at FROM buckets WHERE name = ?1", &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, name);
  rc = db_step(stmt, err);
  if (rc == 1)
    level = bucket_level(bucket, db_real(stmt, 0), db_int(stmt, 1), now);
  db_done(stmt);
  if (rc < 0)
    return rc;
  if (level < 1) {
    *wait_s = (int64_t)ceil((1 - level) * (double)bucket->per_s / bucket->size);
    return -EDQUOT;
  }
  return save(db, name, level - 1, now, err);
}

int bucket_give_back(struct db *db, const struct bucket *bucket, struct tm_error *err)
{
  char name[NAME_SIZE];
  struct db_stmt *stmt = NULL;
  name_of(bucket, name);
  int rc =
      db_prepare(db, "UPDATE buckets SET left_over = left_over + 1 WHERE name = ?1", &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, name);
  return db_exec(stmt, err);
}
