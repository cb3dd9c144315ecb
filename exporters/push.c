/* SPDX-License-Identifier: MIT */
#include "exporters/push.h"

#include "common/clock.h"
#include "common/json.h"
#include "common/log.h"
#include "exporters/consent.h"
#include "exporters/health.h"
#include "exporters/requests.h"
#include "exporters/schedule.h"
#include "exporters/spool.h"
#include "exporters/state.h"
#include "exporters/target.h"
#include "exporters/tell.h"

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
  MAX_FAILURES = 3,         /* one after the other: then it is not the item */
  MAX_GUESS_S = 3600,
  WAIT_S = 60,
  MAX_PASSES = 20,
};

/* One target while it is being served. */
struct push {
  const struct push_order *order;
  const struct tm_conf_target *target;
  const struct target_ops *ops;
  void *state; /* of ops; NULL until something is to be sent */
  struct spool spool;
  struct consent consent;
  struct health health;
  json_t *acknowledged; /* note: device -> {history_to} */
  bool acknowledged_more;
  size_t sent, refused, left;
  struct spool_entry failed_items[MAX_FAILURES]; /* answered, but not taken: is it them? */
  int64_t failed_due[MAX_FAILURES];
  int failures; /* of these, without a success between */
  bool answered_well;
  int64_t next_due;
  bool unanswered, failed;
};

/* One request: items that were read, and what the target is told of them. */
struct load {
  struct spool_entry *entries; /* as many as items */
  struct spool_item *items;
  struct target_item *told;
  char (*hashes)[TM_SHA256_HEX];
  size_t n, cap;
  size_t bytes;
};

static void complain(const struct push *p, const char *text)
{
  tm_log_error("%s: %s", p->target->name, text);
}

static const char *text_of(const json_t *head, const char *key)
{
  const char *text = tm_json_get_string(head, key);
  return text != NULL ? text : "";
}

/* --- a load --------------------------------------------------------------------------------- */

static int load_init(struct load *l, size_t cap)
{
  *l = (struct load){.cap = cap};
  l->entries = calloc(cap, sizeof(*l->entries));
  l->items = calloc(cap, sizeof(*l->items));
  l->told = calloc(cap, sizeof(*l->told));
  l->hashes = calloc(cap, sizeof(*l->hashes));
  return l->entries != NULL && l->items != NULL && l->told != NULL && l->hashes != NULL ? 0
                                                                                        : -ENOMEM;
}

static void load_clear(struct load *l)
{
  for (size_t i = 0; i < l->n; i++)
    spool_item_release(&l->items[i]);
  l->n = 0;
  l->bytes = 0;
}

static void load_release(struct load *l)
{
  load_clear(l);
  free(l->entries);
  free(l->items);
  free(l->told);
  free(l->hashes);
}

static void load_add(struct load *l, const struct spool_entry *entry, struct spool_item *item)
{
  size_t i = l->n++;
  l->entries[i] = *entry;
  l->items[i] = *item;
  l->bytes += item->body_len;
  tm_sha256_hex(l->hashes[i], item->body, item->body_len);
  l->told[i] = (struct target_item){.key = l->entries[i].key,
                                    .kind = text_of(item->head, "type"),
                                    .device = text_of(item->head, "device"),
                                    .sha256 = l->hashes[i],
                                    .body = item->body,
                                    .body_len = item->body_len};
}

/* --- may it still leave? -------------------------------------------------------------------- */

/* Consent may have been withdrawn since the item was queued, by a process that is not this one. */
static bool may_leave(struct push *p, const json_t *head, struct tm_error *err)
{
  if ((consent_head_purposes(head) & ~p->target->purposes) != 0) {
    tm_fail(err, -EPERM, "the target's purposes no longer cover it");
    return false;
  }
  if (p->order->conf->role == TM_ROLE_VENDOR)
    return true;
  if (consent_refresh(&p->consent, err) < 0)
    return false;
  if (consent_covers(&p->consent, head))
    return true;
  tm_fail(err, -EPERM, "consent was withdrawn");
  return false;
}

/* Reads one item into the load. False when it is not to be sent; it has been put away then. */
static bool take_item(struct push *p, struct load *l, const struct spool_entry *entry)
{
  struct spool_item item;
  struct tm_error err = {0};
  int rc = spool_read(&p->spool, SPOOL_NEW, entry, &item, &err);
  if (rc == -ENOENT)
    return false; /* withdrawn by another process */
  if (rc == -EBADMSG || rc == -EFBIG || rc == -EINVAL) {
    complain(p, err.text);
    spool_corrupt(&p->spool, entry, err.text, NULL);
    p->refused++;
    return false;
  }
  if (rc == 0 && may_leave(p, item.head, &err)) {
    load_add(l, entry, &item);
    return true;
  }
  if (rc == 0 && err.code == -EPERM) {
    tm_log_warning("%s: %.12s is not sent: %s", p->target->name, entry->key, err.text);
    rc = spool_dead(&p->spool, entry, err.text, &err);
    p->refused++;
  } else {
    rc = rc == 0 ? err.code : rc;
  }
  if (rc < 0 && rc != -ENOENT) {
    complain(p, err.text);
    p->failed = true;
  }
  spool_item_release(&item);
  return false;
}

