/* SPDX-License-Identifier: MIT */
#include "exporters/show.h"

#include "common/clock.h"
#include "common/json.h"
#include "common/json_memory.h"
#include "common/log.h"
#include "exporters/consent.h"
#include "exporters/health.h"
#include "exporters/schedule.h"
#include "exporters/schema.h"
#include "exporters/spool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static bool chosen(const struct tm_conf_target *t, const char *target)
{
  return target == NULL || strcmp(target, t->name) == 0;
}

/* --- status --------------------------------------------------------------------------------- */

/* Lines that are no events, as a power cut leaves them. */
struct damage {
  size_t lines, first, number;
};

/* One line, as JSON; NULL where it is none. A new reference. */
static json_t *read_event(struct damage *d, const char *line, size_t len)
{
  struct tm_error why = {0};
  json_t *entry = tm_json_parse(line, len, "history", &why);
  d->number++;
  if (why.code == -ENOMEM)
    tm_json_starve(); /* there is something in it */
  else if (!json_is_object(entry) && d->lines++ == 0)
    d->first = d->number;
  if (json_is_object(entry))
    return entry;
  json_decref(entry);
  return NULL;
}

static void tell_damage(const struct damage *d, const char *path)
{
  if (d->lines > 0)
    tm_log_warning("%s:%zu: no event; %zu such line%s passed over", path, d->first, d->lines,
                   d->lines == 1 ? " is" : "s are");
}

/* The newest line of the history about a delivery to this target. Damage is told of the first
 * target. */
static json_t *last_delivery(const struct tm_conf *conf, const char *target, bool first)
{
  char *path = NULL, *line = NULL;
  size_t cap = 0;
  json_t *last = NULL;
  struct damage damage = {0};
  if (asprintf(&path, "%s/history.ndjson", conf->state_dir) < 0)
    return NULL;
  FILE *f = fopen(path, "re");
  if (f == NULL) {
    free(path);
    return NULL;
  }
  for (ssize_t n; (n = getline(&line, &cap, f)) >= 0;) {
    json_t *entry = read_event(&damage, line, (size_t)n);
    const char *of = tm_json_get_string(entry, "target");
    const char *event = tm_json_get_string(entry, "event");
    if (of != NULL && event != NULL && strcmp(of, target) == 0 && strcmp(event, "accepted") == 0) {
      json_decref(last);
      last = json_incref(entry);
    }
    json_decref(entry);
  }
  if (!feof(f))
    tm_json_starve(); /* there is more of it */
  if (first)
    tell_damage(&damage, path);
  free(path);
  free(line);
  fclose(f);
  return last;
}

static int count_states(const struct spool *s, json_t *out, struct tm_error *err)
{
  static const enum spool_state states[] = {SPOOL_NEW, SPOOL_SENT, SPOOL_DEAD};
  for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
    struct spool_list list;
    int rc = spool_scan(s, states[i], &list, NULL, err);
    if (rc < 0)
      return rc;
    json_object_set_new(out, spool_state_name(states[i]), json_integer((json_int_t)list.len));
    if (states[i] == SPOOL_NEW)
      json_object_set_new(out, "oldest",
                          list.len > 0 ? tm_json_time(list.entries[0].queued_ms / 1000)
                                       : json_null());
    spool_list_release(&list);
  }
  size_t corrupt = 0;
  int rc = spool_count_corrupt(s, &corrupt, err);
  json_object_set_new(out, "corrupt", json_integer((json_int_t)corrupt));
  return rc;
}

static int target_status(const struct tm_conf *conf, const struct tm_conf_target *t, bool first,
                         json_t **out, struct tm_error *err)
{
  struct spool spool;
  struct health h = {0};
  *out = json_object();
  json_object_set_new(*out, "target", json_string(t->name));
  json_object_set_new(*out, "type", json_string(tm_target_type_name(t->type)));
  int rc = spool_open(&spool, conf->spool_dir, t->name, &conf->spool, err);
  if (rc < 0)
    return rc;
  rc = count_states(&spool, *out, err);
  spool_close(&spool);
  if (rc == 0)
    rc = health_load(&h, conf->state_dir, t->name, err);
  if (rc < 0)
    return rc;
  json_object_set_new(*out, "stopped", json_boolean(h.stopped));
  json_object_set_new(*out, "failures", json_integer(h.failures));
  json_object_set_new(*out, "held_until",
                      h.hold_until > 0 ? tm_json_time(h.hold_until) : json_null());
  json_object_set_new(*out, "clock_skew_s", json_integer((json_int_t)h.skew_s));
  json_object_set_new(*out, "reason", tm_json_text(h.reason));
  json_t *last = last_delivery(conf, t->name, first);
  json_object_set_new(*out, "last_sent", last != NULL ? last : json_null());
  return rc;
}

