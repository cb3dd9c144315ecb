/* SPDX-License-Identifier: MIT */
#include "plugins/helper.h"

#include "common/buf.h"
#include "common/clock.h"
#include "common/fd.h"
#include "common/json.h"
#include "common/wait.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_REPLY ((size_t)16 << 20) /* bytes of a line */
#define GRACE_S   1.5                /* that the helper may be late with an answer */
#define END_S     3.0                /* that it may take to end */
#define SEND_S    5                  /* that it may leave its socket full */
#define STEADY_S  60.0 /* a helper that lived so long was sound: the next is started at once */
#define MAX_WAIT  60.0

extern char **environ;

struct helper {
  char *program;
  pthread_mutex_t lock; /* of all below */
  pthread_cond_t changed;
  pthread_mutex_t writing; /* one batch of lines after the other; taken before `lock` */
  int fd;                  /* -1: not running */
  pid_t pid;
  pthread_t reader;
  bool reader_started; /* and not joined yet */
  bool ended;          /* the reader has seen the end */
  double started_at;
  double not_before; /* the next start */
  double wait_s;
  double heard_at;
  uint64_t next_id;
  struct helper_question *pending;
};

/* --- the process -------------------------------------------------------------------------- */

struct helper *helper_new(const char *program)
{
  struct helper *h = calloc(1, sizeof(*h));
  char *copy = strdup(program);
  if (h == NULL || copy == NULL) {
    free(h);
    free(copy);
    return NULL;
  }
  h->program = copy;
  h->fd = -1;
  tm_cond_init(&h->changed);
  pthread_mutex_init(&h->lock, NULL);
  pthread_mutex_init(&h->writing, NULL);
  return h;
}

/* Nothing of collectd's is inherited but standard error: no descriptors, no signal mask, and no
 * process group, for the terminal's Ctrl-C is for collectd, which then closes the socket. */
static int spawn(const char *program, int fd, pid_t *pid)
{
  char *const argv[] = {(char *)"tidemark-probe", (char *)"--serve", NULL};
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attr;
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attr);
  posix_spawn_file_actions_adddup2(&actions, fd, 0);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  posix_spawnattr_setsigmask(&attr, &none);
  posix_spawnattr_setsigdefault(&attr, &all);
  posix_spawnattr_setpgroup(&attr, 0);
  posix_spawnattr_setflags(&attr,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  int rc = posix_spawn(pid, program, &actions, &attr, argv, environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attr);
  return -rc;
}

static void *read_replies(void *arg);

static void wait_longer(struct helper *h)
{
  double now = tm_monotonic();
  bool steady = h->started_at > 0 && now - h->started_at >= STEADY_S;
  h->wait_s = steady || h->wait_s <= 0 ? 1 : fmin(h->wait_s * 2, MAX_WAIT);
  h->not_before = now + h->wait_s;
}

/* With the lock held, and given back while an earlier reader is waited for. */
static int start(struct helper *h, struct tm_error *err)
{
  struct timeval send_limit = {.tv_sec = SEND_S};
  int pair[2];
  if (h->fd >= 0 && !h->ended)
    return 0;
  double left = h->not_before - tm_monotonic();
  if (left > 0)
    return tm_fail(err, -EAGAIN, "the helper process ended; the next is started in %.0f s",
                   ceil(left));
  if (h->reader_started) {
    h->reader_started = false;
    pthread_t old = h->reader;
    pthread_mutex_unlock(&h->lock);
    pthread_join(old, NULL); /* it has ended already, but for its last steps */
    pthread_mutex_lock(&h->lock);
  }
  if (h->fd >= 0)
    close(h->fd);
  h->fd = -1;
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
    return tm_fail(err, -errno, "no socket for the helper process: %s", strerror(errno));
  setsockopt(pair[0], SOL_SOCKET, SO_SNDTIMEO, &send_limit, sizeof(send_limit));
  int rc = spawn(h->program, pair[1], &h->pid);
  close(pair[1]);
  if (rc == 0) {
    h->fd = pair[0];
    h->ended = false;
    h->started_at = h->heard_at = tm_monotonic();
    rc = -pthread_create(&h->reader, NULL, read_replies, h);
    h->reader_started = rc == 0;
    if (rc == 0)
      return 0;
    kill(h->pid, SIGKILL);
    waitpid(h->pid, NULL, 0);
    h->pid = 0;
    h->ended = true;
  } else {
    close(pair[0]);
    h->started_at = 0;
  }
  wait_longer(h);
  return tm_fail(err, rc, "%s: %s", h->program, strerror(-rc));
}