/* --- what became of it ---------------------------------------------------------------------- */

static void log_result(struct push *p, const struct target_item *t, const char *event)
{
  json_t *entry = json_pack("{s:o,s:s,s:s,s:s,s:s,s:s,s:s}", "at", tm_json_time(tm_now()), "event",
                            event, "target", p->target->name, "key", t->key, "type", t->kind,
                            "device", t->device, "sha256", t->sha256);
  struct tm_error err = {0};
  if (t->receipt[0] != '\0')
    json_object_set_new(entry, "receipt", json_string(t->receipt));
  if (t->reason[0] != '\0')
    json_object_set_new(entry, "reason", tm_json_text(t->reason));
  if (state_log(p->order->conf->state_dir, entry, &err) < 0)
    complain(p, err.text);
  json_decref(entry);
}

static void acknowledge(struct push *p, const struct spool_item *item)
{
  const char *to = text_of(item->head, "history_to");
  const char *device = text_of(item->head, "device");
  const char *had = tm_json_get_string(json_object_get(p->acknowledged, device), "history_to");
  if (to[0] == '\0' || (had != NULL && strcmp(had, to) >= 0))
    return;
  json_object_set_new(p->acknowledged, device, json_pack("{s:s}", "history_to", to));
  p->acknowledged_more = true;
}

static int64_t jittered(int attempt)
{
  return spool_backoff_s(attempt, randombytes_random());
}

/* Something went well: then it was the items that failed, and each waits for itself. */
static int blame_items(struct push *p, struct tm_error *err)
{
  int rc = 0;
  for (int i = 0; i < p->failures; i++) {
    int one = spool_again(&p->spool, &p->failed_items[i], p->failed_due[i], err);
    if (one < 0 && one != -ENOENT)
      rc = one;
    if (p->failed_due[i] < p->next_due)
      p->next_due = p->failed_due[i];
  }
  p->failures = 0;
  return rc;
}

static int note_success(struct push *p, struct tm_error *err)
{
  p->answered_well = true;
  health_up(&p->health);
  return blame_items(p, err);
}

static int settle_one(struct push *p, struct load *l, size_t i, const struct target_outcome *out,
                      struct tm_error *err)
{
  struct target_item *t = &l->told[i];
  struct tm_error told = {0};
  int rc = 0;
  if (t->result == TARGET_ACCEPTED) {
    rc = spool_sent(&p->spool, &l->entries[i], err);
    log_result(p, t, "accepted");
    acknowledge(p, &l->items[i]);
    if (tell_line(&told, "sent %s %s", t->key, p->target->name) < 0) {
      complain(p, told.text);
      p->failed = true;
    }
    p->sent++;
  } else if (t->result == TARGET_REFUSED) {
    tm_log_error("%s: %.12s (%s): %s", p->target->name, t->key, t->device, t->reason);
    log_result(p, t, "refused");
    p->refused++;
    rc = spool_dead(&p->spool, &l->entries[i], t->reason, err);
  }
  if (t->result != TARGET_RETRY) {
    int blamed = note_success(p, err);
    return rc == 0 || rc == -ENOENT ? blamed : rc;
  }
  p->left++;
  if (out->health != TARGET_UP)
    return 0; /* it is not the item: its turn stays */
  int64_t wait = out->retry_after_s > 0 ? out->retry_after_s : jittered(l->entries[i].attempt);
  if (p->failures == MAX_FAILURES)
    return 0;
  p->failed_items[p->failures] = l->entries[i];
  p->failed_due[p->failures++] = tm_now() + wait;
  return 0;
}

static void hold(struct push *p, const char *reason, int64_t wait, int64_t skew_s)
{
  int64_t until = tm_now() + wait;
  health_down(&p->health, reason, until, skew_s);
  p->failures = 0;
  p->unanswered = true;
  if (until < p->next_due)
    p->next_due = until;
}

