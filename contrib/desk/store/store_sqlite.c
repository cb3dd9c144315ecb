/* SPDX-License-Identifier: MIT */
#include "common/json_memory.h"
#include "contrib/desk/store/store_own.h"

#include "common/file.h"
#include "contrib/desk/store/db_sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Jobs of one transaction: enough that its fsync is shared well, few enough that the first of them
 * does not wait for long. */
enum { GROUP_MAX = 256, READERS_MAX = 64, RETRIES = 5, TIDY_MS = 2000 };

struct job {
  const struct db_scope *scope;
  store_work *work;
  void *arg;
  struct tm_error *err;
  int rc;
  bool done;
  struct job *next;
};

struct sqlite_store {
  struct store base;
  struct pool *readers;
  unsigned readers_len;
  struct db *writer;
  pthread_t thread;
  bool has_thread;
  pthread_mutex_t lock;
  pthread_cond_t came, finished;
  struct job *first, **last;
  bool ending;
};

/* --- the writer --------------------------------------------------------------------------- */

/* Up to GROUP_MAX jobs that wait now, in the order in which they came; NULL at the end. */
static struct job *take_group(struct sqlite_store *s)
{
  pthread_mutex_lock(&s->lock);
  while (s->first == NULL && !s->ending)
    pthread_cond_wait(&s->came, &s->lock);
  struct job *group = s->first, *end = group;
  for (int n = 1; end != NULL && n < GROUP_MAX && end->next != NULL; n++)
    end = end->next;
  if (end != NULL) {
    s->first = end->next;
    end->next = NULL;
  }
  if (s->first == NULL)
    s->last = &s->first;
  pthread_mutex_unlock(&s->lock);
  return group;
}

static void tell_group(struct sqlite_store *s, struct job *group)
{
  pthread_mutex_lock(&s->lock);
  for (struct job *j = group, *next; j != NULL; j = next) {
    next = j->next; /* the job is its caller's again once it is done */
    j->done = true;
  }
  pthread_cond_broadcast(&s->finished);
  pthread_mutex_unlock(&s->lock);
}

/* alone: in a savepoint, so that its failure undoes nothing but itself. */
static void run_job(struct db *db, struct job *j, bool alone)
{
  struct tm_error *err = j->err;
  tm_json_forgive(); /* what the job before this one lacked */
  j->rc = alone ? db_savepoint(db, err) : 0;
  if (j->rc < 0)
    return;
  j->rc = store_run(db, j->scope, j->work, j->arg, err);
  if (alone && j->rc == 0)
    j->rc = db_savepoint_keep(db, err);
  else if (alone)
    db_savepoint_undo(db);
}

/* The error of the whole transaction is that of each job which believed itself kept. */
static void fail_group(struct job *group, const struct tm_error *err)
{
  for (struct job *j = group; j != NULL; j = j->next) {
    if (j->rc == 0)
      j->rc = tm_fail(j->err, err->code, "%s", err->text);
  }
}

/* A ROLLBACK needs memory too. Where there was none for the last one, its transaction would stand
 * in the way of every other on this connection for ever: so it comes before each, too. */
static void end_last(struct db *db)
{
  if (sqlite3_get_autocommit(db_sqlite_handle(db)) == 0)
    db_run(db, "ROLLBACK", NULL);
  db->depth = 0;
  db->failed = 0;
}

/* -ECANCELED when a job that was not alone failed: nothing of the group was kept. */
static int try_group(struct sqlite_store *s, struct job *group, bool alone, struct tm_error *err)
{
  int rc = db_run(s->writer, "BEGIN IMMEDIATE", err);
  for (struct job *j = group; rc == 0 && j != NULL; j = j->next) {
    run_job(s->writer, j, alone);
    if (j->rc < 0 && !alone)
      rc = -ECANCELED;
  }
  if (rc < 0)
    return rc;
  /* What ended the whole transaction behind our back (a full disk, out of memory) lost all. */
  if (sqlite3_get_autocommit(db_sqlite_handle(s->writer)) != 0)
    return tm_fail(err, -EIO, "the database ended the transaction; nothing of it was kept");
  return db_run(s->writer, "COMMIT", err);
}

/* Nearly all that is done succeeds, and a savepoint costs a copy of each page that is written after
 * it. So the jobs of a group share the transaction as they are; where one fails, all of them are
 * done again with a savepoint each. A job that is the only one needs none. */
