/* SPDX-License-Identifier: MIT */
#include "exporters/vendor_cmd.h"

#include "common/clock.h"
#include "common/log.h"
#include "exporters/begin.h"
#include "exporters/demand.h"
#include "exporters/inquire.h"
#include "exporters/opportunities.h"
#include "exporters/receive.h"

#include <string.h>
#include <sysexits.h>

/* One of these at a time; none asks. */
static const char *const inquire_modes[] = {"answer", "agree", "release", "list", NULL};

static int check_inquire(const struct tm_args *args, const char **mode)
{
  int64_t t;
  const char *until = tm_args_get(args, "until");
  *mode = NULL;
  for (size_t i = 0; inquire_modes[i] != NULL; i++) {
    if (!tm_args_has(args, inquire_modes[i]))
      continue;
    if (*mode != NULL) {
      tm_log_error("--%s and --%s do not go together", *mode, inquire_modes[i]);
      return EX_USAGE;
    }
    *mode = inquire_modes[i];
  }
  if (*mode != NULL && args->operands_len > 0) {
    tm_log_error("no FILE is wanted with --%s", *mode);
    return EX_USAGE;
  }
  if (until != NULL && (strlen(until) != 10 || tm_time_parse(until, &t) < 0))
    return tm_args_refuse(args, "until", "a date such as 2026-12-04 is wanted");
  return EX_OK;
}

int cmd_inquire(const struct tm_args *args)
{
  struct tm_conf conf;
  const char *mode;
  int status = check_inquire(args, &mode);
  if (status == EX_OK)
    status = begin_command(&conf, args);
  if (status != EX_OK)
    return status;
  struct inquire_order order = {
      .conf = &conf, .target = tm_args_get(args, "target"), .now = tm_now()};
  const char *value = mode != NULL ? tm_args_get(args, mode) : NULL;
  if (mode == NULL)
    status = inquire_ask(&order, args->operands);
  else if (strcmp(mode, "answer") == 0)
    status = inquire_take(&order, value);
  else if (strcmp(mode, "agree") == 0)
    status = inquire_agree(&order, value, tm_args_get(args, "until"));
  else if (strcmp(mode, "release") == 0)
    status = inquire_release(&order, value);
  else
    status = inquire_list(&order, tm_args_has(args, "json"));
  tm_conf_release(&conf);
  return status;
}

static int receive(const struct tm_conf *conf, const struct tm_args *args)
{
  (void)args;
  return receive_run(conf);
}

int cmd_receive(const struct tm_args *args)
{
  return begin_and_run(args, receive);
}

static int figure_of(const struct tm_args *args)
{
  const char *figure = tm_args_get(args, "figure");
  return figure != NULL ? demand_figure_of(figure) : DEMAND_EXPECTED;
}

static int demand(const struct tm_conf *conf, const struct tm_args *args)
{
  const struct demand_order order = {.conf = conf,
                                     .target = tm_args_get(args, "target"),
                                     .figure = (enum demand_figure)figure_of(args),
                                     .now = tm_now()};
  return demand_run(&order, args->operands_len > 0 ? args->operands[0] : "-");
}

int cmd_demand(const struct tm_args *args)
{
  if (figure_of(args) < 0)
    return tm_args_refuse(args, "figure", "expected, low, middle or high is wanted");
  if (args->operands_len > 1) {
    tm_log_error("one FILE is wanted: a demand document");
    return EX_USAGE;
  }
  return begin_and_run(args, demand);
}

static int opportunities(const struct tm_conf *conf, const struct tm_args *args)
{
  const char *target = tm_args_get(args, "target");
  return tm_args_has(args, "open") ? opportunities_open(conf, target, args->operands)
                                   : opportunities_list(conf, target, tm_args_has(args, "json"));
}

int cmd_opportunities(const struct tm_args *args)
{
  if (tm_args_has(args, "open") || args->operands_len == 0)
    return begin_and_run(args, opportunities);
  tm_log_error("a FILE is wanted with --open only");
  return EX_USAGE;
}
