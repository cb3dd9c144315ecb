/* SPDX-License-Identifier: MIT */
#include "contrib/desk/begin.h"

#include "common/clock.h"
#include "common/log.h"

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

int desk_store(struct store **store, const struct desk_conf *conf, struct tm_error *err)
{
  const struct store_settings settings = {
      .url = conf->database, .password_file = conf->database_password_file, .connections = 1};
  return store_open(store, &settings, err);
}
