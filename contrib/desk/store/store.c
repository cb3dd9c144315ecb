/* SPDX-License-Identifier: MIT */
#include "contrib/desk/store/store.h"

#include "common/json_memory.h"
#include "contrib/desk/store/store_own.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* --- connections that wait ---------------------------------------------------------------- */

struct pool {
  pthread_mutex_t lock;
  pthread_cond_t given;
  unsigned waiting, size;
  struct db *idle[];
};

struct pool *pool_new(unsigned size)
{
  struct pool *p = calloc(1, sizeof(*p) + size * sizeof(p->idle[0]));
  if (p == NULL)
    return NULL;
  p->size = size;
  pthread_mutex_init(&p->lock, NULL);
  pthread_cond_init(&p->given, NULL);
  return p;
}

void pool_free(struct pool *p)
{
  if (p == NULL)
    return;
  pthread_cond_destroy(&p->given);
  pthread_mutex_destroy(&p->lock);
  free(p);
}

struct db *pool_take(struct pool *p)
{
  pthread_mutex_lock(&p->lock);
  while (p->waiting == 0)
    pthread_cond_wait(&p->given, &p->lock);
  /* The one used last: its pages are the warm ones. */
  struct db *db = p->idle[--p->waiting];
  pthread_mutex_unlock(&p->lock);
  return db;
}

void pool_give(struct pool *p, struct db *db)
{
  pthread_mutex_lock(&p->lock);
  p->idle[p->waiting++] = db;
  pthread_cond_signal(&p->given);
  pthread_mutex_unlock(&p->lock);
}

/* --- work --------------------------------------------------------------------------------- */

int store_run(struct db *db, const struct db_scope *scope, store_work *work, void *arg,
              struct tm_error *err)
{
  unsigned depth = db->depth;
  db->failed = 0;
  db->again = false;
  int rc = db_scope_set(db, scope, err);
  if (rc == 0)
    rc = work(db, arg, err);
  if (db_give_back(db) && rc == 0)
    rc = tm_fail(err, -EIO, "a statement was not given back");
  if (rc == 0 && tm_json_starved())
    rc = tm_fail(err, -ENOMEM, "out of memory");
  if (rc == 0 && (db->failed != 0 || db->depth != depth))
    rc = tm_fail(err, -EIO, "a statement failed, and the work went on as if it had not");
  /* Whatever the work made of it: much of it only knows that there are no rows. */
  if (rc < 0 && db->again)
    rc = -EAGAIN;
  db->depth = depth;
  db->failed = 0;
  return rc < 0 ? rc : 0;
}

int store_open(struct store **store, const struct store_settings *settings, struct tm_error *err)
{
  const char *url = settings->url;
  if (strncmp(url, "sqlite:", 7) == 0)
    return store_sqlite_open(store, settings, url + 7, err);
  if (strncmp(url, "postgresql://", 13) == 0 || strncmp(url, "postgres://", 11) == 0)
    return store_pgsql_open(store, settings, err);
  return tm_fail(err, -EINVAL, "%.60s: sqlite:PATH or postgresql://... is wanted", url);
}

void store_close(struct store *store)
{
  if (store != NULL)
    store->engine->close(store);
}

int store_read(struct store *store, const struct db_scope *scope, store_work *work, void *arg,
               struct tm_error *err)
{
  return store->engine->read(store, scope, work, arg, err);
}

int store_write(struct store *store, const struct db_scope *scope, store_work *work, void *arg,
                struct tm_error *err)
{
  if (tm_json_starved()) /* what would be written may lack something */
    return tm_fail(err, -ENOMEM, "out of memory");
  return store->engine->write(store, scope, work, arg, err);
}

int store_backup(struct store *store, const char *path, struct tm_error *err)
{
  return store->engine->backup(store, path, err);
}

int store_tidy(struct store *store, struct tm_error *err)
{
  /* Who erases meanwhile is not seen to by what was begun before. */
  unsigned mine = atomic_fetch_add(&store->untidy, 1) + 1;
  int rc = store->engine->tidy(store, err);
  if (rc == 0)
    atomic_compare_exchange_strong(&store->untidy, &mine, 0);
  return rc;
}

bool store_is_untidy(const struct store *store)
{
  return atomic_load(&store->untidy) != 0;
}

/* --- one desk to another ------------------------------------------------------------------ */

bool store_is_shared(const struct store *store)
{
  return store->engine->hear != NULL;
}

static int notify(struct db *db, void *arg, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db, "SELECT pg_notify('" STORE_CHANNEL "', ?1)", &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, arg);
  rc = db_step(stmt, err);
  db_done(stmt);
  return rc < 0 ? rc : 0;
}

int store_tell(struct store *store, const char *text, struct tm_error *err)
{
  if (!store_is_shared(store))
    return 0;
  if (strlen(text) > STORE_NEWS)
    return tm_fail(err, -EMSGSIZE, "%zu bytes are too many for the other desks", strlen(text));
  return store_write(store, &db_everyone, notify, (void *)text, err);
}

int store_hear(struct store *store, int wait_ms, void (*heard)(void *user, const char *text),
               void *user, struct tm_error *err)
{
  if (!store_is_shared(store))
    return tm_fail(err, -ENOTSUP, "no other desk serves this database");
  return store->engine->hear(store, wait_ms, heard, user, err);
}
