/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_DB_H
#define TM_DESK_DB_H

#include "common/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * One connection to the desk's database, SQLite or PostgreSQL, behind one thin interface: the rest
 * of the desk does not know which it is. SQL is written once, in the words that both understand;
 * parameters are ?1, ?2, ... (PostgreSQL's back end turns them into $1, ...) and nothing from
 * outside is ever pasted into a statement. A connection belongs to one thread at a time.
 * Words that differ are translated (INTEGER, REAL, BLOB, and in migrations SERIAL_KEY; GREATEST and
 * LEAST of several values). LIKE minds the case in one engine and not in the other: compare
 * lower(x) with a lower-case text. RETURNING and ON CONFLICT are the same in both.
 *
 * Types: INTEGER is int64_t (PostgreSQL: bigint), REAL is double, TEXT is UTF-8, BLOB is bytes.
 * Times are whole seconds since 1970 UTC as INTEGER, dates of days since 1970-01-01 as INTEGER,
 * amounts of money as TEXT as the documents have them. What is not known is NULL.
 */
struct db;
struct db_stmt;

/*
 * Whose rows a piece of work may touch. Every table that holds customers' data has a column
 * customer_id, and every statement on it is bound to the scope: by a condition in the statement
 * (`db_bind_customer`) and, in PostgreSQL, by row-level security besides.
 */
struct db_scope {
  const char *customer; /* NULL: staff and the desk's own work, all customers */
};
extern const struct db_scope db_everyone;

/* The connection works for this scope until it is set again; a connection from the store has none,
 * and a statement on a tenant table then finds nothing under PostgreSQL. */
int db_scope_set(struct db *db, const struct db_scope *scope, struct tm_error *err);

/*
 * A prepared statement, kept by the connection under the address of sql (a literal), so that the
 * second use costs nothing. *stmt is borrowed: db_done() gives it back, and every path must do so.
 */
int db_prepare(struct db *db, const char *sql, struct db_stmt **stmt, struct tm_error *err);
void db_bind_int(struct db_stmt *stmt, int at, int64_t value);
void db_bind_real(struct db_stmt *stmt, int at, double value);     /* NAN is bound as NULL */
void db_bind_text(struct db_stmt *stmt, int at, const char *text); /* NULL is NULL; copied */
void db_bind_blob(struct db_stmt *stmt, int at, const void *data, size_t len);
/* A NULL whose type the statement tells by itself (a column to be written or compared). Where it
 * asks "?1 IS NULL", bind a NULL with its type: by db_bind_text, or by this. */
void db_bind_null(struct db_stmt *stmt, int at);
void db_bind_int_or_null(struct db_stmt *stmt, int at, bool known, int64_t value);
/* Binds the scope's customer, NULL for all: "... WHERE (?1 IS NULL OR customer_id = ?1)". */
void db_bind_customer(struct db_stmt *stmt, int at);

/* 1 a row, 0 no (more) row, else a negative errno: -EEXIST for a unique key that is there already,
 * -EAGAIN for a transaction to be tried again, -EIO else. A failed bind is told here. After a
 * failure only db_savepoint_undo() makes the connection work again, with either engine: a piece of
 * work that goes on without it is not kept. Where a row may be there already, say ON CONFLICT. */
int db_step(struct db_stmt *stmt, struct tm_error *err);
/* For statements without rows: steps once and gives the statement back. */
int db_exec(struct db_stmt *stmt, struct tm_error *err);
/* A statement without parameters and rows. */
int db_run_one(struct db *db, const char *sql, struct tm_error *err);
/* Rows that the last INSERT, UPDATE or DELETE changed; after db_exec() too, until the statement is
 * used again. */
int64_t db_changes(const struct db_stmt *stmt);
void db_done(struct db_stmt *stmt); /* NULL is fine */

/* Columns from 0. Text and blob are borrowed until the next step or done. */
bool db_is_null(struct db_stmt *stmt, int column);
int64_t db_int(struct db_stmt *stmt, int column);      /* 0 for NULL: ask db_is_null first */
double db_real(struct db_stmt *stmt, int column);      /* NAN for NULL */
const char *db_text(struct db_stmt *stmt, int column); /* NULL for NULL */
const void *db_blob(struct db_stmt *stmt, int column, size_t *len);
/* A row as a JSON object, members named as the columns; a column whose name ends in _json is parsed
 * and loses that ending. New reference. */
json_t *db_row(struct db_stmt *stmt, struct tm_error *err);
/* All rows of a bound statement as an array of such objects; gives the statement back. */
json_t *db_rows(struct db_stmt *stmt, struct tm_error *err);
/* The same into *rows, in place of what stood there and is released: work that is done again, after
 * a conflict, reads anew. 0, or a negative errno with *rows NULL. */
int db_take_rows(struct db_stmt *stmt, json_t **rows, struct tm_error *err);
/* The same of a statement without parameters. */
int db_read_rows(struct db *db, const char *sql, json_t **rows, struct tm_error *err);
/* The one row of a bound statement in the same way. Where there is none: -ENOENT with `absent` as
 * the reason, or, absent NULL, 0 with *row NULL. */
int db_take_row(struct db_stmt *stmt, json_t **row, const char *absent, struct tm_error *err);

/* For the few statements that cannot be the same in both. */
bool db_is_pgsql(const struct db *db);

/* A transaction inside the one that the store opened: what fails is undone and the rest goes on. */
int db_savepoint(struct db *db, struct tm_error *err);
int db_savepoint_keep(struct db *db, struct tm_error *err);
void db_savepoint_undo(struct db *db);

#endif