/* Purpose -> fields that came after the yes. A new reference. */
static json_t *held_back(const struct consent *c, struct tm_error *err)
{
  struct schema schema;
  if (schema_load(&schema, SCHEMA_SUMMARY, err) < 0)
    return NULL;
  json_t *out = json_object();
  for (unsigned i = 0; i < TM_PURPOSES; i++) {
    enum tm_purpose purpose = (enum tm_purpose)(1u << i);
    json_t *fields = schema_fields(&schema, purpose);
    json_t *held = consent_held_back(c, purpose, fields);
    if (json_array_size(held) > 0)
      json_object_set(out, tm_purpose_name(purpose), held);
    json_decref(held);
    json_decref(fields);
  }
  schema_release(&schema);
  return out;
}

static json_t *consent_status(const struct consent *c)
{
  json_t *out = json_object();
  for (unsigned i = 0; i < TM_PURPOSES; i++) {
    const char *name = tm_purpose_name((enum tm_purpose)(1u << i));
    json_t *grant = json_object_get(json_object_get(c->root, "purposes"), name);
    json_object_set(out, name, grant != NULL ? grant : json_false());
  }
  return out;
}

static void print_grant(const char *name, const char *device, const json_t *grant)
{
  bool on = json_is_true(json_object_get(grant, "on"));
  const char *by = tm_json_get_string(grant, "by");
  const char *at = tm_json_get_string(grant, "at");
  printf("  %-11s %-4s%s%s", name, on ? "on" : "off", device != NULL ? " for " : "",
         device != NULL ? device : "");
  if (by != NULL && at != NULL)
    printf("  (%s, %s)", by, at);
  putchar('\n');
}

static void print_held_back(const char *name, const json_t *fields)
{
  size_t i;
  json_t *field;
  if (json_array_size(fields) == 0)
    return;
  printf("    came since, and are held back until 'enable %s' is said again:\n", name);
  json_array_foreach(fields, i, field)
  {
    printf("    + %s\n", json_string_value(field));
  }
}

static void print_consent(const struct consent *c, const json_t *held)
{
  printf("consent\n");
  for (unsigned i = 0; i < TM_PURPOSES; i++) {
    const char *name = tm_purpose_name((enum tm_purpose)(1u << i));
    const json_t *p = json_object_get(json_object_get(c->root, "purposes"), name);
    const char *device;
    json_t *grant;
    print_grant(name, NULL, json_object_get(p, "all"));
    json_object_foreach(json_object_get(p, "devices"), device, grant)
    {
      print_grant(name, device, grant);
    }
    print_held_back(name, json_object_get(held, name));
  }
}

static void print_target(const json_t *s)
{
  printf("target %s (%s)\n", tm_json_get_string(s, "target"), tm_json_get_string(s, "type"));
  printf("  waiting %lld  sent %lld  dead %lld  corrupt %lld\n",
         (long long)tm_json_get_number(s, "new"), (long long)tm_json_get_number(s, "sent"),
         (long long)tm_json_get_number(s, "dead"), (long long)tm_json_get_number(s, "corrupt"));
  const char *oldest = tm_json_get_string(s, "oldest");
  const char *held = tm_json_get_string(s, "held_until");
  const char *reason = tm_json_get_string(s, "reason");
  if (oldest != NULL)
    printf("  oldest waiting since %s\n", oldest);
  if (tm_json_get_bool(s, "stopped", false))
    printf("  stopped: mend the target, or use push --now\n");
  if (held != NULL)
    printf("  not tried again before %s\n", held);
  if (reason != NULL)
    printf("  last trouble: %s\n", reason);
  const json_t *last = json_object_get(s, "last_sent");
  if (json_is_object(last)) {
    const char *receipt = tm_json_get_string(last, "receipt");
    printf("  last sent %s %s of %s\n", tm_json_get_string(last, "at"),
           tm_json_get_string(last, "key"), tm_json_get_string(last, "device"));
    printf("    sha256  %s\n    receipt %s\n", tm_json_get_string(last, "sha256"),
           receipt != NULL ? receipt : "none given");
  }
}

