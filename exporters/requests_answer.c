/* SPDX-License-Identifier: MIT */
#include "exporters/requests.h"

#include "common/buf.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/json.h"
#include "common/log.h"
#include "exporters/consent.h"
#include "exporters/filter.h"
#include "exporters/post.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum { MAX_BYTES = 1 << 20, MAX_WHY = 500 };

static int fail(const struct tm_error *err)
{
  tm_log_error("%s", err->text);
  return tm_exit_status(err->code);
}

static const char *text_of(const json_t *object, const char *key)
{
  const char *text = tm_json_get_string(object, key);
  return text != NULL ? text : "";
}

/* --- listing -------------------------------------------------------------------------------- */

static int is_request(const struct dirent *entry)
{
  size_t len = strlen(entry->d_name);
  return entry->d_name[0] != '.' && len > 5 && strcmp(entry->d_name + len - 5, ".json") == 0;
}

static bool is_over(const json_t *request, int64_t now)
{
  int64_t end = 0;
  return tm_time_parse(text_of(request, "expires_at"), &end) < 0 || end < now;
}

static void print_request(const json_t *note, int64_t now)
{
  const json_t *request = json_object_get(note, "request");
  const char *state = text_of(note, "state");
  size_t i;
  json_t *item;
  printf("%s  %s  %s  %s/%s  %s:", text_of(request, "id"),
         strcmp(state, "asked") == 0 && is_over(request, now) ? "expired" : state,
         text_of(note, "target"), text_of(request, "host"), text_of(request, "device"),
         text_of(request, "purpose"));
  json_array_foreach(json_object_get(request, "items"), i, item)
  {
    printf(" %s", json_string_value(item));
  }
  if (tm_json_get_string(request, "reason") != NULL) {
    json_t *clean = tm_json_text(text_of(request, "reason"));
    printf("  (%s)", json_is_string(clean) ? json_string_value(clean) : "");
    json_decref(clean);
  }
  putchar('\n');
}

int requests_list(const struct tm_conf *conf, bool as_json, int64_t now)
{
  char folder[PATH_MAX], path[PATH_MAX + 256];
  struct dirent **names = NULL;
  snprintf(folder, sizeof(folder), "%s/requests", conf->state_dir);
  int n = scandir(folder, &names, is_request, alphasort);
  if (n < 0 && errno != ENOENT) {
    tm_log_error("%s: %s", folder, strerror(errno));
    return EX_IOERR;
  }
  for (int i = 0; i < n; i++) {
    snprintf(path, sizeof(path), "%s/%s", folder, names[i]->d_name);
    json_t *note = tm_json_read(path, MAX_BYTES, NULL);
    if (note != NULL && as_json) {
      json_dumpf(note, stdout, JSON_COMPACT);
      putchar('\n');
    } else if (note != NULL) {
      print_request(note, now);
    }
    json_decref(note);
    free(names[i]);
  }
  free(names);
  return EX_OK;
}

/* --- one request ---------------------------------------------------------------------------- */

struct answering {
  const struct tm_conf *conf;
  const struct tm_conf_target *target;
  char path[PATH_MAX];
  json_t *note;
  const json_t *request; /* within note */
  unsigned purpose;
  int64_t now_ms;
};

static int open_request(struct answering *a, const struct tm_conf *conf, const char *id,
                        int64_t now_ms, struct tm_error *err)
{
  *a = (struct answering){.conf = conf, .now_ms = now_ms};
  if (!requests_is_id(id))
    return tm_fail(err, -EINVAL, "'%s' is no request's id", id);
  snprintf(a->path, sizeof(a->path), "%s/requests/%s.json", conf->state_dir, id);
  a->note = tm_json_read(a->path, MAX_BYTES, err);
  if (a->note == NULL)
    return err->code != 0 ? err->code : -EIO;
  a->request = json_object_get(a->note, "request");
  a->purpose = tm_purpose_of(text_of(a->request, "purpose"));
  a->target = tm_conf_target(conf, text_of(a->note, "target"), err);
  if (a->target == NULL)
    return -ENOENT;
  if (strcmp(text_of(a->note, "state"), "asked") != 0)
    return tm_fail(err, -EINVAL, "%s: is %s already", id, text_of(a->note, "state"));
  if (is_over(a->request, now_ms / 1000))
    return tm_fail(err, -EINVAL, "%s: has expired: %s", id, text_of(a->request, "expires_at"));
  return 0;
}

/* Names as they leave in summaries too. */
static json_t *name_of(const struct answering *a, const struct tm_secret *key, const char *member)
{
  char pseudonym[FILTER_PSEUDONYM_SIZE];
  if (a->conf->names_clear)
    return json_string(text_of(a->request, member));
  filter_pseudonym(pseudonym, key, "name", text_of(a->request, member));
  return json_string(pseudonym);
}

