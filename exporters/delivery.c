/* SPDX-License-Identifier: MIT */
#include "exporters/delivery.h"

#include "common/clock.h"
#include "common/json.h"
#include "common/log.h"
#include "exporters/requests.h"
#include "exporters/state.h"
#include "exporters/tell.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MAX_GUESS_S = 3600 };

void delivery_complain(const struct delivery *p, const char *text)
{
  tm_log_error("%s: %s", p->target->name, text);
}

/* --- may it still leave? -------------------------------------------------------------------- */

/* Consent may have been withdrawn since the item was queued, by a process that is not this one. */
static bool may_leave(struct delivery *p, const json_t *head, struct tm_error *err)
{
  if ((consent_head_purposes(head) & ~p->target->purposes) != 0) {
    tm_fail(err, -EPERM, "the target's purposes no longer cover it");
    return false;
  }
  if (p->order->conf->role == TM_ROLE_VENDOR)
    return true;
  if (consent_refresh(&p->consent, err) < 0)
    return false;
  int covers = consent_covers(&p->consent, head);
  if (covers < 0)
    tm_fail(err, covers, "out of memory");
  else if (covers == 0)
    tm_fail(err, -EPERM, "consent was withdrawn");
  return covers == 1;
}

bool delivery_take(struct delivery *p, struct load *l, const struct spool_entry *entry)
{
  struct spool_item item;
  struct tm_error err = {0};
  int rc = spool_read(&p->spool, SPOOL_NEW, entry, &item, &err);
  if (rc == -ENOENT)
    return false; /* withdrawn by another process */
  if (rc == -EBADMSG || rc == -EFBIG || rc == -EINVAL) {
    delivery_complain(p, err.text);
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
    delivery_complain(p, err.text);
    p->failed = true;
  }
  spool_item_release(&item);
  return false;
}

/* --- what became of it ---------------------------------------------------------------------- */

static void log_result(struct delivery *p, const struct target_item *t, const char *event)
{
  json_t *entry = json_pack("{s:o,s:s,s:s,s:s,s:s,s:s,s:s}", "at", tm_json_time(tm_now()), "event",
                            event, "target", p->target->name, "key", t->key, "type", t->kind,
                            "device", t->device, "sha256", t->sha256);
  struct tm_error err = {0};
  if (t->receipt[0] != '\0')
    json_object_set_new(entry, "receipt", json_string(t->receipt));
  if (t->reason[0] != '\0')
    json_object_set_new(entry, "reason", tm_json_text(t->reason));
  if (state_log(p->order->conf->state_dir, entry, &err) < 0) {
    tm_log_error("%s: %.12s (%s) is not in the history: %s", p->target->name, t->key, event,
                 err.text);
    p->failed = true;
  }
  json_decref(entry);
}

static void acknowledge(struct delivery *p, const struct spool_item *item)
{
  const char *to = item_text(item, "history_to");
  const char *device = item_text(item, "device");
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
static int blame_items(struct delivery *p, struct tm_error *err)
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

static int note_success(struct delivery *p, struct tm_error *err)
{
  p->answered_well = true;
  health_up(&p->health);
  return blame_items(p, err);
}

static int settle_one(struct delivery *p, struct load *l, size_t i,
                      const struct target_outcome *out, struct tm_error *err)
{
  struct target_item *t = &l->told[i];
  struct tm_error told = {0};
  int rc = 0;
  if (t->result == TARGET_ACCEPTED) {
    rc = spool_sent(&p->spool, &l->entries[i], err);
    log_result(p, t, "accepted");
    acknowledge(p, &l->items[i]);
    if (tell_line(&told, "sent %s %s", t->key, p->target->name) < 0) {
      delivery_complain(p, told.text);
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
  int64_t wait = jittered(l->entries[i].attempt);
  if (p->failures == DELIVERY_FAILURES)
    return 0;
  p->failed_items[p->failures] = l->entries[i];
  p->failed_due[p->failures++] = tm_now() + wait;
  return 0;
}

static void hold(struct delivery *p, const char *reason, int64_t wait, bool asked, int64_t skew_s)
{
  int64_t until = tm_now() + wait;
  health_down(&p->health, reason, until, asked, skew_s);
  p->failures = 0;
  p->unanswered = true;
  if (until < p->next_due)
    p->next_due = until;
}

/* Told once: a target that stays down is only told again by `status`. */
void delivery_judge_health(struct delivery *p, const struct target_outcome *out)
{
  if (out->ours) { /* nothing is held against the receiver, and the items keep their turn */
    delivery_complain(p, out->error.text);
    p->failed = true;
    p->failures = 0;
    return;
  }
  bool asked = out->retry_after_s > 0;
  int64_t wait = asked ? out->retry_after_s : jittered(p->health.failures);
  if (out->error.code != 0 && !health_is_told(&p->health, out->error.text))
    delivery_complain(p, out->error.text);
  if (out->health == TARGET_STOP) {
    health_stop(&p->health, out->error.text, p->target);
    p->unanswered = true;
  } else if (out->health == TARGET_DOWN || p->failures == DELIVERY_FAILURES || asked) {
    hold(p, out->error.text, wait, asked, out->skew_s);
  }
}

void delivery_judge(struct delivery *p)
{
  struct tm_error err = {0};
  if (p->failures == 0)
    return;
  if (p->answered_well) {
    if (blame_items(p, &err) < 0)
      delivery_complain(p, err.text);
    return;
  }
  int64_t wait = jittered(p->health.failures);
  hold(p, p->health.reason[0] != '\0' ? p->health.reason : "no item was taken",
       wait < MAX_GUESS_S ? wait : MAX_GUESS_S, false, 0);
}

/* A rate limit: what was sent takes its time before the next request. */
static void keep_rate(const struct delivery *p, size_t bytes)
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

int delivery_open(struct delivery *p)
{
  struct tm_error err = {0};
  if (p->state != NULL)
    return 0;
  int rc = p->ops->open(&p->state, p->target, &err);
  if (rc < 0) {
    delivery_complain(p, err.text);
    if (rc == -EBUSY) /* somebody else is at it: later */
      p->left++;
    else
      p->failed = true;
    p->denied = rc == -EACCES || rc == -EPERM;
  }
  return rc;
}

/* The request as a whole was refused: its items one by one. */
static int send_apart(struct delivery *p, struct load *l)
{
  struct load one;
  int rc = load_init(&one, 1);
  for (size_t i = 0; rc == 0 && i < l->n; i++) {
    load_add(&one, &l->entries[i], &l->items[i]);
    rc = delivery_send(p, &one);
    one.n = 0; /* the item is still the other load's */
    one.bytes = 0;
  }
  load_release(&one);
  return rc;
}

int delivery_send(struct delivery *p, struct load *l)
{
  struct target_outcome out = {.retry_after_s = -1};
  struct tm_error err = {0};
  p->ops->send(p->state, l->told, l->n, tm_now(), &out);
  keep_rate(p, l->bytes);
  if (out.requests != NULL) {
    p->requests += requests_store(p->order->conf, p->target, out.requests);
    json_decref(out.requests);
  }
  if (out.split)
    return send_apart(p, l);
  int rc = 0;
  for (size_t i = 0; rc == 0 && i < l->n; i++)
    rc = settle_one(p, l, i, &out, &err);
  delivery_judge_health(p, &out);
  if (rc < 0) {
    delivery_complain(p, err.text);
    p->failed = true;
    return rc;
  }
  return p->health.hold_until != 0 || p->health.stopped ? -EAGAIN : 0;
}
