/* SPDX-License-Identifier: MIT */
#include "exporters/receive.h"

#include "common/clock.h"
#include "common/file.h"
#include "common/json.h"
#include "common/json_memory.h"
#include "common/lock.h"
#include "common/log.h"
#include "common/sign.h"
#include "exporters/accepted.h"
#include "exporters/envelope.h"
#include "exporters/filter.h"
#include "exporters/schema.h"
#include "exporters/signature.h"
#include "exporters/tell.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

enum {
  SETTLE_S = 60, /* a file that is younger may still be on its way here */
};

struct receiver {
  const struct tm_conf *conf;
  const struct tm_conf_source *source;
  struct tm_secret secret, old_secret; /* old_secret.len 0: none */
  struct schema summary, history;
  size_t refused, unreadable, left;
  int pass;
  int lock;
};

/* One document that lies there. */
struct drop {
  char key[128]; /* of the file's name, without .json */
  struct tm_buf body;
  json_t *event;
  bool young;
};

/* --- files ---------------------------------------------------------------------------------- */

static int join_path(char out[PATH_MAX], const struct receiver *r, const char *folder,
                     const char *key, const char *suffix, struct tm_error *err)
{
  int n = snprintf(out, PATH_MAX, "%s/%s%s%s", r->source->directory, folder, key, suffix);
  return n < 0 || n >= PATH_MAX
             ? tm_fail(err, -ENAMETOOLONG, "%s: the path is too long", r->source->directory)
             : 0;
}

/* Both files; the document last, so that it is the one which says where it stands. */
static int move(const struct receiver *r, const char *key, const char *folder, struct tm_error *err)
{
  /* A signature that is left alone by a kill is nothing; a document would be refused for lack of
   * it. */
  static const char *const suffixes[] = {".json", ".sig", NULL};
  char from[PATH_MAX], to[PATH_MAX];
  int rc = join_path(to, r, folder, "", "", err);
  if (rc == 0)
    rc = tm_dir_make(to, 0750, err);
  for (size_t i = 0; rc == 0 && suffixes[i] != NULL; i++) {
    rc = join_path(from, r, "", key, suffixes[i], err);
    if (rc == 0)
      rc = join_path(to, r, folder, key, suffixes[i], err);
    if (rc == 0 && rename(from, to) < 0 && errno != ENOENT)
      rc = tm_fail(err, -errno, "%s: cannot be moved to %s: %s", from, folder, strerror(errno));
  }
  return rc;
}

static int refuse(struct receiver *r, const char *key, const char *why, struct tm_error *err)
{
  char path[PATH_MAX];
  if (tm_json_starved()) /* then nobody knows what is wrong with it */
    return tm_fail(err, -ENOMEM, "%.64s: out of memory", key);
  tm_log_error("source %s: %.64s: %s", r->source->name, key, why);
  r->refused++;
  int rc = join_path(path, r, "refused/", "", "", err);
  if (rc == 0)
    rc = tm_dir_make(path, 0750, err);
  if (rc == 0)
    rc = join_path(path, r, "refused/", key, ".why", err);
  if (rc == 0)
    rc = tm_file_write(path, why, strlen(why), 0640, err);
  return rc == 0 ? move(r, key, "refused/", err) : rc;
}

/* --- signature and tenant ------------------------------------------------------------------- */

static bool is_signed(const struct receiver *r, const struct signature *s, const struct drop *d)
{
  return tm_sign_verify(s->value, &r->secret, s->id, s->timestamp, d->body.ptr, d->body.len) ||
         (r->old_secret.len > 0 &&
          tm_sign_verify(s->value, &r->old_secret, s->id, s->timestamp, d->body.ptr, d->body.len));
}

static int check_signature(const struct receiver *r, const struct drop *d, struct tm_error *err)
{
  char path[PATH_MAX];
  struct signature s;
  int rc = join_path(path, r, "", d->key, ".sig", err);
  if (rc == 0)
    rc = signature_read(&s, path, err);
  if (rc == -ENOENT)
    return tm_fail(err, -EBADMSG, "there is no signature beside it");
  if (rc < 0)
    return rc;
  const char *event_id = tm_json_get_string(d->event, "id");
  if (!is_signed(r, &s, d))
    return tm_fail(err, -EBADMSG, "its signature is wrong");
  if (event_id == NULL || strcmp(event_id, s.id) != 0)
    return tm_fail(err, -EBADMSG, "it was signed under another id");
  return 0;
}

