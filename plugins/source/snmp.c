/* SPDX-License-Identifier: MIT */
#include "plugins/source/snmp.h"

#include "common/clock.h"
#include "plugins/ask.h"
#include "plugins/profile_read.h"
#include "plugins/source/lookup.h"
#include "plugins/source/snmp_session.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include <utlist.h>

#define EVENTS          64
#define RECOGNISE_EVERY 3600 /* seconds: another device may stand behind the address by then */
#define RESTART_SLACK   30   /* seconds by which a device's clock may differ from ours at once */
#define UPTIME_WRAP     42949672.96
#define LOOKUP_EVERY_S  0.02
#define FAILURES        3 /* in a row, until it is asked anew what the device is */
/* Questions leave in gulps, with a short wait in between while many are unanswered: what is sent
 * faster than it can be received is lost on its way. */
#define GULP        64
#define UNANSWERED  256
#define GULP_WAIT_S 0.001

enum phase { IDLE, LOOKUP, IDENTIFY, PROBE, FETCH };

struct snmp_device {
  char *host;
  char *community;
  struct snmp_target target;
  const struct profiles *profiles;
  struct snmp_known *known;
  bool named;            /* the host is a name, not an address */
  struct lookup *lookup; /* of the name; NULL: none under way */
  struct agent *session; /* NULL: not open */
  struct snmp_manners manners;
  const struct profile *profile; /* NULL: not recognised yet */
  double recognised_at;
  unsigned failures; /* in a row */
  double started_at; /* when the agent started, on tm_monotonic()'s clock; NAN: not told yet */
  uint64_t uptime;   /* as it was told last, in hundredths of a second */
  uint64_t epoch;    /* rises whenever it started anew */

  /* the question that is under way */
  struct snmp_device *prev, *next; /* in the loop's list, the next to wake first */
  struct loop *loop;
  struct snmp_question *question;
  enum phase phase;
  struct snmp_fetch fetch;
  struct snmp_rows rows;
  bool waiting; /* a request is under way */
  unsigned attempt;
  double wake; /* when the request, or the whole, is over */
  double begun;
};

struct loop {
  int epoll;
  struct snmp_device *devices; /* those under way */
  size_t under_way;
  struct snmp_question *finished; /* answered, but not yet told; the last one told first */
  struct snmp_question **finished_end;
};

static const struct oid_path sys_uptime = {9, {1, 3, 6, 1, 2, 1, 1, 3, 0}};

static const char *name_of(const struct snmp_device *d)
{
  return d->session != NULL ? agent_name(d->session) : d->host;
}

/* --- what is under way ---------------------------------------------------------------------- */

/* Almost always the new one wakes last: its place is sought from the end. */
static void enlist(struct loop *loop, struct snmp_device *d)
{
  struct snmp_device *after = loop->devices != NULL ? loop->devices->prev : NULL;
  while (after != NULL && after->wake > d->wake)
    after = after == loop->devices ? NULL : after->prev;
  if (after == NULL)
    DL_PREPEND(loop->devices, d);
  else
    DL_APPEND_ELEM(loop->devices, after, d);
}

static void set_wake(struct snmp_device *d, double at)
{
  DL_DELETE(d->loop->devices, d);
  d->wake = fmin(at, d->question->deadline);
  enlist(d->loop, d);
}

/* --- the answer ----------------------------------------------------------------------------- */

/*
 * A counter that goes back has wrapped, unless the agent started anew in between: that is told by
 * its uptime, which itself wraps after 497 days.
 */
static void watch_restart(struct snmp_device *d)
{
  struct snmp_row row;
  if (!snmp_rows_get(&d->rows, sys_uptime.id, sys_uptime.len, &row) ||
      row.value.type != SNMP_UNSIGNED || row.value.number == d->uptime)
    return; /* a clock that stands still tells nothing */
  d->uptime = row.value.number;
  double started_at = tm_monotonic() - (double)row.value.number / 100;
  double later = started_at - d->started_at;
  if (later > RESTART_SLACK && fabs(later - UPTIME_WRAP) > RESTART_SLACK)
    d->epoch++;
  d->started_at = started_at;
}

static void fill_reading(struct snmp_device *d, struct reading *r)
{
  struct snmp_question *q = d->question;
  r->error = d->fetch.trouble;
  if (r->error.code != 0)
    tm_fail_prefix(&r->error, name_of(d));
  int rc = q->counters ? profile_read_counters(d->profile, &d->rows, r)
                       : profile_read(d->profile, &d->rows, q->explain, q->items, r);
  if (rc < 0)
    tm_fail(&r->error, rc, "%s: more is told than a reading holds", name_of(d));
  r->observed_at = tm_now();
  watch_restart(d);
  for (size_t i = 0; i < r->counters_len; i++)
    r->counters[i].epoch = d->epoch;
}

