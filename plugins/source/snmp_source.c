/* SPDX-License-Identifier: MIT */
/* SNMP as a source of ask.h: settings and URLs in, questions out. */
#include "common/number.h"
#include "plugins/ask.h"
#include "plugins/credentials.h"
#include "plugins/source/snmp.h"
#include "plugins/source/snmp_session.h"
#include "places.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DEFAULT_PORT 161
#define MAX_TIMEOUT  600.0

/* Borders are asked by a thread of their own: each has its own session. */
enum { REST, COUNTERS, PARTS };

struct source_device {
  struct credentials *credentials; /* NULL: none are needed any more */
  struct snmp_device *parts[PARTS];
  struct snmp_known known;
};

static int source_setup(void **shared, const struct ask_settings *defaults, struct tm_error *err)
{
  const char *own = ask_settings_get(defaults, "Profiles");
  const char *const folders[] = {TM_DATADIR "/profiles", TM_SYSCONFDIR "/tidemark/profiles", own,
                                 NULL};
  struct profiles *p = calloc(1, sizeof(*p));
  if (p == NULL)
    return tm_fail(err, -ENOMEM, "profiles: %s", strerror(ENOMEM));
  int rc = profiles_load(p, folders, err);
  if (rc == -ENOMEM) /* whatever it was reading then */
    tm_fail(err, rc, "profiles: %s", strerror(ENOMEM));
  if (rc == 0 && p->len == 0)
    rc = tm_fail(err, -ENOENT, "%s: no profiles of devices found",
                 own != NULL ? own : TM_DATADIR "/profiles");
  if (rc < 0) {
    profiles_release(p);
    free(p);
    return rc;
  }
  agent_prepare();
  *shared = p;
  return 0;
}

static void source_teardown(void *shared)
{
  profiles_release(shared);
  free(shared);
}

static int source_from_url(const struct ask_url *url, struct ask_settings *settings,
                           struct tm_error *err)
{
  char port[16];
  if (url->host[0] == '\0' || (url->path[0] != '\0' && strcmp(url->path, "/") != 0))
    return tm_fail(err, -EINVAL, "%s: a URL is %s://COMMUNITY@HOST:PORT", url->scheme, url->scheme);
  snprintf(port, sizeof(port), "%u", url->port != 0 ? url->port : DEFAULT_PORT);
  int rc = ask_settings_set(settings, "Address", url->host);
  if (rc == 0)
    rc = ask_settings_set(settings, "Port", port);
  if (rc == 0 && url->user[0] != '\0')
    rc = ask_settings_set(settings, "Community", url->user);
  if (rc == 0)
    rc = ask_settings_set(settings, "Version", strcasecmp(url->scheme, "snmp1") == 0 ? "1" : "2c");
  return rc == 0 ? 0 : tm_fail(err, rc, "%s: %s", url->host, strerror(-rc));
}

/* A community that everybody knows is no secret. */
static bool source_to_url(const struct ask_settings *settings, char *url, size_t size)
{
  const char *version = ask_settings_get(settings, "Version");
  const char *community = ask_settings_get(settings, "Community");
  bool v1 = version != NULL && strcmp(version, "1") == 0;
  bool is_public = community != NULL && strcmp(community, "public") == 0;
  const char *schemes_of[2][2] = {{"snmp", "snmp1"}, {"snmp://public@", "snmp1://public@"}};
  if (!is_public)
    return ask_url_make(url, size, schemes_of[0][v1], settings, NULL);
  char bare[1024];
  if (!ask_url_make(bare, sizeof(bare), "", settings, NULL))
    return false;
  int n = snprintf(url, size, "%s%s", schemes_of[1][v1], bare + strlen("://"));
  return n > 0 && (size_t)n < size;
}

/* A number of a setting; the default where it is not set. */
static int number_setting(const struct ask_settings *s, const char *key, double max, double *value,
                          struct tm_error *err)
{
  const char *text = ask_settings_get(s, key);
  if (text == NULL)
    return 0;
  double v = 0;
  if (tm_parse_double(text, &v) < 0 || !(v > 0 && v <= max))
    return tm_fail(err, -EINVAL, "%s: a number greater than 0 and at most %g is wanted", key, max);
  *value = v;
  return 0;
}

static int read_target(const struct ask_settings *s, struct snmp_target *t, struct tm_error *err)
{
  const char *version = ask_settings_get(s, "Version");
  double port = DEFAULT_PORT;
  double attempts = 3;
  t->host = ask_settings_get(s, "Address");
  if (t->host == NULL || t->host[0] == '\0')
    return tm_fail(err, -EINVAL, "Address: the device's name or address is wanted");
  t->v1 = version != NULL && strcmp(version, "1") == 0;
  if (version != NULL && !t->v1 && strcmp(version, "2") != 0 && strcasecmp(version, "2c") != 0 &&
      strcmp(version, "3") != 0)
    return tm_fail(err, -EINVAL, "Version: 1, 2c or 3 is wanted");
  t->timeout_s = 1;
  int rc = number_setting(s, "Port", 65535, &port, err);
  if (rc == 0)
    rc = number_setting(s, "Timeout", MAX_TIMEOUT, &t->timeout_s, err);
  if (rc == 0)
    rc = number_setting(s, "Attempts", 100, &attempts, err);
  t->port = (unsigned)port;
  t->attempts = (unsigned)attempts;
  return rc;
}

