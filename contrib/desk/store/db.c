/* SPDX-License-Identifier: MIT */
#include "contrib/desk/store/db_own.h"

#include "common/json.h"
#include "common/text.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SQL_MAX = 1 << 20 };

/* --- statements --------------------------------------------------------------------------- */

static void finalize(struct db_stmt *stmt)
{
  free(stmt->copy);
  stmt->db->engine->finalize(stmt);
}

/* NULL: *rc tells why. */
static struct db_stmt *make(struct db *db, const char *sql, int *rc, struct tm_error *err)
{
  struct tm_buf own = TM_BUF_INIT(SQL_MAX);
  struct db_stmt *s = NULL;
  *rc = dialect(&own, db->engine->name, sql, strlen(sql));
  if (*rc < 0)
    *rc = tm_fail(err, *rc, "%.40s...: %s", sql, strerror(-*rc));
  else
    *rc = db->engine->prepare(db, own.ptr, &s, err);
  tm_buf_release(&own);
  if (s == NULL)
    return NULL;
  s->db = db;
  s->sql = sql;
  s->copy = strdup(sql);
  if (s->copy == NULL) {
    finalize(s);
    *rc = tm_fail(err, -ENOMEM, "out of memory");
    return NULL;
  }
  return s;
}

int db_prepare(struct db *db, const char *sql, struct db_stmt **stmt, struct tm_error *err)
{
  struct db_stmt *s = NULL;
  HASH_FIND_PTR(db->cache, &sql, s);
  if (s != NULL && !s->busy && strcmp(s->copy, sql) != 0) {
    HASH_DEL(db->cache, s);
    finalize(s);
    s = NULL;
  }
  /* The same statement inside its own loop: one more, which is not kept. */
  if (s == NULL || s->busy) {
    bool in_use = s != NULL;
    int rc = 0;
    s = make(db, sql, &rc, err);
    if (s == NULL) {
      db->failed = db->failed != 0 ? db->failed : db->depth + 1;
      return rc < 0 ? rc : -ENOMEM;
    }
    s->cached = !in_use;
    if (s->cached)
      HASH_ADD_PTR(db->cache, sql, s);
    s->cached = s->cached && !TM_HASH_MISSED(s); /* else it is one that is not kept */
  }
  s->busy = true;
  s->bind_error = 0;
  s->changes = 0;
  *stmt = s;
  return 0;
}

void db_done(struct db_stmt *stmt)
{
  if (stmt == NULL)
    return;
  stmt->db->engine->reset(stmt);
  stmt->busy = false;
  if (!stmt->cached) {
    stmt->next_spare = stmt->db->spares;
    stmt->db->spares = stmt;
  }
}

static void free_spares(struct db *db)
{
  while (db->spares != NULL) {
    struct db_stmt *s = db->spares;
    db->spares = s->next_spare;
    finalize(s);
  }
}

bool db_give_back(struct db *db)
{
  bool found = false;
  for (struct db_stmt *s = db->cache; s != NULL; s = s->hh.next) {
    if (s->busy) {
      found = true;
      db_done(s);
    }
  }
  free_spares(db);
  return found;
}

void db_release(struct db *db)
{
  free_spares(db);
  while (db->cache != NULL) {
    struct db_stmt *s = db->cache;
    HASH_DEL(db->cache, s);
    finalize(s);
  }
  free(db->customer);
  db->customer = NULL;
}

/* --- binding ------------------------------------------------------------------------------ */

static void noted(struct db_stmt *stmt, int rc)
{
  if (rc < 0 && stmt->bind_error == 0)
    stmt->bind_error = rc;
}

void db_bind_int(struct db_stmt *stmt, int at, int64_t value)
{
  noted(stmt, stmt->db->engine->bind_int(stmt, at, &value));
}

void db_bind_int_or_null(struct db_stmt *stmt, int at, bool known, int64_t value)
{
  noted(stmt, stmt->db->engine->bind_int(stmt, at, known ? &value : NULL));
}

void db_bind_real(struct db_stmt *stmt, int at, double value)
{
  noted(stmt, stmt->db->engine->bind_real(stmt, at, isfinite(value) ? &value : NULL));
}

void db_bind_text(struct db_stmt *stmt, int at, const char *text)
{
  noted(stmt,
        stmt->db->engine->bind_data(stmt, at, DB_TEXT, text, text != NULL ? strlen(text) : 0));
}

