/* SPDX-License-Identifier: MIT */
#include "plugins/source/web.h"

#include "common/clock.h"
#include "common/text.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_THREADS = 64, STACK_BYTES = 1 << 20 };
#define REQUEST_MS 10000L /* of one request; the job's deadline may be nearer */

int web_connect(const struct web *w, struct tm_http **lane, struct tm_error *err)
{
  return *lane != NULL ? 0 : tm_http_new(lane, w->base_url, &w->options, err);
}

bool web_may_login(const struct web *w)
{
  return w->tls || w->credential->plain || tm_http_is_loopback(w->base_url);
}

long web_timeout_ms(const struct ask_job *job, struct tm_error *err)
{
  double left = job->deadline - tm_monotonic();
  if (left < 0.001)
    return tm_fail(err, -ETIMEDOUT, "not answered in time");
  return left * 1000 < REQUEST_MS ? (long)(left * 1000) : REQUEST_MS;
}

/* --- many at a time ----------------------------------------------------------------------- */

struct crowd {
  struct ask_job *const *jobs;
  size_t len;
  atomic_size_t next;
  void (*one)(struct ask_job *job);
  pthread_mutex_t done; /* done() of a job is called by one thread at a time */
};

static void *work(void *arg)
{
  struct crowd *c = arg;
  for (;;) {
    size_t i = atomic_fetch_add(&c->next, 1);
    if (i >= c->len)
      return NULL;
    struct ask_job *job = c->jobs[i];
    if (job->deadline <= tm_monotonic())
      tm_fail(&job->reading.error, -ETIMEDOUT, "not asked in time: too many devices are silent");
    else
      c->one(job);
    pthread_mutex_lock(&c->done);
    ask_done(job);
    pthread_mutex_unlock(&c->done);
  }
}

void web_ask(struct ask_job *const *jobs, size_t jobs_len, void (*one)(struct ask_job *job))
{
  struct crowd c = {.jobs = jobs, .len = jobs_len, .one = one, .done = PTHREAD_MUTEX_INITIALIZER};
  pthread_t threads[MAX_THREADS];
  size_t n = 0;
  pthread_attr_t attr;
  pthread_attr_init(&attr);
  pthread_attr_setstacksize(&attr, STACK_BYTES);
  /* This thread works too, and alone where no other can be had. */
  while (n + 1 < jobs_len && n < MAX_THREADS && pthread_create(&threads[n], &attr, work, &c) == 0)
    n++;
  pthread_attr_destroy(&attr);
  work(&c);
  while (n > 0)
    pthread_join(threads[--n], NULL);
  pthread_mutex_destroy(&c.done);
}

void web_no_items(struct ask_job *job)
{
  for (const char *const *name = job->items; name != NULL && *name != NULL; name++) {
    struct reading_item *item = reading_add_item(&job->reading);
    if (item == NULL)
      return;
    tm_text_clean(item->name, sizeof(item->name), *name, strlen(*name));
    snprintf(item->state, sizeof(item->state), "not-offered");
  }
}
