/* SPDX-License-Identifier: MIT */
#include "plugins/ask.h"

#include "common/clock.h"
#include "common/json.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { MAX_SOURCES = 16 };

struct ask {
  const struct ask_source *const *sources;
  const struct ask_settings *defaults;
  size_t sources_len;
  void *shared[MAX_SOURCES];
  bool ready[MAX_SOURCES];
};

struct ask_device {
  const struct ask_source *source;
  struct ask_settings settings;
  void *state;
};

/* --- settings -------------------------------------------------------------------------- */

static struct ask_setting *find_setting(const struct ask_settings *s, const char *key)
{
  struct ask_setting *at = s->first;
  while (at != NULL && strcasecmp(at->key, key) != 0)
    at = at->next;
  return at;
}

static void free_setting(struct ask_setting *s)
{
  if (s == NULL)
    return;
  free(s->key);
  free(s->value);
  free(s);
}

int ask_settings_set(struct ask_settings *s, const char *key, const char *value)
{
  struct ask_setting *old = find_setting(s, key);
  char *copy = strdup(value);
  if (copy == NULL)
    return -ENOMEM;
  if (old != NULL) {
    free(old->value);
    old->value = copy;
    return 0;
  }
  struct ask_setting *made = calloc(1, sizeof(*made));
  if (made == NULL) {
    free(copy);
    return -ENOMEM;
  }
  made->value = copy;
  made->key = strdup(key);
  if (made->key == NULL) {
    free_setting(made);
    return -ENOMEM;
  }
  made->next = s->first;
  s->first = made;
  return 0;
}

const char *ask_settings_get(const struct ask_settings *s, const char *key)
{
  const struct ask_setting *found = find_setting(s, key);
  return found != NULL ? found->value : NULL;
}

int ask_settings_inherit(struct ask_settings *to, const struct ask_settings *from)
{
  int rc = 0;
  for (const struct ask_setting *s = from->first; rc == 0 && s != NULL; s = s->next) {
    if (find_setting(to, s->key) == NULL)
      rc = ask_settings_set(to, s->key, s->value);
  }
  return rc;
}

void ask_settings_release(struct ask_settings *s)
{
  while (s->first != NULL) {
    struct ask_setting *next = s->first->next;
    free_setting(s->first);
    s->first = next;
  }
}

/* --- the context ------------------------------------------------------------------------- */

