/* SPDX-License-Identifier: MIT */
#include "contrib/desk/http/topics.h"

#include "common/buf.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct stream {
  struct topics *topics;
  struct stream *next, *prev;
  char topic[TOPIC_NAME];
  int64_t user_id;
  void *connection;
  struct tm_buf waiting;
  size_t sent; /* of waiting */
  double opened, heard;
  bool suspended, ended;
};

struct topics {
  pthread_mutex_t lock;
  struct stream *streams;
  size_t open, max;
  bool closed;
  void (*wake)(void *connection);
  topics_relay *relay;
  void *relay_user;
};

struct topics *topics_new(size_t max, void (*wake)(void *connection))
{
  struct topics *t = calloc(1, sizeof(*t));
  if (t == NULL)
    return NULL;
  pthread_mutex_init(&t->lock, NULL);
  t->max = max;
  t->wake = wake;
  return t;
}

void topics_free(struct topics *t)
{
  if (t == NULL)
    return;
  pthread_mutex_destroy(&t->lock);
  free(t);
}

void topics_relay_by(struct topics *t, topics_relay *relay, void *user)
{
  t->relay = relay;
  t->relay_user = user;
}

static void wake(struct stream *s)
{
  if (!s->suspended)
    return;
  s->suspended = false;
  s->topics->wake(s->connection);
}

static void end(struct stream *s)
{
  s->ended = true;
  wake(s);
}

/* One that is too far behind is ended: it comes again and asks. */
static void add(struct stream *s, const char *text, size_t len)
{
  if (tm_buf_add(&s->waiting, text, len) < 0)
    end(s);
  else
    wake(s);
}

size_t topics_publish(struct topics *t, const char *topic, const char *event, const char *data)
{
  size_t told = topics_deliver(t, topic, event, data);
  if (t->relay != NULL)
    t->relay(t->relay_user, topic, event, data);
  return told;
}

void topics_end_user(struct topics *t, int64_t user_id)
{
  char number[24];
  topics_end(t, user_id);
  snprintf(number, sizeof(number), "%lld", (long long)user_id);
  if (t->relay != NULL)
    t->relay(t->relay_user, "", NULL, number);
}

size_t topics_deliver(struct topics *t, const char *topic, const char *event, const char *data)
{
  struct tm_buf text = TM_BUF_INIT(STREAM_QUEUE);
  size_t told = 0;
  if (tm_buf_printf(&text, "event: %s\ndata: %s\n\n", event, data) < 0)
    return 0;
  pthread_mutex_lock(&t->lock);
  for (struct stream *s = t->streams; s != NULL; s = s->next) {
    if (s->ended || strcmp(s->topic, topic) != 0)
      continue;
    add(s, text.ptr, text.len);
    told++;
  }
  pthread_mutex_unlock(&t->lock);
  tm_buf_release(&text);
  return told;
}

void topics_end(struct topics *t, int64_t user_id)
{
  pthread_mutex_lock(&t->lock);
  for (struct stream *s = t->streams; s != NULL; s = s->next) {
    if (s->user_id == user_id)
      end(s);
  }
  pthread_mutex_unlock(&t->lock);
}

void topics_close(struct topics *t)
{
  pthread_mutex_lock(&t->lock);
  t->closed = true;
  for (struct stream *s = t->streams; s != NULL; s = s->next)
    end(s);
  pthread_mutex_unlock(&t->lock);
}

void topics_beat(struct topics *t, double now)
{
  pthread_mutex_lock(&t->lock);
  for (struct stream *s = t->streams; s != NULL; s = s->next) {
    if (now - s->opened > STREAM_LIFE_S) {
      end(s);
    } else if (now - s->heard > STREAM_HEARTBEAT_S) {
      s->heard = now;
      add(s, ":\n\n", 3);
    }
  }
  pthread_mutex_unlock(&t->lock);
}

size_t topics_open(struct topics *t)
{
  pthread_mutex_lock(&t->lock);
  size_t open = t->open;
  pthread_mutex_unlock(&t->lock);
  return open;
}

/* The newest come first in the list: what was opened longest ago ends, most likely the stream of a
 * page that was left and not yet noticed to be gone. */
static void make_room(struct topics *t, int64_t user_id)
{
  size_t of_user = 0;
  for (struct stream *s = t->streams; s != NULL; s = s->next) {
    if (s->user_id == user_id && !s->ended && ++of_user >= STREAMS_PER_USER)
      end(s);
  }
}

int stream_open(struct stream **out, struct topics *t, const char *topic, int64_t user_id,
                void *connection, double now)
{
  struct stream *s = calloc(1, sizeof(*s));
  if (s == NULL || strlen(topic) >= TOPIC_NAME) {
    free(s);
    return s == NULL ? -ENOMEM : -EINVAL;
  }
  snprintf(s->topic, sizeof(s->topic), "%s", topic);
  s->topics = t;
  s->user_id = user_id;
  s->connection = connection;
  s->waiting = (struct tm_buf)TM_BUF_INIT(STREAM_QUEUE);
  s->opened = s->heard = now;
  tm_buf_puts(&s->waiting, "retry: 3000\n\n");
  pthread_mutex_lock(&t->lock);
  bool room = t->open < t->max;
  if (room) {
    make_room(t, user_id);
    s->ended = t->closed;
    t->open++;
    s->next = t->streams;
    if (s->next != NULL)
      s->next->prev = s;
    t->streams = s;
  }
  pthread_mutex_unlock(&t->lock);
  if (!room) {
    tm_buf_release(&s->waiting);
    free(s);
    return -EUSERS;
  }
  *out = s;
  return 0;
}

long stream_read(struct stream *s, char *buf, size_t size, void (*suspend)(void *connection))
{
  pthread_mutex_lock(&s->topics->lock);
  size_t n = s->waiting.len - s->sent;
  long result = n > 0 ? (long)(n < size ? n : size) : s->ended ? -1 : 0;
  if (result > 0) {
    memcpy(buf, s->waiting.ptr + s->sent, (size_t)result);
    s->sent += (size_t)result;
    if (s->sent == s->waiting.len) {
      tm_buf_reset(&s->waiting);
      s->sent = 0;
    }
  } else if (result == 0) {
    suspend(s->connection);
    s->suspended = true;
  }
  pthread_mutex_unlock(&s->topics->lock);
  return result;
}

void stream_close(struct stream *s)
{
  struct topics *t = s->topics;
  pthread_mutex_lock(&t->lock);
  if (s->next != NULL)
    s->next->prev = s->prev;
  if (s->prev != NULL)
    s->prev->next = s->next;
  else
    t->streams = s->next;
  t->open--;
  pthread_mutex_unlock(&t->lock);
  tm_buf_release(&s->waiting);
  free(s);
}