static void run_group(struct sqlite_store *s, struct job *group)
{
  struct tm_error err = {0};
  end_last(s->writer);
  int rc = try_group(s, group, false, &err);
  if (rc == -ECANCELED) {
    end_last(s->writer);
    rc = group->next != NULL ? try_group(s, group, true, &err) : 0;
  }
  if (rc < 0)
    fail_group(group, &err);
  end_last(s->writer);
}

static void *write_loop(void *arg)
{
  struct sqlite_store *s = arg;
  struct job *group;
  while ((group = take_group(s)) != NULL) {
    run_group(s, group);
    tell_group(s, group);
  }
  return NULL;
}

static int queue_job(struct sqlite_store *s, struct job *j)
{
  if (pthread_equal(pthread_self(), s->thread))
    return tm_fail(j->err, -EDEADLK, "store_write() inside of a piece of writing");
  pthread_mutex_lock(&s->lock);
  j->next = NULL;
  j->done = false;
  *s->last = j;
  s->last = &j->next;
  pthread_cond_signal(&s->came);
  while (!j->done)
    pthread_cond_wait(&s->finished, &s->lock);
  pthread_mutex_unlock(&s->lock);
  return j->rc;
}

static int sqlite_write(struct store *store, const struct db_scope *scope, store_work *work,
                        void *arg, struct tm_error *err)
{
  int rc = -EAGAIN;
  for (int i = 0; rc == -EAGAIN && i < RETRIES; i++) {
    struct job j = {.scope = scope, .work = work, .arg = arg, .err = err};
    rc = queue_job((struct sqlite_store *)store, &j);
  }
  return rc;
}

/* --- reading ------------------------------------------------------------------------------ */

static int sqlite_read(struct store *store, const struct db_scope *scope, store_work *work,
                       void *arg, struct tm_error *err)
{
  struct sqlite_store *s = (struct sqlite_store *)store;
  struct db *db = pool_take(s->readers);
  end_last(db);
  int rc = db_run(db, "BEGIN", err);
  if (rc == 0)
    rc = store_run(db, scope, work, arg, err);
  end_last(db);
  pool_give(s->readers, db);
  return rc;
}

/* --- backup ------------------------------------------------------------------------------- */