int ask_new(struct ask **out, const struct ask_source *const *sources,
            const struct ask_settings *defaults, struct tm_error *err)
{
  struct ask *a = calloc(1, sizeof(*a));
  if (a == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  a->sources = sources;
  a->defaults = defaults;
  while (sources[a->sources_len] != NULL && a->sources_len < MAX_SOURCES)
    a->sources_len++;
  *out = a;
  return 0;
}

void ask_free(struct ask *a)
{
  if (a == NULL)
    return;
  for (size_t i = 0; i < a->sources_len; i++) {
    if (a->ready[i] && a->sources[i]->teardown != NULL)
      a->sources[i]->teardown(a->shared[i]);
  }
  free(a);
}

static bool has_scheme(const struct ask_source *source, const char *scheme)
{
  for (const char *const *s = source->schemes; *s != NULL; s++) {
    if (strcasecmp(*s, scheme) == 0)
      return true;
  }
  return false;
}

const struct ask_source *ask_find_source(const struct ask *a, const char *name_or_scheme)
{
  for (size_t i = 0; i < a->sources_len; i++) {
    if (strcasecmp(a->sources[i]->name, name_or_scheme) == 0 ||
        has_scheme(a->sources[i], name_or_scheme))
      return a->sources[i];
  }
  return NULL;
}

static int shared_of(struct ask *a, const struct ask_source *source, void **shared,
                     struct tm_error *err)
{
  size_t i = 0;
  while (a->sources[i] != source)
    i++;
  if (!a->ready[i] && source->setup != NULL) {
    int rc = source->setup(&a->shared[i], a->defaults, err);
    if (rc < 0)
      return rc;
  }
  a->ready[i] = true;
  *shared = a->shared[i];
  return 0;
}

/* --- devices ----------------------------------------------------------------------------- */

/* Takes the settings over, whether it succeeds or not. */
static int make_device(struct ask_device **out, struct ask *a, const struct ask_source *source,
                       struct ask_settings *settings, struct tm_error *err)
{
  struct ask_device *d = calloc(1, sizeof(*d));
  int rc = 0;
  if (d == NULL || ask_settings_inherit(settings, a->defaults) < 0) {
    ask_settings_release(settings);
    rc = tm_fail(err, -ENOMEM, "out of memory");
    goto out;
  }
  d->settings = *settings;
  *settings = (struct ask_settings){0};
  void *shared = NULL;
  rc = shared_of(a, source, &shared, err);
  if (rc < 0)
    goto out;
  rc = source->open(&d->state, shared, &d->settings, err);
  if (rc == -EPROTONOSUPPORT && source->otherwise != NULL &&
      ask_find_source(a, source->otherwise) != NULL) {
    source = ask_find_source(a, source->otherwise);
    rc = shared_of(a, source, &shared, err);
    if (rc == 0)
      rc = source->open(&d->state, shared, &d->settings, err);
  }
  if (rc < 0)
    goto out;
  d->source = source;
  *out = d;
  d = NULL;
out:
  ask_device_free(d);
  return rc;
}

int ask_device_new(struct ask_device **out, struct ask *a, const char *source,
                   const struct ask_settings *settings, struct tm_error *err)
{
  const struct ask_source *found = ask_find_source(a, source);
  if (found == NULL)
    return tm_fail(err, -EINVAL, "no such source '%s'", source);
  struct ask_settings own = {0};
  if (ask_settings_inherit(&own, settings) < 0) {
    ask_settings_release(&own);
    return tm_fail(err, -ENOMEM, "out of memory");
  }
  return make_device(out, a, found, &own, err);
}

int ask_device_from_url(struct ask_device **out, struct ask *a, const char *url,
                        const struct ask_settings *settings, struct tm_error *err)
{
  struct ask_url parts;
  struct ask_settings own = {0};
  int rc = ask_url_parse(url, &parts, err);
  if (rc < 0)
    return rc;
  const struct ask_source *source = ask_find_source(a, parts.scheme);
  if (source == NULL || !has_scheme(source, parts.scheme))
    return tm_fail(err, -EINVAL, "%s: no such kind of URL", parts.scheme);
  if (ask_settings_inherit(&own, settings) < 0)
    rc = tm_fail(err, -ENOMEM, "out of memory");
  struct ask_settings told = {0};
  if (rc == 0)
    rc = source->from_url(&parts, &told, err);
  if (rc == 0 && ask_settings_inherit(&own, &told) < 0)
    rc = tm_fail(err, -ENOMEM, "out of memory");
  ask_settings_release(&told);
  if (rc < 0) {
    ask_settings_release(&own);
    return rc;
  }
  return make_device(out, a, source, &own, err);
}

void ask_device_free(struct ask_device *d)
{
  if (d == NULL)
    return;
  if (d->source != NULL)
    d->source->close(d->state);
  ask_settings_release(&d->settings);
  free(d);
}

const struct ask_source *ask_device_source(const struct ask_device *d)
{
  return d->source;
}

/* --- how others would ask it ---------------------------------------------------------------- */

bool ask_url_make(char *url, size_t size, const char *scheme, const struct ask_settings *settings,
                  const char *path)
{
  const char *host = ask_settings_get(settings, "Address");
  const char *port = ask_settings_get(settings, "Port");
  if (host == NULL || host[0] == '\0' || strpbrk(host, "/@%") != NULL ||
      (path != NULL && strchr(path, '%') != NULL))
    return false;
  bool v6 = strchr(host, ':') != NULL;
  const char *slash = path != NULL && path[0] != '/' ? "/" : "";
  int n =
      snprintf(url, size, "%s://%s%s%s%s%s%s%s", scheme, v6 ? "[" : "", host, v6 ? "]" : "",
               port != NULL ? ":" : "", port != NULL ? port : "", slash, path != NULL ? path : "");
  return n > 0 && (size_t)n < size;
}

json_t *ask_device_asked(const struct ask_device *d)
{
  static const struct {
    const char *setting, *member;
  } carried[] = {{"Credentials", "credentials"},
                 {"Profiles", "profiles"},
                 {"CACert", "cacert"},
                 {"PinnedKey", "pinned-key"}};
  char url[1024];
  const char *community = ask_settings_get(&d->settings, "Community");
  if (d->source->to_url == NULL || ask_settings_get(&d->settings, "ClientCert") != NULL ||
      !d->source->to_url(&d->settings, url, sizeof(url)))
    return json_null();
  json_t *o = json_object();
  tm_json_put(&o, "url", json_string(url));
  for (size_t i = 0; i < sizeof(carried) / sizeof(carried[0]); i++) {
    const char *value = ask_settings_get(&d->settings, carried[i].setting);
    if (value != NULL)
      tm_json_put(&o, carried[i].member, json_string(value));
  }
  if (community != NULL && strcmp(community, "public") != 0)
    tm_json_put(&o, "withheld", json_string("community"));
  return o;
}

/* --- questions ---------------------------------------------------------------------------- */

double ask_wall_clock(void)
{
  struct timespec ts;
  clock_gettime(CLOCK_REALTIME, &ts);
  return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

void *ask_job_device(const struct ask_job *job)
{
  return job->device->state;
}

void ask_done(struct ask_job *job)
{
  if (job->finished)
    return;
  job->finished = true;
  if (job->done != NULL)
    job->done(job);
}

void ask_explain(struct ask_job *job, const char *value, const char *fmt, ...)
{
  if (job->explain == NULL)
    return;
  char where[512];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(where, sizeof(where), fmt, ap);
  va_end(ap);
  json_object_set_new(job->explain, value, json_string(where));
}

/* waited: how long the sources before this one have taken. */
static void run_source(const struct ask_source *source, struct ask_job *jobs, size_t jobs_len,
                       double waited, struct ask_job **group)
{
  size_t n = 0;
  for (size_t i = 0; i < jobs_len; i++) {
    if (jobs[i].device->source != source)
      continue;
    jobs[i].deadline += waited;
    group[n++] = &jobs[i];
  }
  source->ask(group, n);
  for (size_t i = 0; i < n; i++) {
    if (!group[i]->finished && group[i]->reading.error.code == 0)
      tm_fail(&group[i]->reading.error, -EIO, "no answer");
    ask_done(group[i]);
  }
}

void ask_run(struct ask_job *jobs, size_t jobs_len)
{
  for (size_t i = 0; i < jobs_len; i++) {
    reading_init(&jobs[i].reading, READING_DISK_ARRAY);
    jobs[i].asked_at = jobs[i].answered_at = NAN;
    jobs[i].finished = false;
  }
  double start = tm_monotonic();
  struct ask_job **group = calloc(jobs_len > 0 ? jobs_len : 1, sizeof(struct ask_job *));
  for (size_t i = 0; i < jobs_len; i++) {
    if (group == NULL) {
      tm_fail(&jobs[i].reading.error, -ENOMEM, "out of memory");
      ask_done(&jobs[i]);
    } else if (!jobs[i].finished) {
      /* The libraries of the sources do not bear each other's threads: one after the other. */
      double waited = i == 0 ? 0 : tm_monotonic() - start;
      run_source(jobs[i].device->source, jobs, jobs_len, waited, group);
    }
  }
  free(group);
}
