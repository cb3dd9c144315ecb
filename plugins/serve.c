/* SPDX-License-Identifier: MIT */
#include "plugins/serve.h"

#include "common/buf.h"
#include "common/clock.h"
#include "common/fd.h"
#include "common/json.h"
#include "common/log.h"
#include "common/wait.h"
#include "plugins/wire.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

enum { MAX_DEVICES = 100000, MAX_BATCHES = 32, MAX_JOBS = 100000, MAX_ITEMS = 256 };
#define MAX_REQUEST ((size_t)1 << 20) /* bytes of a line */
#define MAX_TIMEOUT 86400.0
#define END_S       2 /* that questions under way may still take at the end */

struct served {
  struct ask_device *device; /* NULL: not named yet */
  bool busy[ASK_ITEMS + 1];  /* by part; with the lock of the server */
};

/* One request. */
struct task {
  struct server *server;
  struct task *next;
  json_t *id;
  size_t number; /* of the device */
  json_t *items; /* owns the strings of names */
  const char *names[MAX_ITEMS + 1];
  struct ask_job job;
};

/* Requests that are asked side by side, the newest first. */
struct batch {
  struct server *server;
  struct task *tasks;
  size_t len;
};

struct server {
  int fd;
  struct ask *ask;
  struct ask_settings defaults; /* Profiles alone: what a source sets up before its devices */
  struct served *devices;
  size_t devices_len;
  struct batch *batch;  /* the one that is being read */
  pthread_mutex_t lock; /* of busy, running, and writing to fd */
  pthread_cond_t changed;
  unsigned running;
};

/* --- replies ------------------------------------------------------------------------------ */

/* With the lock held. */
static void send_line(struct server *s, json_t *reply)
{
  char *line = reply != NULL ? json_dumps(reply, JSON_COMPACT) : NULL;
  if (line == NULL)
    return;
  size_t len = strlen(line);
  line[len] = '\n'; /* in place of the NUL */
  (void)tm_send_all(s->fd, line,
                    len + 1); /* nobody reads it: the end of the input will show that */
  free(line);
}

static void send_reply(struct server *s, json_t *id, const struct ask_job *job)
{
  json_t *o = json_object();
  json_object_set(o, "id", id);
  json_object_set_new(o, "reading", wire_from_reading(&job->reading));
  if (isfinite(job->asked_at))
    json_object_set_new(o, "asked_at", json_real(job->asked_at));
  if (isfinite(job->answered_at))
    json_object_set_new(o, "answered_at", json_real(job->answered_at));
  if (job->explain != NULL)
    json_object_set(o, "explain", job->explain);
  send_line(s, o);
  json_decref(o);
}

/* Called from the threads of the sources. */
static void job_done(struct ask_job *job)
{
  struct task *t = job->user;
  struct server *s = t->server;
  pthread_mutex_lock(&s->lock);
  s->devices[t->number].busy[job->part] = false;
  send_reply(s, t->id, job);
  pthread_mutex_unlock(&s->lock);
}

static void refuse(struct server *s, json_t *id, int code, const char *why)
{
  struct ask_job job = {.asked_at = NAN, .answered_at = NAN};
  reading_init(&job.reading, READING_DISK_ARRAY);
  tm_fail(&job.reading.error, code, "%s", why);
  pthread_mutex_lock(&s->lock);
  send_reply(s, id, &job);
  pthread_mutex_unlock(&s->lock);
}

/* --- batches ------------------------------------------------------------------------------ */

static void tasks_free(struct task *t)
{
  while (t != NULL) {
    struct task *next = t->next;
    json_decref(t->job.explain);
    json_decref(t->id);
    json_decref(t->items);
    free(t);
    t = next;
  }
}

static void refuse_batch(const struct batch *b, const char *why)
{
  for (struct task *t = b->tasks; t != NULL; t = t->next) {
    pthread_mutex_lock(&b->server->lock);
    b->server->devices[t->number].busy[t->job.part] = false;
    pthread_mutex_unlock(&b->server->lock);
    refuse(b->server, t->id, -EAGAIN, why);
  }
}

static void ask_batch(const struct batch *b)
{
  struct ask_job *jobs = calloc(b->len, sizeof(*jobs));
  size_t n = 0;
  if (jobs == NULL) {
    refuse_batch(b, "out of memory");
    return;
  }
  for (const struct task *t = b->tasks; t != NULL; t = t->next)
    jobs[n++] = t->job;
  ask_run(jobs, n);
  for (size_t i = 0; i < n; i++)
    reading_release(&jobs[i].reading);
  free(jobs);
}

