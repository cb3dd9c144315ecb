/* SPDX-License-Identifier: MIT */
/* Sources that hand every question over to the helper process. */
#include "plugins/helper.h"

#include "common/clock.h"
#include "common/json.h"
#include "plugins/credentials.h"
#include "plugins/source/web.h"
#include "plugins/wire.h"
#include "places.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One process for all sources of a plugin: each .so has its own copy of this. */
static pthread_mutex_t common_lock = PTHREAD_MUTEX_INITIALIZER;
static struct helper *common;
static char common_program[4096];
static unsigned common_users;
static uint64_t next_device = 1;

struct remote {
  struct helper *helper;
  const struct ask_settings *settings;
  const char *source;
  uint64_t number; /* by which the helper finds the device again */
};

static int take_helper(struct helper **out, const char *program, struct tm_error *err)
{
  int rc = 0;
  pthread_mutex_lock(&common_lock);
  if (common == NULL) {
    int n = snprintf(common_program, sizeof(common_program), "%s", program);
    common = n >= 0 && (size_t)n < sizeof(common_program) ? helper_new(program) : NULL;
    if (common == NULL)
      rc = tm_fail(err, -ENOMEM, "Helper: out of memory");
  } else if (strcmp(common_program, program) != 0) {
    rc =
        tm_fail(err, -EINVAL, "Helper: there is one for all devices, and it is %s", common_program);
  }
  if (rc == 0) {
    common_users++;
    *out = common;
  }
  pthread_mutex_unlock(&common_lock);
  return rc;
}

static void give_helper(void)
{
  struct helper *last = NULL;
  pthread_mutex_lock(&common_lock);
  if (--common_users == 0) {
    last = common;
    common = NULL;
  }
  pthread_mutex_unlock(&common_lock);
  helper_free(last);
}

static void close_remote(void *device)
{
  if (device == NULL)
    return;
  free(device);
  give_helper();
}

