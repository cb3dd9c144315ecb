/* SPDX-License-Identifier: MIT */
/* One device, and the way of a question through it: what it is, what is asked of it, the reading.
 */
#include "plugins/source/snmp_own.h"

#include "common/clock.h"
#include "plugins/ask.h"
#include "plugins/profile_read.h"

#include <errno.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define RESTART_SLACK 30 /* seconds by which a device's clock may differ from ours at once */
#define UPTIME_WRAP   42949672.96

static const struct oid_path sys_uptime = {9, {1, 3, 6, 1, 2, 1, 1, 3, 0}};

const char *snmp_name_of(const struct snmp_device *d)
{
  return d->session != NULL ? agent_name(d->session) : d->host;
}

/* --- the answer ----------------------------------------------------------------------------- */

void snmp_known_init(struct snmp_known *known)
{
  atomic_init(&known->profile, NULL);
  pthread_mutex_init(&known->lock, NULL);
  known->started_at = NAN;
  known->uptime = known->epoch = 0;
}

void snmp_known_release(struct snmp_known *known)
{
  pthread_mutex_destroy(&known->lock);
}

/*
 * A counter that goes back has wrapped, unless the agent started anew in between: that is told by
 * its uptime, which itself wraps after 497 days. The number of its starts.
 */
static uint64_t count_starts(struct snmp_device *d)
{
  struct snmp_known *known = d->known;
  struct snmp_row row;
  bool told = snmp_rows_get(&d->rows, sys_uptime.id, sys_uptime.len, &row) &&
              row.value.type == SNMP_UNSIGNED;
  pthread_mutex_lock(&known->lock);
  if (told && row.value.number != known->uptime) { /* a clock that stands still tells nothing */
    known->uptime = row.value.number;
    double started_at = d->fetched_from - (double)row.value.number / 100;
    double later = started_at - known->started_at;
    if (later > RESTART_SLACK && fabs(later - UPTIME_WRAP) > RESTART_SLACK)
      known->epoch++;
    known->started_at = started_at;
  }
  uint64_t epoch = known->epoch;
  pthread_mutex_unlock(&known->lock);
  return epoch;
}

static void fill_reading(struct snmp_device *d, struct reading *r)
{
  struct snmp_question *q = d->question;
  r->error = d->fetch.trouble;
  if (r->error.code != 0)
    tm_fail_prefix(&r->error, snmp_name_of(d));
  int rc = q->counters ? profile_read_counters(d->profile, &d->rows, r)
                       : profile_read(d->profile, &d->rows, q->explain, q->items, r);
  if (rc < 0)
    tm_fail(&r->error, rc, "%s: more is told than a reading holds", snmp_name_of(d));
  r->observed_at = tm_now();
  uint64_t epoch = count_starts(d);
  for (size_t i = 0; i < r->counters_len; i++)
    r->counters[i].epoch = epoch;
}

void snmp_finish(struct snmp_device *d, const struct tm_error *err)
{
  struct snmp_question *q = d->question;
  q->answered_at = ask_wall_clock();
  if (err == NULL) {
    fill_reading(d, q->reading);
    d->failures = 0;
  } else {
    q->reading->error = *err;
    if (++d->failures >= SNMP_FAILURES)
      d->profile = NULL; /* it may be another device that comes back */
  }
  if (d->session != NULL)
    agent_forget(d->session);
  snmp_fetch_release(&d->fetch);
  snmp_rows_release(&d->rows);
  d->phase = SNMP_IDLE;
  d->waiting = false;
  d->question = NULL;
  snmp_leave(d, q);
}

void snmp_give_up(struct snmp_device *d)
{
  struct tm_error err = {0};
  char oid[SNMP_OID_TEXT];
  double took_s = tm_monotonic() - d->begun;
  size_t rows = 0;
  if (snmp_fetch_halfway(&d->fetch, oid, sizeof(oid), &rows))
    tm_fail(&err, -ETIMEDOUT, "%s: walk of %s: %zu rows within %.3g s, and no end", snmp_name_of(d),
            oid, rows, took_s);
  else /* the library keeps to itself what a device reports about users and passwords */
    tm_fail(&err, -ETIMEDOUT, "%s: no answer within %.3g s%s", snmp_name_of(d), took_s,
            d->target.user != NULL ? ", or none to this user and password" : "");
  snmp_finish(d, &err);
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
  snmp_wake_at(d, tm_monotonic() + d->target.timeout_s);
  return true;
}

static int begin_fetch(struct snmp_device *d, const struct profile_want *wants, size_t len)
{
  struct tm_error trouble = d->fetch.trouble;
  snmp_fetch_release(&d->fetch);
  int rc = snmp_fetch_init(&d->fetch, wants, len, d->phase == SNMP_FETCH && d->question->counters,
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
  if (d->phase == SNMP_FETCH && d->question->items == NULL) {
    rc = begin_fetch(d, p->wants, p->wants_len);
    goto out;
  }
  if (d->phase == SNMP_FETCH)
    rc = profile_item_wants(p, d->question->items, &wants, &len);
  else
    rc = profiles_probes(d->profiles, d->phase == SNMP_IDENTIFY ? NULL : &d->rows, &wants, &len);
  if (rc == 0)
    rc = begin_fetch(d, wants, len);
  free(wants);
out:
  return rc == 0 ? 0 : tm_fail(err, rc, "%s: %s", snmp_name_of(d), strerror(-rc));
}

/* 1: the question is answered in full. */
static int next_phase(struct snmp_device *d, struct tm_error *err)
{
  if (d->phase == SNMP_FETCH)
    return 1;
  if (d->phase == SNMP_PROBE) {
    d->profile = profiles_recognise(d->profiles, &d->rows);
    d->recognised_at = tm_monotonic();
    atomic_store(&d->known->profile, d->profile);
    if (d->profile == NULL)
      return tm_fail(err, -ENODEV, "%s: no profile fits this device", snmp_name_of(d));
  }
  if (d->profile != NULL) {
    d->phase = SNMP_FETCH;
    d->question->asked_at = ask_wall_clock();
    d->fetched_from = tm_monotonic();
  } else {
    d->phase = d->phase == SNMP_IDLE ? SNMP_IDENTIFY : SNMP_PROBE;
  }
  return begin_phase(d, err);
}

void snmp_go_on(struct snmp_device *d)
{
  struct tm_error err = {0};
  int rc = 0;
  d->attempt = 0;
  while (rc == 0 && !send_next(d, &err))
    rc = err.code != 0 ? err.code : next_phase(d, &err);
  if (rc == 1)
    snmp_finish(d, NULL);
  else if (rc < 0)
    snmp_finish(d, &err);
}

static void told(void *owner, bool answer)
{
  struct snmp_device *d = owner;
  struct tm_error err = {0};
  d->waiting = false;
  if (answer) {
    snmp_go_on(d);
    return;
  }
  snmp_fetch_lost(&d->fetch);
  if (++d->attempt >= d->target.attempts || tm_monotonic() >= d->question->deadline)
    snmp_give_up(d);
  else if (!send_next(d, &err))
    snmp_finish(d, &err);
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
