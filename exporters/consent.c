/* SPDX-License-Identifier: MIT */
#include "exporters/consent.h"

#include "common/clock.h"
#include "common/file.h"
#include "common/json.h"
#include "common/json_memory.h"
#include "common/json_type.h"
#include "common/lock.h"
#include "exporters/state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SCHEMA "tidemark.consent/1"
enum { MAX_BYTES = 4 << 20 };

/* --- reading ------------------------------------------------------------------------------ */

static bool grant_is_sound(const json_t *grant)
{
  const json_t *on = json_object_get(grant, "on");
  if (json_is_false(on))
    return true;
  return json_is_true(on) && json_is_array(json_object_get(grant, "fields")) &&
         tm_json_get_string(grant, "by") != NULL && tm_json_get_string(grant, "at") != NULL;
}

/* A file that somebody has damaged must not open anything. */
static bool is_sound(const json_t *root)
{
  const char *name;
  json_t *purpose;
  const char *schema = tm_json_get_string(root, "schema");
  json_t *purposes = json_object_get(root, "purposes");
  if (schema == NULL || strcmp(schema, SCHEMA) != 0 || !json_is_object(purposes))
    return false;
  json_object_foreach(purposes, name, purpose)
  {
    const char *device;
    json_t *grant;
    const json_t *all = json_object_get(purpose, "all");
    json_t *devices = json_object_get(purpose, "devices");
    if (tm_purpose_of(name) == 0 || (all != NULL && !grant_is_sound(all)) ||
        (devices != NULL && !json_is_object(devices)))
      return false;
    json_object_foreach(devices, device, grant)
    {
      if (!grant_is_sound(grant))
        return false;
    }
  }
  return true;
}

int consent_load(struct consent *c, const char *state_dir, struct tm_error *err)
{
  *c = (struct consent){0};
  if (asprintf(&c->path, "%s/consent.json", state_dir) < 0) {
    c->path = NULL;
    return tm_fail(err, -ENOMEM, "%s: out of memory", state_dir);
  }
  if (stat(c->path, &c->stamp) < 0) {
    int code = errno;
    c->stamp = (struct stat){0};
    if (code == ENOENT)
      return 0;
    tm_fail(err, -code, "%s: %s", c->path, strerror(code));
    consent_release(c);
    return -code;
  }
  struct tm_error own = {0};
  if (err == NULL)
    err = &own;
  c->root = tm_json_read(c->path, MAX_BYTES, err);
  int rc = 0;
  if (c->root == NULL)
    rc = err->code;
  else if (!is_sound(c->root))
    rc = tm_fail(err, -EBADMSG, "%s: not a record of consent; nothing is sent", c->path);
  if (rc < 0)
    consent_release(c);
  return rc;
}

