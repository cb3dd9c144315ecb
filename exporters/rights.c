/* SPDX-License-Identifier: MIT */
#include "exporters/rights.h"

#include "common/clock.h"
#include "common/file.h"
#include "common/json.h"
#include "common/log.h"
#include "common/sign.h"
#include "exporters/consent.h"
#include "exporters/filter.h"
#include "exporters/post.h"
#include "exporters/spool.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

enum { MAX_DEPTH = 16, MAX_FILE = 256 << 20 };

struct takeout {
  const char *output;
  json_t *files;   /* of the manifest */
  size_t problems; /* told; the rest is copied all the same */
};

static void problem(struct takeout *t, const struct tm_error *err)
{
  tm_log_error("%s", err->text);
  t->problems++;
}

static int put_file(struct takeout *t, const char *name, const void *data, size_t len,
                    struct tm_error *err)
{
  char path[PATH_MAX], hash[TM_SHA256_HEX];
  int n = snprintf(path, sizeof(path), "%s/%s", t->output, name);
  if (n < 0 || n >= (int)sizeof(path))
    return tm_fail(err, -ENAMETOOLONG, "%s: the path is too long", name);
  char *slash = strrchr(path, '/');
  *slash = '\0';
  int rc = tm_dir_make(path, 0700, err);
  *slash = '/';
  if (rc == 0)
    rc = tm_file_write(path, data, len, 0600, err);
  if (rc == 0)
    json_array_append_new(t->files,
                          json_pack("{s:s,s:I,s:s}", "path", name, "bytes", (json_int_t)len,
                                    "sha256", tm_sha256_hex(hash, data, len)));
  return rc;
}

static void copy_file(struct takeout *t, const char *from, const char *name)
{
  struct tm_error err = {0};
  struct tm_buf data = TM_BUF_INIT(MAX_FILE);
  int rc = tm_file_read(from, &data, &err);
  if (rc == 0)
    rc = put_file(t, name, data.ptr, data.len, &err);
  if (rc < 0 && rc != -ENOENT)
    problem(t, &err);
  tm_buf_release(&data);
}

/* The key of the pseudonyms would make them worthless; locks are no data. */
static bool is_private(const char *name)
{
  size_t len = strlen(name);
  return strcmp(name, "pseudonym.key") == 0 || (len > 5 && strcmp(name + len - 5, ".lock") == 0);
}

static void copy_tree(struct takeout *t, const char *from, const char *name, int depth);

/* Whatever it is: what is left out of an export of everything is told. */
static void copy_entry(struct takeout *t, const char *from, const char *name, const char *entry,
                       int depth)
{
  char path[PATH_MAX], child[PATH_MAX];
  struct tm_error err = {0};
  struct stat st;
  int a = snprintf(path, sizeof(path), "%s/%s", from, entry);
  int b = snprintf(child, sizeof(child), "%s/%s", name, entry);
  if (a < 0 || a >= (int)sizeof(path) || b < 0 || b >= (int)sizeof(child))
    tm_fail(&err, -ENAMETOOLONG, "%s/%s: the path is too long", from, entry);
  else if (lstat(path, &st) < 0)
    tm_fail(&err, -errno, "%s: %s", path, strerror(errno));
  else if (S_ISREG(st.st_mode))
    copy_file(t, path, child);
  else if (S_ISDIR(st.st_mode) && depth < MAX_DEPTH)
    copy_tree(t, path, child, depth + 1);
  else if (S_ISDIR(st.st_mode))
    tm_fail(&err, -ELOOP, "%s: is deeper than %d folders", path, MAX_DEPTH);
  else /* a link could lead anywhere */
    tm_log_warning("%s: is no regular file, and is left out", path);
  if (err.code != 0 && err.code != -ENOENT) /* gone by now */
    problem(t, &err);
}

static void copy_tree(struct takeout *t, const char *from, const char *name, int depth)
{
  struct dirent **entries = NULL;
  struct tm_error err = {0};
  int n = scandir(from, &entries, NULL, alphasort);
  if (n < 0) {
    if (errno != ENOENT) {
      tm_fail(&err, -errno, "%s: %s", from, strerror(errno));
      problem(t, &err);
    }
    return;
  }
  for (int i = 0; i < n; i++) {
    const char *d = entries[i]->d_name;
    if (strcmp(d, ".") != 0 && strcmp(d, "..") != 0 && !is_private(d))
      copy_entry(t, from, name, d, depth);
    free(entries[i]);
  }
  free(entries);
}

/* The events as they were or will be sent, KEY.json each. */
static int copy_events(struct takeout *t, const struct tm_conf *conf, const char *target,
                       enum spool_state state, struct tm_error *err)
{
  struct spool spool;
  struct spool_list list = {0};
  int rc = spool_open(&spool, conf->spool_dir, target, &conf->spool, err);
  if (rc < 0)
    return rc;
  rc = spool_scan(&spool, state, &list, NULL, err);
  for (size_t i = 0; rc == 0 && i < list.len; i++) {
    struct spool_item item;
    struct tm_error own = {0};
    char name[PATH_MAX];
    if (spool_read(&spool, state, &list.entries[i], &item, &own) < 0) {
      problem(t, &own);
      continue;
    }
    snprintf(name, sizeof(name), "events/%s/%s/%s.json", target, spool_state_name(state),
             list.entries[i].key);
    rc = put_file(t, name, item.body, item.body_len, err);
    spool_item_release(&item);
  }
  spool_list_release(&list);
  spool_close(&spool);
  return rc;
}

