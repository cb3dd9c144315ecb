/* SPDX-License-Identifier: MIT */
#include "exporters/check_cmd.h"

#include "common/conf.h"
#include "common/log.h"
#include "common/sign.h"
#include "exporters/mapping/mapping.h"
#include "exporters/target.h"

#include <curl/curl.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static int check_files(char *const *files)
{
  int status = EX_OK;
  for (; *files != NULL; files++) {
    struct tm_error err = {0};
    struct mapping m;
    int rc = mapping_load(&m, *files, &err);
    if (rc < 0) {
      status = tm_log_status(rc, &err);
    } else {
      const char *name = json_string_value(json_object_get(m.root, "name"));
      printf("%s: in order%s%s\n", *files, name != NULL ? ": " : "", name != NULL ? name : "");
    }
    mapping_release(&m);
  }
  return status;
}

/* Its secrets and its mapping are read, as at the beginning of a push. */
static int check_target(const struct tm_conf_target *t)
{
  struct tm_error err = {0};
  const struct target_ops *ops = target_ops_of(t);
  void *state = NULL;
  int rc = ops != NULL ? ops->open(&state, t, &err) : 0;
  if (rc < 0) {
    tm_log_error("%s: %s", t->name, err.text);
    return EX_CONFIG;
  }
  if (ops != NULL)
    ops->close(state);
  printf("%s: in order\n", t->name);
  return EX_OK;
}

static int check_secret(const char *path, struct tm_error *err)
{
  struct tm_secret secret = {0};
  int rc = path != NULL ? tm_secret_load(&secret, path, err) : 0;
  tm_secret_release(&secret);
  return rc;
}

/* Its secrets are read, and its folder, in which `receive` moves what it has taken. */
static int check_source(const struct tm_conf_source *s)
{
  struct tm_error err = {0};
  int rc = check_secret(s->secret_file, &err);
  if (rc == 0)
    rc = check_secret(s->old_secret_file, &err);
  DIR *d = rc == 0 ? opendir(s->directory) : NULL;
  if (rc == 0 && (d == NULL || access(s->directory, W_OK | X_OK) < 0))
    rc = tm_fail(&err, -errno, "%s: %s", s->directory, strerror(errno));
  if (d != NULL)
    closedir(d);
  if (rc < 0) {
    tm_log_error("source %s: %s", s->name, err.text);
    return EX_CONFIG;
  }
  printf("source %s: in order\n", s->name);
  return EX_OK;
}

int cmd_check(const struct tm_args *args)
{
  struct tm_conf conf;
  struct tm_error err = {0};
  const char *wanted = tm_args_get(args, "target");
  if (args->operands_len > 0)
    return check_files(args->operands);
  int rc = tm_conf_load(&conf, tm_args_get(args, "config"), &err);
  if (rc < 0) {
    tm_log_error("%s", err.text);
    return EX_CONFIG;
  }
  int status = EX_OK;
  if (conf.role == TM_ROLE_SITE && tm_conf_need_identity(&conf, &err) < 0) {
    tm_log_error("%s", err.text);
    status = EX_CONFIG;
  } else if (wanted != NULL && tm_conf_target(&conf, wanted, &err) == NULL) {
    tm_log_error("%s", err.text);
    status = EX_USAGE;
  }
  bool named = status == EX_OK && curl_global_init(CURL_GLOBAL_DEFAULT) == 0;
  for (size_t i = 0; named && i < conf.targets_len; i++) {
    if ((wanted == NULL || strcmp(wanted, conf.targets[i].name) == 0) &&
        check_target(&conf.targets[i]) != EX_OK)
      status = EX_CONFIG;
  }
  for (size_t i = 0; named && wanted == NULL && i < conf.sources_len; i++) {
    if (check_source(&conf.sources[i]) != EX_OK)
      status = EX_CONFIG;
  }
  tm_conf_release(&conf);
  return status;
}