static int copy_all(sqlite3 *from, const char *path, struct tm_error *err)
{
  sqlite3 *to = NULL;
  int rc = 0;
  if (sqlite3_open_v2(path, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
    rc = tm_fail(err, -EIO, "%s: %s", path, to != NULL ? sqlite3_errmsg(to) : "out of memory");
    goto out;
  }
  /* All pages in one step are one read transaction: writing goes on beside it, and it cannot be
   * made to begin again as a copy in several steps would be. */
  sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");
  if (b != NULL)
    sqlite3_backup_step(b, -1);
  if (b == NULL || sqlite3_backup_finish(b) != SQLITE_OK)
    rc = tm_fail(err, -EIO, "%s: %s", path, sqlite3_errmsg(to));
out:
  sqlite3_close(to);
  return rc;
}

static int put_in_place(const char *temporary, const char *path, struct tm_error *err)
{
  char *folder = strdup(path);
  if (folder == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  char *slash = strrchr(folder, '/');
  if (slash != NULL)
    slash[slash == folder] = '\0';
  int fd = open(temporary, O_RDWR | O_CLOEXEC);
  int rc = 0;
  if (fd < 0 || fsync(fd) < 0 || rename(temporary, path) < 0)
    rc = tm_fail(err, -errno, "%s: %s", path, strerror(errno));
  else
    rc = tm_dir_sync(slash != NULL ? folder : ".", err);
  if (fd >= 0)
    close(fd);
  free(folder);
  return rc;
}

static int sqlite_backup(struct store *store, const char *path, struct tm_error *err)
{
  struct sqlite_store *s = (struct sqlite_store *)store;
  char temporary[4096];
  if (snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path) >= (int)sizeof(temporary))
    return tm_fail(err, -ENAMETOOLONG, "%s: the path is too long", path);
  int fd = mkstemp(temporary);
  if (fd < 0)
    return tm_fail(err, -errno, "%s: %s", path, strerror(errno));
  close(fd);
  struct db *db = pool_take(s->readers);
  int rc = copy_all(db_sqlite_handle(db), temporary, err);
  pool_give(s->readers, db);
  if (rc == 0)
    rc = put_in_place(temporary, path, err);
  if (rc < 0)
    unlink(temporary);
  return rc;
}

/* Erased bytes are overwritten where they stood (secure_delete); the log still has them. While it
 * waits for those who read the log, nobody can write: it does not wait for long. */
static int sqlite_tidy(struct store *store, struct tm_error *err)
{
  struct sqlite_store *s = (struct sqlite_store *)store;
  struct db *db = pool_take(s->readers);
  sqlite3 *handle = db_sqlite_handle(db);
  end_last(db);
  sqlite3_busy_timeout(handle, TIDY_MS);
  int code = sqlite3_wal_checkpoint_v2(handle, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
  int rc = code == SQLITE_OK ? 0
           : (code & 0xff) == SQLITE_BUSY || (code & 0xff) == SQLITE_LOCKED
               ? tm_fail(err, -EAGAIN, "what was erased lies in the log: somebody reads it")
               : tm_fail(err, -EIO, "what was erased lies in the log: %s", sqlite3_errmsg(handle));
  sqlite3_busy_timeout(handle, DB_SQLITE_BUSY_MS);
  pool_give(s->readers, db);
  return rc;
}

/* --- opening ------------------------------------------------------------------------------ */

static void sqlite_close(struct store *store)
{
  struct sqlite_store *s = (struct sqlite_store *)store;
  pthread_mutex_lock(&s->lock);
  s->ending = true;
  pthread_cond_signal(&s->came);
  pthread_mutex_unlock(&s->lock);
  if (s->has_thread)
    pthread_join(s->thread, NULL);
  for (unsigned i = 0; i < s->readers_len; i++)
    db_sqlite_close(pool_take(s->readers));
  db_sqlite_close(s->writer);
  pool_free(s->readers);
  pthread_cond_destroy(&s->came);
  pthread_cond_destroy(&s->finished);
  pthread_mutex_destroy(&s->lock);
  free(s);
}

static int migrate_file(struct db *db, const char *path, struct tm_error *err)
{
  /* IMMEDIATE: whoever is second waits, and then finds nothing to do. */
  int rc = db_run(db, "BEGIN IMMEDIATE", err);
  if (rc < 0)
    return rc;
  rc = migrate(db, err);
  db_give_back(db);
  if (rc == 0)
    rc = db_run(db, "COMMIT", err);
  if (rc < 0) {
    db_run(db, "ROLLBACK", NULL);
    tm_fail_prefix(err, path);
  }
  db->failed = 0;
  return rc;
}

static const struct store_engine engine = {.close = sqlite_close,
                                           .read = sqlite_read,
                                           .write = sqlite_write,
                                           .backup = sqlite_backup,
                                           .tidy = sqlite_tidy};

int store_sqlite_open(struct store **store, const struct store_settings *settings, const char *path,
                      struct tm_error *err)
{
  unsigned readers = settings->connections > 0 ? settings->connections : 1;
  if (readers > READERS_MAX)
    readers = READERS_MAX;
  struct sqlite_store *s = calloc(1, sizeof(*s));
  if (s == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  s->base.engine = &engine;
  s->last = &s->first;
  pthread_mutex_init(&s->lock, NULL);
  pthread_cond_init(&s->came, NULL);
  pthread_cond_init(&s->finished, NULL);
  s->readers = pool_new(readers);
  int rc = s->readers == NULL ? tm_fail(err, -ENOMEM, "out of memory") : 0;
  if (rc == 0)
    rc = db_sqlite_open(&s->writer, path, DB_SQLITE_WRITES, err);
  if (rc == 0)
    rc = migrate_file(s->writer, path, err);
  while (rc == 0 && s->readers_len < readers) {
    struct db *db = NULL;
    rc = db_sqlite_open(&db, path, DB_SQLITE_READS, err);
    if (rc == 0) {
      pool_give(s->readers, db);
      s->readers_len++;
    }
  }
  if (rc == 0) {
    rc = -pthread_create(&s->thread, NULL, write_loop, s);
    s->has_thread = rc == 0;
    if (rc < 0)
      tm_fail(err, rc, "a thread cannot be started: %s", strerror(-rc));
  }
  if (rc < 0)
    sqlite_close(&s->base);
  else
    *store = &s->base;
  return rc;
}
