/* SPDX-License-Identifier: MIT */
#include "contrib/desk/work/lease.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

struct asking {
  const struct lease *lease;
  int64_t number, now;
  bool ours;
};

void lease_init(struct lease *lease, const char *name)
{
  unsigned char random[(LEASE_HOLDER - 1) / 2];
  lease->name = name;
  randombytes_buf(random, sizeof(random));
  sodium_bin2hex(lease->holder, sizeof(lease->holder), random, sizeof(random));
}

static int take(struct db *db, void *arg, struct tm_error *err)
{
  struct asking *a = arg;
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "INSERT INTO leases (name, holder, until) VALUES (?1, ?2, ?3)"
                      " ON CONFLICT (name) DO UPDATE SET holder = excluded.holder,"
                      " until = excluded.until WHERE (leases.until <= ?4 OR leases.holder = ?2)"
                      " AND (leases.done_for IS NULL OR leases.done_for < ?5)",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, a->lease->name);
  db_bind_text(stmt, 2, a->lease->holder);
  db_bind_int(stmt, 3, a->now + LEASE_HELD_S);
  db_bind_int(stmt, 4, a->now);
  db_bind_int(stmt, 5, a->number);
  rc = db_exec(stmt, err);
  a->ours = rc == 0 && db_changes(stmt) == 1;
  return rc;
}

int lease_take(struct store *store, struct lease *lease, int64_t number, int64_t now,
               struct tm_error *err)
{
  struct asking a = {.lease = lease, .number = number, .now = now};
  int rc = store_write(store, &db_everyone, take, &a, err);
  return rc < 0 ? rc : a.ours;
}

static int set_until(struct db *db, struct asking *a, const char *sql, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db, sql, &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, a->lease->name);
  db_bind_text(stmt, 2, a->lease->holder);
  db_bind_int(stmt, 3, a->number);
  rc = db_exec(stmt, err);
  if (rc == 0 && db_changes(stmt) == 0)
    rc = tm_fail(err, -EBUSY, "%s: another desk does it by now", a->lease->name);
  return rc;
}

static int renew(struct db *db, void *arg, struct tm_error *err)
{
  return set_until(db, arg, "UPDATE leases SET until = ?3 WHERE name = ?1 AND holder = ?2", err);
}

int lease_renew(struct store *store, struct lease *lease, int64_t now, struct tm_error *err)
{
  struct asking a = {.lease = lease, .number = now + LEASE_HELD_S};
  return store_write(store, &db_everyone, renew, &a, err);
}

static int finish(struct db *db, void *arg, struct tm_error *err)
{
  return set_until(
      db, arg, "UPDATE leases SET done_for = ?3, until = 0 WHERE name = ?1 AND holder = ?2", err);
}

int lease_finish(struct store *store, struct lease *lease, int64_t number, int64_t now,
                 struct tm_error *err)
{
  struct asking a = {.lease = lease, .number = number, .now = now};
  return store_write(store, &db_everyone, finish, &a, err);
}

static int release(struct db *db, void *arg, struct tm_error *err)
{
  const struct lease *lease = arg;
  struct db_stmt *stmt = NULL;
  int rc =
      db_prepare(db, "UPDATE leases SET until = 0 WHERE name = ?1 AND holder = ?2", &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, lease->name);
  db_bind_text(stmt, 2, lease->holder);
  return db_exec(stmt, err);
}

int lease_release(struct store *store, struct lease *lease, struct tm_error *err)
{
  return store_write(store, &db_everyone, release, lease, err);
}