static int make_remote(void **device, const char *source, const struct ask_settings *settings,
                       struct tm_error *err)
{
  const char *program = ask_settings_get(settings, "Helper");
  struct remote *r = calloc(1, sizeof(*r));
  if (r == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  int rc = take_helper(&r->helper, program != NULL ? program : TM_BINDIR "/tidemark-probe", err);
  if (rc < 0) {
    free(r);
    return rc;
  }
  r->settings = settings;
  r->source = source;
  pthread_mutex_lock(&common_lock);
  r->number = next_device++;
  pthread_mutex_unlock(&common_lock);
  *device = r;
  return 0;
}

static int open_remote(void **device, void *shared, const char *source,
                       const struct ask_settings *settings, const struct web_default *otherwise,
                       struct tm_error *err)
{
  /* The helper checks again; a mistake is to be told when the configuration is read. */
  struct web checked;
  int rc = web_open(&checked, shared, settings, otherwise, err);
  if (rc < 0)
    return rc;
  web_release(&checked);
  return make_remote(device, source, settings, err);
}

static int open_redfish(void **device, void *shared, const struct ask_settings *settings,
                        struct tm_error *err)
{
  return open_remote(device, shared, "redfish", settings, &redfish_default, err);
}

static int open_ipp(void **device, void *shared, const struct ask_settings *settings,
                    struct tm_error *err)
{
  return open_remote(device, shared, "ipp", settings, &ipp_default, err);
}

static int open_snmp3(void **device, void *shared, const struct ask_settings *settings,
                      struct tm_error *err)
{
  (void)shared;
  const char *host = ask_settings_get(settings, "Address");
  const char *file = ask_settings_get(settings, "Credentials");
  struct credentials *credentials = NULL;
  if (host == NULL || host[0] == '\0')
    return tm_fail(err, -EINVAL, "Address: the device's name or address is wanted");
  if (file == NULL)
    return tm_fail(err, -EINVAL, "Credentials: SNMPv3 wants a user, from a file of credentials");
  int rc = credentials_load(&credentials, file, err);
  credentials_free(credentials);
  return rc < 0 ? rc : make_remote(device, "snmp", settings, err);
}

static int snmp3_from_url(const struct ask_url *url, struct ask_settings *settings,
                          struct tm_error *err)
{
  char port[16];
  snprintf(port, sizeof(port), "%u", url->port);
  if (url->host[0] == '\0' || url->user[0] != '\0')
    return tm_fail(err, -EINVAL, "a URL is snmp3://HOST:PORT; the user stands in the credentials");
  int rc = ask_settings_set(settings, "Address", url->host);
  if (rc == 0 && url->port != 0)
    rc = ask_settings_set(settings, "Port", port);
  if (rc == 0)
    rc = ask_settings_set(settings, "Version", "3");
  return rc < 0 ? tm_fail(err, rc, "out of memory") : 0;
}

/* tidemark-probe speaks v3 itself, where the credentials say so. */
static bool snmp3_to_url(const struct ask_settings *settings, char *url, size_t size)
{
  return ask_url_make(url, size, "snmp", settings, NULL);
}

/* --- a job and its question --------------------------------------------------------------- */

static const char *const part_names[] = {"everything", "counters", "items"};

static json_t *settings_to_json(const struct ask_settings *s)
{
  json_t *o = json_object();
  for (const struct ask_setting *i = s->first; i != NULL; i = i->next)
    tm_json_put(&o, i->key, json_string(i->value));
  return o;
}

static json_t *make_request(const struct ask_job *job)
{
  const struct remote *r = ask_job_device(job);
  json_t *items = json_array();
  for (const char *const *i = job->items; i != NULL && *i != NULL; i++)
    tm_json_push(&items, json_string(*i));
  return json_pack("{s:I, s:s, s:o, s:s, s:o, s:f, s:b}", "device", (json_int_t)r->number, "source",
                   r->source, "settings", settings_to_json(r->settings), "part",
                   part_names[job->part], "items", items, "timeout", job->deadline - tm_monotonic(),
                   "explain", job->explain != NULL);
}

static void take_reply(struct helper_question *q)
{
  struct ask_job *job = q->user;
  reading_release(&job->reading);
  if (wire_to_reading(json_object_get(q->reply, "reading"), &job->reading) < 0)
    tm_fail(&job->reading.error, -EBADMSG, "the helper process gave no reading");
  job->asked_at = tm_json_get_number(q->reply, "asked_at");
  job->answered_at = tm_json_get_number(q->reply, "answered_at");
  if (job->explain != NULL)
    json_object_update(job->explain, json_object_get(q->reply, "explain"));
  ask_done(job);
}

static void helper_source_ask(struct ask_job *const *jobs, size_t jobs_len)
{
  struct helper_question *questions = calloc(jobs_len > 0 ? jobs_len : 1, sizeof(*questions));
  struct tm_error err = {0};
  double deadline = 0;
  if (questions == NULL || jobs_len == 0) {
    free(questions);
    return; /* ask_run() says that they are unanswered */
  }
  int rc = 0;
  for (size_t i = 0; i < jobs_len; i++) {
    questions[i].user = jobs[i];
    questions[i].request = make_request(jobs[i]);
    if (questions[i].request == NULL)
      rc = tm_fail(&err, -ENOMEM, "out of memory");
    deadline = fmax(deadline, jobs[i]->deadline);
  }
  const struct remote *r = ask_job_device(jobs[0]);
  if (rc == 0)
    helper_ask(r->helper, questions, jobs_len, deadline, take_reply, &err);
  for (size_t i = 0; i < jobs_len; i++) {
    if (!jobs[i]->finished) {
      jobs[i]->reading.error = err;
      ask_done(jobs[i]);
    }
    json_decref(questions[i].request);
    json_decref(questions[i].reply);
  }
  free(questions);
}

static const char *const keys[] = {WEB_KEYS, "Helper", NULL};

const struct ask_source helper_redfish = {
    .name = "redfish",
    .schemes = redfish_schemes,
    .keys = keys,
    .setup = web_setup,
    .teardown = web_teardown,
    .from_url = redfish_from_url,
    .to_url = redfish_to_url,
    .open = open_redfish,
    .close = close_remote,
    .ask = helper_source_ask,
};

const struct ask_source helper_ipp = {
    .name = "ipp",
    .schemes = ipp_schemes,
    .keys = keys,
    .setup = web_setup,
    .teardown = web_teardown,
    .from_url = ipp_from_url,
    .to_url = ipp_to_url,
    .open = open_ipp,
    .close = close_remote,
    .ask = helper_source_ask,
};

static const char *const snmp3_schemes[] = {"snmp3", NULL};
static const char *const snmp3_keys[] = {"Address",  "Port",     "Credentials", "Timeout",
                                         "Attempts", "Profiles", "Helper",      NULL};

const struct ask_source helper_snmp3 = {
    .name = "snmp3",
    .schemes = snmp3_schemes,
    .keys = snmp3_keys,
    .from_url = snmp3_from_url,
    .to_url = snmp3_to_url,
    .open = open_snmp3,
    .close = close_remote,
    .ask = helper_source_ask,
};
