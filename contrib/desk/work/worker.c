/* SPDX-License-Identifier: MIT */
#include "contrib/desk/work/worker.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/wait.h"
#include "contrib/desk/advice/advise.h"
#include "contrib/desk/claims/crm.h"
#include "contrib/desk/claims/progress.h"
#include "contrib/desk/customers/crm.h"
#include "contrib/desk/intake/erase.h"
#include "contrib/desk/sales/letters.h"
#include "contrib/desk/work/nightly.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Looks for advice that is due each second, for the rest each minute. After a failure it waits. */
enum { MINUTE = 60, AFTER_FAILURE_S = 30, DEVICES = 128, NICE = 10 };

struct worker {
  const struct desk *desk;
  struct night night;
  struct lease weekly;
  struct claims_crm *crm; /* NULL: there is none */
  struct adviser *adviser;
  pthread_t thread;
  bool has_thread;
  pthread_mutex_t lock;
  pthread_cond_t told;
  bool ending;
};

static bool is_ending(void *user)
{
  struct worker *w = user;
  pthread_mutex_lock(&w->lock);
  bool ending = w->ending;
  pthread_mutex_unlock(&w->lock);
  return ending;
}

/* False when the desk is to end. */
static bool sleep_for(struct worker *w, int seconds)
{
  struct timespec until = tm_cond_until(seconds);
  pthread_mutex_lock(&w->lock);
  int rc = 0;
  while (!w->ending && rc == 0)
    rc = pthread_cond_timedwait(&w->told, &w->lock, &until);
  bool ending = w->ending;
  pthread_mutex_unlock(&w->lock);
  return !ending;
}

/* --- letters ------------------------------------------------------------------------------ */

static const struct db_scope everyone = {NULL};

struct writing {
  const struct desk *desk;
  int64_t week, now;
  int n;
};

static int write_late(struct db *db, void *arg, struct tm_error *err)
{
  struct writing *w = arg;
  w->n = letters_late(db, w->desk, w->now, err);
  return w->n < 0 ? w->n : 0;
}

static int write_weekly(struct db *db, void *arg, struct tm_error *err)
{
  struct writing *w = arg;
  w->n = letters_weekly(db, w->desk, w->week, w->now, err);
  return w->n < 0 ? w->n : 0;
}

static int write_letters(struct worker *w, int64_t now, struct tm_error *err)
{
  struct writing letters = {.desk = w->desk, .week = letters_week(now), .now = now};
  int rc = 0;
  if (w->desk->templates == NULL || w->desk->conf->mail.url == NULL)
    return 0;
  do
    rc = store_write(w->desk->store, &everyone, write_late, &letters, err);
  while (rc == 0 && letters.n == LETTERS_AT_ONCE);
  if (rc == 0)
    rc = lease_take(w->desk->store, &w->weekly, letters.week, now, err);
  if (rc <= 0)
    return rc;
  rc = store_write(w->desk->store, &everyone, write_weekly, &letters, err);
  return rc == 0 ? lease_finish(w->desk->store, &w->weekly, letters.week, now, err) : rc;
}

/* The night's work first makes all devices due, then they are advised. */
static int do_rest(struct worker *w, int64_t now, struct tm_error *err)
{
  int rc = erase_due(w->night.store, w->night.conf->factory.tryton, now, err);
  if (rc == 0)
    rc = crm_due(w->night.store, w->night.conf, now, err);
  if (rc == 0)
    rc = nightly_run(&w->night, now, err);
  return rc < 0 ? rc : write_letters(w, now, err);
}

/* What came for claims; and, each minute, the CRM's own. */
static int do_claims(struct worker *w, bool minute, int64_t now, struct tm_error *err)
{
  int rc = claims_work(w->desk, now, err);
  if (rc == 0 && minute && w->crm != NULL)
    rc = claims_crm_work(w->crm, w->desk, now, err);
  return rc;
}

static void *work(void *arg)
{
  struct worker *w = arg;
  double looked = -MINUTE;
  int done = 0, rc = 0;
  /* Of this thread alone, as Linux has it. */
  setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICE);
  do {
    struct tm_error err = {0};
    rc = 0;
    done = 0;
    bool minute = tm_monotonic() - looked >= MINUTE;
    if (minute) {
      looked = tm_monotonic();
      rc = do_rest(w, tm_now(), &err);
    }
    if (rc == 0)
      rc = do_claims(w, minute, tm_now(), &err);
    if (rc == 0)
      rc = adviser_work(w->adviser, tm_now(), DEVICES, &done, &err);
    if (rc < 0 && rc != -ECANCELED)
      tm_log_error("%s", err.text);
  } while (sleep_for(w, rc < 0 ? AFTER_FAILURE_S : done == DEVICES ? 0 : 1));
  return NULL;
}

static struct worker *new_worker(const struct desk *desk)
{
  struct worker *w = calloc(1, sizeof(*w));
  if (w == NULL)
    return NULL;
  pthread_mutex_init(&w->lock, NULL);
  tm_cond_init(&w->told);
  w->desk = desk;
  w->night =
      (struct night){.store = desk->store, .conf = desk->conf, .ended = is_ending, .user = w};
  lease_init(&w->weekly, "weekly");
  lease_init(&w->night.lease, "nightly");
  w->adviser = adviser_new(desk->store);
  if (w->adviser == NULL) {
    worker_end(w);
    return NULL;
  }
  return w;
}

int worker_start(struct worker **worker, const struct desk *desk, struct tm_error *err)
{
  struct worker *w = new_worker(desk);
  if (w == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  int rc = claims_crm_new(&w->crm, desk->conf, err);
  if (rc < 0) {
    worker_end(w);
    return rc;
  }
  rc = -pthread_create(&w->thread, NULL, work, w);
  w->has_thread = rc == 0;
  if (rc < 0) {
    worker_end(w);
    return tm_fail(err, rc, "a thread cannot be started: %s", strerror(-rc));
  }
  *worker = w;
  return 0;
}

void worker_end(struct worker *w)
{
  if (w == NULL)
    return;
  pthread_mutex_lock(&w->lock);
  w->ending = true;
  pthread_cond_signal(&w->told);
  pthread_mutex_unlock(&w->lock);
  if (w->has_thread)
    pthread_join(w->thread, NULL);
  adviser_free(w->adviser);
  claims_crm_free(w->crm);
  pthread_cond_destroy(&w->told);
  pthread_mutex_destroy(&w->lock);
  free(w);
}

int worker_once(const struct desk *desk, int64_t now, struct tm_error *err)
{
  struct worker *w = new_worker(desk);
  if (w == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  int done = DEVICES;
  int rc = do_rest(w, now, err);
  while (rc == 0 && done == DEVICES)
    rc = adviser_work(w->adviser, now, DEVICES, &done, err);
  if (rc == 0)
    rc = write_letters(w, now, err);
  worker_end(w);
  return rc;
}
