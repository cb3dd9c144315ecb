/* SPDX-License-Identifier: MIT */
#include "exporters/accepted.h"

#include "common/file.h"
#include "common/json.h"
#include "common/merge.h"
#include "common/sign.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_DOCUMENT = 8 << 20 };

static int path_of(char out[PATH_MAX], const char *state_dir, const char *customer,
                   const char *site, const char *host, const char *device, struct tm_error *err)
{
  char hash[TM_SHA256_HEX] = "";
  struct tm_digest d;
  if (host != NULL) {
    tm_digest_init(&d);
    tm_digest_line(&d, host);
    tm_digest_line(&d, device);
    tm_digest_hex(&d, hash);
  }
  int n = snprintf(out, PATH_MAX, "%s/accepted/%s/%s%s%s%s", state_dir, customer, site,
                   host != NULL ? "/" : "", hash, host != NULL ? ".json" : "");
  return n < 0 || n >= PATH_MAX ? tm_fail(err, -ENAMETOOLONG, "%s: the path is too long", state_dir)
                                : 0;
}

static int write_line(const char *path, const char *folder, const json_t *document,
                      struct tm_error *err)
{
  struct tm_buf line = TM_BUF_INIT(MAX_DOCUMENT);
  int rc = tm_dir_make(folder, 0750, err);
  if (rc == 0) {
    rc = tm_json_append(&line, document);
    if (rc == 0)
      rc = tm_buf_puts(&line, "\n");
    if (rc < 0)
      tm_fail(err, rc, "%s: %s", path, rc == -ENOMEM ? strerror(ENOMEM) : "too large to be kept");
  }
  if (rc == 0)
    rc = tm_file_write(path, line.ptr, line.len, 0640, err);
  tm_buf_release(&line);
  return rc;
}

/* The newer of two says all but the days, which are those of both. Times are UTC: they compare as
 * text. */
static json_t *join(const json_t *kept, const json_t *document, bool *newest)
{
  const char *schema = tm_json_get_string(document, "schema");
  const char *had = tm_json_get_string(kept, "generated_at");
  const char *is = tm_json_get_string(document, "generated_at");
  bool history = schema != NULL && strcmp(schema, "tidemark.history/1") == 0;
  *newest = !history && (had == NULL || is == NULL || strcmp(had, is) <= 0);
  const json_t *older = *newest ? kept : document, *newer = *newest ? document : kept;
  json_t *out = json_copy((json_t *)newer);
  const json_t *days = json_object_get(older, "history");
  if (json_array_size(days) > 0)
    json_object_set_new(out, "history",
                        merge_history(days, json_object_get(newer, "history"), MERGE_KEEP_DAYS));
  return out;
}

int accepted_put(const char *state_dir, const char *customer, const char *site,
                 const json_t *document, struct tm_error *err)
{
  char path[PATH_MAX], folder[PATH_MAX];
  const char *host = tm_json_get_string(json_object_get(document, "customer"), "host");
  const char *device = tm_json_get_string(json_object_get(document, "product"), "device");
  const char *schema = tm_json_get_string(document, "schema");
  bool newest = false;
  int rc = path_of(folder, state_dir, customer, site, NULL, NULL, err);
  if (rc == 0)
    rc = path_of(path, state_dir, customer, site, host, device, err);
  if (rc < 0)
    return rc;
  struct tm_error why = {0};
  json_t *kept = tm_json_read(path, MAX_DOCUMENT, &why);
  /* What is there and cannot be read now would lose its days. */
  if (kept == NULL && why.code != -ENOENT && why.code != -EBADMSG)
    return tm_fail(err, why.code, "%s", why.text);
  if (kept == NULL && strcmp(schema, "tidemark.summary/1") != 0)
    return tm_fail(err, -EAGAIN, "its summary has not come yet");
  json_t *joined = join(kept, document, &newest);
  rc = write_line(path, folder, joined, err);
  json_decref(joined);
  json_decref(kept);
  return rc < 0 ? rc : newest;
}

/* --- all of them ---------------------------------------------------------------------------- */

struct list {
  char **paths;
  size_t len;
};

static int is_visible(const struct dirent *entry)
{
  return entry->d_name[0] != '.';
}

static int add_path(struct list *l, const char *path, struct tm_error *err)
{
  size_t len = strlen(path);
  if (len < 5 || strcmp(path + len - 5, ".json") != 0)
    return 0;
  char **grown = reallocarray(l->paths, l->len + 2, sizeof(*grown));
  if (grown == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  l->paths = grown;
  l->paths[l->len] = strdup(path);
  if (l->paths[l->len] == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  l->paths[++l->len] = NULL;
  return 0;
}

/* depth 0: the files themselves. What is no folder, or not there, holds none. */
static int walk(struct list *l, const char *folder, int depth, struct tm_error *err)
{
  struct dirent **names = NULL;
  int n = scandir(folder, &names, is_visible, alphasort), rc = 0;
  if (n < 0)
    return errno == ENOENT || errno == ENOTDIR
               ? 0
               : tm_fail(err, -errno, "%s: %s", folder, strerror(errno));
  for (int i = 0; i < n; i++) {
    char path[PATH_MAX];
    int len = snprintf(path, sizeof(path), "%s/%s", folder, names[i]->d_name);
    if (rc == 0 && len > 0 && len < (int)sizeof(path))
      rc = depth == 0 ? add_path(l, path, err) : walk(l, path, depth - 1, err);
    free(names[i]);
  }
  free(names);
  return rc;
}

int accepted_list(const char *state_dir, char ***paths, struct tm_error *err)
{
  struct list l = {0};
  char folder[PATH_MAX];
  snprintf(folder, sizeof(folder), "%s/accepted", state_dir);
  int rc = walk(&l, folder, 2, err);
  if (rc < 0) {
    accepted_list_free(l.paths);
    l.paths = NULL;
  }
  *paths = l.paths;
  return rc;
}

void accepted_list_free(char **paths)
{
  for (size_t i = 0; paths != NULL && paths[i] != NULL; i++)
    free(paths[i]);
  free(paths);
}

int accepted_forget(const char *state_dir, const char *customer, const char *site, const char *host,
                    const char *device, size_t *n, struct tm_error *err)
{
  char folder[PATH_MAX], path[PATH_MAX];
  struct list l = {0};
  *n = 0;
  int rc = path_of(folder, state_dir, customer, site, NULL, NULL, err);
  if (rc == 0 && device != NULL)
    rc = path_of(path, state_dir, customer, site, host, device, err);
  if (rc == 0 && device != NULL)
    rc = add_path(&l, path, err);
  else if (rc == 0)
    rc = walk(&l, folder, 0, err);
  for (size_t i = 0; rc == 0 && i < l.len; i++) {
    if (unlink(l.paths[i]) == 0)
      (*n)++;
    else if (errno != ENOENT)
      rc = tm_fail(err, -errno, "%s: %s", l.paths[i], strerror(errno));
  }
  if (rc == 0 && *n > 0)
    rc = tm_dir_sync(folder, err);
  accepted_list_free(l.paths);
  return rc;
}
