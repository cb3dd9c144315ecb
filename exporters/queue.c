/* SPDX-License-Identifier: MIT */
#include "exporters/queue.h"

#include "common/clock.h"
#include "common/json.h"
#include "common/json_memory.h"
#include "common/log.h"
#include "exporters/document.h"
#include "exporters/input.h"
#include "exporters/outlet.h"
#include "exporters/schedule.h"
#include "exporters/state.h"
#include "exporters/tell.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

struct queue {
  const struct queue_order *order;
  struct document_maker maker;
  struct outlet *outlets;
  size_t n;
  int64_t due;     /* of what is queued now */
  int64_t next_ms; /* gives every item its own place in the line */
  size_t queued, withheld;
  int failure; /* what ended the reading, negative errno */
};

static void close_queue(struct queue *q)
{
  for (size_t i = 0; i < q->n; i++)
    outlet_close(&q->outlets[i]);
  free(q->outlets);
  document_maker_release(&q->maker);
}

static int open_queue(struct queue *q, const struct queue_order *order, struct tm_error *err)
{
  const struct tm_conf *conf = order->conf;
  *q = (struct queue){.order = order, .due = order->time_ms / 1000, .next_ms = order->time_ms};
  int rc = 0;
  q->outlets = calloc(conf->targets_len + 1, sizeof(*q->outlets));
  if (q->outlets == NULL)
    rc = tm_fail(err, -ENOMEM, "out of memory");
  for (size_t i = 0; rc == 0 && i < conf->targets_len; i++) {
    const struct tm_conf_target *t = &conf->targets[i];
    /* Its demand and inquiries do not go through the spool. */
    bool sells = t->type != TM_TARGET_TRYTON || (t->purposes & TM_PURPOSE_SALES) != 0;
    if (!sells || (order->target != NULL && strcmp(order->target, t->name) != 0))
      continue;
    struct outlet *o = &q->outlets[q->n++];
    rc = outlet_open(o, conf, t, err);
    if (rc == 0)
      rc = spool_lock(&o->spool, "fill", true, err);
    if (rc == 0)
      rc = outlet_look(o, conf, err);
  }
  /* Consent is read under the locks: a withdrawal that comes later finds our items. */
  if (rc == 0)
    rc = document_maker_init(&q->maker, conf, err);
  if (rc < 0)
    close_queue(q);
  return rc;
}

/* --- one document --------------------------------------------------------------------------- */

static json_t *make_head(const struct document *d, const char *kind)
{
  json_t *purposes = json_array();
  for (unsigned i = 0; i < TM_PURPOSES; i++) {
    if (d->purposes & 1u << i)
      json_array_append_new(purposes, json_string(tm_purpose_name((enum tm_purpose)(1u << i))));
  }
  return json_pack("{s:s,s:s,s:s,s:o,s:s}", "key", "", "type", kind, "device", d->device,
                   "purposes", purposes, "history_to", d->history_to);
}

static int add_item(struct queue *q, struct outlet *o, const struct document *d,
                    const struct envelope *e, const char *kind, enum spool_class order_class,
                    struct tm_error *err)
{
  const char *where = json_string_value(json_object_get(o->keys, e->key));
  if (where != NULL) {
    return tell_line(err, "known %s %s %s", e->key, o->target->name, where);
  }
  json_t *head = make_head(d, kind);
  int rc = tm_json_starved() ? tm_fail(err, -ENOMEM, "%s: out of memory", d->device)
           : head == NULL    ? tm_fail(err, -EBADMSG, "%s: not valid UTF-8", d->device)
                             : spool_add(&o->spool, order_class, e->key, head, e->body.ptr,
                                         e->body.len, q->due, q->next_ms++, err);
  json_decref(head);
  if (rc < 0)
    return rc;
  json_object_set_new(o->keys, e->key, json_string("new"));
  q->queued++;
  return tell_line(err, "queued %s %s", e->key, o->target->name);
}