/* Ends the question. err NULL: everything was fetched. */
static void finish(struct snmp_device *d, const struct tm_error *err)
{
  struct snmp_question *q = d->question;
  q->answered_at = ask_wall_clock();
  if (err == NULL) {
    fill_reading(d, q->reading);
    d->failures = 0;
  } else {
    q->reading->error = *err;
    if (++d->failures >= FAILURES)
      d->profile = NULL; /* it may be another device that comes back */
  }
  if (d->session != NULL)
    agent_forget(d->session);
  DL_DELETE(d->loop->devices, d);
  d->loop->under_way--;
  snmp_fetch_release(&d->fetch);
  snmp_rows_release(&d->rows);
  d->phase = IDLE;
  d->waiting = false;
  d->question = NULL;
  q->next = NULL;
  *d->loop->finished_end = q;
  d->loop->finished_end = &q->next;
}

static void give_up(struct snmp_device *d)
{
  struct tm_error err = {0};
  /* The library keeps to itself what a device reports about users and passwords. */
  tm_fail(&err, -ETIMEDOUT, "%s: no answer within %.3g s%s", name_of(d), tm_monotonic() - d->begun,
          d->target.user != NULL ? ", or none to this user and password" : "");
  finish(d, &err);
}

/* --- its way there -------------------------------------------------------------------------- */

static void told(void *owner, bool answer);

/* Sends the next request of the fetch; false when it is complete, or with err filled. */
static bool send_next(struct snmp_device *d, struct tm_error *err)
{
  struct snmp_request request;
  if (!snmp_fetch_next(&d->fetch, &request))
    return false;
  if (agent_send(d->session, &request, &d->fetch, told, d, err) < 0)
    return false;
  d->waiting = true;
  set_wake(d, tm_monotonic() + d->target.timeout_s);
  return true;
}

static int begin_fetch(struct snmp_device *d, const struct profile_want *wants, size_t len)
{
  struct tm_error trouble = d->fetch.trouble;
  snmp_fetch_release(&d->fetch);
  int rc = snmp_fetch_init(&d->fetch, wants, len, d->phase == FETCH && d->question->counters,
                           &d->manners, &d->rows);
  d->fetch.trouble = trouble;
  return rc;
}

/* The objects of the phase that the question has come to. */
static int begin_phase(struct snmp_device *d, struct tm_error *err)
{
  const struct profile *p = d->profile;
  struct profile_want *wants = NULL;
  size_t len = 0;
  int rc = 0;
  if (d->phase == FETCH && d->question->items == NULL) {
    rc = begin_fetch(d, p->wants, p->wants_len);
    goto out;
  }
  if (d->phase == FETCH)
    rc = profile_item_wants(p, d->question->items, &wants, &len);
  else
    rc = profiles_probes(d->profiles, d->phase == IDENTIFY ? NULL : &d->rows, &wants, &len);
  if (rc == 0)
    rc = begin_fetch(d, wants, len);
  free(wants);
out:
  return rc == 0 ? 0 : tm_fail(err, rc, "%s: %s", name_of(d), strerror(-rc));
}

/* 1: the question is answered in full. */
static int next_phase(struct snmp_device *d, struct tm_error *err)
{
  if (d->phase == FETCH)
    return 1;
  if (d->phase == PROBE) {
    d->profile = profiles_recognise(d->profiles, &d->rows);
    d->recognised_at = tm_monotonic();
    atomic_store(&d->known->profile, d->profile);
    if (d->profile == NULL)
      return tm_fail(err, -ENODEV, "%s: no profile fits this device", name_of(d));
  }
  if (d->profile != NULL) {
    d->phase = FETCH;
    d->question->asked_at = ask_wall_clock();
  } else {
    d->phase = d->phase == IDLE ? IDENTIFY : PROBE;
  }
  return begin_phase(d, err);
}

/* Goes on after an answer, or at the beginning. */
static void go_on(struct snmp_device *d)
{
  struct tm_error err = {0};
  int rc = 0;
  d->attempt = 0;
  while (rc == 0 && !send_next(d, &err))
    rc = err.code != 0 ? err.code : next_phase(d, &err);
  if (rc == 1)
    finish(d, NULL);
  else if (rc < 0)
    finish(d, &err);
}

static void told(void *owner, bool answer)
{
  struct snmp_device *d = owner;
  struct tm_error err = {0};
  d->waiting = false;
  if (answer) {
    go_on(d);
    return;
  }
  snmp_fetch_lost(&d->fetch);
  if (++d->attempt >= d->target.attempts || tm_monotonic() >= d->question->deadline)
    give_up(d);
  else if (!send_next(d, &err))
    finish(d, &err);
}

/* --- devices -------------------------------------------------------------------------------- */