void db_bind_blob(struct db_stmt *stmt, int at, const void *data, size_t len)
{
  noted(stmt, stmt->db->engine->bind_data(stmt, at, DB_BLOB, data, len));
}

void db_bind_null(struct db_stmt *stmt, int at)
{
  noted(stmt, stmt->db->engine->bind_data(stmt, at, DB_NULL, NULL, 0));
}

void db_bind_customer(struct db_stmt *stmt, int at)
{
  /* Without a scope nothing matches: no customer has an empty id. */
  const struct db *db = stmt->db;
  db_bind_text(stmt, at, db->all ? NULL : db->customer != NULL ? db->customer : "");
}

/* --- running ------------------------------------------------------------------------------ */

int db_step(struct db_stmt *stmt, struct tm_error *err)
{
  struct db *db = stmt->db;
  int rc = stmt->bind_error;
  if (rc < 0)
    tm_fail(err, rc, "%.60s: a parameter cannot be bound: %s", stmt->copy, strerror(-rc));
  else
    rc = db->engine->step(stmt, err);
  if (rc < 0 && db->failed == 0)
    db->failed = db->depth + 1;
  db->again = db->again || rc == -EAGAIN;
  return rc;
}

int db_exec(struct db_stmt *stmt, struct tm_error *err)
{
  int rc = db_step(stmt, err);
  db_done(stmt);
  return rc < 0 ? rc : 0;
}

int db_run_one(struct db *db, const char *sql, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db, sql, &stmt, err);
  return rc < 0 ? rc : db_exec(stmt, err);
}

int64_t db_changes(const struct db_stmt *stmt)
{
  return stmt->changes;
}

int db_run(struct db *db, const char *sql, struct tm_error *err)
{
  struct tm_buf own = TM_BUF_INIT(SQL_MAX);
  int rc = dialect(&own, db->engine->name, sql, strlen(sql));
  if (rc < 0)
    rc = tm_fail(err, rc, "%.40s...: %s", sql, strerror(-rc));
  else
    rc = db->engine->run(db, own.ptr, err);
  tm_buf_release(&own);
  return rc;
}

/* --- columns ------------------------------------------------------------------------------ */

bool db_is_null(struct db_stmt *stmt, int column)
{
  return stmt->db->engine->column_type(stmt, column) == DB_NULL;
}

int64_t db_int(struct db_stmt *stmt, int column)
{
  return db_is_null(stmt, column) ? 0 : stmt->db->engine->column_int(stmt, column);
}

double db_real(struct db_stmt *stmt, int column)
{
  return db_is_null(stmt, column) ? NAN : stmt->db->engine->column_real(stmt, column);
}

const char *db_text(struct db_stmt *stmt, int column)
{
  return db_is_null(stmt, column) ? NULL : stmt->db->engine->column_text(stmt, column);
}

const void *db_blob(struct db_stmt *stmt, int column, size_t *len)
{
  *len = 0;
  return db_is_null(stmt, column) ? NULL : stmt->db->engine->column_blob(stmt, column, len);
}

/* SQLite keeps any bytes. Those of a row that was written with half a character are shown as ones
 * that nobody knows: the row is not to be lost for it. */
static json_t *text_json(const char *text)
{
  json_t *value = json_string(text);
  if (value != NULL || tm_text_is_utf8(text))
    return value;
  size_t len = strlen(text), size = 3 * len + 1;
  char *clean = malloc(size);
  if (clean == NULL)
    return NULL;
  tm_text_clean(clean, size, text, len);
  value = json_string(clean);
  free(clean);
  return value;
}

static json_t *column_json(struct db_stmt *stmt, int column, bool parse, struct tm_error *err)
{
  const char *text;
  switch (stmt->db->engine->column_type(stmt, column)) {
  case DB_NULL:
    return json_null();
  case DB_INT:
    return json_integer(db_int(stmt, column));
  case DB_REAL:
    return tm_json_number(db_real(stmt, column));
  case DB_BLOB:
    tm_fail(err, -EINVAL, "%s: bytes are no JSON", stmt->db->engine->column_name(stmt, column));
    return NULL;
  default:
    text = db_text(stmt, column);
    if (text == NULL) /* there was no memory for it */
      return NULL;
    return parse
               ? tm_json_parse(text, strlen(text), stmt->db->engine->column_name(stmt, column), err)
               : text_json(text);
  }
}

