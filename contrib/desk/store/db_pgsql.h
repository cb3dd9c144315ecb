/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_DB_PGSQL_H
#define TM_DESK_DB_PGSQL_H

#include "contrib/desk/store/db_own.h"

/*
 * A connection. Its own failures are told as -EAGAIN, and db_pgsql_is_lost() says so: the
 * statements that it had prepared are gone with it, and only closing it is left.
 */
int db_pgsql_open(struct db **db, const char *url, const char *password, struct tm_error *err);
void db_pgsql_close(struct db *db); /* NULL is fine */
bool db_pgsql_is_lost(const struct db *db);
/* libpq's own. */
struct pg_conn *db_pgsql_connection(const struct db *db);

/* Hears a channel from now on, and what came on it: waits at most wait_ms for more. Nothing else is
 * asked of such a connection. */
int db_pgsql_listen(struct db *db, const char *channel, struct tm_error *err);
int db_pgsql_hear(struct db *db, int wait_ms, void (*heard)(void *user, const char *text),
                  void *user, struct tm_error *err);

/* Opens a transaction. One that writes has a number of ours, by which its end can be asked for. */
int db_pgsql_begin(struct db *db, bool writes, struct tm_error *err);
uint64_t db_pgsql_transaction(const struct db *db);
/* 0: durable. -EAGAIN with a lost connection: nobody knows, db_pgsql_outcome() on another one does.
 */
int db_pgsql_commit(struct db *db, struct tm_error *err);
void db_pgsql_rollback(struct db *db);

/*
 * What became of it. Each transaction that writes leaves its number in a row of its own; asking
 * puts the same row there, so that the server itself says whether it was there before, waits for
 * one that is still under way, and lets none that was given up come late.
 */
enum outcome { OUTCOME_ABORTED, OUTCOME_COMMITTED, OUTCOME_RUNNING };
int db_pgsql_outcome(struct db *db, uint64_t transaction, enum outcome *out, struct tm_error *err);

#endif