/* Told once: a target that stays down is only told again by `status`. */
static void judge_health(struct push *p, const struct target_outcome *out)
{
  int64_t wait = out->retry_after_s > 0 ? out->retry_after_s : jittered(p->health.failures);
  if (out->error.code != 0 && !health_is_told(&p->health, out->error.text))
    complain(p, out->error.text);
  if (out->health == TARGET_STOP) {
    health_stop(&p->health, out->error.text, p->target);
    p->unanswered = true;
  } else if (out->health == TARGET_DOWN || p->failures == MAX_FAILURES) {
    hold(p, out->error.text, wait, out->skew_s);
  }
}

/* A pass with failures alone: the target is taken to be ill, but not for so long that an item that
 * is ill itself could hold up those that come after it. */
static void judge_pass(struct push *p)
{
  struct tm_error err = {0};
  if (p->failures == 0)
    return;
  if (p->answered_well) {
    if (blame_items(p, &err) < 0)
      complain(p, err.text);
    return;
  }
  int64_t wait = jittered(p->health.failures);
  hold(p, p->health.reason[0] != '\0' ? p->health.reason : "no item was taken",
       wait < MAX_GUESS_S ? wait : MAX_GUESS_S, 0);
}

/* A rate limit: what was sent takes its time before the next request. */
static void keep_rate(const struct push *p, size_t bytes)
{
  if (p->target->rate_bytes == 0)
    return;
  double s = (double)bytes / (double)p->target->rate_bytes;
  while (s > 0) {
    double part = s > 1 ? 1 : s;
    usleep((useconds_t)(part * 1e6));
    s -= part;
  }
}

static int open_target(struct push *p)
{
  struct tm_error err = {0};
  if (p->state != NULL)
    return 0;
  int rc = p->ops->open(&p->state, p->target, &err);
  if (rc < 0) {
    complain(p, err.text);
    p->failed = true;
  }
  return rc;
}

static int send_load(struct push *p, struct load *l);

/* The request as a whole was refused: its items one by one. */
static int send_apart(struct push *p, struct load *l)
{
  struct load one;
  int rc = load_init(&one, 1);
  for (size_t i = 0; rc == 0 && i < l->n; i++) {
    load_add(&one, &l->entries[i], &l->items[i]);
    rc = send_load(p, &one);
    one.n = 0; /* the item is still the other load's */
    one.bytes = 0;
  }
  load_release(&one);
  return rc;
}

/* 0: go on; else this target is left alone in this pass. */
static int send_load(struct push *p, struct load *l)
{
  struct target_outcome out = {.retry_after_s = -1};
  struct tm_error err = {0};
  p->ops->send(p->state, l->told, l->n, tm_now(), &out);
  keep_rate(p, l->bytes);
  if (out.requests != NULL) {
    requests_store(p->order->conf, p->target, out.requests);
    json_decref(out.requests);
  }
  if (out.split)
    return send_apart(p, l);
  int rc = 0;
  for (size_t i = 0; rc == 0 && i < l->n; i++)
    rc = settle_one(p, l, i, &out, &err);
  judge_health(p, &out);
  if (rc < 0) {
    complain(p, err.text);
    p->failed = true;
    return rc;
  }
  return p->health.hold_until != 0 || p->health.stopped ? -EAGAIN : 0;
}

/* --- a pass --------------------------------------------------------------------------------- */

/* All that is due, in the order of queuing. wake: due or not, since the target was down before. */
static int send_list(struct push *p, const struct spool_list *list, bool wake)
{
  struct load l;
  int rc = load_init(&l, p->target->batch);
  int64_t now = tm_now();
  for (size_t i = 0; rc == 0 && i < list->len; i++) {
    const struct spool_entry *e = &list->entries[i];
    if (!wake && !spool_is_due(e, now)) {
      p->left++;
      if (e->due < p->next_due)
        p->next_due = e->due;
      continue;
    }
    take_item(p, &l, e);
    bool full = l.n == l.cap || l.bytes >= MAX_BATCH_BYTES;
    if (l.n > 0 && (full || i + 1 == list->len)) {
      rc = open_target(p);
      if (rc == 0)
        rc = send_load(p, &l);
      if (rc < 0)
        p->left += list->len - i - 1;
      load_clear(&l);
    }
  }
  if (rc == 0 && l.n > 0) { /* the last ones of the list were not due */
    rc = open_target(p);
    if (rc == 0)
      rc = send_load(p, &l);
  }
  load_release(&l);
  return rc;
}

