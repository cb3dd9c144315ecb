/* SPDX-License-Identifier: MIT */
/* The documents with counters alone, several at a time: a count at a border is known only when all
 * of them come within a second, and an array may have one for each drive. */
#include "plugins/source/redfish_walk.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { STACK_BYTES = 1 << 20 };

struct share {
  struct redfish_walk *walk;
  const json_t *paths; /* read only */
  atomic_size_t *next;
  int rc;
  struct tm_error err;
  pthread_t thread;
};

static int take_one(struct redfish_walk *w, const char *link, struct tm_error *err)
{
  struct redfish_found f = {.storage = ""};
  json_t *doc = NULL;
  char *path = NULL;
  int rc = redfish_get(w, link, &doc, &path, err);
  f.doc = doc;
  f.path = path;
  if (rc == 0) {
    rc = redfish_tree_add_counters(&w->tree, &f);
    if (rc < 0)
      tm_fail(err, rc, rc == -ENOMEM ? "%s: out of memory" : "%s: too many counters", w->web->name);
  }
  json_decref(doc);
  free(path);
  return rc;
}

static void *work(void *arg)
{
  struct share *s = arg;
  for (;;) {
    size_t i = atomic_fetch_add(s->next, 1);
    if (i >= json_array_size(s->paths))
      return NULL;
    s->rc = take_one(s->walk, json_string_value(json_array_get(s->paths, i)), &s->err);
    if (s->rc < 0) {
      atomic_store(s->next, json_array_size(s->paths)); /* a part of them is of no use */
      return NULL;
    }
  }
}

/* The session of the first one serves the others too: a service has few of them to give. */
static int share_login(struct redfish_lane *lane, const struct redfish_lane *from)
{
  free(lane->authorization);
  lane->authorization = from->authorization != NULL ? strdup(from->authorization) : NULL;
  return from->authorization == NULL || lane->authorization != NULL ? 0 : -ENOMEM;
}

static size_t start_others(struct share *shares, struct redfish_walk *walks,
                           struct redfish_lane *lanes, const struct share *first, size_t wanted)
{
  size_t n = 0;
  pthread_attr_t attr;
  pthread_attr_init(&attr);
  pthread_attr_setstacksize(&attr, STACK_BYTES);
  for (; n < wanted && share_login(&lanes[n], first->walk->lane) == 0; n++) {
    walks[n] = (struct redfish_walk){
        .web = first->walk->web, .lane = &lanes[n], .job = first->walk->job, .login_failed = true};
    shares[n] = (struct share){.walk = &walks[n], .paths = first->paths, .next = first->next};
    if (pthread_create(&shares[n].thread, &attr, work, &shares[n]) != 0)
      break;
  }
  pthread_attr_destroy(&attr);
  return n;
}

int redfish_walk_counters(struct redfish_walk *w, const json_t *paths, struct redfish_lane *lanes,
                          struct tm_error *err)
{
  struct redfish_walk walks[REDFISH_LANES];
  struct share others[REDFISH_LANES];
  atomic_size_t next = 1;
  struct share own = {.walk = w, .paths = paths, .next = &next};
  size_t documents = json_array_size(paths);
  if (documents == 0)
    return 0;
  /* Alone, so that there is a session for all. */
  own.rc = take_one(w, json_string_value(json_array_get(paths, 0)), &own.err);
  if (own.rc < 0)
    return tm_fail(err, own.rc, "%s", own.err.text);
  size_t wanted = documents / 2 < REDFISH_LANES ? documents / 2 : REDFISH_LANES;
  size_t n = start_others(others, walks, lanes, &own, wanted);
  work(&own);
  for (size_t i = 0; i < n; i++) {
    pthread_join(others[i].thread, NULL);
    if (own.rc == 0 && others[i].rc < 0) {
      own.rc = others[i].rc;
      own.err = others[i].err;
    }
    if (own.rc == 0)
      own.rc = redfish_tree_take_counters(&w->tree, &walks[i].tree);
    redfish_walk_release(&walks[i]);
  }
  return own.rc < 0 ? tm_fail(err, own.rc, "%s", own.err.code != 0 ? own.err.text : "out of memory")
                    : 0;
}
