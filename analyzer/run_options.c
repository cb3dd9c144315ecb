/* SPDX-License-Identifier: MIT */
#include "analyzer/run_options.h"

#include "analyzer/commands.h"
#include "common/clock.h"
#include "common/number.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BRIEF_HISTORY_DAYS   30
#define DEFAULT_HISTORY_DAYS 35
#define MAX_HISTORY_DAYS     731

/* As many as there are processors, if nothing else is said. */
static int parse_jobs(struct run_options *o, const struct tm_args *args)
{
  const char *text = tm_args_get(args, "jobs");
  long processors = sysconf(_SC_NPROCESSORS_ONLN);
  uint64_t n = processors < 1                 ? 1
               : processors > SOURCE_MAX_JOBS ? SOURCE_MAX_JOBS
                                              : (uint64_t)processors;
  if (text != NULL && tm_parse_u64(text, 1, SOURCE_MAX_JOBS, &n) < 0) {
    char why[64];
    snprintf(why, sizeof(why), "a number from 1 to %d is expected", SOURCE_MAX_JOBS);
    return tm_args_refuse(args, "jobs", why);
  }
  o->jobs = (unsigned)n;
  return 0;
}

static int parse_times(struct run_options *o, const struct tm_args *args)
{
  int status = command_as_of(args, &o->settings.as_of);
  if (status != 0)
    return status;
  o->source.as_of = o->settings.as_of;
  const char *history = tm_args_get(args, "history");
  int64_t s = (o->settings.brief ? BRIEF_HISTORY_DAYS : DEFAULT_HISTORY_DAYS) * (int64_t)TM_DAY;
  if (history != NULL &&
      (tm_parse_duration(history, &s) < 0 || s < TM_DAY || s > MAX_HISTORY_DAYS * (int64_t)TM_DAY))
    return tm_args_refuse(args, "history", "a duration from 1d to 731d is expected");
  o->settings.history_days = (unsigned)(s / TM_DAY);
  o->source.days = o->settings.history_days;
  return 0;
}

/* What nagios calls soon. */
static int parse_thresholds(struct run_options *o, const struct tm_args *args)
{
  static const char why[] = "a duration such as 90d is expected";
  const char *warning = tm_args_get(args, "warning");
  const char *critical = tm_args_get(args, "critical");
  o->warning_s = 90 * (int64_t)TM_DAY;
  o->critical_s = 30 * (int64_t)TM_DAY;
  if (warning != NULL && tm_parse_duration(warning, &o->warning_s) < 0)
    return tm_args_refuse(args, "warning", why);
  if (critical != NULL && tm_parse_duration(critical, &o->critical_s) < 0)
    return tm_args_refuse(args, "critical", why);
  return 0;
}

static int parse_shard(struct run_options *o, const struct tm_args *args)
{
  const char *text = tm_args_get(args, "shard");
  if (text == NULL)
    return 0;
  char share[16];
  const char *slash = strchr(text, '/');
  uint64_t i = 0;
  uint64_t n = 0;
  if (slash == NULL || (size_t)(slash - text) >= sizeof(share))
    return tm_args_refuse(args, "shard", "expected I/N");
  memcpy(share, text, (size_t)(slash - text));
  share[slash - text] = '\0';
  if (tm_parse_u64(slash + 1, 1, 1000000, &n) < 0 || tm_parse_u64(share, 0, n - 1, &i) < 0)
    return tm_args_refuse(args, "shard", "expected I/N with I from 0 to N-1");
  o->source.shard = (unsigned)i;
  o->source.shards = (unsigned)n;
  return 0;
}

int run_options_parse(struct run_options *o, const struct tm_args *args, const struct tm_conf *conf)
{
  const char *format = tm_args_get(args, "format");
  o->format = report_format_find(format != NULL ? format : "table");
  if (o->format == NULL) {
    char why[120];
    snprintf(why, sizeof(why), "expected one of %s", report_format_names());
    return tm_args_refuse(args, "format", why);
  }
  o->record = tm_args_has(args, "record");
  o->settings.conf = conf;
  o->settings.forecast = !tm_args_has(args, "no-forecast");
  /* What is recorded is sent, and a receiver wants all of each day. */
  o->settings.brief = !o->settings.forecast && !o->record && tm_args_get(args, "history") == NULL;
  int status = parse_jobs(o, args);
  if (status == 0)
    status = parse_times(o, args);
  if (status == 0)
    status = parse_thresholds(o, args);
  if (status == 0)
    status = parse_shard(o, args);
  if (status == 0)
    status = command_source(args, conf, &o->source);
  o->source.all = tm_args_has(args, "all");
  o->source.now = tm_now();
  o->ahead_folder = tm_args_get(args, "forecast-rrd");
  if (o->ahead_folder != NULL && !o->settings.forecast)
    return tm_args_refuse(args, "forecast-rrd", "there is none with --no-forecast");
  o->source.maxima_only = o->settings.brief;
  if (!o->settings.forecast) /* rows beyond the reported days would be read for nobody */
    o->source.read_days = o->source.days;
  return status;
}