static int make_parts(struct source_device *d, const struct snmp_target *t,
                      const struct profiles *profiles, struct tm_error *err)
{
  for (size_t i = 0; i < PARTS; i++) {
    d->parts[i] = snmp_device_new(t, profiles, &d->known, err);
    if (d->parts[i] == NULL)
      return -ENOMEM;
  }
  return 0;
}

static void source_close(void *device)
{
  struct source_device *d = device;
  if (d == NULL)
    return;
  for (size_t i = 0; i < PARTS; i++)
    snmp_device_free(d->parts[i]);
  snmp_known_release(&d->known);
  credentials_free(d->credentials);
  free(d);
}

/* A community is v1 or v2c; a user, where there is no community or Version says 3, is v3. */
static int find_secret(struct snmp_target *t, const struct ask_settings *settings,
                       const struct credentials *credentials, struct tm_error *err)
{
  const char *version = ask_settings_get(settings, "Version");
  const struct credential *c = credentials_find(credentials, t->host, t->port);
  bool v3 = version != NULL && strcmp(version, "3") == 0;
  if (!v3)
    t->community = ask_settings_get(settings, "Community");
  if (!v3 && t->community == NULL && c != NULL)
    t->community = c->community;
  if (t->community != NULL)
    return 0;
  if (c == NULL || c->user == NULL)
    return tm_fail(err, -EINVAL, "%s: no %s, and no credentials for it", t->host,
                   v3 ? "user" : "Community");
  int rc = snmp_v3_check_user(c, err); /* here too, so that it is told when the daemon starts */
  if (rc < 0)
    return rc;
  if (!snmp_v3_is_allowed())
    return tm_fail(err, -EPROTONOSUPPORT, "%s: SNMPv3 is not for this process", t->host);
  t->user = c;
  return 0;
}

static int source_open(void **device, void *shared, const struct ask_settings *settings,
                       struct tm_error *err)
{
  struct snmp_target t = {0};
  struct credentials *credentials = NULL;
  struct source_device *d = NULL;
  const char *file = ask_settings_get(settings, "Credentials");
  int rc = read_target(settings, &t, err);
  if (rc == 0 && file != NULL)
    rc = credentials_load(&credentials, file, err);
  if (rc < 0)
    goto out;
  rc = find_secret(&t, settings, credentials, err);
  if (rc < 0)
    goto out;
  d = calloc(1, sizeof(*d));
  if (d == NULL) {
    rc = tm_fail(err, -ENOMEM, "%s: %s", t.host, strerror(ENOMEM));
    goto out;
  }
  snmp_known_init(&d->known);
  rc = make_parts(d, &t, shared, err);
  if (rc == 0) {
    if (t.user != NULL) { /* the sessions are opened later */
      d->credentials = credentials;
      credentials = NULL;
    }
    *device = d;
    d = NULL;
  }
out:
  source_close(d);
  credentials_free(credentials);
  return rc;
}

static void job_done(struct snmp_question *q)
{
  struct ask_job *job = q->user;
  job->asked_at = q->asked_at;
  job->answered_at = q->answered_at;
  ask_done(job);
}

static void source_ask(struct ask_job *const *jobs, size_t jobs_len)
{
  struct snmp_question *questions = calloc(jobs_len > 0 ? jobs_len : 1, sizeof(*questions));
  if (questions == NULL)
    return; /* ask_run() says that they are unanswered */
  for (size_t i = 0; i < jobs_len; i++) {
    struct ask_job *job = jobs[i];
    struct source_device *d = ask_job_device(job);
    bool counters = job->part == ASK_COUNTERS;
    questions[i] = (struct snmp_question){.device = d->parts[counters ? COUNTERS : REST],
                                          .deadline = job->deadline,
                                          .counters = counters,
                                          .items = job->part == ASK_ITEMS ? job->items : NULL,
                                          .explain = job->explain,
                                          .done = job_done,
                                          .user = job,
                                          .reading = &job->reading};
  }
  snmp_ask(questions, jobs_len);
  free(questions);
}

static const char *const schemes[] = {"snmp", "snmp1", NULL};
static const char *const keys[] = {"Address",  "Port",        "Version",  "Community", "Timeout",
                                   "Attempts", "Credentials", "Profiles", "Helper",    NULL};

const struct ask_source source_snmp = {
    .name = "snmp",
    .schemes = schemes,
    .keys = keys,
    .setup = source_setup,
    .teardown = source_teardown,
    .from_url = source_from_url,
    .to_url = source_to_url,
    .open = source_open,
    .close = source_close,
    .ask = source_ask,
    .otherwise = "snmp3",
};
