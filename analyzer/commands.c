/* SPDX-License-Identifier: MIT */
#include "analyzer/commands.h"

#include "common/clock.h"
#include "common/log.h"

#include <errno.h>
#include <sysexits.h>

int command_load_conf(const struct tm_args *args, struct tm_conf *conf)
{
  struct tm_error err = {0};
  const char *path = tm_args_get(args, "config");
  int rc = tm_conf_load(conf, path, &err);
  if (rc < 0)
    tm_conf_defaults(conf);
  if (rc == -ENOENT && path == NULL)
    rc = 0;
  if (rc < 0) {
    tm_log_error("%s", err.text);
    return EX_CONFIG;
  }
  if (tm_zone_use(conf->timezone, &err) < 0) {
    tm_log_error("%s: %s", conf->path, err.text);
    return EX_CONFIG;
  }
  return 0;
}
