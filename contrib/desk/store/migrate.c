/* SPDX-License-Identifier: MIT */
#include "contrib/desk/store/migrate.h"

#include "contrib/desk/store/db_own.h"

#include <errno.h>
#include <string.h>

static int version_of(struct db *db, int64_t *version, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_run(db,
                  "CREATE TABLE IF NOT EXISTS migrations (step INTEGER PRIMARY KEY,"
                  " name TEXT NOT NULL)",
                  err);
  if (rc == 0)
    rc = db_prepare(db, "SELECT coalesce(max(step), 0) FROM migrations", &stmt, err);
  if (rc < 0)
    return rc;
  rc = db_step(stmt, err);
  *version = rc == 1 ? db_int(stmt, 0) : 0;
  db_done(stmt);
  return rc < 0 ? rc : 0;
}

static int take_step(struct db *db, size_t step, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_run(db, migrations[step - 1].sql, err);
  if (rc == 0)
    rc = db_prepare(db, "INSERT INTO migrations (step, name) VALUES (?1, ?2)", &stmt, err);
  if (rc < 0)
    return tm_fail_prefix(err, migrations[step - 1].name);
  db_bind_int(stmt, 1, (int64_t)step);
  db_bind_text(stmt, 2, migrations[step - 1].name);
  return db_exec(stmt, err);
}

/* The settings are asked for once a statement (a sub-select is), not once a row. */
static const char secure[] =
    "DO $$ DECLARE t text; BEGIN"
    " FOR t IN SELECT c.table_name FROM information_schema.columns c"
    "  JOIN pg_class p ON p.relname = c.table_name AND p.relkind = 'r'"
    "  JOIN pg_namespace n ON n.oid = p.relnamespace AND n.nspname = c.table_schema"
    "  WHERE c.table_schema = current_schema() AND c.column_name = 'customer_id'"
    "  AND NOT EXISTS (SELECT 1 FROM pg_policy l WHERE l.polrelid = p.oid) LOOP"
    " EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);"
    " EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);"
    " EXECUTE format('CREATE POLICY scope ON %I USING ("
    "(SELECT current_setting(''tidemark.scope'', true)) = ''all'' OR "
    "customer_id = (SELECT current_setting(''tidemark.customer'', true)))', t);"
    " END LOOP; END $$";

int migrate(struct db *db, struct tm_error *err)
{
  int64_t version = 0;
  int rc = version_of(db, &version, err);
  if (rc == 0 && version > (int64_t)migrations_len)
    return tm_fail(err, -EPROTO,
                   "the database has step %lld, this program knows %zu: a newer one has used it",
                   (long long)version, migrations_len);
  for (size_t step = (size_t)version + 1; rc == 0 && step <= migrations_len; step++)
    rc = take_step(db, step, err);
  if (rc == 0 && strcmp(db->engine->name, "pgsql") == 0)
    rc = db->engine->run(db, secure, err);
  return rc;
}
