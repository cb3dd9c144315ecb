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
  const char *host, *device; /* as they were given */
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

static bool is_meant_host(const struct search *s, const char *entry, char name[256])
{
  snprintf(name, 256, "%s", entry);
  return is_meant(s, name, s->host);
}

static bool is_meant_file(const struct search *s, const char *entry, char name[256])
{
  size_t len = strlen(entry);
  if (len <= 5 || strcmp(entry + len - 5, ".json") != 0)
    return false;
  snprintf(name, 256, "%.*s", (int)len - 5, entry);
  return is_meant(s, name, s->device);
}

/* The entry of a folder that is meant, and the name that it stands for: 1, or 0 where there is none
 * or no such folder. One that cannot be read is an error: nobody knows that the device is not
 * there. */
static int find_entry(const struct search *s, const char *folder,
                      bool (*meant)(const struct search *, const char *, char *), char entry[256],
                      char name[256], struct tm_error *err)
{
  DIR *dir = opendir(folder);
  if (dir == NULL)
    return errno == ENOENT ? 0 : tm_fail(err, -errno, "%s: %s", folder, strerror(errno));
  const struct dirent *e;
  int rc;
  while ((rc = tm_dir_next(dir, &e)) > 0) {
    if (e->d_name[0] == '.' || !meant(s, e->d_name, name))
      continue;
    snprintf(entry, 256, "%s", e->d_name);
    break;
  }
  closedir(dir);
  return rc < 0 ? tm_fail(err, rc, "%s: %s", folder, strerror(-rc)) : rc;
}

static int find_device(const struct search *s, struct located *out, const char *folder,
                       struct tm_error *err)
{
  char path[PATH_MAX], entry[256], host[256], device[256];
  int rc = find_entry(s, folder, is_meant_host, entry, host, err);
  if (rc <= 0)
    return rc;
  int n = snprintf(path, sizeof(path), "%s/%s", folder, entry);
  if (n < 0 || n >= (int)sizeof(path))
    return tm_fail(err, -ENAMETOOLONG, "%s: the path is too long", folder);
  rc = find_entry(s, path, is_meant_file, entry, device, err);
  if (rc <= 0)
    return rc;
  int m = snprintf(path + n, sizeof(path) - (size_t)n, "/%s", entry);
  if (m < 0 || m >= (int)sizeof(path) - n)
    return tm_fail(err, -ENAMETOOLONG, "%s: the path is too long", folder);
  out->inventory = tm_json_read(path, MAX_INVENTORY, err);
  if (out->inventory == NULL)
    return err->code != 0 ? err->code : -EIO;
  snprintf(out->host, sizeof(out->host), "%s", host);
  snprintf(out->device, sizeof(out->device), "%s", device);
  return 0;
}

int located_find(struct located *out, const struct tm_conf *conf, const char *host,
                 const char *device, struct tm_error *err)
{
  char folder[PATH_MAX];
  struct search s = {.host = host, .device = device, .clear = conf->names_clear};
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
  int rc = find_device(&s, out, folder, err);
  tm_secret_release(&s.key);
  return rc;
}