static void batch_free(struct batch *b)
{
  if (b == NULL)
    return;
  tasks_free(b->tasks);
  free(b);
}

static void *run_batch(void *arg)
{
  struct batch *b = arg;
  struct server *s = b->server;
  ask_batch(b);
  batch_free(b);
  pthread_mutex_lock(&s->lock);
  s->running--;
  pthread_cond_broadcast(&s->changed);
  pthread_mutex_unlock(&s->lock);
  return NULL;
}

/* 0 when the batch is another thread's now; else a negative errno, and it is still the caller's. */
static int run_aside(struct server *s, struct batch *b)
{
  pthread_t thread;
  int rc = -EAGAIN;
  pthread_mutex_lock(&s->lock);
  if (s->running < MAX_BATCHES) {
    rc = -pthread_create(&thread, NULL, run_batch, b);
    if (rc == 0) {
      pthread_detach(thread);
      s->running++;
    }
  }
  pthread_mutex_unlock(&s->lock);
  return rc;
}

static void start_batch(struct server *s)
{
  struct batch *b = s->batch;
  s->batch = NULL;
  if (b != NULL && run_aside(s, b) < 0) {
    refuse_batch(b, "the helper process is busy");
    batch_free(b);
  }
}

/* --- requests ----------------------------------------------------------------------------- */

static struct served *find_served(struct server *s, json_int_t number)
{
  if (number < 0 || number >= MAX_DEVICES)
    return NULL;
  size_t n = (size_t)number;
  if (n >= s->devices_len) {
    pthread_mutex_lock(&s->lock); /* job_done() looks into the list */
    size_t len = n + 1 > s->devices_len * 2 ? n + 1 : s->devices_len * 2;
    struct served *longer = realloc(s->devices, len * sizeof(*longer));
    if (longer != NULL) {
      memset(longer + s->devices_len, 0, (len - s->devices_len) * sizeof(*longer));
      s->devices = longer;
      s->devices_len = len;
    }
    pthread_mutex_unlock(&s->lock);
    if (longer == NULL)
      return NULL;
  }
  return &s->devices[n];
}

static int open_device(struct server *s, struct served *d, const json_t *request,
                       struct tm_error *err)
{
  struct ask_settings settings = {0};
  const char *source = tm_json_get_string(request, "source");
  const char *key;
  json_t *value;
  int rc = source == NULL ? tm_fail(err, -EBADMSG, "a request without source") : 0;
  json_object_foreach(json_object_get(request, "settings"), key, value)
  {
    if (rc == 0 && json_is_string(value) &&
        ask_settings_set(&settings, key, json_string_value(value)) < 0)
      rc = tm_fail(err, -ENOMEM, "out of memory");
  }
  const char *profiles = ask_settings_get(&settings, "Profiles");
  if (rc == 0 && profiles != NULL && ask_settings_set(&s->defaults, "Profiles", profiles) < 0)
    rc = tm_fail(err, -ENOMEM, "out of memory");
  if (rc == 0)
    rc = ask_device_new(&d->device, s->ask, source, &settings, err);
  ask_settings_release(&settings);
  return rc;
}

static bool find_part(const json_t *request, enum ask_part *part)
{
  const char *name = tm_json_get_string(request, "part");
  if (name == NULL)
    return false;
  if (strcmp(name, "counters") == 0)
    *part = ASK_COUNTERS;
  else if (strcmp(name, "items") == 0)
    *part = ASK_ITEMS;
  else
    *part = ASK_EVERYTHING;
  return strcmp(name, "everything") == 0 || *part != ASK_EVERYTHING;
}

static struct task *make_task(struct server *s, const json_t *request)
{
  struct task *t = calloc(1, sizeof(*t));
  if (t == NULL)
    return NULL;
  t->server = s;
  t->number = (size_t)json_integer_value(json_object_get(request, "device"));
  t->id = json_incref(json_object_get(request, "id"));
  t->items = json_incref(json_object_get(request, "items"));
  size_t n = 0;
  for (size_t i = 0; i < json_array_size(t->items) && n < MAX_ITEMS; i++) {
    const char *name = json_string_value(json_array_get(t->items, i));
    if (name != NULL)
      t->names[n++] = name;
  }
  return t;
}