json_t *db_row(struct db_stmt *stmt, struct tm_error *err)
{
  const struct db_engine *engine = stmt->db->engine;
  json_t *row = json_object();
  for (int i = 0; row != NULL && i < engine->columns(stmt); i++) {
    char name[128];
    snprintf(name, sizeof(name), "%s", engine->column_name(stmt, i));
    size_t len = strlen(name);
    bool parse = len > 5 && strcmp(name + len - 5, "_json") == 0;
    if (parse)
      name[len - 5] = '\0';
    json_t *value = column_json(stmt, i, parse, err);
    if (value == NULL || json_object_set_new(row, name, value) < 0) {
      json_decref(row);
      row = NULL;
    }
  }
  if (row == NULL && err != NULL && err->code == 0)
    tm_fail(err, -ENOMEM, "out of memory");
  return row;
}

json_t *db_rows(struct db_stmt *stmt, struct tm_error *err)
{
  json_t *rows = json_array();
  int rc = rows == NULL ? tm_fail(err, -ENOMEM, "out of memory") : 0;
  while (rc >= 0 && (rc = db_step(stmt, err)) == 1) {
    json_t *row = db_row(stmt, err);
    if (row == NULL || json_array_append_new(rows, row) < 0)
      rc = err != NULL && err->code != 0 ? err->code : tm_fail(err, -ENOMEM, "out of memory");
  }
  db_done(stmt);
  if (rc < 0) {
    json_decref(rows);
    return NULL;
  }
  return rows;
}

int db_take_rows(struct db_stmt *stmt, json_t **rows, struct tm_error *err)
{
  struct tm_error own = {0};
  if (err == NULL)
    err = &own;
  json_decref(*rows);
  *rows = db_rows(stmt, err);
  return *rows != NULL ? 0 : err->code != 0 ? err->code : -EIO;
}

int db_read_rows(struct db *db, const char *sql, json_t **rows, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db, sql, &stmt, err);
  return rc < 0 ? rc : db_take_rows(stmt, rows, err);
}

int db_take_row(struct db_stmt *stmt, json_t **row, const char *absent, struct tm_error *err)
{
  struct tm_error own = {0};
  if (err == NULL)
    err = &own;
  json_decref(*row);
  *row = NULL;
  int rc = db_step(stmt, err);
  if (rc == 1) {
    *row = db_row(stmt, err);
    rc = *row != NULL ? 0 : err->code != 0 ? err->code : -EIO;
  } else if (rc == 0 && absent != NULL) {
    rc = tm_fail(err, -ENOENT, "%s", absent);
  }
  db_done(stmt);
  return rc;
}

bool db_is_pgsql(const struct db *db)
{
  return strcmp(db->engine->name, "pgsql") == 0;
}

/* --- scope and savepoints ----------------------------------------------------------------- */

const struct db_scope db_everyone = {NULL};

static int scope_becomes(struct db *db, bool scoped, const char *customer, struct tm_error *err)
{
  char *copy = NULL;
  if (customer != NULL && (copy = strdup(customer)) == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  free(db->customer);
  db->customer = copy;
  db->scoped = scoped;
  db->all = scoped && customer == NULL;
  return db->engine->scope(db, err);
}

int db_scope_set(struct db *db, const struct db_scope *scope, struct tm_error *err)
{
  return scope_becomes(db, scope != NULL, scope != NULL ? scope->customer : NULL, err);
}

static int savepoint(struct db *db, const char *what, unsigned depth, struct tm_error *err)
{
  char sql[64];
  snprintf(sql, sizeof(sql), "%s s%u", what, depth);
  return db->engine->run(db, sql, err);
}

int db_savepoint(struct db *db, struct tm_error *err)
{
  int rc = savepoint(db, "SAVEPOINT", db->depth + 1, err);
  if (rc == 0)
    db->depth++;
  return rc;
}

int db_savepoint_keep(struct db *db, struct tm_error *err)
{
  if (db->failed != 0) {
    db_savepoint_undo(db);
    return tm_fail(err, -EIO, "a statement failed, and what followed it was undone");
  }
  int rc = savepoint(db, "RELEASE SAVEPOINT", db->depth, err);
  db->depth--;
  return rc;
}

void db_savepoint_undo(struct db *db)
{
  struct tm_error err = {0};
  bool undone = savepoint(db, "ROLLBACK TO SAVEPOINT", db->depth, &err) == 0 &&
                savepoint(db, "RELEASE SAVEPOINT", db->depth, &err) == 0;
  /* What failed inside is gone with it; where even this fails, nothing outside is kept either. */
  if (!undone)
    db->failed = 1;
  else if (db->failed > db->depth)
    db->failed = 0;
  db->depth--;
}