static int fill_outlet(struct queue *q, struct outlet *o, const json_t *summary,
                       struct tm_error *err)
{
  struct document d;
  struct document_order order = {
      .target = o->target, .summary = summary, .acknowledged = o->acknowledged};
  int rc = document_make(&d, &q->maker, &order, err);
  if (rc < 0)
    return rc;
  if (d.summary.body.len == 0) {
    q->withheld++;
    goto out;
  }
  const char *key = outlet_known_key(o, d.device, d.source);
  if (key != NULL) {
    rc = tell_line(err, "known %s %s %s", key, o->target->name,
                   json_string_value(json_object_get(o->keys, key)));
    goto out;
  }
  if (d.history.body.len > 0)
    rc = add_item(q, o, &d, &d.history, "history", SPOOL_HISTORY, err);
  if (rc == 0)
    rc = add_item(q, o, &d, &d.summary, "summary", SPOOL_SUMMARY, err);
  if (rc == 0)
    outlet_note(o, d.device, d.source, d.summary.key);
out:
  document_release(&d);
  return rc;
}

/* What is wrong with this summary is told and passed over; what is wrong with the spool ends all.
 */
static int take_summary(void *arg, const json_t *summary, const char *where, struct tm_error *err)
{
  struct queue *q = arg;
  (void)where;
  for (size_t i = 0; i < q->n; i++) {
    int rc = fill_outlet(q, &q->outlets[i], summary, err);
    if (rc == -EBADMSG || rc == -EFBIG)
      return rc;
    if (rc < 0) {
      tm_log_error("%s", err->text);
      q->failure = rc;
      return -ECANCELED;
    }
  }
  return 0;
}

/* --- the schedule --------------------------------------------------------------------------- */

/* 1: go on; 0: nothing is due; or a negative errno. */
static int ask_schedule(struct queue *q, struct schedule_answer *answer, struct tm_error *err)
{
  const struct tm_conf *conf = q->order->conf;
  int64_t now = q->order->time_ms / 1000;
  struct schedule_state state;
  char date[TM_DATE_SIZE];
  *answer = (struct schedule_answer){0};
  if (q->order->now)
    return 1;
  int rc = schedule_load(&state, conf->state_dir, err);
  if (rc < 0)
    return rc;
  schedule_ask(answer, &conf->schedule, &state, now);
  if (answer->clock_went_back) {
    tm_log_warning("the clock was set back: the last record is dated %s; no second one is made",
                   tm_date_format(date, state.last));
    json_t *note = json_pack("{s:o,s:s,s:o}", "at", tm_json_time(now), "event", "clock-went-back",
                             "last", tm_json_time(state.last));
    state_log(conf->state_dir, note, NULL);
    json_decref(note);
  }
  if (!answer->due && !answer->clock_went_back && q->order->files[0] != NULL)
    tm_log_warning("no record is due by the schedule; --now passes over it");
  if (!answer->due)
    return 0;
  q->due += schedule_jitter(&conf->schedule, conf->customer_id, conf->site);
  return 1;
}

static int save_notes(struct queue *q, struct tm_error *err)
{
  int rc = 0;
  for (size_t i = 0; rc == 0 && i < q->n; i++)
    rc = outlet_save(&q->outlets[i], q->order->conf, err);
  return rc;
}

static int status_of(int code)
{
  return code == -EDQUOT ? EX_TEMPFAIL : tm_exit_status(code);
}

int queue_run(const struct queue_order *order)
{
  struct tm_error err = {0};
  struct queue q;
  struct schedule_answer answer;
  struct input_counts counts = {0};
  int rc = open_queue(&q, order, &err);
  if (rc < 0) {
    tm_log_error("%s", err.text);
    return status_of(rc);
  }
  int status = EX_OK;
  rc = ask_schedule(&q, &answer, &err);
  if (rc <= 0) {
    if (rc < 0)
      tm_log_error("%s", err.text);
    status = rc < 0 ? status_of(rc) : EX_OK;
    goto out;
  }
  rc = input_read(order->conf, order->files, take_summary, &q, &counts);
  status = input_status(&counts);
  /* Only now is the period over: whatever stops this run before is made up for by the next. */
  if (rc == -ECANCELED)
    status = q.failure != 0 ? status_of(q.failure) : EX_TEMPFAIL;
  else if (save_notes(&q, &err) < 0 ||
           (answer.due && counts.missing == 0 &&
            schedule_save(&answer.next, order->conf->state_dir, &err) < 0)) {
    tm_log_error("%s", err.text);
    status = status_of(err.code);
  }
  if (q.withheld > 0 && q.queued == 0)
    tm_log_warning("nothing may leave for %zu of the summaries: see 'tidemark-export enable'",
                   q.withheld);
out:
  close_queue(&q);
  return status;
}