static int write_manifest(struct takeout *t, const struct tm_conf *conf, int64_t now,
                          struct tm_error *err)
{
  char path[PATH_MAX];
  json_t *manifest = json_pack(
      "{s:s,s:o,s:{s:o,s:o,s:o},s:O}", "schema", "tidemark.export-all/1", "generated_at",
      tm_json_time(now), "customer", "id", tm_json_text(conf->customer_id), "name",
      tm_json_text(conf->customer_name), "site", tm_json_text(conf->site), "files", t->files);
  char *text = manifest != NULL ? json_dumps(manifest, JSON_INDENT(1)) : NULL;
  int n = snprintf(path, sizeof(path), "%s/manifest.json", t->output);
  int rc = text == NULL || n < 0 || n >= (int)sizeof(path)
               ? tm_fail(err, -ENOMEM, "out of memory")
               : tm_file_write(path, text, strlen(text), 0600, err);
  free(text);
  json_decref(manifest);
  return rc;
}

int rights_export_all(const struct tm_conf *conf, const char *output, int64_t now)
{
  static const enum spool_state states[] = {SPOOL_NEW, SPOOL_SENT, SPOOL_DEAD};
  struct takeout t = {.output = output, .files = json_array()};
  struct tm_error err = {0};
  int rc = 0;
  if (mkdir(output, 0700) < 0) {
    int code = -errno;
    tm_log_error("%s: %s", output, code == -EEXIST ? "is there already" : strerror(-code));
    json_decref(t.files);
    return code == -EEXIST ? EX_USAGE : EX_CANTCREAT;
  }
  copy_tree(&t, conf->data_dir, "rrd", 0);
  copy_tree(&t, conf->state_dir, "state", 0);
  if (conf->products != NULL)
    copy_tree(&t, conf->products, "products", 0);
  for (size_t i = 0; rc == 0 && i < conf->targets_len; i++) {
    for (size_t j = 0; rc == 0 && j < sizeof(states) / sizeof(states[0]); j++)
      rc = copy_events(&t, conf, conf->targets[i].name, states[j], &err);
  }
  if (rc == 0)
    rc = write_manifest(&t, conf, now, &err);
  if (rc < 0)
    tm_log_error("%s", err.text);
  else
    printf("%zu files in %s\n", json_array_size(t.files), output);
  json_decref(t.files);
  if (rc < 0)
    return tm_exit_status(rc);
  return t.problems > 0 ? EX_DATAERR : EX_OK;
}

/* --- deletion ------------------------------------------------------------------------------- */

static json_t *deletion(const struct tm_conf *conf, const char *device, const char *by, int64_t now,
                        struct tm_error *err)
{
  const char *slash = device != NULL ? strchr(device, '/') : NULL;
  json_t *d =
      json_pack("{s:s,s:s,s:o,s:{s:o},s:{s:s,s:o,s:s},s:o}", "schema", "tidemark.delete-request/1",
                "id", "", "generated_at", tm_json_time(now), "period", "to", tm_json_time(now),
                "customer", "id", conf->customer_id, "name", tm_json_text(conf->customer_name),
                "site", conf->site, "by", tm_json_text(by));
  struct tm_secret key = {0};
  if (d == NULL) {
    tm_fail(err, -ENOMEM, "out of memory");
    return NULL;
  }
  if (slash == NULL)
    return d;
  char *host = strndup(device, (size_t)(slash - device));
  if (host == NULL ||
      (!conf->names_clear && consent_pseudonym_key(&key, conf->state_dir, err) < 0)) {
    free(host);
    json_decref(d);
    return NULL;
  }
  char host_p[FILTER_PSEUDONYM_SIZE], device_p[FILTER_PSEUDONYM_SIZE];
  filter_pseudonym(host_p, &key, "name", host);
  filter_pseudonym(device_p, &key, "name", slash + 1);
  json_object_set_new(json_object_get(d, "customer"), "host",
                      json_string(conf->names_clear ? host : host_p));
  json_object_set_new(d, "product",
                      json_pack("{s:s}", "device", conf->names_clear ? slash + 1 : device_p));
  tm_secret_release(&key);
  free(host);
  return d;
}

int rights_delete_request(const struct tm_conf *conf, const char *target, const char *device,
                          const char *by, int64_t now_ms)
{
  struct tm_error err = {0};
  char key[SPOOL_KEY_SIZE];
  int rc = tm_conf_need_identity(conf, &err);
  const char *slash = device != NULL ? strchr(device, '/') : NULL;
  if (device != NULL && (slash == NULL || slash == device || slash[1] == '\0')) {
    tm_log_error("--device %s: HOST/NAME is wanted here", device);
    return EX_USAGE;
  }
  for (size_t i = 0; rc == 0 && i < conf->targets_len; i++) {
    if (target != NULL && strcmp(target, conf->targets[i].name) != 0)
      continue;
    json_t *d = deletion(conf, device, by, now_ms / 1000, &err);
    struct post post = {.kind = "delete-request",
                        .device = device != NULL ? device : "-/-",
                        .document = d,
                        .now_ms = now_ms};
    rc = d == NULL ? err.code : post_document(conf, &conf->targets[i], &post, key, &err);
    json_decref(d);
  }
  return tm_log_status(rc, &err);
}
