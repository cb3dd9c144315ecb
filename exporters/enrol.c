/* SPDX-License-Identifier: MIT */
#include "exporters/enrol.h"

#include "common/buf.h"
#include "common/conf.h"
#include "common/file.h"
#include "common/json.h"
#include "common/json_check.h"
#include "common/log.h"
#include "common/sign.h"
#include "places.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

enum { MAX_BYTES = 65536, MAX_TOKEN = 1000 };

struct enrolment {
  struct tm_json_file file;
  const char *target, *customer, *customer_name, *site, *url, *token, *secret;
  unsigned purposes;
};

/* Into a quoted value of the configuration nothing goes that could end it. */
static bool is_quotable(const char *text)
{
  return strpbrk(text, "\"\\\n\r") == NULL && strstr(text, "${") == NULL;
}

static int check_texts(const struct enrolment *e, struct tm_error *err)
{
  const char *const texts[] = {e->target, e->customer, e->customer_name, e->site, e->url};
  struct tm_secret secret;
  for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
    if (texts[i] != NULL && !is_quotable(texts[i]))
      return tm_fail(err, -EBADMSG, "%s: quotes, backslashes and '${' are not accepted in it",
                     e->file.name);
  }
  /* It becomes the name of files. */
  if (e->target[strspn(e->target, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789_-")] != '\0')
    return tm_json_refuse(&e->file, e->file.root, "target", err,
                          "target: letters, digits, '_' and '-' are wanted");
  for (const char *p = e->token; *p != '\0'; p++) {
    if (*p <= ' ' || *p > '~')
      return tm_json_refuse(&e->file, e->file.root, "token", err, "token: not a bearer token");
  }
  int rc = tm_secret_parse(&secret, e->secret, err);
  tm_secret_release(&secret);
  return rc < 0 ? tm_fail_prefix(err, e->file.name) : 0;
}

static int read_purposes(struct enrolment *e, struct tm_error *err)
{
  const json_t *list = NULL;
  size_t i;
  json_t *name;
  int rc = tm_json_want_strings(&e->file, e->file.root, "purposes", false, TM_PURPOSES, &list, err);
  e->purposes = list == NULL ? TM_PURPOSE_SALES | TM_PURPOSE_SERVICE : 0;
  json_array_foreach(list, i, name)
  {
    unsigned purpose = tm_purpose_of(json_string_value(name));
    if (purpose == 0)
      return tm_json_refuse_at(&e->file, list, i, err, "not a purpose");
    e->purposes |= purpose;
  }
  return rc;
}

static int read_enrolment(struct enrolment *e, const char *path, struct tm_error *err)
{
  static const char *const known[] = {"schema", "target", "customer", "site",      "url",
                                      "token",  "secret", "purposes", "issued_at", NULL};
  struct tm_json_file *f = &e->file;
  int rc = tm_json_file_read(f, path, MAX_BYTES, err);
  if (rc == 0)
    rc = tm_json_want_schema(f, "tidemark.enrolment/1", err);
  if (rc == 0)
    rc = tm_json_known_keys(f, f->root, known, err);
  if (rc == 0)
    rc = tm_json_want_string(f, f->root, "target", true, 64, &e->target, err);
  if (rc == 0)
    rc = tm_json_want_string(f, f->root, "site", true, 64, &e->site, err);
  if (rc == 0)
    rc = tm_json_want_string(f, f->root, "url", true, 1000, &e->url, err);
  if (rc == 0)
    rc = tm_json_want_string(f, f->root, "token", true, MAX_TOKEN, &e->token, err);
  if (rc == 0)
    rc = tm_json_want_string(f, f->root, "secret", true, 120, &e->secret, err);
  const json_t *customer = json_object_get(f->root, "customer");
  if (rc == 0 && !json_is_object(customer))
    rc = tm_json_refuse(f, f->root, "customer", err, "customer: an object is wanted");
  if (rc == 0)
    rc = tm_json_want_string(f, customer, "id", true, 64, &e->customer, err);
  if (rc == 0)
    rc = tm_json_want_string(f, customer, "name", false, 200, &e->customer_name, err);
  if (rc == 0)
    rc = read_purposes(e, err);
  return rc < 0 ? rc : check_texts(e, err);
}

/* --- where it goes -------------------------------------------------------------------------- */

struct places {
  char conf[PATH_MAX], folder[PATH_MAX], block[PATH_MAX], token[PATH_MAX], secret[PATH_MAX];
};

/* A/BSUFFIX */
static int join(char out[PATH_MAX], struct tm_error *err, const char *suffix, const char *a,
                const char *b)
{
  char text[2 * PATH_MAX];
  int n = snprintf(text, sizeof(text), "%s/%s%s", a, b, suffix);
  if (n < 0 || n >= PATH_MAX)
    return tm_fail(err, -ENAMETOOLONG, "%s: the path is too long", a);
  memcpy(out, text, (size_t)n + 1);
  return 0;
}

static int find_places(struct places *p, const char *config, const char *target,
                       struct tm_error *err)
{
  /* The block names its files by whole paths, wherever the program is called from. */
  char *folder = strdup(config);
  char *slash = folder != NULL ? strrchr(folder, '/') : NULL;
  if (slash != NULL)
    slash[slash == folder] = '\0';
  char *real = folder != NULL ? realpath(slash != NULL ? folder : ".", NULL) : NULL;
  const char *base = strrchr(config, '/') != NULL ? strrchr(config, '/') + 1 : config;
  int rc = real == NULL ? tm_fail(err, -errno, "%s: %s", config, strerror(errno)) : 0;
  if (rc == 0)
    rc = join(p->conf, err, "", real, base);
  if (rc == 0)
    rc = join(p->folder, err, ".d", real, base);
  if (rc == 0)
    rc = join(p->block, err, ".conf", p->folder, target);
  if (rc == 0)
    rc = join(p->token, err, ".token", real, target);
  if (rc == 0)
    rc = join(p->secret, err, ".secret", real, target);
  free(real);
  free(folder);
  return rc;
}

/* --- writing -------------------------------------------------------------------------------- */

static int make_block(struct tm_buf *b, const struct enrolment *e, const struct places *p,
                      const struct tm_conf *conf)
{
  int rc = tm_buf_puts(b, "# Written by tidemark-export enrol.\n");
  if (rc == 0 && (conf == NULL || conf->customer_id == NULL))
    rc = tm_buf_printf(b, "customer { id = \"%s\"%s%s%s }\n", e->customer,
                       e->customer_name != NULL ? "  name = \"" : "",
                       e->customer_name != NULL ? e->customer_name : "",
                       e->customer_name != NULL ? "\"" : "");
  if (rc == 0 && (conf == NULL || conf->site == NULL))
    rc = tm_buf_printf(b, "site { name = \"%s\" }\n", e->site);
  if (rc == 0)
    rc = tm_buf_printf(b,
                       "target %s {\n  type = \"webhook\"\n  url = \"%s\"\n  token_file = \"%s\"\n"
                       "  secret_file = \"%s\"\n  purposes = {",
                       e->target, e->url, p->token, p->secret);
  bool first = true;
  for (unsigned i = 0; rc == 0 && i < TM_PURPOSES; i++) {
    if ((e->purposes & 1u << i) == 0)
      continue;
    rc = tm_buf_printf(b, "%s \"%s\"", first ? "" : ",",
                       tm_purpose_name((enum tm_purpose)(1u << i)));
    first = false;
  }
  return rc < 0 ? rc : tm_buf_puts(b, " }\n}\n");
}

/* Who may read the configuration may read its secrets, nobody else. */
static int write_secret(const char *path, const char *text, const struct places *p,
                        struct tm_error *err)
{
  struct stat st;
  struct tm_buf line = TM_BUF_INIT(MAX_TOKEN + 2);
  int rc = tm_buf_printf(&line, "%s\n", text);
  if (rc == 0)
    rc = tm_file_write(path, line.ptr, line.len, 0640, err);
  if (rc == 0 && stat(p->conf, &st) == 0 && chown(path, (uid_t)-1, st.st_gid) < 0 && geteuid() == 0)
    rc = tm_fail(err, -errno, "%s: cannot give it to the group of %s: %s", path, p->conf,
                 strerror(errno));
  if (line.ptr != NULL)
    explicit_bzero(line.ptr, line.len);
  tm_buf_release(&line);
  return rc;
}

/* Another target of this name, or another customer: a person must decide. */
static int check_conflicts(const struct tm_conf *conf, const struct enrolment *e,
                           const struct places *p, struct tm_error *err)
{
  const struct tm_conf_target *t = tm_conf_target(conf, e->target, NULL);
  if (t != NULL && (t->token_file == NULL || strcmp(t->token_file, p->token) != 0))
    return tm_fail(err, -EEXIST, "%s:%d: there is a target %s already", t->file, t->line,
                   e->target);
  if (conf->customer_id != NULL && strcmp(conf->customer_id, e->customer) != 0)
    return tm_fail(err, -EEXIST, "%s: this is customer %s, the file is for %s", conf->path,
                   conf->customer_id, e->customer);
  if (conf->site != NULL && strcmp(conf->site, e->site) != 0)
    return tm_fail(err, -EEXIST, "%s: this is site %s, the file is for %s", conf->path, conf->site,
                   e->site);
  return 0;
}

/* Whether the configuration takes it. Nobody has seen the block: its lines are not told. */
static int check_block(const struct tm_buf *block, const struct enrolment *e, struct tm_error *err)
{
  static const char name[] = "block";
  struct tm_conf conf;
  struct tm_error why = {0};
  int rc = tm_conf_parse(&conf, block->ptr, block->len, name, &why);
  if (rc == 0) {
    tm_conf_release(&conf);
    return 0;
  }
  const char *what = why.text;
  if (strncmp(what, name, sizeof(name) - 1) == 0) { /* "block:3: what" */
    const char *behind = strstr(what, ": ");
    what = behind != NULL ? behind + 2 : what;
  }
  return tm_fail(err, rc, "%s: what is to be configured is refused: %s", e->file.name, what);
}

static int write_all(const struct enrolment *e, const struct places *p, const struct tm_conf *conf,
                     struct tm_error *err)
{
  struct tm_buf block = TM_BUF_INIT(MAX_BYTES);
  bool again = conf != NULL && tm_conf_target(conf, e->target, NULL) != NULL;
  int rc = make_block(&block, e, p, conf);
  if (rc < 0)
    rc = tm_fail(err, rc, "out of memory");
  if (rc == 0)
    rc = check_block(&block, e, err);
  if (rc == 0)
    rc = tm_dir_make(p->folder, 0755, err);
  if (rc == 0 && conf == NULL)
    rc = tm_file_write(p->conf, "# See tidemark.conf(5).\n", 24, 0644, err);
  if (rc == 0)
    rc = write_secret(p->secret, e->secret, p, err);
  if (rc == 0)
    rc = write_secret(p->token, e->token, p, err);
  /* What a person has changed in the block since stays, when only the credentials are new. */
  if (rc == 0 && !again)
    rc = tm_file_write(p->block, block.ptr, block.len, 0644, err);
  tm_buf_release(&block);
  if (rc == 0)
    printf("target %s: %s\nNothing is sent to it before 'tidemark-export enable'.\n", e->target,
           again ? "the credentials were replaced" : p->block);
  return rc;
}

int enrol_run(const char *config, const char *file)
{
  struct enrolment e = {0};
  struct places p;
  struct tm_conf conf;
  struct tm_error err = {0};
  const char *path = config != NULL ? config : TM_CONF_PATH;
  bool fresh = !tm_path_is_there(path);
  int rc = read_enrolment(&e, file, &err);
  int status = rc < 0 ? tm_exit_status(rc) : EX_OK;
  if (rc == 0)
    rc = find_places(&p, path, e.target, &err);
  if (rc == 0 && !fresh) {
    rc = tm_conf_load(&conf, path, &err);
    if (rc == 0) {
      rc = check_conflicts(&conf, &e, &p, &err);
      if (rc == 0)
        rc = write_all(&e, &p, &conf, &err);
      tm_conf_release(&conf);
    }
  } else if (rc == 0) {
    rc = write_all(&e, &p, NULL, &err);
  }
  if (rc < 0) {
    tm_log_error("%s", err.text);
    if (status == EX_OK)
      status = rc == -EINVAL || rc == -EEXIST ? EX_CONFIG : tm_exit_status(rc);
  }
  if (e.file.text.ptr != NULL)
    explicit_bzero(e.file.text.ptr, e.file.text.len);
  tm_json_file_release(&e.file);
  return status;
}
