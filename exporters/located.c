/* SPDX-License-Identifier: MIT */
#include "exporters/located.h"

#include "common/file.h"
#include "common/json.h"
#include "exporters/consent.h"
#include "exporters/filter.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_INVENTORY = 8 << 20 };

struct search {
  const char *folder; /* STATE/inventory */
  const char *host, *device;
  struct tm_secret key;
  bool clear;
};

/* True when this is the name that was given, or the one behind it. */
static bool is_meant(const struct search *s, const char *name, const char *given)
{
  char pseudonym[FILTER_PSEUDONYM_SIZE];
  if (s->clear)
    return strcmp(name, given) == 0;
  filter_pseudonym(pseudonym, &s->key, "name", name);
  return strcmp(pseudonym, given) == 0;
}

static bool take(struct located *out, const char *host, const char *device, const char *path)
{
  json_t *inventory = tm_json_read(path, MAX_INVENTORY, NULL);
  if (inventory == NULL)
    return false;
  snprintf(out->host, sizeof(out->host), "%s", host);
  snprintf(out->device, sizeof(out->device), "%s", device);
  out->inventory = inventory;
  return true;
}

/* One host's folder. */
static bool search_host(const struct search *s, struct located *out, const char *host)
{
  char path[PATH_MAX];
  int n = snprintf(path, sizeof(path), "%s/%s", s->folder, host);
  DIR *dir = n > 0 && n < (int)sizeof(path) ? opendir(path) : NULL;
  bool found = false;
  if (dir == NULL)
    return false;
  for (struct dirent *e; !found && (e = readdir(dir)) != NULL;) {
    char name[256];
    size_t len = strlen(e->d_name);
    if (e->d_name[0] == '.' || len <= 5 || strcmp(e->d_name + len - 5, ".json") != 0)
      continue;
    snprintf(name, sizeof(name), "%.*s", (int)len - 5, e->d_name);
    int m = snprintf(path, sizeof(path), "%s/%s/%s", s->folder, host, e->d_name);
    if (m > 0 && m < (int)sizeof(path) && is_meant(s, name, s->device))
      found = take(out, host, name, path);
  }
  closedir(dir);
  return found;
}

int located_find(struct located *out, const struct tm_conf *conf, const char *host,
                 const char *device, struct tm_error *err)
{
  char folder[PATH_MAX];
  struct search s = {.folder = folder, .host = host, .device = device, .clear = conf->names_clear};
  *out = (struct located){0};
  snprintf(out->host, sizeof(out->host), "%s", host);
  snprintf(out->device, sizeof(out->device), "%s", device);
  int n = snprintf(folder, sizeof(folder), "%s/inventory", conf->state_dir);
  if (n < 0 || n >= (int)sizeof(folder))
    return tm_fail(err, -ENAMETOOLONG, "%s: the path is too long", conf->state_dir);
  if (!s.clear) {
    int rc = consent_pseudonym_key(&s.key, conf->state_dir, err);
    if (rc < 0)
      return rc;
  }
  DIR *dir = opendir(folder);
  bool found = false;
  for (struct dirent *e; dir != NULL && !found && (e = readdir(dir)) != NULL;) {
    if (e->d_name[0] != '.' && is_meant(&s, e->d_name, host))
      found = search_host(&s, out, e->d_name);
  }
  if (dir != NULL)
    closedir(dir);
  tm_secret_release(&s.key);
  return 0;
}
