/* SPDX-License-Identifier: MIT */
#include "contrib/desk/store/db_sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STATEMENT_MAX = 1 << 20 };

struct sqlite_db {
  struct db base;
  sqlite3 *handle;
};

struct sqlite_stmt {
  struct db_stmt base;
  sqlite3_stmt *handle;
};

static sqlite3 *handle_of(const struct db *db)
{
  return ((const struct sqlite_db *)db)->handle;
}

static sqlite3_stmt *stmt_of(const struct db_stmt *stmt)
{
  return ((const struct sqlite_stmt *)stmt)->handle;
}

static int code_of(int extended)
{
  switch (extended) {
  case SQLITE_CONSTRAINT_UNIQUE:
  case SQLITE_CONSTRAINT_PRIMARYKEY:
  case SQLITE_CONSTRAINT_ROWID:
    return -EEXIST;
  default:
    break;
  }
  switch (extended & 0xff) {
  case SQLITE_BUSY:
  case SQLITE_LOCKED:
    return -EAGAIN;
  case SQLITE_FULL:
    return -ENOSPC;
  case SQLITE_NOMEM:
    return -ENOMEM;
  case SQLITE_CANTOPEN:
  case SQLITE_PERM:
  case SQLITE_READONLY:
    return -EROFS; /* not -EACCES, which is said of who asks */
  default:
    return -EIO;
  }
}

static int fail(sqlite3 *handle, const char *what, struct tm_error *err)
{
  return tm_fail(err, code_of(sqlite3_extended_errcode(handle)), "%.60s: %s", what,
                 sqlite3_errmsg(handle));
}

/* --- statements --------------------------------------------------------------------------- */

static int prepare(struct db *db, const char *sql, struct db_stmt **stmt, struct tm_error *err)
{
  struct sqlite_stmt *s = calloc(1, sizeof(*s));
  if (s == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  if (sqlite3_prepare_v3(handle_of(db), sql, -1, SQLITE_PREPARE_PERSISTENT, &s->handle, NULL) !=
      SQLITE_OK) {
    free(s);
    return fail(handle_of(db), sql, err);
  }
  *stmt = &s->base;
  return 0;
}

static void finalize(struct db_stmt *stmt)
{
  sqlite3_finalize(stmt_of(stmt));
  free(stmt);
}

static int bound(int rc)
{
  return rc == SQLITE_OK       ? 0
         : rc == SQLITE_NOMEM  ? -ENOMEM
         : rc == SQLITE_TOOBIG ? -EFBIG
                               : -EINVAL;
}

static int bind_int(struct db_stmt *stmt, int at, const int64_t *value)
{
  return bound(value != NULL ? sqlite3_bind_int64(stmt_of(stmt), at, *value)
                             : sqlite3_bind_null(stmt_of(stmt), at));
}

static int bind_real(struct db_stmt *stmt, int at, const double *value)
{
  return bound(value != NULL ? sqlite3_bind_double(stmt_of(stmt), at, *value)
                             : sqlite3_bind_null(stmt_of(stmt), at));
}

static int bind_data(struct db_stmt *stmt, int at, enum db_type type, const void *data, size_t len)
{
  if (data == NULL)
    return bound(sqlite3_bind_null(stmt_of(stmt), at));
  if (type == DB_BLOB)
    return bound(sqlite3_bind_blob64(stmt_of(stmt), at, data, len, SQLITE_TRANSIENT));
  return bound(sqlite3_bind_text64(stmt_of(stmt), at, data, len, SQLITE_TRANSIENT, SQLITE_UTF8));
}

static int step(struct db_stmt *stmt, struct tm_error *err)
{
  int rc = sqlite3_step(stmt_of(stmt));
  if (rc != SQLITE_ROW && rc != SQLITE_DONE)
    return fail(handle_of(stmt->db), stmt->copy, err);
  if (!sqlite3_stmt_readonly(stmt_of(stmt)))
    stmt->changes = sqlite3_changes64(handle_of(stmt->db));
  return rc == SQLITE_ROW;
}

static void reset(struct db_stmt *stmt)
{
  sqlite3_reset(stmt_of(stmt));
  sqlite3_clear_bindings(stmt_of(stmt));
}

static int columns(struct db_stmt *stmt)
{
  return sqlite3_column_count(stmt_of(stmt));
}

static const char *column_name(struct db_stmt *stmt, int column)
{
  return sqlite3_column_name(stmt_of(stmt), column);
}

static enum db_type column_type(struct db_stmt *stmt, int column)
{
  switch (sqlite3_column_type(stmt_of(stmt), column)) {
  case SQLITE_INTEGER:
    return DB_INT;
  case SQLITE_FLOAT:
    return DB_REAL;
  case SQLITE_TEXT:
    return DB_TEXT;
  case SQLITE_BLOB:
    return DB_BLOB;
  default:
    return DB_NULL;
  }
}

static int64_t column_int(struct db_stmt *stmt, int column)
{
  return sqlite3_column_int64(stmt_of(stmt), column);
}

static double column_real(struct db_stmt *stmt, int column)
{
  return sqlite3_column_double(stmt_of(stmt), column);
}

static const char *column_text(struct db_stmt *stmt, int column)
{
  bool is_null = sqlite3_column_type(stmt_of(stmt), column) == SQLITE_NULL;
  const char *text = (const char *)sqlite3_column_text(stmt_of(stmt), column);
  /* No memory: not to be taken for a NULL of the database. */
  if (text == NULL && !is_null && stmt->db->failed == 0)
    stmt->db->failed = stmt->db->depth + 1;
  return text;
}

static const void *column_blob(struct db_stmt *stmt, int column, size_t *len)
{
  const void *data = sqlite3_column_blob(stmt_of(stmt), column);
  *len = (size_t)sqlite3_column_bytes(stmt_of(stmt), column);
  return data != NULL ? data : "";
}

static int run(struct db *db, const char *sql, struct tm_error *err)
{
  if (sqlite3_exec(handle_of(db), sql, NULL, NULL, NULL) != SQLITE_OK)
    return fail(handle_of(db), sql, err);
  return 0;
}

/* The scope lives in the statements' own conditions here. */
static int scope(struct db *db, struct tm_error *err)
{
  (void)db;
  (void)err;
  return 0;
}

static const struct db_engine engine = {
    .name = "sqlite",
    .prepare = prepare,
    .finalize = finalize,
    .bind_int = bind_int,
    .bind_real = bind_real,
    .bind_data = bind_data,
    .step = step,
    .reset = reset,
    .columns = columns,
    .column_name = column_name,
    .column_type = column_type,
    .column_int = column_int,
    .column_real = column_real,
    .column_text = column_text,
    .column_blob = column_blob,
    .run = run,
    .scope = scope,
};

/* --- connections -------------------------------------------------------------------------- */

/*
 * SQLite makes its file, and the two beside it, readable for whoever the umask lets. A file that is
 * there is not opened: closing it again would give up all the locks that this process holds on it
 * by its other connections (POSIX has them by process), and another process would believe itself to
 * be the last one, and remove the log from under us.
 */
static int make_file(const char *path, struct tm_error *err)
{
  struct stat st;
  int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd >= 0) {
    close(fd);
    return 0;
  }
  if (errno != EEXIST || lstat(path, &st) < 0)
    return tm_fail(err, -errno, "%s: %s", path, strerror(errno));
  if (!S_ISREG(st.st_mode))
    return tm_fail(err, -EINVAL, "%s: is not a regular file", path);
  return 0;
}

