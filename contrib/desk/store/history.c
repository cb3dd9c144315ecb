/* SPDX-License-Identifier: MIT */
#include "contrib/desk/store/history.h"

#include <errno.h>

enum { MONTH_BYTES = 16384 };

/* --- writing ------------------------------------------------------------------------------ */

static int read_month(struct db *db, int64_t device_id, int64_t month,
                      struct day days[DAYS_OF_MONTH], size_t *n, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  size_t len = 0;
  *n = 0;
  int rc =
      db_prepare(db, "SELECT days FROM history WHERE device_id = ?1 AND month = ?2", &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, device_id);
  db_bind_int(stmt, 2, month);
  rc = db_step(stmt, err);
  if (rc == 1) {
    const void *data = db_blob(stmt, 0, &len);
    rc = days_unpack(data, len, month, days, n, err);
  }
  db_done(stmt);
  return rc;
}

static int write_month(struct db *db, const char *customer, int64_t device_id, int64_t month,
                       const struct day *days, size_t n, struct tm_error *err)
{
  struct tm_buf packed = TM_BUF_INIT(MONTH_BYTES);
  struct db_stmt *stmt = NULL;
  int rc = days_pack(&packed, days, n);
  if (rc < 0)
    tm_fail(err, rc, "the history of a month cannot be packed");
  else
    rc = db_prepare(db,
                    "INSERT INTO history (device_id, month, customer_id, days)"
                    " VALUES (?1, ?2, ?3, ?4)"
                    " ON CONFLICT (device_id, month) DO UPDATE SET days = excluded.days",
                    &stmt, err);
  if (rc == 0) {
    db_bind_int(stmt, 1, device_id);
    db_bind_int(stmt, 2, month);
    db_bind_text(stmt, 3, customer);
    db_bind_blob(stmt, 4, packed.ptr, packed.len);
    rc = db_exec(stmt, err);
  }
  tm_buf_release(&packed);
  return rc;
}

int64_t history_merge(struct db *db, const char *customer, int64_t device_id,
                      const struct day *days, size_t n, struct tm_error *err)
{
  struct day kept[DAYS_OF_MONTH];
  int64_t changed = 0;
  for (size_t i = 0, end; i < n; i = end) {
    int64_t month = days_month(days[i].date);
    size_t kept_n;
    for (end = i + 1; end < n && days_month(days[end].date) == month; end++)
      ;
    int rc = read_month(db, device_id, month, kept, &kept_n, err);
    if (rc < 0)
      return rc;
    size_t more = days_merge(kept, &kept_n, &days[i], end - i);
    if (more > 0)
      rc = write_month(db, customer, device_id, month, kept, kept_n, err);
    if (rc < 0)
      return rc;
    changed += (int64_t)more;
  }
  return changed;
}

/* --- reading ------------------------------------------------------------------------------ */

static int each_of_month(struct db_stmt *stmt, int64_t from, int64_t to, history_each *each,
                         void *user, struct tm_error *err)
{
  struct day days[DAYS_OF_MONTH];
  size_t n = 0, len = 0;
  int64_t month = db_int(stmt, 0);
  const void *data = db_blob(stmt, 1, &len);
  int rc = days_unpack(data, len, month, days, &n, err);
  for (size_t i = 0; rc == 0 && i < n; i++) {
    if (days[i].date >= from && days[i].date <= to)
      rc = each(user, &days[i], err);
  }
  return rc;
}

int history_read(struct db *db, int64_t device_id, int64_t from, int64_t to, history_each *each,
                 void *user, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "SELECT month, days FROM history WHERE device_id = ?1 AND month >= ?2"
                      " AND month <= ?3 AND (?4 IS NULL OR customer_id = ?4) ORDER BY month",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, device_id);
  db_bind_int(stmt, 2, days_month(from));
  db_bind_int(stmt, 3, days_month(to));
  db_bind_customer(stmt, 4);
  while ((rc = db_step(stmt, err)) == 1) {
    rc = each_of_month(stmt, from, to, each, user, err);
    if (rc != 0)
      break;
  }
  db_done(stmt);
  return rc;
}

struct listing {
  json_t *list;
  int arrived;
};

static int list_day(void *user, const struct day *day, struct tm_error *err)
{
  struct listing *l = user;
  if (json_array_append_new(l->list, day_json(day, l->arrived)) < 0)
    return tm_fail(err, -ENOMEM, "out of memory");
  return 0;
}

json_t *history_json(struct db *db, int64_t device_id, int64_t to, size_t keep, int arrived,
                     struct tm_error *err)
{
  struct listing l = {.list = json_array(), .arrived = arrived};
  int rc = l.list == NULL
               ? tm_fail(err, -ENOMEM, "out of memory")
               : history_read(db, device_id, to - (int64_t)keep + 1, to, list_day, &l, err);
  if (rc < 0) {
    json_decref(l.list);
    return NULL;
  }
  return l.list;
}
