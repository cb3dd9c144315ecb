/* SPDX-License-Identifier: MIT */
#include "exporters/site_cmd.h"

#include "common/clock.h"
#include "common/log.h"
#include "exporters/begin.h"
#include "exporters/push.h"
#include "exporters/queue.h"
#include "exporters/requests.h"
#include "exporters/rights.h"
#include "exporters/show.h"

#include <string.h>
#include <sysexits.h>
#include <time.h>

static int64_t now_ms(void)
{
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* For commands that are nothing without a target. */
static int want_targets(const struct tm_conf *conf)
{
  if (conf->targets_len > 0)
    return EX_OK;
  tm_log_error("%s: no target is configured", conf->path);
  return EX_CONFIG;
}

/* --- the spool ------------------------------------------------------------------------------ */

static struct queue_order queue_order_of(const struct tm_conf *conf, const struct tm_args *args)
{
  return (struct queue_order){.conf = conf,
                              .target = tm_args_get(args, "target"),
                              .files = args->operands,
                              .now = tm_args_has(args, "now"),
                              .time_ms = now_ms()};
}

static int queue(const struct tm_conf *conf, const struct tm_args *args)
{
  const struct queue_order order = queue_order_of(conf, args);
  int status = want_targets(conf);
  return status == EX_OK ? queue_run(&order) : status;
}

int cmd_queue(const struct tm_args *args)
{
  return begin_and_run(args, queue);
}

static int preview(const struct tm_conf *conf, const struct tm_args *args)
{
  const struct queue_order order = queue_order_of(conf, args);
  int status = want_targets(conf);
  return status == EX_OK ? preview_run(&order, tm_args_get(args, "output")) : status;
}

int cmd_preview(const struct tm_args *args)
{
  return begin_and_run(args, preview);
}

static int push(const struct tm_conf *conf, const struct tm_args *args)
{
  const struct push_order order = {.conf = conf,
                                   .target = tm_args_get(args, "target"),
                                   .once = tm_args_has(args, "once"),
                                   .manual = !tm_args_has(args, "trigger"),
                                   .now = tm_args_has(args, "now")};
  int status = want_targets(conf);
  return status == EX_OK ? push_run(&order) : status;
}

int cmd_push(const struct tm_args *args)
{
  static const char *const triggers[] = {"mail", "link", "timer", NULL};
  const char *trigger = tm_args_get(args, "trigger");
  size_t i = 0;
  while (trigger != NULL && triggers[i] != NULL && strcmp(triggers[i], trigger) != 0)
    i++;
  if (trigger != NULL && triggers[i] == NULL)
    return tm_args_refuse(args, "trigger", "mail, link or timer is wanted");
  return begin_and_run(args, push);
}

static int purge(const struct tm_conf *conf, const struct tm_args *args)
{
  return show_purge(conf, tm_args_get(args, "target"), tm_args_has(args, "dead"),
                    tm_args_has(args, "all"), tm_now());
}

int cmd_purge(const struct tm_args *args)
{
  return begin_and_run(args, purge);
}

/* --- looking -------------------------------------------------------------------------------- */

static int status(const struct tm_conf *conf, const struct tm_args *args)
{
  return show_status(conf, tm_args_get(args, "target"), tm_args_has(args, "json"), tm_now());
}

int cmd_status(const struct tm_args *args)
{
  return begin_and_run(args, status);
}

static int history(const struct tm_conf *conf, const struct tm_args *args)
{
  return show_history(conf, tm_args_get(args, "target"), tm_args_has(args, "json"));
}

int cmd_history(const struct tm_args *args)
{
  return begin_and_run(args, history);
}

static int with_key(const struct tm_args *args, begin_run *run)
{
  if (args->operands_len == 1)
    return begin_and_run(args, run);
  tm_log_error("one KEY is wanted, or its first 8 characters");
  return EX_USAGE;
}

static int show(const struct tm_conf *conf, const struct tm_args *args)
{
  return show_item(conf, args->operands[0]);
}

int cmd_show(const struct tm_args *args)
{
  return with_key(args, show);
}

static int requeue(const struct tm_conf *conf, const struct tm_args *args)
{
  return show_requeue(conf, args->operands[0], now_ms());
}

int cmd_requeue(const struct tm_args *args)
{
  return with_key(args, requeue);
}

/* --- what service asks for ------------------------------------------------------------------ */

static int requests(const struct tm_conf *conf, const struct tm_args *args)
{
  const char *answer = tm_args_get(args, "answer");
  const char *refuse = tm_args_get(args, "refuse");
  if (tm_args_has(args, "ask"))
    return requests_ask(conf, args->operands[0], now_ms());
  if (answer != NULL)
    return requests_answer(conf, args->operands[0], answer, now_ms());
  if (refuse != NULL)
    return requests_refuse(conf, args->operands[0], refuse, now_ms());
  return requests_list(conf, tm_args_has(args, "json"), tm_now());
}

int cmd_requests(const struct tm_args *args)
{
  int decisions =
      tm_args_has(args, "ask") + tm_args_has(args, "answer") + tm_args_has(args, "refuse");
  if (decisions <= 1 && args->operands_len == (size_t)decisions)
    return begin_and_run(args, requests);
  tm_log_error("an ID is wanted with one of --ask, --answer and --refuse, and none without");
  return EX_USAGE;
}

/* --- rights --------------------------------------------------------------------------------- */

static int export_all(const struct tm_conf *conf, const struct tm_args *args)
{
  return rights_export_all(conf, tm_args_get(args, "output"), tm_now());
}

int cmd_export_all(const struct tm_args *args)
{
  if (tm_args_has(args, "output"))
    return begin_and_run(args, export_all);
  tm_log_error("--output DIR is wanted: a new folder");
  return EX_USAGE;
}

static int delete_request(const struct tm_conf *conf, const struct tm_args *args)
{
  int rc = want_targets(conf);
  return rc == EX_OK
             ? rights_delete_request(conf, tm_args_get(args, "target"), tm_args_get(args, "device"),
                                     tm_args_get(args, "by"), now_ms())
             : rc;
}

int cmd_delete_request(const struct tm_args *args)
{
  if (tm_args_has(args, "by")) {
    int status = begin_check_by(args);
    return status == EX_OK ? begin_and_run(args, delete_request) : status;
  }
  tm_log_error("--by NAME is wanted: a request for deletion says whose it is");
  return EX_USAGE;
}
