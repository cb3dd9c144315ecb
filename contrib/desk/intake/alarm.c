/* SPDX-License-Identifier: MIT */
#include "contrib/desk/intake/alarm.h"

int alarm_raise(struct db *db, const char *kind, const char *subject, const char *customer,
                const char *site, const char *text, int64_t now, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "INSERT INTO alarms (kind, subject, customer_id, site, text, first_at,"
                      " last_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)"
                      " ON CONFLICT (kind, subject) DO UPDATE SET times = alarms.times + 1,"
                      " text = excluded.text, last_at = excluded.last_at, seen_at = NULL",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, kind);
  db_bind_text(stmt, 2, subject);
  db_bind_text(stmt, 3, customer);
  db_bind_text(stmt, 4, site);
  db_bind_text(stmt, 5, text);
  db_bind_int(stmt, 6, now);
  return db_exec(stmt, err);
}
