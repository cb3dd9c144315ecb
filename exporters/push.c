/* SPDX-License-Identifier: MIT */
#include "exporters/push.h"

#include "common/clock.h"
#include "common/log.h"
#include "exporters/delivery.h"
#include "exporters/requests.h"
#include "exporters/schedule.h"
#include "exporters/state.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

enum {
  MAX_BATCH_BYTES = 900000, /* receivers take 1 MB */
  WAIT_S = 60,
  MAX_PASSES = 20,
};

/* --- a pass --------------------------------------------------------------------------------- */

/* All that is due, in the order of queuing. wake: due or not, since the target was down before. */
static int send_list(struct delivery *p, const struct spool_list *list, bool wake)
{
  struct load l;
  int rc = load_init(&l, p->target->batch);
  if (rc < 0) {
    delivery_complain(p, "out of memory");
    p->failed = true;
  }
  int64_t now = tm_now();
  for (size_t i = 0; rc == 0 && i < list->len; i++) {
    const struct spool_entry *e = &list->entries[i];
    if (!wake && !spool_is_due(e, now)) {
      p->left++;
      if (e->due < p->next_due)
        p->next_due = e->due;
      continue;
    }
    delivery_take(p, &l, e);
    bool full = l.n == l.cap || l.bytes >= MAX_BATCH_BYTES;
    if (l.n > 0 && (full || i + 1 == list->len)) {
      rc = delivery_open(p);
      if (rc == 0)
        rc = delivery_send(p, &l);
      if (rc < 0)
        p->left += list->len - i - 1;
      load_clear(&l);
    }
  }
  if (rc == 0 && l.n > 0) { /* the last ones of the list were not due */
    rc = delivery_open(p);
    if (rc == 0)
      rc = delivery_send(p, &l);
  }
  load_release(&l);
  return rc;
}

/* A vendor reads back what became of its opportunities. A site that has service or comparison on
 * asks the receiver for requests. */
static bool is_to_poll(const struct delivery *p)
{
  const unsigned both = TM_PURPOSE_SERVICE | TM_PURPOSE_COMPARISON;
  if (p->order->conf->role == TM_ROLE_VENDOR)
    return p->target->type == TM_TARGET_TRYTON && (p->target->purposes & TM_PURPOSE_SALES) != 0;
  return consent_any(&p->consent, both & p->target->purposes);
}

static void poll_target(struct delivery *p)
{
  struct target_outcome out = {.retry_after_s = -1};
  int64_t now = tm_now();
  bool asked = p->order->conf->role == TM_ROLE_VENDOR && p->order->manual;
  if (p->ops->poll == NULL || p->target->poll_s == 0 || !is_to_poll(p) ||
      !(asked || health_poll_due(&p->health, now, p->target->poll_s)))
    return;
  if (delivery_open(p) < 0)
    return;
  p->health.polled_at = now;
  p->ops->poll(p->state, now, &out);
  if (out.requests != NULL) {
    p->requests += requests_store(p->order->conf, p->target, out.requests);
    json_decref(out.requests);
  }
  if (out.error.code == 0)
    health_up(&p->health);
  delivery_judge_health(p, &out);
}

static int put_in_order(struct delivery *p, struct spool_list *list)
{
  struct tm_error err = {0};
  size_t strange = 0;
  int64_t now = tm_now();
  int rc = spool_clean(&p->spool, now, &err);
  if (rc == 0)
    rc = spool_scan(&p->spool, SPOOL_NEW, list, &strange, &err);
  if (strange > 0)
    tm_log_error("%s: %zu files that are no items are in corrupt/", p->target->name, strange);
  if (rc < 0) {
    delivery_complain(p, err.text);
    p->failed = true;
  }
  return rc;
}

/* After a try, so that what waited through a long outage has its chance when it is over. */
static void expire(struct delivery *p)
{
  struct tm_error err = {0};
  size_t expired = 0;
  if (spool_expire(&p->spool, tm_now(), &expired, &err) < 0) {
    delivery_complain(p, err.text);
    p->failed = true;
  }
  if (expired > 0)
    tm_log_error("%s: %zu items expired and are in dead/", p->target->name, expired);
}

static void one_pass(struct delivery *p, bool manual)
{
  struct spool_list list = {0};
  p->left = 0;
  p->next_due = INT64_MAX;
  p->failures = 0;
  p->answered_well = false;
  if (put_in_order(p, &list) < 0)
    return;
  int64_t now = tm_now();
  bool quiet = schedule_is_quiet(&p->order->conf->schedule, now);
  bool held = health_is_held(&p->health, p->target, manual, now);
  if (!p->order->now && (quiet || held)) {
    p->left = list.len;
    if (held && !p->health.stopped)
      p->next_due = p->health.hold_until;
  } else {
    bool wake = p->order->now || manual || p->health.failures > 0;
    health_try(&p->health);
    if (list.len > 0)
      send_list(p, &list, wake);
    delivery_judge(p);
    if (p->health.hold_until == 0 && !p->health.stopped)
      poll_target(p);
  }
  if (p->health.stopped || (!held && !quiet) || p->order->now)
    expire(p);
  spool_list_release(&list);
}

