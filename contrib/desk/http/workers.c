/* SPDX-License-Identifier: MIT */
#include "contrib/desk/http/workers.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

struct job {
  worker_fn *fn;
  void *arg;
};

struct workers {
  pthread_mutex_t lock;
  pthread_cond_t more;
  pthread_t *threads;
  unsigned threads_len;
  struct job *jobs; /* a ring */
  size_t max, first, waiting;
  bool ending;
};

static void *work(void *arg)
{
  struct workers *w = arg;
  for (;;) {
    pthread_mutex_lock(&w->lock);
    while (w->waiting == 0 && !w->ending)
      pthread_cond_wait(&w->more, &w->lock);
    if (w->waiting == 0) {
      pthread_mutex_unlock(&w->lock);
      return NULL;
    }
    struct job job = w->jobs[w->first];
    w->first = (w->first + 1) % w->max;
    w->waiting--;
    pthread_mutex_unlock(&w->lock);
    job.fn(job.arg);
  }
}

int workers_new(struct workers **out, unsigned threads, size_t max_waiting, struct tm_error *err)
{
  struct workers *w = calloc(1, sizeof(*w));
  if (w == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  w->threads = calloc(threads, sizeof(*w->threads));
  w->jobs = calloc(max_waiting, sizeof(*w->jobs));
  w->max = max_waiting;
  pthread_mutex_init(&w->lock, NULL);
  pthread_cond_init(&w->more, NULL);
  int rc = w->threads != NULL && w->jobs != NULL ? 0 : ENOMEM;
  while (rc == 0 && w->threads_len < threads) {
    rc = pthread_create(&w->threads[w->threads_len], NULL, work, w);
    w->threads_len += rc == 0;
  }
  if (rc != 0) {
    workers_free(w);
    return tm_fail(err, -rc, "cannot start %u threads", threads);
  }
  *out = w;
  return 0;
}

bool workers_do(struct workers *w, worker_fn *fn, void *arg)
{
  pthread_mutex_lock(&w->lock);
  bool taken = w->waiting < w->max && !w->ending;
  if (taken) {
    w->jobs[(w->first + w->waiting) % w->max] = (struct job){fn, arg};
    w->waiting++;
    pthread_cond_signal(&w->more);
  }
  pthread_mutex_unlock(&w->lock);
  return taken;
}

size_t workers_waiting(struct workers *w)
{
  pthread_mutex_lock(&w->lock);
  size_t waiting = w->waiting;
  pthread_mutex_unlock(&w->lock);
  return waiting;
}

void workers_free(struct workers *w)
{
  if (w == NULL)
    return;
  pthread_mutex_lock(&w->lock);
  w->ending = true;
  pthread_cond_broadcast(&w->more);
  pthread_mutex_unlock(&w->lock);
  for (unsigned i = 0; i < w->threads_len; i++)
    pthread_join(w->threads[i], NULL);
  pthread_cond_destroy(&w->more);
  pthread_mutex_destroy(&w->lock);
  free(w->threads);
  free(w->jobs);
  free(w);
}
