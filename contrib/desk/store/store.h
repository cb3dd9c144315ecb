/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_STORE_H
#define TM_DESK_STORE_H

#include "contrib/desk/store/db.h"

/*
 * The desk's store: connections, durable writes, migrations.
 *
 * URL: "sqlite:/var/lib/tidemark-desk/desk.db" (WAL, synchronous=FULL, defensive, foreign keys) or
 * "postgresql://..." as libpq reads it (synchronous_commit on).
 *
 * SQLite has one writer: jobs that arrive together share one transaction, so that one fsync serves
 * them all (group commit); where one of them fails, they are all done again, a savepoint each.
 * PostgreSQL does that by itself: there a job runs on a connection of its own. Either way
 * store_write() returns 0 only when the job's rows are durable.
 */
struct store;

struct store_settings {
  const char *url;
  const char *password_file; /* PostgreSQL; NULL: none */
  unsigned connections;      /* for reading at the same time: one a worker thread */
};

/* Opens, and migrates to this program's version. A database of a newer version: -EPROTO, untouched.
 * Two desks that start at once migrate once. */
int store_open(struct store **store, const struct store_settings *settings, struct tm_error *err);
void store_close(struct store *store);

/* A piece of work inside a transaction. 0 keeps what it wrote, a negative errno undoes it and is
 * what the caller of store_read or store_write gets, with err. It may run more than once
 * (-EAGAIN is tried again, and so is what shared a transaction with a failure), so that it only
 * writes to its own arg what a second run may overwrite, and reads nothing there that the first run
 * wrote. */
typedef int store_work(struct db *db, void *arg, struct tm_error *err);

/* Reads one consistent state. */
int store_read(struct store *store, const struct db_scope *scope, store_work *work, void *arg,
               struct tm_error *err);
/* Writes; returns when it is durable. */
int store_write(struct store *store, const struct db_scope *scope, store_work *work, void *arg,
                struct tm_error *err);

/*
 * What desks that serve one database say to one another: lost when nobody hears it, so that it may
 * only make sooner what is seen in the rows anyhow. An SQLite file has one desk.
 */
enum { STORE_NEWS = 7900 }; /* bytes of a text */
bool store_is_shared(const struct store *store);
/* 0 when it was said, to this desk too. -EMSGSIZE. */
int store_tell(struct store *store, const char *text, struct tm_error *err);
/* Waits at most wait_ms for what is said, and calls `heard` for each; for one thread. 0; -ENOTSUP
 * where the store is not shared; -EAGAIN when the server is away: what is said meanwhile is lost.
 */
int store_hear(struct store *store, int wait_ms, void (*heard)(void *user, const char *text),
               void *user, struct tm_error *err);

/* Copies the whole (SQLite: its backup API, while serving) into a file; PostgreSQL: -ENOTSUP with
 * the pg_dump line to use in err. */
int store_backup(struct store *store, const char *path, struct tm_error *err);

/* After erasing: takes what was erased out of the files as well. Until then it may lie in SQLite's
 * log; PostgreSQL takes it away by itself (autovacuum). -EAGAIN when somebody still reads the log.
 */
int store_tidy(struct store *store, struct tm_error *err);
/* Whether that failed, and has not been done since. */
bool store_is_untidy(const struct store *store);

#endif
