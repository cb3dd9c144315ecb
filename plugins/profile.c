/* SPDX-License-Identifier: MIT */
#include "plugins/profile.h"

#include "common/json.h"
#include "plugins/profile_compile.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_BYTES    (256 << 10)
#define INHERIT_DEPTH 8

/* Folders are read into one object, name -> text as parsed, so that a later one replaces. */
static int read_folder(json_t *all, const char *folder, struct tm_error *err)
{
  struct dirent **names = NULL;
  int n = scandir(folder, &names, NULL, alphasort);
  int rc = 0;
  if (n < 0)
    return errno == ENOENT ? 0 : tm_fail(err, -errno, "%s: %s", folder, strerror(errno));
  for (int i = 0; i < n; i++) {
    char path[4096];
    char name[READING_NAME];
    size_t len = strlen(names[i]->d_name);
    bool wanted = names[i]->d_name[0] != '.' && len > 5 && len - 5 < sizeof(name) &&
                  strcmp(names[i]->d_name + len - 5, ".json") == 0;
    if (wanted && rc == 0) {
      snprintf(name, sizeof(name), "%.*s", (int)len - 5, names[i]->d_name);
      snprintf(path, sizeof(path), "%s/%s", folder, names[i]->d_name);
      json_t *j = tm_json_read(path, FILE_BYTES, err);
      if (j == NULL)
        rc = -EINVAL;
      else if (!json_is_object(j))
        rc = tm_fail(err, -EINVAL, "%s: a profile is a JSON object", path);
      else if (json_object_set(all, name, j) < 0)
        rc = tm_fail(err, -ENOMEM, "%s: %s", path, strerror(ENOMEM));
      json_decref(j);
    }
    free(names[i]);
  }
  free(names);
  return rc;
}

/* Members that are a file's own and are not handed down. */
static bool is_own(const char *member)
{
  static const char *const own[] = {"schema", "description", "recognise", "inherit"};
  for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
    if (strcmp(own[i], member) == 0)
      return true;
  return false;
}

static int merge(json_t *all, const char *name, json_t *into, unsigned depth, bool top,
                 struct tm_error *err);

static int merge_parents(json_t *all, const char *name, json_t *self, json_t *into, unsigned depth,
                         struct tm_error *err)
{
  json_t *parents = json_object_get(self, "inherit");
  size_t len = json_is_array(parents) ? json_array_size(parents) : parents != NULL;
  for (size_t i = 0; i < len; i++) {
    const char *parent =
        json_string_value(json_is_array(parents) ? json_array_get(parents, i) : parents);
    if (parent == NULL || json_object_get(all, parent) == NULL)
      return tm_fail(err, -EINVAL, "%s: inherit: there is no profile '%s'", name,
                     parent != NULL ? parent : "?");
    int rc = merge(all, parent, into, depth + 1, false, err);
    if (rc < 0)
      return rc;
  }
  return 0;
}

/* Puts a profile's members over those of its parents; later parents over earlier ones. */
static int merge(json_t *all, const char *name, json_t *into, unsigned depth, bool top,
                 struct tm_error *err)
{
  if (depth > INHERIT_DEPTH)
    return tm_fail(err, -EINVAL, "%s: inherit: in a circle, or deeper than %d", name,
                   INHERIT_DEPTH);
  json_t *self = json_object_get(all, name);
  int rc = merge_parents(all, name, self, into, depth, err);
  const char *key;
  json_t *value;
  json_object_foreach(self, key, value)
  {
    if (rc < 0)
      break;
    if (!top && is_own(key))
      continue;
    if (json_is_null(value)) {
      json_object_del(into, key);
    } else if (strcmp(key, "items") == 0 && json_is_object(json_object_get(into, key))) {
      /* Items add up, so that a family offers its own beside the standard ones. The parent's
       * object is shared with other children: it is copied first. */
      json_t *items = json_copy(json_object_get(into, key));
      if (items == NULL || json_object_update(items, value) < 0 ||
          json_object_set_new(into, key, items) < 0)
        rc = tm_fail(err, -ENOMEM, "%s: %s", name, strerror(ENOMEM));
    } else if (json_object_set(into, key, value) < 0) {
      rc = tm_fail(err, -ENOMEM, "%s: %s", name, strerror(ENOMEM));
    }
  }
  return rc;
}

static int compile_all(struct profiles *out, json_t *all, struct tm_error *err)
{
  size_t n = json_object_size(all);
  out->list = calloc(n > 0 ? n : 1, sizeof(*out->list));
  if (out->list == NULL)
    return tm_fail(err, -ENOMEM, "profiles: %s", strerror(ENOMEM));
  int rc = 0;
  const char *name;
  json_t *unused;
  json_object_foreach(all, name, unused)
  {
    json_t *merged = json_object();
    struct profile_loader l = {.memory = &out->memory, .file = name, .err = err};
    rc = merged == NULL ? -ENOMEM : merge(all, name, merged, 0, true, err);
    if (rc == 0)
      rc = profile_compile(&l, name, merged, &out->list[out->len++]);
    json_decref(merged);
    if (rc < 0)
      break;
  }
  return rc;
}

int profiles_load(struct profiles *out, const char *const *folders, struct tm_error *err)
{
  struct profiles p = {0};
  json_t *all = json_object();
  int rc = all == NULL ? tm_fail(err, -ENOMEM, "profiles: %s", strerror(ENOMEM)) : 0;
  for (; rc == 0 && *folders != NULL; folders++)
    rc = read_folder(all, *folders, err);
  if (rc == 0)
    rc = compile_all(&p, all, err);
  json_decref(all);
  if (rc < 0)
    profiles_release(&p);
  *out = p;
  return rc;
}

int profiles_parse(struct profiles *out, const char *json, size_t len, struct tm_error *err)
{
  struct profiles p = {0};
  json_t *all = json_object();
  json_t *one = tm_json_parse(json, len, "profile", err);
  int rc = 0;
  if (all == NULL || one == NULL)
    rc = -EINVAL;
  else if (!json_is_object(one))
    rc = tm_fail(err, -EINVAL, "profile: a profile is a JSON object");
  else if (json_object_set(all, "profile", one) < 0)
    rc = tm_fail(err, -ENOMEM, "profile: %s", strerror(ENOMEM));
  if (rc == 0)
    rc = compile_all(&p, all, err);
  json_decref(one);
  json_decref(all);
  if (rc < 0)
    profiles_release(&p);
  *out = p;
  return rc;
}

void profiles_release(struct profiles *p)
{
  profile_memory_release(&p->memory);
  free(p->list);
  *p = (struct profiles){0};
}

const struct profile *profiles_find(const struct profiles *p, const char *name)
{
  for (size_t i = 0; i < p->len; i++)
    if (strcmp(p->list[i].name, name) == 0)
      return &p->list[i];
  return NULL;
}