/* The reader's last act: nobody is left without an answer, and no zombie is left either. */
static void note_end(struct helper *h)
{
  pthread_mutex_lock(&h->lock);
  /* A helper without its socket has nothing more to do. */
  if (waitpid(h->pid, NULL, WNOHANG) == 0) {
    kill(h->pid, SIGKILL);
    waitpid(h->pid, NULL, 0);
  }
  h->pid = 0;
  h->ended = true;
  wait_longer(h);
  for (struct helper_question *q = h->pending; q != NULL; q = q->next)
    q->finished = true;
  pthread_cond_broadcast(&h->changed);
  pthread_mutex_unlock(&h->lock);
}

int helper_pid(struct helper *h)
{
  pthread_mutex_lock(&h->lock);
  int pid = h->ended ? 0 : h->pid;
  pthread_mutex_unlock(&h->lock);
  return pid;
}

void helper_free(struct helper *h)
{
  if (h == NULL)
    return;
  pthread_mutex_lock(&h->lock);
  if (h->fd >= 0)
    shutdown(h->fd, SHUT_WR);
  struct timespec until = tm_cond_until(END_S);
  while (h->reader_started && !h->ended)
    if (pthread_cond_timedwait(&h->changed, &h->lock, &until) == ETIMEDOUT)
      break;
  if (h->reader_started && !h->ended)
    shutdown(h->fd, SHUT_RDWR); /* the reader then ends it by force */
  pthread_mutex_unlock(&h->lock);
  if (h->reader_started)
    pthread_join(h->reader, NULL);
  if (h->fd >= 0)
    close(h->fd);
  pthread_cond_destroy(&h->changed);
  pthread_mutex_destroy(&h->lock);
  pthread_mutex_destroy(&h->writing);
  free(h->program);
  free(h);
}

/* --- replies ------------------------------------------------------------------------------ */

/* Takes the answer over; one that nobody waits for any more is dropped. It is never held by two
 * threads: Jansson's counters of references may not be shared. */
static void deliver(struct helper *h, json_t *reply)
{
  uint64_t id = (uint64_t)json_integer_value(json_object_get(reply, "id"));
  pthread_mutex_lock(&h->lock);
  h->heard_at = tm_monotonic();
  struct helper_question *q = h->pending;
  while (q != NULL && q->id != id)
    q = q->next;
  if (q != NULL && !q->finished) {
    q->reply = reply;
    reply = NULL;
    q->finished = true;
    pthread_cond_broadcast(&h->changed);
  }
  pthread_mutex_unlock(&h->lock);
  json_decref(reply);
}

/* Delivers the whole lines of b and keeps the rest. */
static void deliver_lines(struct helper *h, struct tm_buf *b)
{
  char *start = b->ptr;
  char *end = NULL;
  while ((end = memchr(start, '\n', b->len - (size_t)(start - b->ptr))) != NULL) {
    json_t *reply = tm_json_parse(start, (size_t)(end - start), "helper", NULL);
    if (reply != NULL)
      deliver(h, reply);
    start = end + 1;
  }
  b->len -= (size_t)(start - b->ptr);
  memmove(b->ptr, start, b->len + 1);
}

static void *read_replies(void *arg)
{
  struct helper *h = arg;
  struct tm_buf b = TM_BUF_INIT(MAX_REPLY);
  char chunk[65536];
  for (;;) {
    ssize_t n = recv(h->fd, chunk, sizeof(chunk), 0);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0 || tm_buf_add(&b, chunk, (size_t)n) < 0)
      break;
    deliver_lines(h, &b);
  }
  tm_buf_release(&b);
  note_end(h);
  return NULL;
}

/* --- questions ---------------------------------------------------------------------------- */

/* "more" tells the helper that the questions of this batch are not all there yet, so that it asks
 * them side by side. */
