/* SPDX-License-Identifier: MIT */
#include "exporters/requests_own.h"

#include "common/address.h"
#include "common/buf.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/json.h"
#include "common/log.h"
#include "exporters/consent.h"
#include "exporters/post.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum { MAX_WHY = 500 };

static int fail(int rc, const struct tm_error *err)
{
  tm_log_error("%s", err->code != 0 ? err->text : strerror(-rc));
  return tm_exit_status(rc);
}

/* --- one request ---------------------------------------------------------------------------- */

int requests_open(struct answering *a, const struct tm_conf *conf, const char *id, int64_t now_ms,
                  struct tm_error *err)
{
  *a = (struct answering){.conf = conf, .now_ms = now_ms};
  if (!requests_is_id(id))
    return tm_fail(err, -EINVAL, "'%s' is no request's id", id);
  snprintf(a->path, sizeof(a->path), "%s/requests/%s.json", conf->state_dir, id);
  a->note = tm_json_read(a->path, REQUESTS_NOTE_MAX, err);
  if (a->note == NULL)
    return err->code != 0 ? err->code : -EIO;
  a->request = json_object_get(a->note, "request");
  a->purpose = tm_purpose_of(requests_text(a->request, "purpose"));
  a->target = tm_conf_target(conf, requests_text(a->note, "target"), err);
  if (a->target == NULL)
    return -ENOENT;
  if (strcmp(requests_text(a->note, "state"), "asked") != 0)
    return tm_fail(err, -EINVAL, "%s: is %s already", id, requests_text(a->note, "state"));
  if (requests_is_over(a->request, now_ms / 1000))
    return tm_fail(err, -EINVAL, "%s: has expired: %s", id,
                   requests_text(a->request, "expires_at"));
  return located_find(&a->where, conf, requests_text(a->request, "host"),
                      requests_text(a->request, "device"), err);
}

void requests_release(struct answering *a)
{
  json_decref(a->where.inventory);
  json_decref(a->note);
}

int requests_save(const struct answering *a, struct tm_error *err)
{
  char *text = json_dumps(a->note, JSON_INDENT(2));
  int rc = text == NULL ? tm_fail(err, -ENOMEM, "out of memory")
                        : tm_file_write(a->path, text, strlen(text), 0640, err);
  free(text);
  return rc;
}

/* The device is named as it was asked for: whoever asked learns nothing by that. */
static json_t *make_document(const struct answering *a, const char *status, struct tm_error *err)
{
  json_t *customer = json_pack("{s:s,s:s,s:s}", "id", a->conf->customer_id, "site", a->conf->site,
                               "host", requests_text(a->request, "host"));
  json_t *d = json_pack("{s:s,s:s,s:o,s:o,s:s,s:s}", "schema", "tidemark.item-values/1", "request",
                        requests_text(a->request, "id"), "generated_at",
                        tm_json_time(a->now_ms / 1000), "customer", customer, "device",
                        requests_text(a->request, "device"), "status", status);
  if (d == NULL)
    tm_fail(err, -ENOMEM, "out of memory");
  return d;
}

/* Into the spool, then marked as done. */
static int queue_document(struct answering *a, json_t *document, unsigned purposes,
                          const char *state, struct tm_error *err)
{
  char device[600], key[SPOOL_KEY_SIZE];
  struct post post = {.kind = "item-values",
                      .device = device,
                      .purposes = purposes,
                      .document = document,
                      .now_ms = a->now_ms};
  int n = snprintf(device, sizeof(device), "%s/%s", a->where.host, a->where.device);
  if (n < 0 || n >= (int)sizeof(device))
    return tm_fail(err, -EBADMSG, "the device's name is too long");
  int rc = post_document(a->conf, a->target, &post, key, err);
  if (rc < 0)
    return rc;
  json_object_set_new(a->note, "state", json_string(state));
  json_object_set_new(a->note, "key", json_string(key));
  json_object_del(a->note, "trouble");
  return requests_save(a, err);
}

int requests_post_refusal(struct answering *a, const char *why, struct tm_error *err)
{
  if (strlen(why) > MAX_WHY)
    return tm_fail(err, -EINVAL, "the reason is longer than %d bytes", MAX_WHY);
  json_t *d = make_document(a, "refused", err);
  if (d == NULL)
    return -ENOMEM;
  json_t *reason = tm_json_text(why);
  if (json_is_string(reason))
    json_object_set(d, "reason", reason);
  json_decref(reason);
  int rc = queue_document(a, d, 0, "refused", err); /* it says nothing of the device */
  json_decref(d);
  return rc;
}

int requests_refuse(const struct tm_conf *conf, const char *id, const char *why, int64_t now_ms)
{
  struct answering a;
  struct tm_error err = {0};
  int rc = requests_open(&a, conf, id, now_ms, &err);
  if (rc == 0)
    rc = requests_post_refusal(&a, why, &err);
  requests_release(&a);
  return rc < 0 ? fail(rc, &err) : EX_OK;
}

/* --- the answer ------------------------------------------------------------------------------ */

