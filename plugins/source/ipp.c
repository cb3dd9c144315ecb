/* SPDX-License-Identifier: MIT */
#include "plugins/source/ipp.h"

#include "plugins/source/ipp_answer.h"
#include "plugins/source/web.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const keys[] = {WEB_KEYS, NULL};

struct ipp {
  struct web web;
  char *uri;                            /* "ipp://host:port/path" */
  struct tm_http *lanes[ASK_ITEMS + 1]; /* by the part of a question */
  atomic_int version;                   /* 20, or 11 for a printer that refused it */
};

static void ipp_close(void *device)
{
  struct ipp *p = device;
  if (p == NULL)
    return;
  for (size_t i = 0; i <= ASK_ITEMS; i++)
    tm_http_free(p->lanes[i]);
  free(p->uri);
  web_release(&p->web);
  free(p);
}

static int ipp_open(void **device, void *shared, const struct ask_settings *settings,
                    struct tm_error *err)
{
  struct ipp *p = calloc(1, sizeof(*p));
  if (p == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  atomic_init(&p->version, 20);
  int rc = web_open(&p->web, shared, settings, &ipp_default, err);
  if (rc == 0 && asprintf(&p->uri, "ipp%s", p->web.base_url + strlen("http")) < 0) {
    p->uri = NULL;
    rc = tm_fail(err, -ENOMEM, "out of memory");
  }
  const struct credential *c = p->web.credential;
  if (rc == 0 && c != NULL && c->user != NULL && web_may_login(&p->web)) {
    p->web.options.user = c->user;
    p->web.options.password = c->password;
  }
  if (rc < 0)
    ipp_close(p);
  else
    *device = p;
  return rc;
}

/* One request and its answer, into the job's reading. */
static int ask_once(struct ipp *p, struct ask_job *job, int version, struct tm_error *err)
{
  static const char *const headers[] = {"Content-Type: application/ipp", "Accept: application/ipp",
                                        NULL};
  struct tm_buf body = TM_BUF_INIT(65536);
  struct tm_http_reply reply = {0};
  struct tm_http **lane = &p->lanes[job->part];
  long timeout = web_timeout_ms(job, err);
  if (timeout < 0)
    return tm_fail(err, (int)timeout, "%s: not answered in time", p->web.name);
  int rc = ipp_make_request(&body, p->uri, version, job->part == ASK_COUNTERS);
  if (rc < 0)
    tm_fail(err, rc, "out of memory");
  if (rc == 0)
    rc = web_connect(&p->web, lane, err);
  if (rc == 0) {
    struct tm_http_request q = {.method = "POST",
                                .headers = headers,
                                .body = body.ptr,
                                .body_len = body.len,
                                .timeout_ms = timeout};
    job->asked_at = ask_wall_clock();
    rc = tm_http_do(*lane, &q, &reply, err);
    job->answered_at = ask_wall_clock();
  }
  if (rc == 0)
    rc = tm_http_require_success(*lane, &reply, err);
  const void *answer = reply.body.ptr;
  if (rc == 0 && job->part == ASK_ITEMS)
    rc = ipp_read_items(answer, reply.body.len, p->uri, job->items, &job->reading, err);
  else if (rc == 0)
    rc = ipp_read_answer(answer, reply.body.len, p->uri, &job->reading, err);
  tm_http_reply_release(&reply);
  tm_buf_release(&body);
  return rc;
}

static void explain(struct ask_job *job)
{
  const struct reading *r = &job->reading;
  if (r->pages_unit[0] != '\0')
    ask_explain(job, "pages_total", "printer-%s%s-completed",
                strcmp(r->pages_unit, "sheets") == 0 ? "media-" : "", r->pages_unit);
  ask_explain(job, "pages_color", "printer-impressions-completed-col");
  ask_explain(job, "model", "printer-make-and-model, printer-device-id");
  ask_explain(job, "serial", "printer-serial-number, printer-device-id");
  ask_explain(job, "firmware", "printer-firmware-string-version");
  ask_explain(job, "supplies", "marker-names, marker-levels; else printer-supply");
  ask_explain(job, "trays", "printer-input-tray");
}

static void ask_one(struct ask_job *job)
{
  struct ipp *p = ask_job_device(job);
  struct reading *r = &job->reading;
  reading_init(r, READING_PRINTER);
  snprintf(r->profile, sizeof(r->profile), "ipp");
  int rc = ask_once(p, job, atomic_load(&p->version), &r->error);
  if (rc == -EPROTONOSUPPORT && atomic_exchange(&p->version, 11) == 20) {
    r->error = (struct tm_error){0};
    rc = ask_once(p, job, 11, &r->error);
  }
  if (rc < 0)
    return;
  r->observed_at = (int64_t)job->answered_at;
  if (job->part != ASK_ITEMS)
    explain(job);
}

static void ipp_ask(struct ask_job *const *jobs, size_t jobs_len)
{
  web_ask(jobs, jobs_len, ask_one);
}

const struct ask_source source_ipp = {
    .name = "ipp",
    .schemes = ipp_schemes,
    .keys = keys,
    .setup = web_setup,
    .teardown = web_teardown,
    .from_url = ipp_from_url,
    .to_url = ipp_to_url,
    .open = ipp_open,
    .close = ipp_close,
    .ask = ipp_ask,
};
