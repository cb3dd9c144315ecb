/* SPDX-License-Identifier: MIT */
/* Devices are asked for what service wants to know, by tidemark-probe: their libraries, and the
 * names and secrets that they want to be shown, are no matter of this program. */
#include "exporters/requests_own.h"

#include "common/buf.h"
#include "common/child.h"
#include "common/json.h"
#include "common/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

enum {
  MAX_TRIES = 3,    /* pushes in which a device may be silent: then that is the answer */
  MAX_RUN = 100,    /* requests that are decided in one push */
  PROBE_S = 20,     /* for one device */
  CHILD_S = 40,     /* for the program that asks it */
  MAX_ITEMS = 8192, /* bytes of their names */
};

/* --- one device ------------------------------------------------------------------------------- */

static int list_items(struct tm_buf *b, const json_t *request)
{
  size_t i;
  json_t *item;
  int rc = 0;
  json_array_foreach(json_object_get(request, "items"), i, item)
  {
    if (rc == 0)
      rc = tm_buf_printf(b, "%s%s", i > 0 ? "," : "", json_string_value(item));
  }
  return rc;
}

/* *reading is a new reference. -ENODEV: it cannot be asked from here, now or later. */
static int probe(json_t **reading, const struct answering *a, struct tm_error *err)
{
  static const char *const carried[] = {"credentials", "profiles", "cacert", "pinned-key"};
  const json_t *asked = json_object_get(a->where.inventory, "asked");
  const char *url = tm_json_get_string(asked, "url");
  const char *arguments[16];
  char options[4][32], timeout[16];
  struct tm_buf items = TM_BUF_INIT(MAX_ITEMS);
  struct tm_buf out = TM_BUF_INIT(REQUESTS_NOTE_MAX);
  size_t n = 0;
  int status = 0;
  if (url == NULL)
    return tm_fail(err, -ENODEV, "%s/%s is not asked by a plugin here", a->where.host,
                   a->where.device);
  if (tm_json_get_string(asked, "withheld") != NULL)
    return tm_fail(err, -EACCES,
                   "%s/%s is asked by a community that stands in collectd's configuration alone: "
                   "put it into a file of credentials",
                   a->where.host, a->where.device);
  snprintf(timeout, sizeof(timeout), "%d", PROBE_S);
  arguments[n++] = "--timeout";
  arguments[n++] = timeout;
  for (size_t i = 0; i < sizeof(carried) / sizeof(carried[0]); i++) {
    const char *value = tm_json_get_string(asked, carried[i]);
    if (value == NULL)
      continue;
    snprintf(options[i], sizeof(options[i]), "--%s", carried[i]);
    arguments[n++] = options[i];
    arguments[n++] = value;
  }
  int rc = list_items(&items, a->request);
  arguments[n++] = "--items";
  arguments[n++] = items.ptr;
  arguments[n++] = "--";
  arguments[n++] = url;
  arguments[n] = NULL;
  struct tm_child child = {.arguments = arguments, .output = &out, .timeout_s = CHILD_S};
  rc = rc < 0 ? tm_fail(err, rc, "out of memory")
              : tm_child_run("tidemark-probe", &child, &status, err);
  if (rc == 0 && status != EX_OK)
    rc = tm_fail(err, -EHOSTUNREACH, "%s/%s: tidemark-probe ended with status %d", a->where.host,
                 a->where.device, status);
  if (rc == 0) {
    *reading = tm_json_parse(out.ptr != NULL ? out.ptr : "", out.len, "tidemark-probe", err);
    rc = *reading == NULL ? err->code : 0;
  }
  tm_buf_release(&items);
  tm_buf_release(&out);
  return rc;
}

int requests_ask(const struct tm_conf *conf, const char *id, int64_t now_ms)
{
  struct answering a;
  struct tm_error err = {0};
  json_t *reading = NULL;
  int rc = requests_open(&a, conf, id, now_ms, &err);
  if (rc == 0)
    rc = requests_check_consent(&a, &err);
  if (rc == 0)
    rc = probe(&reading, &a, &err);
  if (rc == 0)
    rc = requests_post_answer(&a, reading, &err);
  if (rc < 0)
    tm_log_error("%s", err.text);
  json_decref(reading);
  requests_release(&a);
  return rc == -ENODEV ? EX_UNAVAILABLE : tm_exit_status(rc);
}

/* --- all that wait, by consent ---------------------------------------------------------------- */

struct run {
  const struct tm_conf_target *target;
  int64_t now;
  char ids[MAX_RUN][72];
  size_t n;
};

static void take_waiting(void *arg, const json_t *note)
{
  struct run *r = arg;
  const json_t *request = json_object_get(note, "request");
  if (r->n < MAX_RUN && strcmp(requests_text(note, "state"), "asked") == 0 &&
      strcmp(requests_text(note, "target"), r->target->name) == 0 &&
      !requests_is_over(request, r->now))
    snprintf(r->ids[r->n++], sizeof(r->ids[0]), "%s", requests_text(request, "id"));
}

/* What hindered is kept for `requests` to show, and said when it is new. */
static int note_trouble(struct answering *a, const struct tm_error *why, struct tm_error *err)
{
  double tries = tm_json_get_number(a->note, "tries");
  int count = tries >= 1 && tries < MAX_TRIES ? (int)tries + 1 : 1;
  if (strcmp(requests_text(a->note, "trouble"), why->text) != 0)
    tm_log_warning("%s: %s: %s", a->target->name, requests_text(a->request, "id"), why->text);
  json_object_set_new(a->note, "trouble", tm_json_text(why->text));
  json_object_set_new(a->note, "tries", json_integer(count));
  int rc = requests_save(a, err);
  return rc < 0 ? rc : count;
}

/* By what the site has agreed to: a refusal, an answer, or another try later. */
static int decide(struct answering *a, struct tm_error *err)
{
  struct tm_error why = {0};
  char text[128];
  json_t *reading = NULL;
  int rc = requests_check_consent(a, &why);
  if (rc == -EPERM) {
    snprintf(text, sizeof(text), "%s is not agreed to", requests_text(a->request, "purpose"));
    return requests_post_refusal(a, text, err);
  }
  if (rc == 0)
    rc = probe(&reading, a, &why);
  if (rc == 0)
    rc = requests_post_answer(a, reading, err);
  else if (rc == -ENODEV || (rc != -EACCES && note_trouble(a, &why, err) == MAX_TRIES))
    rc = requests_post_answer(a, NULL, err);
  else if (rc == -EACCES)
    rc = note_trouble(a, &why, err); /* somebody can mend that */
  else
    rc = 0;
  json_decref(reading);
  return rc < 0 ? rc : 0;
}

size_t requests_run(const struct tm_conf *conf, const struct tm_conf_target *target, int64_t now_ms)
{
  struct run run = {.target = target, .now = now_ms / 1000};
  struct tm_error err = {0};
  size_t decided = 0;
  if (target->show_requests || conf->role != TM_ROLE_SITE)
    return 0;
  if (requests_each(conf, take_waiting, &run, &err) < 0)
    tm_log_error("%s", err.text);
  for (size_t i = 0; i < run.n; i++) {
    struct answering a;
    int rc = requests_open(&a, conf, run.ids[i], now_ms, &err);
    if (rc == 0)
      rc = decide(&a, &err);
    if (rc < 0)
      tm_log_error("%s: %s: %s", target->name, run.ids[i], err.text);
    else if (strcmp(requests_text(a.note, "state"), "asked") != 0)
      decided++;
    requests_release(&a);
  }
  return decided;
}