static json_t *make_document(const struct answering *a, const char *status, struct tm_error *err)
{
  struct tm_secret key = {0};
  if (!a->conf->names_clear && consent_pseudonym_key(&key, a->conf->state_dir, err) < 0)
    return NULL;
  json_t *customer = json_pack("{s:s,s:s,s:o}", "id", a->conf->customer_id, "site", a->conf->site,
                               "host", name_of(a, &key, "host"));
  json_t *d =
      json_pack("{s:s,s:s,s:o,s:o,s:o,s:s}", "schema", "tidemark.item-values/1", "request",
                text_of(a->request, "id"), "generated_at", tm_json_time(a->now_ms / 1000),
                "customer", customer, "device", name_of(a, &key, "device"), "status", status);
  tm_secret_release(&key);
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
  int n = snprintf(device, sizeof(device), "%s/%s", text_of(a->request, "host"),
                   text_of(a->request, "device"));
  if (n < 0 || n >= (int)sizeof(device))
    return tm_fail(err, -EBADMSG, "the device's name is too long");
  int rc = post_document(a->conf, a->target, &post, key, err);
  if (rc < 0)
    return rc;
  json_object_set_new(a->note, "state", json_string(state));
  json_object_set_new(a->note, "key", json_string(key));
  char *text = json_dumps(a->note, JSON_INDENT(2));
  rc = text == NULL ? tm_fail(err, -ENOMEM, "out of memory")
                    : tm_file_write(a->path, text, strlen(text), 0640, err);
  free(text);
  return rc;
}

int requests_refuse(const struct tm_conf *conf, const char *id, const char *why, int64_t now_ms)
{
  struct answering a;
  struct tm_error err = {0};
  json_t *d = NULL;
  int rc = open_request(&a, conf, id, now_ms, &err);
  if (rc == 0 && strlen(why) > MAX_WHY)
    rc = tm_fail(&err, -EINVAL, "the reason is longer than %d bytes", MAX_WHY);
  if (rc == 0 && (d = make_document(&a, "refused", &err)) == NULL)
    rc = err.code;
  if (rc == 0) {
    json_t *reason = tm_json_text(why);
    if (json_is_string(reason))
      json_object_set(d, "reason", reason);
    json_decref(reason);
    rc = queue_document(&a, d, 0, "refused", &err); /* it says nothing of the device */
  }
  json_decref(d);
  json_decref(a.note);
  return rc < 0 ? fail(&err) : EX_OK;
}

/* --- the answer ------------------------------------------------------------------------------ */

static int check_consent(const struct answering *a, struct tm_error *err)
{
  struct consent c;
  int rc = consent_load(&c, a->conf->state_dir, err);
  if (rc < 0)
    return rc;
  unsigned on = consent_purposes(&c, text_of(a->request, "host"), text_of(a->request, "device"));
  if (a->target != NULL)
    on &= a->target->purposes;
  consent_release(&c);
  if ((a->purpose & ~on) == 0 && a->purpose != 0)
    return 0;
  return tm_fail(err, -EPERM, "%s: %s is off for %s; see 'tidemark-export enable'",
                 text_of(a->request, "id"), text_of(a->request, "purpose"),
                 text_of(a->request, "device"));
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
  const char *state = text_of(had, "state");
  const json_t *value = json_object_get(had, "value");
  json_t *item = json_pack("{s:s}", "name", name);
  if (json_is_string(value))
    json_object_set_new(item, "value", tm_json_text(json_string_value(value)));
  else if (json_is_number(value) || json_is_boolean(value))
    json_object_set(item, "value", (json_t *)value);
  else
    json_object_set_new(item, "value", json_null());
  json_object_set_new(item, "unit", tm_json_text(tm_json_get_string(had, "unit")));
  json_object_set_new(item, "nature", json_null());
  for (size_t i = 0; i < sizeof(natures) / sizeof(natures[0]); i++) {
    if (strcmp(text_of(had, "nature"), natures[i]) == 0)
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
  struct tm_buf text = TM_BUF_INIT(MAX_BYTES);
  char chunk[4096];
  json_t *reading = NULL;
  if (strcmp(file, "-") != 0)
    return tm_json_read(file, MAX_BYTES, err);
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
    if (!is_item(text_of(had, "name"), asked) || !requests_is_id(text_of(had, "name")) ||
        json_array_size(items) >= REQUESTS_ITEMS)
      continue;
    json_array_append_new(items, copy_item(text_of(had, "name"), had));
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
  json_object_set_new(document, "observed_at", json_string(text_of(reading, "observed_at")));
  json_object_set_new(document, "items", items);
}

int requests_answer(const struct tm_conf *conf, const char *id, const char *file, int64_t now_ms)
{
  struct answering a;
  struct tm_error err = {0};
  json_t *d = NULL, *reading = NULL;
  int64_t observed_at = 0;
  int rc = open_request(&a, conf, id, now_ms, &err);
  if (rc == 0)
    rc = check_consent(&a, &err);
  if (rc == 0 && (reading = read_probe(file, &err)) == NULL)
    rc = err.code;
  bool answered = tm_time_parse(text_of(reading, "observed_at"), &observed_at) == 0 &&
                  json_array_size(json_object_get(reading, "items")) > 0;
  if (rc == 0 && (d = make_document(&a, answered ? "answered" : "unavailable", &err)) == NULL)
    rc = err.code;
  if (rc == 0) {
    if (answered)
      add_items(d, &a, reading);
    rc = queue_document(&a, d, a.purpose, answered ? "answered" : "unavailable", &err);
  }
  json_decref(reading);
  json_decref(d);
  json_decref(a.note);
  return rc < 0 ? fail(&err) : EX_OK;
}