int show_status(const struct tm_conf *conf, const char *target, bool as_json, int64_t now)
{
  struct tm_error err = {0};
  struct consent consent;
  struct schedule_state schedule = {.last = INT64_MIN};
  char time[TM_TIME_SIZE];
  int rc = consent_load(&consent, conf->state_dir, &err);
  if (rc < 0)
    return tm_log_status(rc, &err);
  json_t *targets = json_array();
  json_t *held = held_back(&consent, &err);
  rc = held == NULL ? err.code : schedule_load(&schedule, conf->state_dir, &err);
  for (size_t i = 0; rc == 0 && i < conf->targets_len; i++) {
    json_t *one = NULL;
    if (!chosen(&conf->targets[i], target))
      continue;
    rc = target_status(conf, &conf->targets[i], json_array_size(targets) == 0, &one, &err);
    json_array_append_new(targets, one);
  }
  if (rc == 0 && as_json) {
    json_t *all = json_pack("{s:o,s:o,s:O,s:o,s:O}", "at", tm_json_time(now), "consent",
                            consent_status(&consent), "held_back", held, "last_record",
                            tm_json_time(schedule.last), "targets", targets);
    json_dumpf(all, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(all);
  } else if (rc == 0) {
    size_t i;
    json_t *one;
    print_consent(&consent, held);
    printf("last record %s\n",
           schedule.last != INT64_MIN ? tm_time_format(time, schedule.last) : "none yet");
    json_array_foreach(targets, i, one)
    {
      print_target(one);
    }
  }
  json_decref(held);
  json_decref(targets);
  consent_release(&consent);
  return tm_log_status(rc, &err);
}

/* --- history -------------------------------------------------------------------------------- */

static void print_event(const json_t *entry)
{
  const char *const keys[] = {"at", "event", "target", "device", "key", "reason"};
  for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
    const char *text = tm_json_get_string(entry, keys[i]);
    if (text != NULL)
      printf("%s%.*s", i > 0 ? "  " : "", strcmp(keys[i], "key") == 0 ? 12 : 1000, text);
  }
  putchar('\n');
}

int show_history(const struct tm_conf *conf, const char *target, bool as_json)
{
  char *path = NULL, *line = NULL;
  size_t cap = 0;
  struct damage damage = {0};
  if (asprintf(&path, "%s/history.ndjson", conf->state_dir) < 0) {
    tm_log_error("out of memory");
    return EX_OSERR;
  }
  FILE *f = fopen(path, "re");
  if (f == NULL) {
    int code = errno;
    if (code != ENOENT)
      tm_log_error("%s: %s", path, strerror(code));
    free(path);
    return code == ENOENT ? EX_OK : tm_exit_status(-code);
  }
  for (ssize_t n; (n = getline(&line, &cap, f)) >= 0;) {
    json_t *entry = read_event(&damage, line, (size_t)n);
    const char *of = tm_json_get_string(entry, "target");
    bool wanted = entry != NULL && (target == NULL || (of != NULL && strcmp(of, target) == 0));
    if (wanted && as_json)
      fputs(line, stdout);
    else if (wanted)
      print_event(entry);
    json_decref(entry);
  }
  int status = feof(f) ? EX_OK : EX_IOERR;
  if (status != EX_OK)
    tm_log_error("%s: cannot be read to its end: %s", path, strerror(errno));
  tell_damage(&damage, path);
  free(line);
  free(path);
  fclose(f);
  return status;
}

/* --- one item ------------------------------------------------------------------------------- */

struct place {
  struct spool spool;
  enum spool_state state;
  struct spool_entry entry;
  const char *target;
};