/* What belongs to another is not taken, whoever signed it. */
static int check_tenant(const struct receiver *r, const json_t *data, struct tm_error *err)
{
  const json_t *customer = json_object_get(data, "customer");
  const char *id = tm_json_get_string(customer, "id"), *site = tm_json_get_string(customer, "site");
  if (id == NULL || strcmp(id, r->source->customer) != 0)
    return tm_fail(err, -EBADMSG, "customer.id: '%s' is not this source's customer",
                   id != NULL ? id : "");
  if (site == NULL || strcmp(site, r->source->site) != 0)
    return tm_fail(err, -EBADMSG, "customer.site: '%s' is not this source's site",
                   site != NULL ? site : "");
  return 0;
}

/* --- documents ------------------------------------------------------------------------------ */

/* As the schema knows it, every field of it. */
static int take_document(struct receiver *r, const struct drop *d, const json_t *data,
                         const struct schema *schema, struct tm_error *err)
{
  struct tm_secret no_key = {0};
  const struct filter all = {
      .purposes = (1u << TM_PURPOSES) - 1, .key = &no_key, .names_clear = true};
  json_t *kept = NULL;
  int rc = filter_apply(&all, schema, data, &kept, err);
  if (rc == 0 && kept == NULL)
    rc = tm_fail(err, -EBADMSG, "nothing is in it");
  if (rc == 0)
    rc = accepted_put(r->conf->state_dir, r->source->customer, r->source->site, kept, err);
  json_decref(kept);
  if (rc < 0)
    return rc;
  return tell_line(err, "%s %.64s %s/%s/%s/%s", rc == 1 ? "accepted" : "older", d->key,
                   r->source->customer, r->source->site,
                   tm_json_get_string(json_object_get(data, "customer"), "host"),
                   tm_json_get_string(json_object_get(data, "product"), "device"));
}

/* Of what is here it is done at once; what was written to an ERP is for a person to remove. */
static int take_deletion(struct receiver *r, const json_t *data, struct tm_error *err)
{
  size_t n = 0;
  if (r->pass == 0) /* what lies here is older than the request */
    return tm_fail(err, -EAGAIN, "its turn comes later");
  const char *by = tm_json_get_string(data, "by");
  const char *host = tm_json_get_string(json_object_get(data, "customer"), "host");
  const char *device = tm_json_get_string(json_object_get(data, "product"), "device");
  int rc = accepted_forget(r->conf->state_dir, r->source->customer, r->source->site,
                           host != NULL ? host : "", device, &n, err);
  if (rc == 0)
    tm_log_warning(
        "source %s: %s asks for deletion of %s%s%s: %zu summaries were removed here; what "
        "lies in an ERP is for you to remove",
        r->source->name, by != NULL ? by : "somebody", r->source->customer,
        device != NULL ? ", " : "", device != NULL ? device : "", n);
  return rc;
}

static int take(struct receiver *r, const struct drop *d, struct tm_error *err)
{
  const json_t *data = json_object_get(d->event, "data");
  const char *schema = tm_json_get_string(data, "schema");
  int rc = check_signature(r, d, err);
  if (rc == 0)
    rc = check_tenant(r, data, err);
  if (rc < 0)
    return rc;
  if (schema != NULL && strcmp(schema, "tidemark.summary/1") == 0)
    return take_document(r, d, data, &r->summary, err);
  if (schema != NULL && strcmp(schema, "tidemark.history/1") == 0)
    return take_document(r, d, data, &r->history, err);
  if (schema != NULL && strcmp(schema, "tidemark.delete-request/1") == 0)
    return take_deletion(r, data, err);
  return tm_fail(err, -EBADMSG, "this program has no use for %s",
                 schema != NULL ? schema : "what is no document");
}

/* --- one folder ----------------------------------------------------------------------------- */

static int read_drop(const struct receiver *r, const char *name, struct drop *d,
                     struct tm_error *err)
{
  char path[PATH_MAX];
  struct stat st = {0};
  *d = (struct drop){.body = TM_BUF_INIT(ENVELOPE_MAX)};
  size_t len = strlen(name) - 5;
  if (len >= sizeof(d->key))
    return tm_fail(err, -EBADMSG, "the name is too long");
  memcpy(d->key, name, len);
  int rc = join_path(path, r, "", d->key, ".json", err);
  int fd = rc == 0 ? tm_file_open(path, &st, err) : rc;
  if (fd < 0)
    return fd;
  d->young = st.st_mtime + SETTLE_S > tm_now();
  rc = tm_file_read_fd(fd, path, &d->body, err);
  close(fd);
  if (rc == 0 && d->body.len == 0)
    rc = tm_fail(err, -EBADMSG, "it is empty");
  if (rc == 0) {
    d->event = tm_json_parse(d->body.ptr, d->body.len, d->key, err);
    rc = d->event != NULL ? 0 : err->code == -ENOMEM ? -ENOMEM : -EBADMSG;
  }
  return rc;
}

