/* SPDX-License-Identifier: MIT */
#include "contrib/desk/commands.h"

#include "common/clock.h"
#include "common/log.h"

#include <errno.h>
#include <string.h>
#include <sysexits.h>

int desk_begin(struct desk_conf *conf, const struct tm_args *args)
{
  struct tm_error err = {0};
  int rc = desk_conf_load(conf, tm_args_get(args, "config"), &err);
  if (rc == 0) {
    rc = tm_zone_use(conf->timezone, &err);
    if (rc == 0)
      return EX_OK;
    desk_conf_release(conf);
  }
  tm_log_error("%s", err.text);
  return EX_CONFIG;
}

int desk_run(const struct tm_args *args, desk_command *work, void *what)
{
  struct desk_conf conf;
  struct desk desk = {.conf = &conf, .now = tm_now};
  struct tm_error err = {0};
  int status = desk_begin(&conf, args);
  if (status != EX_OK)
    return status;
  const struct store_settings settings = {
      .url = conf.database, .password_file = conf.database_password_file, .connections = 1};
  int rc = store_open(&desk.store, &settings, &err);
  if (rc == 0)
    rc = work(&desk, what, &err);
  if (rc < 0)
    tm_log_error("%s", err.text);
  templates_free(desk.templates);
  store_close(desk.store);
  desk_conf_release(&conf);
  return rc >= 0 ? rc : rc == -EEXIST ? EX_DATAERR : tm_exit_status(rc);
}

int desk_run_on(const struct tm_args *args, desk_command *work, const char *wanted)
{
  if (args->operands_len != 1) {
    tm_log_error("%s", wanted);
    return EX_USAGE;
  }
  return desk_run(args, work, args->operands[0]);
}

const void *desk_action_of(const struct tm_args *args, const void *table, size_t n, size_t each,
                           const char *wanted)
{
  for (size_t i = 0; args->operands_len > 0 && i < n; i++) {
    const struct desk_action *a = (const void *)((const char *)table + i * each);
    if (strcmp(a->name, args->operands[0]) == 0 && args->operands_len == a->operands + 1)
      return a;
  }
  tm_log_error("%s", wanted);
  return NULL;
}
