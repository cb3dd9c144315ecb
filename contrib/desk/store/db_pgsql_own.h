/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_DB_PGSQL_OWN_H
#define TM_DESK_DB_PGSQL_OWN_H

#include "contrib/desk/store/db_pgsql.h"

#include <libpq-fe.h>

/* What db_pgsql.c (connections and transactions) and statement_pgsql.c share: nobody else includes
 * this. */
struct pgsql_db {
  struct db base;
  PGconn *conn;
  uint64_t transaction;
  unsigned named; /* statements so far: each has a name of its own */
};

static inline struct pgsql_db *pgsql_of(const struct db *db)
{
  return (struct pgsql_db *)db;
}

/* Tells what failed, with the server's words or, result NULL, libpq's: -EEXIST, -EAGAIN, -ENOSPC,
 * -EACCES, else -EIO. */
int pgsql_fail(const struct db *db, const PGresult *result, const char *what, struct tm_error *err);

/* Of the engine (db_own.h). */
int pgsql_run(struct db *db, const char *sql, struct tm_error *err);
int pgsql_scope(struct db *db, struct tm_error *err);
extern const struct db_engine pgsql_engine;

/* The connection ends, and what the server has prepared with it: nothing is sent for each. */
void pgsql_forget_statements(struct db *db);

#endif