/* Finds an item by its key among the targets, in these states. The spool is open when found. */
static int find(struct place *place, const struct tm_conf *conf, const char *key,
                const enum spool_state *states, size_t n, struct tm_error *err)
{
  for (size_t i = 0; i < conf->targets_len; i++) {
    place->target = conf->targets[i].name;
    int rc = spool_open(&place->spool, conf->spool_dir, place->target, &conf->spool, err);
    if (rc < 0)
      return rc;
    for (size_t j = 0; j < n; j++) {
      struct spool_list list;
      rc = spool_scan(&place->spool, states[j], &list, NULL, err);
      const struct spool_entry *found = rc == 0 ? spool_list_find(&list, key) : NULL;
      if (found != NULL) {
        place->entry = *found;
        place->state = states[j];
      }
      spool_list_release(&list);
      if (found != NULL)
        return 0;
      if (rc < 0)
        break;
    }
    spool_close(&place->spool);
    if (rc < 0)
      return rc;
  }
  return tm_fail(err, -ENOENT, "%s: there is no such item, or several begin so", key);
}

int show_item(const struct tm_conf *conf, const char *key)
{
  static const enum spool_state states[] = {SPOOL_NEW, SPOOL_SENT, SPOOL_DEAD};
  struct tm_error err = {0};
  struct place place;
  struct spool_item item;
  int rc = find(&place, conf, key, states, 3, &err);
  if (rc < 0)
    return tm_log_status(rc, &err);
  rc = spool_read(&place.spool, place.state, &place.entry, &item, &err);
  if (rc == 0) {
    char hash[TM_SHA256_HEX];
    struct tm_buf why = TM_BUF_INIT(4096);
    spool_reason(&place.spool, place.state, &place.entry, &why, NULL);
    fprintf(stderr, "# %s for %s: %s, %s, %zu bytes, sha256 %s%s%s\n",
            tm_json_get_string(item.head, "device"), place.target,
            tm_json_get_string(item.head, "type"), spool_state_name(place.state), item.body_len,
            tm_sha256_hex(hash, item.body, item.body_len), why.len > 0 ? ", " : "",
            why.len > 0 ? why.ptr : "");
    fwrite(item.body, 1, item.body_len, stdout);
    tm_buf_release(&why);
    spool_item_release(&item);
  }
  spool_close(&place.spool);
  return tm_log_status(rc, &err);
}

int show_requeue(const struct tm_conf *conf, const char *key, int64_t now_ms)
{
  static const enum spool_state states[] = {SPOOL_DEAD};
  struct tm_error err = {0};
  struct place place;
  int rc = find(&place, conf, key, states, 1, &err);
  if (rc < 0)
    return tm_log_status(rc, &err);
  rc = spool_lock(&place.spool, "fill", true, &err);
  if (rc == 0)
    rc = spool_requeue(&place.spool, &place.entry, now_ms, &err);
  if (rc == 0)
    printf("queued %s %s\n", place.entry.key, place.target);
  spool_close(&place.spool);
  return tm_log_status(rc, &err);
}

int show_purge(const struct tm_conf *conf, const char *target, bool dead, bool all, int64_t now)
{
  struct tm_error err = {0};
  int64_t before = all ? INT64_MAX / 2 : now - conf->spool.keep_s;
  for (size_t i = 0; i < conf->targets_len; i++) {
    struct spool spool;
    size_t sent = 0, given_up = 0;
    if (!chosen(&conf->targets[i], target))
      continue;
    int rc = spool_open(&spool, conf->spool_dir, conf->targets[i].name, &conf->spool, &err);
    if (rc < 0)
      return tm_log_status(rc, &err);
    rc = spool_purge(&spool, SPOOL_SENT, before, &sent, &err);
    if (rc == 0 && dead)
      rc = spool_purge(&spool, SPOOL_DEAD, before, &given_up, &err);
    spool_close(&spool);
    printf("%s: %zu sent and %zu dead items removed\n", conf->targets[i].name, sent, given_up);
    if (rc < 0)
      return tm_log_status(rc, &err);
  }
  return EX_OK;
}
