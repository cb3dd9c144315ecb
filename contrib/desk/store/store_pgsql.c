/* SPDX-License-Identifier: MIT */
#include "contrib/desk/store/store_own.h"

#include "common/buf.h"
#include "common/clock.h"
#include "common/file.h"
#include "contrib/desk/store/db_pgsql.h"

#include <errno.h>
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/*
 * Work that met another's (a serialization failure) is tried again after a wait that grows and has
 * chance in it; work that lost its connection too, as long as a server takes to start again. That a
 * commit was sent and never answered is asked for longer: it must not be done twice, nor be lost.
 */
enum { SLOTS_MAX = 64, TRIES = 40, WAIT_MAX_MS = 1000, LOST_S = 20, UNKNOWN_S = 90 };

struct pgsql_store {
  struct store base;
  char *url, *password;
  struct pool *slots; /* connections; NULL where one is still to be made */
  unsigned slots_len;
  struct db *ears; /* for what other desks say; NULL until somebody wants to hear */
};

/* A place in the pool: the connection is made when it is first needed, and anew when it was lost.
 */
static struct db *take(struct pgsql_store *s, struct tm_error *err)
{
  struct db *db = pool_take(s->slots);
  if (db == NULL || db_pgsql_is_lost(db)) {
    db_pgsql_close(db);
    db = NULL;
    if (db_pgsql_open(&db, s->url, s->password, err) < 0)
      pool_give(s->slots, NULL);
  }
  return db;
}

static void wait_a_little(int tries)
{
  uint32_t most = tries < 8 ? 4u << tries : WAIT_MAX_MS;
  uint32_t ms = 1 + randombytes_uniform(most < WAIT_MAX_MS ? most : WAIT_MAX_MS);
  struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
  nanosleep(&t, NULL);
}

/* --- one try ------------------------------------------------------------------------------ */

struct attempt {
  const struct db_scope *scope;
  store_work *work;
  void *arg;
  bool writes;
  bool lost;            /* the connection went, or there was none */
  uint64_t transaction; /* 0, or the one whose commit was sent and never answered */
};

static int once(struct pgsql_store *s, struct attempt *a, struct tm_error *err)
{
  struct db *db = take(s, err);
  a->lost = db == NULL;
  if (db == NULL)
    return err->code;
  int rc = db_pgsql_begin(db, a->writes, err);
  if (rc == 0)
    rc = store_run(db, a->scope, a->work, a->arg, err);
  if (rc == 0 && a->writes) {
    rc = db_pgsql_commit(db, err);
    if (rc < 0 && db_pgsql_is_lost(db))
      a->transaction = db_pgsql_transaction(db);
  }
  db_pgsql_rollback(db);
  a->lost = db_pgsql_is_lost(db);
  /* Whatever the work made of it, a lost connection is a reason to try again. */
  if (rc < 0 && a->lost)
    rc = -EAGAIN;
  pool_give(s->slots, db);
  return rc;
}

/* What became of a commit that was never answered. 0: it is durable. */
static int ask_outcome(struct pgsql_store *s, struct attempt *a, struct tm_error *err)
{
  enum outcome outcome = OUTCOME_RUNNING;
  struct db *db = take(s, err);
  if (db == NULL)
    return -EAGAIN;
  int rc = db_pgsql_outcome(db, a->transaction, &outcome, err);
  pool_give(s->slots, db);
  if (rc < 0 || outcome == OUTCOME_RUNNING)
    return -EAGAIN;
  a->transaction = 0;
  return outcome == OUTCOME_COMMITTED ? 0 : -ECONNRESET;
}

static int run(struct pgsql_store *s, struct attempt *a, struct tm_error *err)
{
  struct tm_error own = {0};
  double start = tm_monotonic();
  int rc = -EAGAIN, met = 0;
  for (int i = 0; rc == -EAGAIN && met < TRIES; i++) {
    if (i > 0)
      wait_a_little(i);
    if (i > 0 && tm_monotonic() - start > (a->transaction != 0 ? UNKNOWN_S : LOST_S))
      break;
    own = (struct tm_error){0};
    if (a->transaction != 0) {
      rc = ask_outcome(s, a, &own);
      if (rc == 0)
        return 0;
      if (rc == -EAGAIN)
        continue;
    }
    rc = once(s, a, &own);
    met += !a->lost;
  }
  if (rc < 0 && a->transaction != 0)
    return tm_fail(err, -EIO,
                   "the server went away while it was storing: nobody knows whether it"
                   " has");
  if (rc < 0 && err != NULL)
    *err = own;
  return rc;
}

