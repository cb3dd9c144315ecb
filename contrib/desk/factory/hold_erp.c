/* SPDX-License-Identifier: MIT */
/* Which reservations an ERP has to be told of, and which it could not make. */
#include "contrib/desk/factory/hold.h"

int hold_due(struct db *db, int64_t now, json_t **rows, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "SELECT inquiry, becomes, lines_json, tries FROM holds"
                      " WHERE (?1 IS NULL OR customer_id = ?1) AND next_try_at <= ?2"
                      " ORDER BY next_try_at LIMIT 32",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_customer(stmt, 1);
  db_bind_int(stmt, 2, now);
  return db_take_rows(stmt, rows, err);
}

int hold_later(struct db *db, const char *inquiry, int64_t next_try_at, const char *why,
               struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "UPDATE holds SET next_try_at = ?2, error = ?3, tries = tries + 1"
                      " WHERE inquiry = ?1",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, inquiry);
  db_bind_int(stmt, 2, next_try_at);
  db_bind_text(stmt, 3, why);
  return db_exec(stmt, err);
}

int hold_refused(struct db *db, int64_t today, int64_t *n, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "SELECT COUNT(*) FROM holds h LEFT JOIN items i ON i.id = h.item_id"
                      " WHERE (?1 IS NULL OR h.customer_id = ?1) AND h.state = 'refused'"
                      " AND h.keep_until >= ?2 AND (i.id IS NULL OR i.open = 1)",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_customer(stmt, 1);
  db_bind_int(stmt, 2, today);
  rc = db_step(stmt, err);
  *n = rc == 1 ? db_int(stmt, 0) : 0;
  db_done(stmt);
  return rc < 0 ? rc : 0;
}
