/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_DB_OWN_H
#define TM_DESK_DB_OWN_H

#include "common/buf.h"
#include "common/hash.h"
#include "contrib/desk/store/db.h"

/*
 * What the two engines share, and what each must give: nothing outside store/ includes this.
 * db.c keeps the prepared statements and says what is right for both; an engine binds and steps.
 */
enum db_type { DB_NULL, DB_INT, DB_REAL, DB_TEXT, DB_BLOB };

struct db_engine {
  const char *name; /* "sqlite" or "pgsql", as in the migrations' words */
  /* A new statement of the SQL in the engine's own words, base filled by the caller. */
  int (*prepare)(struct db *db, const char *sql, struct db_stmt **stmt, struct tm_error *err);
  void (*finalize)(struct db_stmt *stmt);
  /* 0 or a negative errno. A NULL of a type: data NULL; DB_NULL is one of any type. */
  int (*bind_int)(struct db_stmt *stmt, int at, const int64_t *value);
  int (*bind_real)(struct db_stmt *stmt, int at, const double *value);
  int (*bind_data)(struct db_stmt *stmt, int at, enum db_type type, const void *data, size_t len);
  int (*step)(struct db_stmt *stmt, struct tm_error *err);
  void (*reset)(struct db_stmt *stmt);
  int (*columns)(struct db_stmt *stmt);
  const char *(*column_name)(struct db_stmt *stmt, int column);
  enum db_type (*column_type)(struct db_stmt *stmt, int column);
  int64_t (*column_int)(struct db_stmt *stmt, int column);
  double (*column_real)(struct db_stmt *stmt, int column);
  const char *(*column_text)(struct db_stmt *stmt, int column);
  const void *(*column_blob)(struct db_stmt *stmt, int column, size_t *len);
  /* Statements without parameters and rows, several at once; already in the engine's words. */
  int (*run)(struct db *db, const char *sql, struct tm_error *err);
  /* db->scoped, db->all and db->customer have changed. */
  int (*scope)(struct db *db, struct tm_error *err);
};

struct db {
  const struct db_engine *engine;
  struct db_stmt *cache;  /* by the address of the literal */
  char *customer;         /* NULL with all, or without scope */
  struct db_stmt *spares; /* second ones of statements used within themselves, done with */
  bool scoped, all;
  bool again;     /* a statement failed for what may be over at the next try (-EAGAIN) */
  unsigned depth; /* of savepoints */
  unsigned
      failed; /* depth + 1 at which a statement failed; 0: none. Nothing is kept until undone */
};

struct db_stmt {
  struct db *db;
  const char *sql; /* the key */
  char *copy;      /* of the key's text: a literal's address never means another text */
  bool busy, cached;
  struct db_stmt *next_spare;
  int bind_error;
  int64_t changes;
  UT_hash_handle hh;
};

void db_release(struct db *db); /* finalizes the statements, frees what db.c keeps */
/* Runs statements in both engines' words. */
int db_run(struct db *db, const char *sql, struct tm_error *err);
/* At the end of a piece of work: frees spares, and gives back every statement that was forgotten;
 * true when there was one. */
bool db_give_back(struct db *db);

/*
 * SQL in the engine's own words. Outside of quotes: ?N becomes $N for PostgreSQL; the words are
 *   SERIAL_KEY      a number given by the database, primary key
 *   INTEGER REAL BLOB   64 bit, double, bytes
 *   WITHOUT_ROWID   a table that lies in its primary key, where the engine has such
 *   GREATEST LEAST      of several values
 * Everything else stands as it is. -EFBIG or -ENOMEM.
 */
int dialect(struct tm_buf *out, const char *engine, const char *sql, size_t len);

/* Brings the database to this program's version inside one transaction, which the caller has opened
 * (and locked against other desks) and ends. */
int migrate(struct db *db, struct tm_error *err);

#endif