static void save(struct delivery *p)
{
  struct tm_error err = {0};
  const char *state_dir = p->order->conf->state_dir;
  char name[128];
  int rc = 0;
  snprintf(name, sizeof(name), "%s.acknowledged", p->target->name);
  if (p->sent > 0)
    rc = spool_sync(&p->spool, &err);
  if (rc == 0 && p->acknowledged_more)
    rc = state_write(state_dir, name, p->acknowledged, &err);
  if (rc == 0)
    rc = health_save(&p->health, state_dir, p->target->name, &err);
  if (rc < 0) {
    delivery_complain(p, err.text);
    p->failed = true;
  }
}

static int open_push(struct delivery *p, struct tm_error *err)
{
  const struct tm_conf *conf = p->order->conf;
  char name[128];
  snprintf(name, sizeof(name), "%s.acknowledged", p->target->name);
  int rc = spool_open(&p->spool, conf->spool_dir, p->target->name, &conf->spool, err);
  if (rc == 0)
    rc = spool_lock(&p->spool, "send", false, err);
  if (rc == 0)
    rc = consent_load(&p->consent, conf->state_dir, err);
  if (rc == 0)
    rc = health_load(&p->health, conf->state_dir, p->target->name, err);
  if (rc < 0)
    return rc;
  p->acknowledged = state_read(conf->state_dir, name, err);
  return p->acknowledged == NULL ? err->code : 0;
}

static int status_of(const struct delivery *p)
{
  if (p->failed)
    return p->denied ? EX_NOPERM : EX_IOERR;
  if (p->unanswered)
    return EX_UNAVAILABLE;
  if (p->left > 0)
    return EX_TEMPFAIL;
  return p->refused > 0 ? EX_DATAERR : EX_OK;
}

/* What was asked for before, or just now, so that the answer goes while the line is up. */
static size_t answer_requests(struct delivery *p)
{
  p->requests = 0;
  return requests_run(p->order->conf, p->target, tm_now() * 1000);
}

static int serve(struct delivery *p)
{
  struct tm_error err = {0};
  int rc = open_push(p, &err);
  int status = rc == -EBUSY ? EX_TEMPFAIL : tm_exit_status(rc);
  if (rc < 0) {
    delivery_complain(p, err.text);
    goto out;
  }
  answer_requests(p);
  for (int pass = 0; pass < MAX_PASSES; pass++) {
    p->unanswered = false;
    one_pass(p, p->order->manual && pass == 0);
    if (p->requests > 0 && answer_requests(p) > 0)
      one_pass(p, false);
    int64_t wait = p->next_due == INT64_MAX ? INT64_MAX : p->next_due - tm_now();
    if (p->order->once || p->failed || p->left == 0 || wait > WAIT_S)
      break;
    save(p); /* the wait may be ended by a kill */
    sleep(wait > 0 ? (unsigned)wait : 1);
  }
  save(p);
  status = status_of(p);
out:
  if (p->state != NULL)
    p->ops->close(p->state);
  json_decref(p->acknowledged);
  consent_release(&p->consent);
  spool_close(&p->spool);
  return status;
}

/* --- all targets ---------------------------------------------------------------------------- */

struct job {
  struct delivery delivery;
  pthread_t thread;
  bool running;
  int status;
};

static void *run_job(void *arg)
{
  struct job *job = arg;
  job->status = serve(&job->delivery);
  return NULL;
}

/* The gravest first. */
static int worse(int a, int b)
{
  static const int order[] = {EX_IOERR,       EX_CANTCREAT, EX_NOPERM,
                              EX_UNAVAILABLE, EX_TEMPFAIL,  EX_DATAERR};
  for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
    if (a == order[i] || b == order[i])
      return order[i];
  }
  return a != EX_OK ? a : b;
}

int push_run(const struct push_order *order)
{
  const struct tm_conf *conf = order->conf;
  struct job *jobs = calloc(conf->targets_len + 1, sizeof(*jobs));
  int status = EX_OK;
  /* Neither library may be started by two threads at once. */
  if (jobs == NULL || sodium_init() < 0 || curl_global_init(CURL_GLOBAL_DEFAULT) != 0) {
    tm_log_error("out of memory, or a library cannot be started");
    free(jobs);
    return EX_OSERR;
  }
  for (size_t i = 0; i < conf->targets_len; i++) {
    const struct tm_conf_target *t = &conf->targets[i];
    const struct target_ops *ops = target_ops_of(t);
    if (ops == NULL || (order->target != NULL && strcmp(order->target, t->name) != 0))
      continue;
    jobs[i].delivery = (struct delivery){.order = order, .target = t, .ops = ops};
    if (pthread_create(&jobs[i].thread, NULL, run_job, &jobs[i]) == 0)
      jobs[i].running = true;
    else {
      delivery_complain(&jobs[i].delivery, "out of memory: no thread can be started");
      jobs[i].status = EX_OSERR;
    }
  }
  for (size_t i = 0; i < conf->targets_len; i++) {
    if (jobs[i].running)
      pthread_join(jobs[i].thread, NULL);
    status = worse(status, jobs[i].status);
  }
  free(jobs);
  return status;
}