struct snmp_device *snmp_device_new(const struct snmp_target *target,
                                    const struct profiles *profiles, struct snmp_known *known,
                                    struct tm_error *err)
{
  struct snmp_device *d = calloc(1, sizeof(*d));
  if (d != NULL) {
    d->host = strdup(target->host);
    d->community = strdup(target->community != NULL ? target->community : "");
  }
  if (d == NULL || d->host == NULL || d->community == NULL) {
    snmp_device_free(d);
    tm_fail(err, -ENOMEM, "%s: %s", target->host, strerror(ENOMEM));
    return NULL;
  }
  d->target = *target;
  d->target.host = d->host;
  d->target.community = d->community;
  if (!(d->target.timeout_s > 0))
    d->target.timeout_s = 1;
  if (d->target.attempts == 0)
    d->target.attempts = 3;
  d->named = !lookup_is_address(d->host);
  d->profiles = profiles;
  d->known = known;
  d->started_at = NAN;
  snmp_rows_init(&d->rows);
  snmp_manners_init(&d->manners, target->v1);
  return d;
}

void snmp_device_free(struct snmp_device *d)
{
  if (d == NULL)
    return;
  agent_close(d->session);
  lookup_free(d->lookup);
  snmp_rows_release(&d->rows);
  free(d->host);
  free(d->community);
  free(d);
}

/* --- the loop ------------------------------------------------------------------------------- */

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
  d->phase = IDLE;
  if (d->session == NULL)
    d->session = agent_open(&d->target, address, &err);
  else
    /* Those that were given up before their time was over are let go of; not in agent_send(), which
     * may run within the library's own pass over its requests. */
    agent_expire(d->session);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = d};
  if (d->session != NULL &&
      epoll_ctl(d->loop->epoll, EPOLL_CTL_ADD, agent_fd(d->session), &event) < 0)
    tm_fail(&err, -errno, "%s: %s", name_of(d), strerror(errno));
  if (err.code != 0)
    finish(d, &err);
  else
    go_on(d);
}

static void poll_lookup(struct snmp_device *d)
{
  char address[NI_MAXHOST];
  struct tm_error err = {0};
  int rc = lookup_poll(d->lookup, address, sizeof(address), &err);
  if (rc == -EAGAIN) {
    set_wake(d, tm_monotonic() + LOOKUP_EVERY_S);
    return;
  }
  lookup_free(d->lookup);
  d->lookup = NULL;
  if (rc < 0)
    finish(d, &err);
  else
    open_and_ask(d, address);
}

static void begin(struct loop *loop, struct snmp_question *q)
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
  if (d->named && d->failures >= FAILURES) { /* the name may stand for another address by now */
    agent_close(d->session);
    d->session = NULL;
  }
  if (d->session != NULL || !d->named) {
    open_and_ask(d, d->host);
    return;
  }
  struct tm_error err = {0};
  d->phase = LOOKUP;
  if (d->lookup == NULL)
    d->lookup = lookup_start(d->host, &err);
  if (d->lookup == NULL)
    finish(d, &err);
  else
    poll_lookup(d);
}

/* Ends what has had its time. */
static void expire(struct loop *loop)
{
  double now = tm_monotonic();
  while (loop->devices != NULL && loop->devices->wake <= now) {
    struct snmp_device *d = loop->devices;
    assert(d->question != NULL); /* else it would not be in the list */
    if (d->phase == LOOKUP && now < d->question->deadline) {
      poll_lookup(d);
      continue;
    }
    if (now >= d->question->deadline || !d->waiting) {
      give_up(d);
      continue;
    }
    /* The library has its own clock for the request: should it still wait, a moment later again. */
    set_wake(d, now + 0.002);
    agent_expire(d->session);
  }
}

/* Tells the first of those that are finished. What the caller does with an answer may take its
 * time, so it is done when nothing has come: never between a device's answer and its next request.
 */
static void tell_one(struct loop *loop)
{
  struct snmp_question *q = loop->finished;
  loop->finished = q->next;
  if (loop->finished == NULL)
    loop->finished_end = &loop->finished;
  if (q->done != NULL)
    q->done(q);
}

/* Takes in what has come and ends what is late; waits for at most so long. */
static void step(struct loop *loop, double wait_s)
{
  struct epoll_event events[EVENTS];
  if (loop->finished != NULL)
    wait_s = 0;
  else if (loop->devices != NULL && wait_s > 0)
    wait_s = fmin(wait_s, loop->devices->wake - tm_monotonic());
  int wait_ms = wait_s <= 0 ? 0 : (int)ceil(fmin(wait_s, 3600) * 1000);
  int n = epoll_wait(loop->epoll, events, EVENTS, wait_ms);
  for (int i = 0; i < n; i++) {
    struct snmp_device *d = events[i].data.ptr;
    agent_receive(d->session);
  }
  /* Only when nothing has come is anything late: the answer may lie in the socket already. */
  if (n <= 0)
    expire(loop);
  if (n <= 0 && loop->finished != NULL)
    tell_one(loop);
}

void snmp_ask(struct snmp_question *questions, size_t len)
{
  struct loop loop = {.epoll = epoll_create1(EPOLL_CLOEXEC)};
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