static int set_up(struct sqlite_db *d, enum db_sqlite_use use, struct tm_error *err)
{
  sqlite3_extended_result_codes(d->handle, 1);
  sqlite3_busy_timeout(d->handle, DB_SQLITE_BUSY_MS);
  sqlite3_db_config(d->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
  sqlite3_db_config(d->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
  sqlite3_db_config(d->handle, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
  sqlite3_limit(d->handle, SQLITE_LIMIT_SQL_LENGTH, STATEMENT_MAX);
  /* Longer than the default of 1000 pages, so that a checkpoint's fsync comes once a few hundred
   * transactions. The caches stay small: many readers in 256 MiB. */
  int rc = run(&d->base,
               "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
               "PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;"
               "PRAGMA journal_size_limit = 67108864; PRAGMA wal_autocheckpoint = 4000",
               err);
  if (rc == 0)
    rc = run(&d->base,
             use == DB_SQLITE_READS ? "PRAGMA cache_size = -4096; PRAGMA query_only = ON"
                                    : "PRAGMA cache_size = -16384; PRAGMA secure_delete = ON",
             err);
  return rc;
}

/* Its own statistics cost a lock at each allocation. Fails where SQLite is in use already. */
static void configure(void)
{
  sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

int db_sqlite_open(struct db **db, const char *path, enum db_sqlite_use use, struct tm_error *err)
{
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, configure);
  int rc = make_file(path, err);
  if (rc < 0)
    return rc;
  struct sqlite_db *d = calloc(1, sizeof(*d));
  if (d == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  d->base.engine = &engine;
  if (sqlite3_open_v2(path, &d->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
      SQLITE_OK) {
    rc = d->handle != NULL ? fail(d->handle, path, err) : tm_fail(err, -ENOMEM, "out of memory");
  } else if (sqlite3_db_readonly(d->handle, "main") == 1) {
    /* SQLite opens what it may not write for reading alone, and tells it at the first write. */
    rc = tm_fail(err, -EROFS, "%s: cannot be opened for writing", path);
  } else {
    rc = set_up(d, use, err);
    if (rc < 0)
      tm_fail_prefix(err, path);
  }
  if (rc < 0) {
    db_sqlite_close(&d->base);
    return rc;
  }
  *db = &d->base;
  return 0;
}

void db_sqlite_close(struct db *db)
{
  if (db == NULL)
    return;
  db_release(db);
  sqlite3_close(handle_of(db));
  free(db);
}

sqlite3 *db_sqlite_handle(struct db *db)
{
  return handle_of(db);
}