int requests_check_consent(const struct answering *a, struct tm_error *err)
{
  struct consent c;
  int rc = consent_load(&c, a->conf->state_dir, err);
  if (rc < 0)
    return rc;
  unsigned on = consent_purposes(&c, a->where.host, a->where.device);
  if (a->target != NULL)
    on &= a->target->purposes;
  consent_release(&c);
  if ((a->purpose & ~on) == 0 && a->purpose != 0)
    return 0;
  return tm_fail(err, -EPERM, "%s: %s is off for %s; see 'tidemark-export enable'",
                 requests_text(a->request, "id"), requests_text(a->request, "purpose"),
                 a->where.device);
}

/* Of an item that a device has several times, one each: NAME-LABEL. */
static bool is_item(const char *name, const char *asked)
{
  size_t len = strlen(asked);
  return strncmp(name, asked, len) == 0 && (name[len] == '\0' || name[len] == '-');
}

/* Of what the device said, only what the schema knows: name, value, unit, nature. */
static json_t *copy_item(const char *name, const json_t *had)
{
  static const char *const natures[] = {"measurement", "setting", "counter"};
  const char *state = requests_text(had, "state");
  const json_t *value = json_object_get(had, "value");
  json_t *item = json_pack("{s:s}", "name", name);
  char shown[1024]; /* whatever the probe that was asked says: no addresses */
  if (json_is_string(value)) {
    tm_address_hide(shown, sizeof(shown), json_string_value(value));
    json_object_set_new(item, "value", tm_json_text(shown));
  } else if (json_is_number(value) || json_is_boolean(value)) {
    json_object_set(item, "value", (json_t *)value);
  } else {
    json_object_set_new(item, "value", json_null());
  }
  json_object_set_new(item, "unit", tm_json_text(tm_json_get_string(had, "unit")));
  json_object_set_new(item, "nature", json_null());
  for (size_t i = 0; i < sizeof(natures) / sizeof(natures[0]); i++) {
    if (strcmp(requests_text(had, "nature"), natures[i]) == 0)
      json_object_set_new(item, "nature", json_string(natures[i]));
  }
  bool said = strcmp(state, "not-offered") == 0 || strcmp(state, "refused") == 0;
  json_object_set_new(item, "state",
                      had == NULL ? json_string("not-offered")
                      : said      ? json_string(state)
                                  : json_null());
  return item;
}

static json_t *read_probe(const char *file, struct tm_error *err)
{
  struct tm_buf text = TM_BUF_INIT(REQUESTS_NOTE_MAX);
  char chunk[4096];
  json_t *reading = NULL;
  if (strcmp(file, "-") != 0)
    return tm_json_read(file, REQUESTS_NOTE_MAX, err);
  for (size_t n; (n = fread(chunk, 1, sizeof(chunk), stdin)) > 0;) {
    if (tm_buf_add(&text, chunk, n) < 0) {
      tm_fail(err, -EFBIG, "standard input: larger than is accepted here");
      goto out;
    }
  }
  reading = tm_json_parse(text.ptr != NULL ? text.ptr : "", text.len, "standard input", err);
out:
  tm_buf_release(&text);
  return reading;
}

static void add_item(json_t *items, const char *asked, const json_t *reading)
{
  bool found = false;
  size_t i;
  json_t *had;
  json_array_foreach(json_object_get(reading, "items"), i, had)
  {
    if (!is_item(requests_text(had, "name"), asked) ||
        !requests_is_id(requests_text(had, "name")) || json_array_size(items) >= REQUESTS_ITEMS)
      continue;
    json_array_append_new(items, copy_item(requests_text(had, "name"), had));
    found = true;
  }
  if (!found)
    json_array_append_new(items, copy_item(asked, NULL));
}

static void add_items(json_t *document, const struct answering *a, const json_t *reading)
{
  json_t *items = json_array();
  size_t i;
  json_t *name;
  json_array_foreach(json_object_get(a->request, "items"), i, name)
  {
    add_item(items, json_string_value(name), reading);
  }
  json_object_set_new(document, "observed_at", json_string(requests_text(reading, "observed_at")));
  json_object_set_new(document, "items", items);
}

int requests_post_answer(struct answering *a, const json_t *reading, struct tm_error *err)
{
  int64_t observed_at = 0;
  bool answered = tm_time_parse(requests_text(reading, "observed_at"), &observed_at) == 0 &&
                  json_array_size(json_object_get(reading, "items")) > 0;
  const char *status = answered ? "answered" : "unavailable";
  json_t *d = make_document(a, status, err);
  if (d == NULL)
    return -ENOMEM;
  if (answered)
    add_items(d, a, reading);
  int rc = queue_document(a, d, a->purpose, status, err);
  json_decref(d);
  return rc;
}

int requests_answer(const struct tm_conf *conf, const char *id, const char *file, int64_t now_ms)
{
  struct answering a;
  struct tm_error err = {0};
  json_t *reading = NULL;
  int rc = requests_open(&a, conf, id, now_ms, &err);
  if (rc == 0)
    rc = requests_check_consent(&a, &err);
  if (rc == 0 && (reading = read_probe(file, &err)) == NULL)
    rc = err.code;
  if (rc == 0)
    rc = requests_post_answer(&a, reading, &err);
  json_decref(reading);
  requests_release(&a);
  return rc < 0 ? fail(rc, &err) : EX_OK;
}