static int send_question(int fd, struct helper_question *q, bool more)
{
  tm_json_put(&q->request, "id", json_integer((json_int_t)q->id));
  tm_json_put(&q->request, "more", json_boolean(more));
  char *line = json_dumps(q->request, JSON_COMPACT);
  if (line == NULL)
    return -ENOMEM;
  size_t len = strlen(line);
  line[len] = '\n'; /* in place of the NUL */
  int rc = tm_send_all(fd, line, len + 1);
  free(line);
  return rc;
}

static int send_questions(struct helper *h, struct helper_question *questions, size_t len,
                          struct tm_error *err)
{
  int rc = 0;
  for (size_t i = 0; rc == 0 && i < len; i++)
    rc = send_question(h->fd, &questions[i], i + 1 < len);
  if (rc < 0) {
    shutdown(h->fd, SHUT_RDWR); /* half a line cannot be taken back: the reader ends the helper */
    tm_fail(err, rc, "the helper process takes no questions: %s", strerror(-rc));
  }
  return rc;
}

static void unlink_question(struct helper *h, const struct helper_question *q)
{
  struct helper_question **at = &h->pending;
  while (*at != NULL && *at != q)
    at = &(*at)->next;
  if (*at != NULL)
    *at = q->next;
}

/* Hands over what has come. The number of questions that are still open; *told when the lock, which
 * is held, was given back meanwhile, so that more may have come. */
static size_t tell(struct helper *h, struct helper_question *questions, size_t len,
                   void (*answered)(struct helper_question *q), bool *told)
{
  size_t open = 0;
  *told = false;
  for (size_t i = 0; i < len; i++) {
    struct helper_question *q = &questions[i];
    if (!q->finished) {
      open++;
    } else if (!q->told && q->reply != NULL) {
      q->told = *told = true;
      pthread_mutex_unlock(&h->lock);
      answered(q);
      pthread_mutex_lock(&h->lock);
    }
  }
  return open;
}

static int wait_for_all(struct helper *h, struct helper_question *questions, size_t len,
                        double deadline, void (*answered)(struct helper_question *q),
                        struct tm_error *err)
{
  double sent_at = tm_monotonic();
  bool told = false;
  size_t open = 0;
  int rc = 0;
  pthread_mutex_lock(&h->lock);
  struct timespec until = tm_cond_until(fmax(deadline - sent_at, 0) + GRACE_S);
  for (;;) {
    open = tell(h, questions, len, answered, &told);
    if (told)
      continue;
    if (open == 0 || rc == ETIMEDOUT)
      break;
    rc = pthread_cond_timedwait(&h->changed, &h->lock, &until);
  }
  for (size_t i = 0; i < len; i++)
    unlink_question(h, &questions[i]);
  if (open > 0 && h->heard_at < sent_at && h->fd >= 0 && !h->ended)
    shutdown(h->fd, SHUT_RDWR); /* not a sign of life: it hangs, and the reader ends it */
  pthread_mutex_unlock(&h->lock);
  if (open > 0)
    return tm_fail(err, -ETIMEDOUT, "the helper process did not answer in time");
  for (size_t i = 0; i < len; i++)
    if (questions[i].reply == NULL)
      return tm_fail(err, -EPIPE, "the helper process ended");
  return 0;
}

int helper_ask(struct helper *h, struct helper_question *questions, size_t len, double deadline,
               void (*answered)(struct helper_question *q), struct tm_error *err)
{
  pthread_mutex_lock(&h->writing);
  pthread_mutex_lock(&h->lock);
  int rc = start(h, err);
  for (size_t i = 0; i < len; i++) {
    struct helper_question *q = &questions[i];
    q->reply = NULL;
    q->told = q->finished = false;
    if (rc < 0)
      continue;
    q->id = ++h->next_id;
    q->next = h->pending;
    h->pending = q;
  }
  pthread_mutex_unlock(&h->lock);
  struct tm_error send_error = {0};
  int sent = rc < 0 ? rc : send_questions(h, questions, len, &send_error);
  pthread_mutex_unlock(&h->writing);
  if (rc < 0)
    return rc;
  /* After a failure too: answers to the first questions may have come before it. */
  rc = wait_for_all(h, questions, len, sent < 0 ? 0 : deadline, answered, err);
  return sent < 0 ? tm_fail(err, sent, "%s", send_error.text) : rc;
}