static int pgsql_write(struct store *store, const struct db_scope *scope, store_work *work,
                       void *arg, struct tm_error *err)
{
  struct attempt a = {.scope = scope, .work = work, .arg = arg, .writes = true};
  return run((struct pgsql_store *)store, &a, err);
}

static int pgsql_read(struct store *store, const struct db_scope *scope, store_work *work,
                      void *arg, struct tm_error *err)
{
  struct attempt a = {.scope = scope, .work = work, .arg = arg};
  return run((struct pgsql_store *)store, &a, err);
}

static int pgsql_backup(struct store *store, const char *path, struct tm_error *err)
{
  /* The url may hold a password: it is not told. */
  (void)store;
  return tm_fail(err, -ENOTSUP,
                 "PostgreSQL copies itself: pg_dump --format=custom --file=%.200s DATABASE, as a"
                 " role that row-level security does not bind (postgres)",
                 path);
}

static int pgsql_tidy(struct store *store, struct tm_error *err)
{
  (void)store;
  (void)err;
  return 0;
}

/* Each time it was away, the server is asked anew to tell. */
static int pgsql_hear(struct store *store, int wait_ms, void (*heard)(void *user, const char *text),
                      void *user, struct tm_error *err)
{
  struct pgsql_store *s = (struct pgsql_store *)store;
  int rc = 0;
  if (s->ears == NULL) {
    rc = db_pgsql_open(&s->ears, s->url, s->password, err);
    if (rc == 0)
      rc = db_pgsql_listen(s->ears, STORE_CHANNEL, err);
  }
  if (rc == 0)
    rc = db_pgsql_hear(s->ears, wait_ms, heard, user, err);
  if (rc < 0) {
    db_pgsql_close(s->ears);
    s->ears = NULL;
  }
  return rc;
}

/* --- opening ------------------------------------------------------------------------------ */

static void pgsql_close(struct store *store)
{
  struct pgsql_store *s = (struct pgsql_store *)store;
  for (unsigned i = 0; i < s->slots_len; i++)
    db_pgsql_close(pool_take(s->slots));
  pool_free(s->slots);
  db_pgsql_close(s->ears);
  if (s->password != NULL)
    sodium_memzero(s->password, strlen(s->password));
  free(s->password);
  free(s->url);
  free(s);
}

static int read_password(struct pgsql_store *s, const char *path, struct tm_error *err)
{
  struct tm_buf b = TM_BUF_INIT(4096);
  int rc = path == NULL ? 0 : tm_file_read(path, &b, err);
  if (rc == 0 && b.len > 0)
    b.ptr[strcspn(b.ptr, "\r\n")] = '\0';
  if (rc == 0)
    s->password = tm_buf_take(&b);
  tm_buf_release(&b);
  return rc;
}

/* The lock is the transaction's: another desk that starts now waits here, and finds it done. */
static int migrate_all(struct pgsql_store *s, struct tm_error *err)
{
  struct db *db = take(s, err);
  if (db == NULL)
    return err->code;
  int rc = db->engine->run(db, "BEGIN; SELECT pg_advisory_xact_lock(8462347151)", err);
  if (rc == 0)
    rc = migrate(db, err);
  db_give_back(db);
  if (rc == 0)
    rc = db_pgsql_commit(db, err);
  db_pgsql_rollback(db);
  db->failed = 0;
  pool_give(s->slots, db);
  return rc;
}

static const struct store_engine engine = {.close = pgsql_close,
                                           .read = pgsql_read,
                                           .write = pgsql_write,
                                           .backup = pgsql_backup,
                                           .tidy = pgsql_tidy,
                                           .hear = pgsql_hear};

int store_pgsql_open(struct store **store, const struct store_settings *settings,
                     struct tm_error *err)
{
  struct tm_error own = {0};
  struct pgsql_store *s = calloc(1, sizeof(*s));
  if (s == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  /* One more than reads at a time, for what the desk does by itself. */
  unsigned slots = settings->connections + 1 < SLOTS_MAX ? settings->connections + 1 : SLOTS_MAX;
  s->base.engine = &engine;
  s->url = strdup(settings->url);
  s->slots = pool_new(slots);
  int rc = s->url == NULL || s->slots == NULL ? tm_fail(&own, -ENOMEM, "out of memory") : 0;
  while (rc == 0 && s->slots_len < slots) {
    pool_give(s->slots, NULL);
    s->slots_len++;
  }
  if (rc == 0)
    rc = read_password(s, settings->password_file, &own);
  if (rc == 0)
    rc = migrate_all(s, &own);
  if (rc < 0) {
    pgsql_close(&s->base);
    if (err != NULL)
      *err = own;
    return rc;
  }
  *store = &s->base;
  return 0;
}
