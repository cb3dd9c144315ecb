/* SPDX-License-Identifier: MIT */
#include "plugins/source/redfish.h"

#include "common/clock.h"
#include "plugins/source/redfish_walk.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const keys[] = {WEB_KEYS, NULL};

/* Drives that tell no counters are read again after this time: each costs a management controller
 * a document, and what they tell changes slowly. */
#define DRIVES_EVERY_S 3600

struct redfish {
  struct web web;
  struct redfish_lane lanes[ASK_ITEMS];    /* by the part of a question */
  struct redfish_lane more[REDFISH_LANES]; /* of ASK_COUNTERS */
  pthread_mutex_t lock;                    /* of known, which both lanes use */
  /* Paths of the documents whose counters the last whole walk added up, so that a border read asks
   * for these alone; NULL before that. It is replaced, never changed. */
  json_t *known;
  /* Of the part ASK_EVERYTHING alone. */
  struct reading_drive *drives;
  size_t drives_len;
  double drives_until; /* on the monotonic clock */
};

static json_t *counted_paths(const struct redfish_tree *t)
{
  const struct redfish_stores *busy = redfish_tree_counted(t);
  json_t *paths = json_array();
  for (size_t i = 0; busy != NULL && i < busy->len; i++) {
    const struct redfish_store *s = &busy->list[i];
    if (!s->layer)
      json_array_append_new(paths, json_string(s->counted != NULL ? s->counted : s->path));
  }
  return paths;
}

/* --- the device --------------------------------------------------------------------------- */

static int redfish_open(void **device, void *shared, const struct ask_settings *settings,
                        struct tm_error *err)
{
  struct redfish *r = calloc(1, sizeof(*r));
  if (r == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  int rc = web_open(&r->web, shared, settings, &redfish_default, err);
  if (rc < 0) {
    free(r);
    return rc;
  }
  pthread_mutex_init(&r->lock, NULL);
  *device = r;
  return 0;
}

static void redfish_close(void *device)
{
  struct redfish *r = device;
  if (r == NULL)
    return;
  for (size_t i = 0; i < ASK_ITEMS; i++)
    redfish_lane_release(&r->lanes[i]);
  for (size_t i = 0; i < REDFISH_LANES; i++)
    redfish_lane_release(&r->more[i]);
  json_decref(r->known);
  free(r->drives);
  pthread_mutex_destroy(&r->lock);
  web_release(&r->web);
  free(r);
}

/* --- the question ------------------------------------------------------------------------- */

static void remember(struct redfish *r, const struct redfish_walk *w)
{
  json_t *paths = counted_paths(&w->tree);
  pthread_mutex_lock(&r->lock);
  json_decref(r->known);
  r->known = paths;
  pthread_mutex_unlock(&r->lock);
}

static int walk(struct redfish *r, struct redfish_walk *w, struct tm_error *err)
{
  json_t *known = NULL;
  if (w->job->part == ASK_COUNTERS) {
    pthread_mutex_lock(&r->lock);
    known = json_incref(r->known);
    pthread_mutex_unlock(&r->lock);
  }
  int rc = known != NULL ? redfish_walk_counters(w, known, r->more, err) : redfish_walk_all(w, err);
  pthread_mutex_lock(&r->lock); /* the other lane may hold it too */
  json_decref(known);
  pthread_mutex_unlock(&r->lock);
  return rc;
}

/* Keeps the drives that were told, or tells those that were kept. */
static void keep_drives(struct redfish *r, struct redfish_walk *w, struct reading *reading)
{
  if (w->without_drives) {
    for (size_t i = 0; i < r->drives_len; i++) {
      struct reading_drive *d = reading_add_drive(reading);
      if (d == NULL)
        return;
      *d = r->drives[i];
    }
    return;
  }
  free(r->drives);
  r->drives = NULL;
  r->drives_len = 0;
  r->drives_until = 0;
  if (redfish_tree_counted(&w->tree) == &w->tree.drives)
    return;
  if (reading->drive_list_len > 0) {
    r->drives = calloc(reading->drive_list_len, sizeof(*r->drives));
    if (r->drives == NULL)
      return;
    r->drives_len = reading->drive_list_len;
    memcpy(r->drives, reading->drive_list, r->drives_len * sizeof(*r->drives));
  }
  r->drives_until = tm_monotonic() + DRIVES_EVERY_S;
}

static void explain(struct ask_job *job, const struct redfish_tree *t)
{
  const struct redfish_stores *busy = redfish_tree_counted(t);
  for (size_t i = 0; i < t->pools.len; i++)
    if (!t->pools.list[i].layer)
      ask_explain(job, "capacity_bytes", "%s Capacity.Data", t->pools.list[i].path);
  if (t->pools.len == 0)
    ask_explain(job, "capacity_bytes", "the sum of the volumes");
  if (busy != NULL)
    ask_explain(job, "transfers", "completed writes of %s%s",
                busy->list[0].counted != NULL ? busy->list[0].counted : busy->list[0].path,
                busy->len > 1 ? " and others" : "");
  if (t->drives_unknown)
    ask_explain(job, "drive_list", "not all drives could be read");
}

static void ask_one(struct ask_job *job)
{
  struct redfish *r = ask_job_device(job);
  if (job->part == ASK_ITEMS) {
    web_no_items(job);
    job->reading.observed_at = tm_now();
    return;
  }
  struct redfish_walk w = {.web = &r->web, .lane = &r->lanes[job->part], .job = job};
  struct reading *reading = &job->reading;
  w.without_drives = job->part == ASK_EVERYTHING && tm_monotonic() < r->drives_until;
  struct tm_error err = {0};
  double before = ask_wall_clock();
  int rc = walk(r, &w, &err);
  double after = ask_wall_clock();
  if (rc < 0) {
    w.incomplete = true;
    reading->error = err; /* outranks what a single link had to say */
  }
  if (redfish_tree_tell(&w.tree, !w.incomplete, reading) < 0)
    tm_fail(&reading->error, -ENOMEM, "out of memory");
  explain(job, &w.tree);
  if (!w.incomplete) {
    job->asked_at = before;
    job->answered_at = after;
    reading->observed_at = (int64_t)after;
  } else if (w.tree.volumes.len > 0) {
    reading->observed_at = (int64_t)after; /* of the volumes that were told */
  }
  if (!w.incomplete && job->part == ASK_EVERYTHING) {
    remember(r, &w);
    keep_drives(r, &w, reading);
  }
  redfish_walk_release(&w);
}

static void redfish_ask(struct ask_job *const *jobs, size_t jobs_len)
{
  web_ask(jobs, jobs_len, ask_one);
}

const struct ask_source source_redfish = {
    .name = "redfish",
    .schemes = redfish_schemes,
    .keys = keys,
    .setup = web_setup,
    .teardown = web_teardown,
    .from_url = redfish_from_url,
    .to_url = redfish_to_url,
    .open = redfish_open,
    .close = redfish_close,
    .ask = redfish_ask,
};
