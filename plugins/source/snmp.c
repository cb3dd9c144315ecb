/* SPDX-License-Identifier: MIT */
/* The loop in which many devices are asked side by side. */
#include "plugins/source/snmp_own.h"

#include "common/clock.h"
#include "plugins/ask.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <netdb.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include <utlist.h>

#define EVENTS          64
#define RECOGNISE_EVERY 3600 /* seconds: another device may stand behind the address by then */
#define LOOKUP_EVERY_S  0.02
/* Questions leave in gulps, with a short wait in between while many are unanswered: what is sent
 * faster than it can be received is lost on its way. */
#define GULP        64
#define UNANSWERED  256
#define GULP_WAIT_S 0.001

/* Almost always the new one wakes last: its place is sought from the end. */
static void enlist(struct snmp_loop *loop, struct snmp_device *d)
{
  struct snmp_device *after = loop->devices != NULL ? loop->devices->prev : NULL;
  while (after != NULL && after->wake > d->wake)
    after = after == loop->devices ? NULL : after->prev;
  if (after == NULL)
    DL_PREPEND(loop->devices, d);
  else
    DL_APPEND_ELEM(loop->devices, after, d);
}

void snmp_wake_at(struct snmp_device *d, double at)
{
  DL_DELETE(d->loop->devices, d);
  d->wake = fmin(at, d->question->deadline);
  enlist(d->loop, d);
}

void snmp_leave(struct snmp_device *d, struct snmp_question *q)
{
  DL_DELETE(d->loop->devices, d);
  d->loop->under_way--;
  q->next = NULL;
  *d->loop->finished_end = q;
  d->loop->finished_end = &q->next;
}

/* What another session has found the device to be. */
static const struct profile *known_profile(struct snmp_device *d)
{
  const struct profile *p = atomic_load(&d->known->profile);
  if (p != NULL)
    d->recognised_at = d->begun;
  return p;
}

/* Opens the session at this address and asks. */
static void open_and_ask(struct snmp_device *d, const char *address)
{
  struct tm_error err = {0};
  d->phase = SNMP_IDLE;
  if (d->session == NULL)
    d->session = agent_open(&d->target, address, &err);
  else
    /* Those that were given up before their time was over are let go of; not in agent_send(), which
     * may run within the library's own pass over its requests. */
    agent_expire(d->session);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = d};
  if (d->session != NULL &&
      epoll_ctl(d->loop->epoll, EPOLL_CTL_ADD, agent_fd(d->session), &event) < 0)
    tm_fail(&err, -errno, "%s: %s", snmp_name_of(d), strerror(errno));
  if (err.code != 0)
    snmp_finish(d, &err);
  else
    snmp_go_on(d);
}

static void poll_lookup(struct snmp_device *d)
{
  char address[NI_MAXHOST];
  struct tm_error err = {0};
  int rc = lookup_poll(d->lookup, address, sizeof(address), &err);
  if (rc == -EAGAIN) {
    snmp_wake_at(d, tm_monotonic() + LOOKUP_EVERY_S);
    return;
  }
  lookup_free(d->lookup);
  d->lookup = NULL;
  if (rc < 0)
    snmp_finish(d, &err);
  else
    open_and_ask(d, address);
}

static void begin(struct snmp_loop *loop, struct snmp_question *q)
{
  struct snmp_device *d = q->device;
  d->loop = loop;
  d->question = q;
  d->begun = tm_monotonic();
  d->wake = q->deadline;
  d->fetch = (struct snmp_fetch){0};
  q->asked_at = q->answered_at = NAN;
  if (d->profile != NULL && d->begun - d->recognised_at > RECOGNISE_EVERY)
    d->profile = NULL;
  else if (d->profile == NULL && d->failures == 0)
    d->profile = known_profile(d);
  enlist(loop, d);
  loop->under_way++;
  if (d->named &&
      d->failures >= SNMP_FAILURES) { /* the name may stand for another address by now */
    agent_close(d->session);
    d->session = NULL;
  }
  if (d->session != NULL || !d->named) {
    open_and_ask(d, d->host);
    return;
  }
  struct tm_error err = {0};
  d->phase = SNMP_LOOKUP;
  if (d->lookup == NULL)
    d->lookup = lookup_start(d->host, &err);
  if (d->lookup == NULL)
    snmp_finish(d, &err);
  else
    poll_lookup(d);
}

/* Ends what has had its time. */
static void expire(struct snmp_loop *loop)
{
  double now = tm_monotonic();
  while (loop->devices != NULL && loop->devices->wake <= now) {
    struct snmp_device *d = loop->devices;
    assert(d->question != NULL); /* else it would not be in the list */
    if (d->phase == SNMP_LOOKUP && now < d->question->deadline) {
      poll_lookup(d);
      continue;
    }
    if (now >= d->question->deadline || !d->waiting) {
      snmp_give_up(d);
      continue;
    }
    /* The library has its own clock for the request: should it still wait, a moment later again. */
    snmp_wake_at(d, now + 0.002);
    agent_expire(d->session);
  }
}

/* Tells the first of those that are finished. What the caller does with an answer may take its
 * time, so it is done when nothing has come: never between a device's answer and its next request.
 */
static void tell_one(struct snmp_loop *loop)
{
  struct snmp_question *q = loop->finished;
  loop->finished = q->next;
  if (loop->finished == NULL)
    loop->finished_end = &loop->finished;
  if (q->done != NULL)
    q->done(q);
}

/* What the library cannot take from the socket, for want of memory, comes again and again: it must
 * not keep the loop from its end. */
static void receive(struct snmp_loop *loop, struct snmp_device *d)
{
  if (d->question == NULL) {
    epoll_ctl(loop->epoll, EPOLL_CTL_DEL, agent_fd(d->session), NULL);
    return;
  }
  agent_receive(d->session);
  if (d->question != NULL && tm_monotonic() >= d->question->deadline)
    snmp_give_up(d);
}

/* Takes in what has come and ends what is late; waits for at most so long. */
static void step(struct snmp_loop *loop, double wait_s)
{
  struct epoll_event events[EVENTS];
  if (loop->finished != NULL)
    wait_s = 0;
  else if (loop->devices != NULL && wait_s > 0)
    wait_s = fmin(wait_s, loop->devices->wake - tm_monotonic());
  int wait_ms = wait_s <= 0 ? 0 : (int)ceil(fmin(wait_s, 3600) * 1000);
  int n = epoll_wait(loop->epoll, events, EVENTS, wait_ms);
  for (int i = 0; i < n; i++)
    receive(loop, events[i].data.ptr);
  /* Only when nothing has come is anything late: the answer may lie in the socket already. */
  if (n <= 0)
    expire(loop);
  if (n <= 0 && loop->finished != NULL)
    tell_one(loop);
}

void snmp_ask(struct snmp_question *questions, size_t len)
{
  struct snmp_loop loop = {.epoll = epoll_create1(EPOLL_CLOEXEC)};
  loop.finished_end = &loop.finished;
  for (size_t i = 0; i < len; i++) {
    struct snmp_question *q = &questions[i];
    if (loop.epoll < 0) {
      tm_fail(&q->reading->error, -errno, "snmp: %s", strerror(errno));
      if (q->done != NULL)
        q->done(q);
      continue;
    }
    begin(&loop, q);
    if (i % GULP == GULP - 1)
      step(&loop, loop.under_way > UNANSWERED ? GULP_WAIT_S : 0);
  }
  while (loop.devices != NULL || loop.finished != NULL)
    step(&loop, INFINITY);
  if (loop.epoll >= 0)
    close(loop.epoll);
}
