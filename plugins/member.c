/* SPDX-License-Identifier: MIT */
#include "plugins/member.h"

#include "common/clock.h"
#include "plugins/inventory.h"

#include "collectd/core/daemon/plugin.h"
#include "collectd/core/daemon/globals.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct member *member_new(const char *name, const char *host, struct ask_device *device)
{
  struct member *m = calloc(1, sizeof(*m));
  if (m == NULL)
    return NULL;
  m->name = strdup(name);
  m->host = host != NULL ? strdup(host) : NULL;
  if (m->name == NULL || (host != NULL && m->host == NULL)) {
    free(m->name);
    free(m->host);
    free(m);
    return NULL;
  }
  m->device = device;
  m->last_border = INT64_MIN;
  pthread_mutex_init(&m->lock, NULL);
  return m;
}

void member_free(struct member *m)
{
  if (m == NULL)
    return;
  ask_device_free(m->device);
  json_decref(m->asked);
  dispatch_release(&m->values);
  interval_release(&m->counter);
  pthread_mutex_destroy(&m->lock);
  free(m->name);
  free(m->host);
  free(m);
}

static bool answered(const struct ask_job *job)
{
  /* A source may tell a part and an error: only what tells nothing is silence. */
  return job->reading.error.code == 0 || job->reading.observed_at != INT64_MIN;
}

static struct interval_sample sample_of(const struct ask_job *job)
{
  return (struct interval_sample){
      .counters = job->reading.counters,
      .len = job->reading.counters_len,
      .asked_at = job->asked_at,
      .answered_at = job->answered_at,
      .steady_at = tm_monotonic(),
  };
}

/* One line when it falls silent or is back, one when it cannot tell something or can again. */
static void say_state(struct member *m, const struct ask_job *job)
{
  const struct tm_error *error = &job->reading.error;
  if (!answered(job)) {
    if (!m->down) {
      P_ERROR("%s: %s", m->name, error->text);
      m->down_since = tm_monotonic();
    }
    m->down = true;
    return;
  }
  if (m->down)
    P_NOTICE("%s: answers again after %.0f s", m->name, tm_monotonic() - m->down_since);
  m->down = false;
  if (error->code != 0 && error->code != m->fault)
    P_WARNING("%s: %s", m->name, error->text);
  else if (error->code == 0 && m->fault != 0)
    P_NOTICE("%s: tells everything again", m->name);
  m->fault = error->code;
}

void member_keep_inventory(struct member *m, const struct ask_job *job)
{
  struct tm_error err = {0};
  const struct reading *r = &job->reading;
  if (!answered(job))
    return;
  const char *host = m->host != NULL ? m->host : hostname_g;
  struct inventory_device device = {m->state_dir, host, m->name, m->asked};
  if (inventory_update(&m->inventory_mark, &device, r, &err) < 0) {
    if (!m->inventory_failed)
      P_ERROR("%s: inventory not written: %s", m->name, err.text);
    m->inventory_failed = true;
  } else if (m->inventory_failed) {
    P_NOTICE("%s: inventory is written again", m->name);
    m->inventory_failed = false;
  }
}

void member_take_reading(struct member *m, const struct ask_job *job)
{
  struct interval_sample sample = sample_of(job);
  bool told = answered(job);
  say_state(m, job);
  pthread_mutex_lock(&m->lock);
  m->answers = told;
  if (told && sample.len > 0) {
    m->counts = true;
    interval_add(&m->counter, &sample);
  }
  pthread_mutex_unlock(&m->lock);
  dispatch_reading(&m->values, told ? &job->reading : NULL);
}

/* Says once that counts are unknown, and why; silence of the device is said by its reads. */
static void say_counts(struct member *m, const struct ask_job *job, bool answers)
{
  double late = job->answered_at - (double)m->border;
  bool told = answered(job) && job->reading.counters_len > 0;
  bool on_time = told && late <= interval_bound(m->unit_s);
  m->failed_borders = on_time ? 0 : m->failed_borders + 1;
  if (on_time && m->counts_lost) {
    P_NOTICE("%s: counts per %lld s are known again", m->name, (long long)m->unit_s);
    m->counts_lost = false;
  } else if (!m->counts_lost && told && !on_time) {
    P_WARNING("%s: counts per %lld s are unknown: the counters came %.3f s after the border",
              m->name, (long long)m->unit_s, late);
    m->counts_lost = true;
  } else if (!m->counts_lost && !told && answers && m->failed_borders >= 2) {
    P_WARNING("%s: counts per %lld s are unknown: %s", m->name, (long long)m->unit_s,
              job->reading.error.code != 0 ? job->reading.error.text : "no counters were told");
    m->counts_lost = true;
  }
}

void member_take_border(struct member *m, const struct ask_job *job)
{
  struct interval_sample sample = sample_of(job);
  bool told = answered(job) && sample.len > 0;
  pthread_mutex_lock(&m->lock);
  double count = interval_border(&m->counter, m->border, told ? &sample : NULL);
  m->counts = m->counts || told;
  bool counts = m->counts;
  bool answers = m->answers;
  pthread_mutex_unlock(&m->lock);
  if (!counts) /* a device that has no counters gets no history of unknowns */
    return;
  say_counts(m, job, answers);
  if (m->border <= m->last_border) /* the clock went back: these times are taken */
    return;
  m->last_border = m->border;
  dispatch_count(&m->values, m->kind, m->border, m->unit_s, count);
}