/* A refusal is the document's; another failure is ours, and it stays where it is. */
static void take_file(struct receiver *r, const char *name)
{
  struct tm_error err = {0};
  struct drop d;
  int rc = read_drop(r, name, &d, &err);
  if (rc == 0)
    rc = take(r, &d, &err);
  if (rc == 0)
    rc = move(r, d.key, "taken/", &err);
  else if ((rc == -EBADMSG || rc == -EFBIG) && d.key[0] != '\0' && !d.young)
    rc = refuse(r, d.key, err.text, &err);
  else if (rc == -EBADMSG || rc == -EFBIG || rc == -EAGAIN) {
    r->left += r->pass == 1; /* not whole yet, or its summary has not come */
    rc = 0;
  }
  if (rc < 0 && rc != -ENOENT) {
    tm_log_error("source %s: %s", r->source->name, err.text);
    r->unreadable++;
  }
  json_decref(d.event);
  tm_buf_release(&d.body);
}

static int is_document(const struct dirent *entry)
{
  size_t len = strlen(entry->d_name);
  return entry->d_name[0] != '.' && len > 5 && strcmp(entry->d_name + len - 5, ".json") == 0;
}

/* Twice: days come after their summary, whatever their names. */
static void read_source(struct receiver *r)
{
  struct tm_error err = {0};
  const char *old = r->source->old_secret_file;
  r->old_secret = (struct tm_secret){0};
  if (tm_secret_load(&r->secret, r->source->secret_file, &err) < 0 ||
      (old != NULL && tm_secret_load(&r->old_secret, old, &err) < 0)) {
    tm_log_error("source %s: %s", r->source->name, err.text);
    r->unreadable++;
    return;
  }
  for (r->pass = 0; r->pass < 2; r->pass++) {
    struct dirent **names = NULL;
    int n = scandir(r->source->directory, &names, is_document, alphasort);
    if (n < 0) {
      tm_log_error("source %s: %s: %s", r->source->name, r->source->directory, strerror(errno));
      r->unreadable++;
      break;
    }
    for (int i = 0; i < n; i++) {
      take_file(r, names[i]->d_name);
      free(names[i]);
    }
    free(names);
  }
  tm_secret_release(&r->secret);
  tm_secret_release(&r->old_secret);
}

static int lock_store(struct receiver *r, struct tm_error *err)
{
  char folder[PATH_MAX], path[PATH_MAX + 8];
  snprintf(folder, sizeof(folder), "%s/accepted", r->conf->state_dir);
  int rc = tm_dir_make(folder, 0750, err);
  if (rc < 0)
    return rc;
  snprintf(path, sizeof(path), "%s/.lock", folder);
  r->lock = tm_lock_take(path, 0640, TM_LOCK_FOREVER, err);
  return r->lock < 0 ? r->lock : 0;
}

int receive_run(const struct tm_conf *conf)
{
  struct receiver r = {.conf = conf, .lock = -1};
  struct tm_error err = {0};
  if (conf->sources_len == 0) {
    tm_log_error("%s: no source is configured", conf->path);
    return EX_CONFIG;
  }
  int rc = schema_load(&r.summary, SCHEMA_SUMMARY, &err);
  if (rc == 0)
    rc = schema_load(&r.history, SCHEMA_HISTORY, &err);
  if (rc == 0)
    rc = lock_store(&r, &err);
  for (size_t i = 0; rc == 0 && i < conf->sources_len; i++) {
    r.source = &conf->sources[i];
    read_source(&r);
  }
  if (rc < 0)
    tm_log_error("%s", err.text);
  schema_release(&r.summary);
  schema_release(&r.history);
  if (r.lock >= 0)
    close(r.lock);
  if (rc < 0)
    return tm_exit_status(rc);
  return r.unreadable > 0 ? EX_IOERR
         : r.refused > 0  ? EX_DATAERR
         : r.left > 0     ? EX_TEMPFAIL
                          : EX_OK;
}
