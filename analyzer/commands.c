/* SPDX-License-Identifier: MIT */
#include "analyzer/commands.h"

#include "common/clock.h"
#include "common/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
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

/* What a server wants is for this server alone. */
static bool same_url(const char *a, const char *b)
{
  size_t n = strlen(a);
  size_t m = b != NULL ? strlen(b) : 0;
  n -= n > 0 && a[n - 1] == '/';
  m -= m > 0 && b[m - 1] == '/';
  return b != NULL && n == m && strncmp(a, b, n) == 0;
}

int command_source(const struct tm_args *args, const struct tm_conf *conf,
                   struct source_options *options)
{
  const char *source = tm_args_get(args, "source");
  const char *data = tm_args_get(args, "data");
  options->type = SOURCE_RRD;
  options->path = data != NULL ? data : conf->data_dir;
  options->flush = conf->rrdcached;
  if (source == NULL && data == NULL && conf->prometheus.url != NULL) {
    options->type = SOURCE_PROMETHEUS;
    options->path = conf->prometheus.url;
  }
  if (source != NULL && data != NULL)
    return tm_args_refuse(args, "source", "give either this or --data");
  if (source != NULL && source_parse(source, options) < 0) {
    char why[120];
    snprintf(why, sizeof(why), "expected %s", source_types());
    return tm_args_refuse(args, "source", why);
  }
  if (options->type == SOURCE_PROMETHEUS && same_url(options->path, conf->prometheus.url))
    options->access = &conf->prometheus;
  return 0;
}

int command_file_status(int rc)
{
  int status = tm_exit_status(rc);
  return status == EX_DATAERR ? EX_CONFIG : status;
}

int command_as_of(const struct tm_args *args, int64_t *as_of)
{
  const char *text = tm_args_get(args, "as-of");
  *as_of = INT64_MIN;
  return text == NULL || tm_time_parse(text, as_of) == 0
             ? 0
             : tm_args_refuse(args, "as-of",
                              "expected 2026-11-20, 2026-11-20T00:00:00Z or @SECONDS");
}
