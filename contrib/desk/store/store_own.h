/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_STORE_OWN_H
#define TM_DESK_STORE_OWN_H

#include "contrib/desk/store/db_own.h"
#include "contrib/desk/store/store.h"

#include <stdatomic.h>

#define STORE_CHANNEL "tidemark_desk" /* of LISTEN and NOTIFY */

/* What an engine gives to store.c. */
struct store_engine {
  void (*close)(struct store *store);
  int (*read)(struct store *store, const struct db_scope *scope, store_work *work, void *arg,
              struct tm_error *err);
  int (*write)(struct store *store, const struct db_scope *scope, store_work *work, void *arg,
               struct tm_error *err);
  int (*backup)(struct store *store, const char *path, struct tm_error *err);
  int (*tidy)(struct store *store, struct tm_error *err);
  /* NULL: one desk has it alone. */
  int (*hear)(struct store *store, int wait_ms, void (*heard)(void *user, const char *text),
              void *user, struct tm_error *err);
};

struct store {
  const struct store_engine *engine;
  /* How often what was erased had to be taken out of the files, since it was; 0: it is. */
  atomic_uint untidy;
};

int store_sqlite_open(struct store **store, const struct store_settings *settings, const char *path,
                      struct tm_error *err);
int store_pgsql_open(struct store **store, const struct store_settings *settings,
                     struct tm_error *err);

/* Runs a piece of work on a connection, inside a transaction that is open: sets the scope, and sees
 * to it that nothing is kept of a work that failed somewhere and said nothing. -EAGAIN also for a
 * work that failed otherwise after a statement of it was to be tried again. */
int store_run(struct db *db, const struct db_scope *scope, store_work *work, void *arg,
              struct tm_error *err);

/* Connections that wait to be used, with a lock of their own. */
struct pool;
struct pool *pool_new(unsigned size); /* NULL: out of memory */
void pool_free(struct pool *p);       /* of no connection: take them out first */
/* Waits for a connection. */
struct db *pool_take(struct pool *p);
void pool_give(struct pool *p, struct db *db);

#endif