int consent_refresh(struct consent *c, struct tm_error *err)
{
  struct stat now = {0};
  if (stat(c->path, &now) < 0 && errno != ENOENT)
    return tm_fail(err, -errno, "%s: %s", c->path, strerror(errno));
  if (now.st_ino == c->stamp.st_ino && now.st_size == c->stamp.st_size &&
      now.st_mtim.tv_sec == c->stamp.st_mtim.tv_sec &&
      now.st_mtim.tv_nsec == c->stamp.st_mtim.tv_nsec)
    return 0;
  char *folder = strndup(c->path, strlen(c->path) - strlen("/consent.json"));
  if (folder == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  struct consent fresh;
  int rc = consent_load(&fresh, folder, err);
  free(folder);
  if (rc < 0)
    return rc;
  consent_release(c);
  *c = fresh;
  return 0;
}

void consent_release(struct consent *c)
{
  json_decref(c->root);
  free(c->path);
  *c = (struct consent){0};
}

/* --- asking ------------------------------------------------------------------------------- */

static json_t *purpose_of(const struct consent *c, unsigned purpose)
{
  return json_object_get(json_object_get(c->root, "purposes"),
                         tm_purpose_name((enum tm_purpose)purpose));
}

/* The word that holds for a device: its own by full name, by short name, then that for all. */
static const json_t *grant_of(const struct consent *c, unsigned purpose, const char *host,
                              const char *device)
{
  const json_t *p = purpose_of(c, purpose);
  const json_t *devices = json_object_get(p, "devices");
  char *full = NULL;
  if (asprintf(&full, "%s/%s", host, device) < 0) {
    tm_json_starve(); /* what is not known is no refusal: nobody gives an item up for it */
    return NULL;
  }
  const json_t *grant = json_object_get(devices, full);
  free(full);
  if (grant == NULL)
    grant = json_object_get(devices, device);
  if (grant == NULL)
    grant = json_object_get(p, "all");
  return json_is_true(json_object_get(grant, "on")) ? grant : NULL;
}

unsigned consent_purposes(const struct consent *c, const char *host, const char *device)
{
  unsigned on = 0;
  for (unsigned i = 0; i < TM_PURPOSES; i++) {
    if (grant_of(c, 1u << i, host, device) != NULL)
      on |= 1u << i;
  }
  return on;
}

bool consent_any(const struct consent *c, unsigned purposes)
{
  for (unsigned i = 0; i < TM_PURPOSES; i++) {
    if ((purposes & 1u << i) == 0)
      continue;
    const json_t *p = purpose_of(c, 1u << i);
    if (json_is_true(json_object_get(json_object_get(p, "all"), "on")))
      return true;
    const char *device;
    json_t *grant;
    json_object_foreach(json_object_get(p, "devices"), device, grant)
    {
      if (json_is_true(json_object_get(grant, "on")))
        return true;
    }
  }
  return false;
}

json_t *consent_fields(const struct consent *c, enum tm_purpose purpose, const char *host,
                       const char *device)
{
  const json_t *grant = grant_of(c, purpose, host, device);
  if (grant == NULL)
    return NULL;
  json_t *set = json_object();
  size_t i;
  json_t *field;
  json_array_foreach(json_object_get(grant, "fields"), i, field)
  {
    if (json_is_string(field))
      json_object_set_new(set, json_string_value(field), json_true());
  }
  return set;
}

json_t *consent_statement(const struct consent *c, unsigned purposes, const char *host,
                          const char *device)
{
  json_t *out = json_object();
  for (unsigned i = 0; i < TM_PURPOSES; i++) {
    const json_t *grant = purposes & 1u << i ? grant_of(c, 1u << i, host, device) : NULL;
    if (grant == NULL)
      continue;
    json_object_set_new(out, tm_purpose_name((enum tm_purpose)(1u << i)),
                        json_pack("{s:O,s:O}", "by", json_object_get(grant, "by"), "on",
                                  json_object_get(grant, "at")));
  }
  return out;
}

unsigned consent_head_purposes(const json_t *head)
{
  unsigned purposes = 0;
  size_t i;
  json_t *name;
  json_array_foreach(json_object_get(head, "purposes"), i, name)
  {
    purposes |= tm_purpose_of(json_string_value(name));
  }
  return purposes;
}

int consent_covers(const struct consent *c, const json_t *head)
{
  const char *device = tm_json_get_string(head, "device");
  const char *slash = device != NULL ? strchr(device, '/') : NULL;
  if (slash == NULL)
    return 0;
  char *host = strndup(device, (size_t)(slash - device));
  if (host == NULL)
    return -ENOMEM;
  unsigned on = consent_purposes(c, host, slash + 1);
  free(host);
  return tm_json_starved() ? -ENOMEM : (consent_head_purposes(head) & ~on) == 0;
}

/* --- changing ------------------------------------------------------------------------------ */

static int lock_state(const char *state_dir, struct tm_error *err)
{
  char *path = NULL;
  int rc = tm_dir_make(state_dir, 0750, err);
  if (rc < 0)
    return rc;
  if (asprintf(&path, "%s/consent.lock", state_dir) < 0)
    return tm_fail(err, -ENOMEM, "out of memory");
  int fd = tm_lock_take(path, 0600, TM_LOCK_FOREVER, err);
  free(path);
  return fd;
}

static json_t *member(json_t *object, const char *key)
{
  json_t *value = json_object_get(object, key);
  if (value == NULL) {
    value = json_object();
    json_object_set_new(object, key, value);
  }
  return value;
}

/* One line in the log, written before the change holds: a change without a record must not be. */
static int write_log(const char *state_dir, const struct consent_change *change, const char *action,
                     const json_t *grown, struct tm_error *err)
{
  char at[TM_TIME_SIZE];
  json_t *entry = json_pack("{s:s,s:s,s:s,s:o,s:o}", "at", tm_time_format(at, change->now),
                            "action", action, "purpose", tm_purpose_name(change->purpose), "device",
                            tm_json_text(change->device), "by", tm_json_text(change->by));
  if (grown != NULL)
    json_object_set(entry, "new_fields", (json_t *)grown);
  int rc = state_append(state_dir, "consent.log", entry, true, err);
  json_decref(entry);
  return rc;
}

static int save(const struct consent *c, struct tm_error *err)
{
  char *text = json_dumps(c->root, JSON_INDENT(2));
  if (text == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  int rc = tm_file_write(c->path, text, strlen(text), 0640, err);
  free(text);
  return rc;
}

static json_t *fields_beyond(const json_t *fields, const json_t *grant)
{
  json_t *grown = json_array();
  const json_t *had = json_object_get(grant, "fields");
  size_t i;
  json_t *field;
  json_array_foreach(fields, i, field)
  {
    if (!tm_json_is_listed(had, field))
      json_array_append(grown, field);
  }
  return grown;
}

json_t *consent_held_back(const struct consent *c, enum tm_purpose purpose, const json_t *fields)
{
  const json_t *p = purpose_of(c, purpose);
  const json_t *all = json_object_get(p, "all");
  const char *device;
  json_t *grant;
  if (json_is_true(json_object_get(all, "on")))
    return fields_beyond(fields, all);
  json_object_foreach(json_object_get(p, "devices"), device, grant)
  {
    if (json_is_true(json_object_get(grant, "on")))
      return fields_beyond(fields, grant);
  }
  return json_array();
}

static void set_grant(struct consent *c, const struct consent_change *change, json_t *grant)
{
  if (c->root == NULL)
    c->root = json_pack("{s:s,s:{}}", "schema", SCHEMA, "purposes");
  json_t *p = member(member(c->root, "purposes"), tm_purpose_name(change->purpose));
  if (change->device != NULL)
    json_object_set_new(member(p, "devices"), change->device, grant);
  else
    json_object_set_new(p, "all", grant);
}

int consent_enable(const char *state_dir, const struct consent_change *change, json_t **grown,
                   struct tm_error *err)
{
  struct consent c = {0};
  char at[TM_TIME_SIZE];
  json_t *beyond = NULL;
  int lock = lock_state(state_dir, err);
  if (lock < 0)
    return lock;
  int rc = consent_load(&c, state_dir, err);
  if (rc < 0)
    goto out;
  const json_t *p = purpose_of(&c, change->purpose);
  const json_t *old = change->device != NULL
                          ? json_object_get(json_object_get(p, "devices"), change->device)
                          : json_object_get(p, "all");
  beyond = fields_beyond(change->fields, old);
  json_t *grant = json_pack("{s:b,s:o,s:s,s:O}", "on", 1, "by", tm_json_text(change->by), "at",
                            tm_time_format(at, change->now), "fields", (json_t *)change->fields);
  set_grant(&c, change, grant);
  rc = write_log(state_dir, change, "enable", beyond, err);
  if (rc == 0)
    rc = save(&c, err);
  if (rc == 0) {
    *grown = beyond;
    beyond = NULL;
  }
out:
  json_decref(beyond);
  consent_release(&c);
  close(lock);
  return rc;
}

int consent_disable(const char *state_dir, const struct consent_change *change,
                    struct tm_error *err)
{
  struct consent c = {0};
  char at[TM_TIME_SIZE];
  int lock = lock_state(state_dir, err);
  if (lock < 0)
    return lock;
  int rc = consent_load(&c, state_dir, err);
  if (rc < 0)
    goto out;
  set_grant(&c, change,
            json_pack("{s:b,s:o,s:s}", "on", 0, "by", tm_json_text(change->by), "at",
                      tm_time_format(at, change->now)));
  if (change->device == NULL)
    json_object_del(purpose_of(&c, change->purpose), "devices");
  rc = write_log(state_dir, change, "disable", NULL, err);
  if (rc == 0)
    rc = save(&c, err);
out:
  consent_release(&c);
  close(lock);
  return rc;
}

int consent_pseudonym_key(struct tm_secret *key, const char *state_dir, struct tm_error *err)
{
  char *path = NULL;
  int lock = lock_state(state_dir, err);
  if (lock < 0)
    return lock;
  int rc = 0;
  if (asprintf(&path, "%s/pseudonym.key", state_dir) < 0) {
    path = NULL;
    rc = tm_fail(err, -ENOMEM, "out of memory");
  } else if (!tm_path_is_there(path)) {
    char text[TM_SECRET_TEXT];
    tm_secret_make(text);
    rc = tm_file_write(path, text, strlen(text), 0600, err);
    explicit_bzero(text, sizeof(text));
  }
  if (rc == 0)
    rc = tm_secret_load(key, path, err);
  free(path);
  close(lock);
  return rc;
}
