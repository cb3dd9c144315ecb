/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_DB_SQLITE_H
#define TM_DESK_DB_SQLITE_H

#include "contrib/desk/store/db_own.h"

#include <sqlite3.h>

enum { DB_SQLITE_BUSY_MS = 20000 }; /* how long a connection waits for the others */
enum db_sqlite_use { DB_SQLITE_WRITES, DB_SQLITE_READS };

/* A connection to the file, which is made when it is not there (readable for its owner alone). */
int db_sqlite_open(struct db **db, const char *path, enum db_sqlite_use use, struct tm_error *err);
void db_sqlite_close(struct db *db); /* NULL is fine */
sqlite3 *db_sqlite_handle(struct db *db);

#endif