/* With service or comparison on, the receiver is asked for requests now and then. */
static void poll_target(struct push *p)
{
  const unsigned both = TM_PURPOSE_SERVICE | TM_PURPOSE_COMPARISON;
  struct target_outcome out = {.retry_after_s = -1};
  int64_t now = tm_now();
  if (p->ops->poll == NULL || p->target->poll_s == 0 || p->order->conf->role != TM_ROLE_SITE ||
      !consent_any(&p->consent, both & p->target->purposes) ||
      !health_poll_due(&p->health, now, p->target->poll_s))
    return;
  if (open_target(p) < 0)
    return;
  p->health.polled_at = now;
  p->ops->poll(p->state, now, &out);
  if (out.requests != NULL) {
    requests_store(p->order->conf, p->target, out.requests);
    json_decref(out.requests);
  }
  if (out.error.code == 0)
    health_up(&p->health);
  judge_health(p, &out);
}

static int put_in_order(struct push *p, struct spool_list *list)
{
  struct tm_error err = {0};
  size_t strange = 0, expired = 0;
  int64_t now = tm_now();
  int rc = spool_clean(&p->spool, now, &err);
  if (rc == 0)
    rc = spool_expire(&p->spool, now, &expired, &err);
  if (rc == 0)
    rc = spool_scan(&p->spool, SPOOL_NEW, list, &strange, &err);
  if (expired > 0)
    tm_log_error("%s: %zu items expired and are in dead/", p->target->name, expired);
  if (strange > 0)
    tm_log_error("%s: %zu files that are no items are in corrupt/", p->target->name, strange);
  if (rc < 0) {
    complain(p, err.text);
    p->failed = true;
  }
  return rc;
}

static void one_pass(struct push *p)
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
  bool held = health_is_held(&p->health, p->target, now);
  if (!p->order->now && (quiet || held)) {
    p->left = list.len;
    if (held && !p->health.stopped)
      p->next_due = p->health.hold_until;
  } else {
    bool wake = p->order->now || p->health.failures > 0;
    health_try(&p->health);
    if (list.len > 0)
      send_list(p, &list, wake);
    judge_pass(p);
    if (p->health.hold_until == 0 && !p->health.stopped)
      poll_target(p);
  }
  spool_list_release(&list);
}

static void save(struct push *p)
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
    complain(p, err.text);
    p->failed = true;
  }
}

static int open_push(struct push *p, struct tm_error *err)
{
  const struct tm_conf *conf = p->order->conf;
  char name[128];
  snprintf(name, sizeof(name), "%s.acknowledged", p->target->name);
  int rc = spool_open(&p->spool, conf->spool_dir, p->target->name, &conf->spool, err);
  if (rc == 0)
    rc = spool_lock(&p->spool, "send", false, err);
  if (rc == 0)
    rc = consent_load(&p->consent, conf->state_dir, err);
  if (rc < 0)
    return rc;
  health_load(&p->health, conf->state_dir, p->target->name);
  p->acknowledged = state_read(conf->state_dir, name);
  return 0;
}

static int status_of(const struct push *p)
{
  if (p->failed)
    return EX_IOERR;
  if (p->unanswered)
    return EX_UNAVAILABLE;
  if (p->left > 0)
    return EX_TEMPFAIL;
  return p->refused > 0 ? EX_DATAERR : EX_OK;
}

static int serve(struct push *p)
{
  struct tm_error err = {0};
  int rc = open_push(p, &err);
  int status = rc == -EBUSY ? EX_TEMPFAIL : tm_exit_status(rc);
  if (rc < 0) {
    complain(p, err.text);
    goto out;
  }
  for (int pass = 0; pass < MAX_PASSES; pass++) {
    p->unanswered = false;
    one_pass(p);
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
  struct push push;
  pthread_t thread;
  bool running;
  int status;
};

static void *run_job(void *arg)
{
  struct job *job = arg;
  job->status = serve(&job->push);
  return NULL;
}

/* The gravest first. */
static int worse(int a, int b)
{
  static const int order[] = {EX_IOERR, EX_CANTCREAT, EX_UNAVAILABLE, EX_TEMPFAIL, EX_DATAERR};
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
    free(jobs);
    return EX_OSERR;
  }
  for (size_t i = 0; i < conf->targets_len; i++) {
    const struct tm_conf_target *t = &conf->targets[i];
    const struct target_ops *ops = target_ops_of(t->type);
    if (ops == NULL || (order->target != NULL && strcmp(order->target, t->name) != 0))
      continue;
    jobs[i].push = (struct push){.order = order, .target = t, .ops = ops};
    if (pthread_create(&jobs[i].thread, NULL, run_job, &jobs[i]) == 0)
      jobs[i].running = true;
    else
      jobs[i].status = EX_OSERR;
  }
  for (size_t i = 0; i < conf->targets_len; i++) {
    if (jobs[i].running)
      pthread_join(jobs[i].thread, NULL);
    status = worse(status, jobs[i].status);
  }
  free(jobs);
  return status;
}
