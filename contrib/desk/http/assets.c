/* SPDX-License-Identifier: MIT */
#include "contrib/desk/http/assets.h"

#include "common/file.h"
#include "common/sign.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ASSETS = 64, ASSET_MAX = 4 << 20 };

struct assets {
  struct asset list[ASSETS];
  size_t len;
  json_t *model;
};

/* What we take of the packages libjs-bootstrap5 and libjs-dygraphs. */
static const char *const theirs[] = {"bootstrap5/css/bootstrap.min.css", "dygraphs/dygraph.min.css",
                                     "dygraphs/dygraph.min.js"};

static const char *type_of(const char *name)
{
  static const char *const types[][2] = {
      {".css", "text/css; charset=utf-8"},
      {".js", "text/javascript; charset=utf-8"},
      {".svg", "image/svg+xml"},
      {".png", "image/png"},
      {".txt", "text/plain; charset=utf-8"},
  };
  const char *end = strrchr(name, '.');
  for (size_t i = 0; end != NULL && i < sizeof(types) / sizeof(types[0]); i++) {
    if (strcmp(types[i][0], end) == 0)
      return types[i][1];
  }
  return NULL;
}

/* "dygraph.min.js" is known to the pages as "dygraph_js". */
static int add_to_model(struct assets *a, const struct asset *asset)
{
  char name[96], url[128];
  const char *file = strrchr(asset->path, '/') + 1;
  const char *end = strrchr(file, '.');
  snprintf(name, sizeof(name), "%.*s_%s", (int)strcspn(file, "."), file, end + 1);
  snprintf(url, sizeof(url), "%s?v=%.16s", asset->path, asset->etag + 1);
  return json_object_set_new(a->model, name, json_string(url)) == 0 ? 0 : -ENOMEM;
}

static int load(struct assets *a, const char *folder, const char *name, const char *under,
                struct tm_error *err)
{
  char path[4096], whole[PATH_MAX], hash[TM_SHA256_HEX];
  struct tm_buf b = TM_BUF_INIT(ASSET_MAX);
  struct asset *asset = &a->list[a->len];
  if (a->len == ASSETS)
    return tm_fail(err, -E2BIG, "%s: more than %d files", folder, ASSETS);
  snprintf(path, sizeof(path), "%s/%s", folder, name);
  snprintf(asset->path, sizeof(asset->path), "%s%s", under, name);
  asset->type = type_of(name);
  /* A package may have put a link there. */
  int rc = realpath(path, whole) != NULL ? tm_file_read(whole, &b, err)
                                         : tm_fail(err, -errno, "%s: %s", path, strerror(errno));
  if (rc == 0 && b.len == 0)
    rc = tm_fail(err, -EINVAL, "%s: is empty", path);
  if (rc < 0)
    return rc;
  tm_sha256_hex(hash, b.ptr, b.len);
  snprintf(asset->etag, sizeof(asset->etag), "\"%.16s\"", hash);
  asset->len = b.len;
  asset->data = tm_buf_take(&b);
  a->len++;
  return add_to_model(a, asset);
}

static int load_ours(struct assets *a, const char *folder, struct tm_error *err)
{
  struct dirent **entries = NULL;
  int n = scandir(folder, &entries, NULL, alphasort);
  int rc = n < 0 ? tm_fail(err, -errno, "%s: %s", folder, strerror(errno)) : 0;
  for (int i = 0; i < n; i++) {
    if (rc == 0 && entries[i]->d_name[0] != '.' && type_of(entries[i]->d_name) != NULL)
      rc = load(a, folder, entries[i]->d_name, "/static/", err);
    free(entries[i]);
  }
  free(entries);
  return rc;
}

int assets_load(struct assets **out, const char *ours, const char *javascript, struct tm_error *err)
{
  struct assets *a = calloc(1, sizeof(*a));
  if (a == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  a->model = json_object();
  int rc = load_ours(a, ours, err);
  for (size_t i = 0; rc == 0 && i < sizeof(theirs) / sizeof(theirs[0]); i++)
    rc = load(a, javascript, theirs[i], "/vendor/", err);
  if (rc == 0)
    *out = a;
  else
    assets_free(a);
  return rc;
}

void assets_free(struct assets *a)
{
  if (a == NULL)
    return;
  for (size_t i = 0; i < a->len; i++)
    free(a->list[i].data);
  json_decref(a->model);
  free(a);
}

const struct asset *asset_find(const struct assets *a, const char *path)
{
  for (size_t i = 0; i < a->len; i++) {
    if (strcmp(a->list[i].path, path) == 0)
      return &a->list[i];
  }
  return NULL;
}

json_t *assets_model(const struct assets *a)
{
  return a->model;
}