/* Puts the request's job into the batch. */
static int add_job(struct server *s, const json_t *request, struct tm_error *err)
{
  json_t *number = json_object_get(request, "device");
  double timeout = tm_json_get_number(request, "timeout");
  enum ask_part part = ASK_EVERYTHING;
  if (!json_is_integer(number) || !find_part(request, &part) || !isfinite(timeout))
    return tm_fail(err, -EBADMSG, "a request that cannot be read");
  struct served *d = find_served(s, json_integer_value(number));
  if (d == NULL)
    return tm_fail(err, -ENOMEM, "too many devices");
  int rc = d->device != NULL ? 0 : open_device(s, d, request, err);
  if (rc < 0)
    return rc;
  pthread_mutex_lock(&s->lock);
  bool busy = d->busy[part];
  pthread_mutex_unlock(&s->lock);
  if (busy)
    return tm_fail(err, -EBUSY, "the last question to it is still under way");
  if (s->batch == NULL)
    s->batch = calloc(1, sizeof(*s->batch));
  struct batch *b = s->batch;
  struct task *t = b != NULL && b->len < MAX_JOBS ? make_task(s, request) : NULL;
  if (t == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  t->job = (struct ask_job){
      .device = d->device,
      .part = part,
      .deadline = tm_monotonic() + fmin(fmax(timeout, 0), MAX_TIMEOUT),
      .items = t->names,
      .explain = tm_json_get_bool(request, "explain", false) ? json_object() : NULL,
      .done = job_done,
      .user = t,
  };
  t->next = b->tasks;
  b->server = s;
  b->tasks = t;
  b->len++;
  pthread_mutex_lock(&s->lock);
  d->busy[part] = true;
  pthread_mutex_unlock(&s->lock);
  return 0;
}

static int take_line(struct server *s, const char *line, size_t len)
{
  struct tm_error err = {0};
  json_t *request = tm_json_parse(line, len, "request", &err);
  if (!json_is_object(request)) {
    json_decref(request);
    return -EBADMSG; /* the other side is our own: nothing can be made of this */
  }
  int rc = add_job(s, request, &err);
  if (rc < 0)
    refuse(s, json_object_get(request, "id"), rc, err.text);
  bool more = tm_json_get_bool(request, "more", false);
  json_decref(request); /* its id and items are the batch's alone: threads share no references */
  if (!more)
    start_batch(s);
  return 0;
}

static int take_lines(struct server *s, struct tm_buf *b)
{
  char *start = b->ptr;
  char *end = NULL;
  int rc = 0;
  while (rc == 0 && (end = memchr(start, '\n', b->len - (size_t)(start - b->ptr))) != NULL) {
    rc = take_line(s, start, (size_t)(end - start));
    start = end + 1;
  }
  b->len -= (size_t)(start - b->ptr);
  memmove(b->ptr, start, b->len + 1);
  return rc;
}

/* --- the process -------------------------------------------------------------------------- */

/* It holds passwords and reads what hostile devices send. */
static void harden(void)
{
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
  signal(SIGPIPE, SIG_IGN); /* libraries write to connections of their own */
}

/* Gives what is under way a moment; true when nothing is left. */
static bool wait_for_batches(struct server *s)
{
  struct timespec until = tm_cond_until(END_S);
  pthread_mutex_lock(&s->lock);
  int rc = 0;
  while (s->running > 0 && rc != ETIMEDOUT)
    rc = pthread_cond_timedwait(&s->changed, &s->lock, &until);
  bool idle = s->running == 0;
  pthread_mutex_unlock(&s->lock);
  return idle;
}

int serve_run(int fd, const struct ask_source *const *sources)
{
  struct server s = {.fd = fd, .lock = PTHREAD_MUTEX_INITIALIZER};
  struct tm_buf b = TM_BUF_INIT(MAX_REQUEST);
  struct tm_error err = {0};
  char chunk[65536];
  int status = EX_OK;
  tm_cond_init(&s.changed);
  harden();
  if (ask_new(&s.ask, sources, &s.defaults, &err) < 0) {
    tm_log_error("%s", err.text);
    return EX_OSERR;
  }
  for (;;) {
    ssize_t n = recv(fd, chunk, sizeof(chunk), 0);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0 && errno == ENOTSOCK) {
      tm_log_error("--serve is for Tidemark's plugins: standard input is no socket");
      status = EX_USAGE;
    }
    if (n <= 0)
      break;
    if (tm_buf_add(&b, chunk, (size_t)n) < 0 || take_lines(&s, &b) < 0) {
      tm_log_error("a request that cannot be read");
      status = EX_PROTOCOL;
      break;
    }
  }
  tm_buf_release(&b);
  /* Sessions are ended politely, but nobody waits for devices that do not answer. */
  alarm(END_S + 1);
  if (!wait_for_batches(&s))
    _exit(status);
  batch_free(s.batch);
  for (size_t i = 0; i < s.devices_len; i++)
    ask_device_free(s.devices[i].device);
  ask_free(s.ask);
  ask_settings_release(&s.defaults);
  free(s.devices);
  return status;
}
