/* SPDX-License-Identifier: MIT */
#include "contrib/desk/work/ticker.h"

#include "common/json_memory.h"
#include "common/wait.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct ticker {
  int (*tick)(void *user);
  void *user;
  pthread_t thread;
  pthread_mutex_t lock;
  pthread_cond_t told;
  bool ending, hurried;
};

/* False when it is to end. */
static bool sleep_for(struct ticker *t, int seconds)
{
  struct timespec until = tm_cond_until(seconds);
  pthread_mutex_lock(&t->lock);
  int rc = 0;
  while (!t->ending && !t->hurried && rc == 0 && seconds > 0)
    rc = pthread_cond_timedwait(&t->told, &t->lock, &until);
  t->hurried = false;
  bool ending = t->ending;
  pthread_mutex_unlock(&t->lock);
  return !ending;
}

static void *run(void *arg)
{
  struct ticker *t = arg;
  int seconds;
  do {
    tm_json_forgive(); /* what the tick before this one lacked */
    seconds = t->tick(t->user);
  } while (sleep_for(t, seconds));
  return NULL;
}

static void release(struct ticker *t)
{
  pthread_cond_destroy(&t->told);
  pthread_mutex_destroy(&t->lock);
  free(t);
}

int ticker_start(struct ticker **ticker, int (*tick)(void *user), void *user, struct tm_error *err)
{
  struct ticker *t = calloc(1, sizeof(*t));
  if (t == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  t->tick = tick;
  t->user = user;
  pthread_mutex_init(&t->lock, NULL);
  tm_cond_init(&t->told);
  *ticker = t;
  int rc = -pthread_create(&t->thread, NULL, run, t);
  if (rc < 0) {
    *ticker = NULL;
    release(t);
    return tm_fail(err, rc, "a thread cannot be started: %s", strerror(-rc));
  }
  return 0;
}

static void tell(struct ticker *t, bool *what)
{
  pthread_mutex_lock(&t->lock);
  *what = true;
  pthread_cond_signal(&t->told);
  pthread_mutex_unlock(&t->lock);
}

void ticker_hurry(struct ticker *t)
{
  tell(t, &t->hurried);
}

bool ticker_is_ending(struct ticker *t)
{
  if (t == NULL)
    return false;
  pthread_mutex_lock(&t->lock);
  bool ending = t->ending;
  pthread_mutex_unlock(&t->lock);
  return ending;
}

void ticker_end(struct ticker *t)
{
  if (t == NULL)
    return;
  tell(t, &t->ending);
  pthread_join(t->thread, NULL);
  release(t);
}
