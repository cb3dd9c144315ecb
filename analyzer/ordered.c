/* SPDX-License-Identifier: MIT */
#include "analyzer/ordered.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

enum { WINDOW = 1024 };

struct ordered {
  pthread_mutex_t lock;
  pthread_cond_t moved;
  ordered_sink *sink;
  void *user;
  size_t count;
  size_t next; /* the first index that the sink has not seen */
  int rc;
  struct {
    bool there;
    char *data;
    size_t len;
  } slot[WINDOW];
};

struct ordered *ordered_new(size_t count, ordered_sink *sink, void *user)
{
  struct ordered *o = calloc(1, sizeof(*o));
  if (o == NULL)
    return NULL;
  o->sink = sink;
  o->user = user;
  o->count = count;
  pthread_mutex_init(&o->lock, NULL);
  pthread_cond_init(&o->moved, NULL);
  return o;
}

void ordered_free(struct ordered *o)
{
  if (o == NULL)
    return;
  for (size_t i = 0; i < WINDOW; i++)
    free(o->slot[i].data);
  pthread_cond_destroy(&o->moved);
  pthread_mutex_destroy(&o->lock);
  free(o);
}

/* Hands over what has become the next in order. The lock is held: the sink is never called twice at
 * once. */
static void drain(struct ordered *o)
{
  while (o->next < o->count && o->slot[o->next % WINDOW].there) {
    size_t i = o->next % WINDOW;
    if (o->rc == 0)
      o->rc = o->sink(o->user, o->next, o->slot[i].data, o->slot[i].len);
    free(o->slot[i].data);
    o->slot[i].data = NULL;
    o->slot[i].there = false;
    o->next++;
  }
  pthread_cond_broadcast(&o->moved);
}

int ordered_put(struct ordered *o, size_t index, char *data, size_t len)
{
  pthread_mutex_lock(&o->lock);
  while (o->rc == 0 && index >= o->next + WINDOW)
    pthread_cond_wait(&o->moved, &o->lock);
  if (index < o->next || index >= o->next + WINDOW || o->slot[index % WINDOW].there) {
    free(data); /* stopped while waiting, or an index that came twice */
  } else {
    o->slot[index % WINDOW].there = true;
    o->slot[index % WINDOW].data = data;
    o->slot[index % WINDOW].len = len;
    drain(o);
  }
  int rc = o->rc;
  pthread_mutex_unlock(&o->lock);
  return rc;
}

void ordered_abort(struct ordered *o, int code)
{
  pthread_mutex_lock(&o->lock);
  if (o->rc == 0)
    o->rc = code;
  pthread_cond_broadcast(&o->moved);
  pthread_mutex_unlock(&o->lock);
}
