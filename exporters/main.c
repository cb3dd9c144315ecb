/* SPDX-License-Identifier: MIT */
#include "common/clock.h"
#include "common/conf.h"
#include "common/log.h"
#include "common/options.h"
#include "exporters/begin.h"
#include "exporters/check_cmd.h"
#include "exporters/consent.h"
#include "exporters/enrol.h"
#include "exporters/push.h"
#include "exporters/queue.h"
#include "exporters/requests.h"
#include "exporters/rights.h"
#include "exporters/schema.h"
#include "exporters/show.h"
#include "exporters/sign_cmd.h"
#include "exporters/vendor_cmd.h"
#include "exporters/withdraw.h"
#include "places.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

static int64_t now_ms(void)
{
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* --- consent -------------------------------------------------------------------------------- */

static int read_change(const struct tm_args *args, struct consent_change *change)
{
  if (args->operands_len != 1) {
    tm_log_error("one PURPOSE is wanted: sales, factory, service or comparison");
    return EX_USAGE;
  }
  unsigned purpose = tm_purpose_of(args->operands[0]);
  if (purpose == 0) {
    tm_log_error("'%s' is no purpose: sales, factory, service and comparison are",
                 args->operands[0]);
    return EX_USAGE;
  }
  *change = (struct consent_change){.purpose = (enum tm_purpose)purpose,
                                    .device = tm_args_get(args, "device"),
                                    .by = tm_args_get(args, "by"),
                                    .now = tm_now()};
  if (change->device != NULL && change->device[0] == '\0')
    return tm_args_refuse(args, "device", "a name is wanted");
  if (change->by != NULL && change->by[0] == '\0')
    return tm_args_refuse(args, "by", "a name is wanted");
  return EX_OK;
}

static void print_fields(const json_t *grown)
{
  size_t i;
  json_t *field;
  json_array_foreach(grown, i, field)
  {
    printf("  + %s\n", json_string_value(field));
  }
}

static int run_enable(const struct tm_args *args)
{
  struct tm_conf conf;
  struct consent_change change;
  struct schema schema;
  struct tm_error err = {0};
  json_t *grown = NULL, *fields = NULL;
  int status = read_change(args, &change);
  if (status == EX_OK && change.by == NULL) {
    tm_log_error("--by NAME is wanted: consent says who gave it");
    status = EX_USAGE;
  }
  if (status == EX_OK)
    status = begin_command(&conf, args);
  if (status != EX_OK)
    return status;
  int rc = schema_load(&schema, SCHEMA_SUMMARY, &err);
  if (rc == 0) {
    fields = schema_fields(&schema, change.purpose);
    change.fields = fields;
    rc = consent_enable(conf.state_dir, &change, &grown, &err);
    schema_release(&schema);
  }
  if (rc == 0) {
    printf("%s is on%s%s; newly agreed to:\n", args->operands[0],
           change.device != NULL ? " for " : "", change.device != NULL ? change.device : "");
    print_fields(grown);
  } else {
    tm_log_error("%s", err.text);
    status = tm_exit_status(rc);
  }
  json_decref(grown);
  json_decref(fields);
  tm_conf_release(&conf);
  return status;
}

static int run_disable(const struct tm_args *args)
{
  struct tm_conf conf;
  struct consent_change change;
  struct tm_error err = {0};
  size_t moved = 0;
  int status = read_change(args, &change);
  if (status == EX_OK)
    status = begin_command(&conf, args);
  if (status != EX_OK)
    return status;
  int rc = consent_disable(conf.state_dir, &change, &err);
  if (rc == 0)
    rc = withdraw_items(&conf, &moved, &err);
  if (rc == 0) {
    printf("%s is off%s%s; %zu unsent items were withdrawn\n", args->operands[0],
           change.device != NULL ? " for " : "", change.device != NULL ? change.device : "", moved);
  } else {
    tm_log_error("%s", err.text);
    status = tm_exit_status(rc);
  }
  tm_conf_release(&conf);
  return status;
}

static int run_enrol(const struct tm_args *args)
{
  if (args->operands_len != 1) {
    tm_log_error("one FILE is wanted: what the vendor gave");
    return EX_USAGE;
  }
  return enrol_run(tm_args_get(args, "config"), args->operands[0]);
}

/* --- the spool ------------------------------------------------------------------------------ */

static int with_targets(const struct tm_conf *conf)
{
  if (conf->targets_len > 0)
    return EX_OK;
  tm_log_error("%s: no target is configured", conf->path);
  return EX_CONFIG;
}

static int run_filling(const struct tm_args *args, bool preview)
{
  struct tm_conf conf;
  int status = begin_command(&conf, args);
  if (status != EX_OK)
    return status;
  struct queue_order order = {.conf = &conf,
                              .target = tm_args_get(args, "target"),
                              .files = args->operands,
                              .now = tm_args_has(args, "now"),
                              .time_ms = now_ms()};
  status = with_targets(&conf);
  if (status == EX_OK)
    status = preview ? preview_run(&order, tm_args_get(args, "output")) : queue_run(&order);
  tm_conf_release(&conf);
  return status;
}

static int run_queue(const struct tm_args *args)
{
  return run_filling(args, false);
}

static int run_preview(const struct tm_args *args)
{
  return run_filling(args, true);
}

static int run_push(const struct tm_args *args)
{
  static const char *const triggers[] = {"mail", "link", "timer", NULL};
  const char *trigger = tm_args_get(args, "trigger");
  size_t i = 0;
  while (trigger != NULL && triggers[i] != NULL && strcmp(triggers[i], trigger) != 0)
    i++;
  if (trigger != NULL && triggers[i] == NULL)
    return tm_args_refuse(args, "trigger", "mail, link or timer is wanted");
  struct tm_conf conf;
  int status = begin_command(&conf, args);
  if (status != EX_OK)
    return status;
  struct push_order order = {.conf = &conf,
                             .target = tm_args_get(args, "target"),
                             .once = tm_args_has(args, "once"),
                             .manual = trigger == NULL,
                             .now = tm_args_has(args, "now")};
  status = with_targets(&conf);
  if (status == EX_OK)
    status = push_run(&order);
  tm_conf_release(&conf);
  return status;
}

/* --- looking -------------------------------------------------------------------------------- */

static int run_status(const struct tm_args *args)
{
  struct tm_conf conf;
  int status = begin_command(&conf, args);
  if (status != EX_OK)
    return status;
  status = show_status(&conf, tm_args_get(args, "target"), tm_args_has(args, "json"), tm_now());
  tm_conf_release(&conf);
  return status;
}

static int run_history(const struct tm_args *args)
{
  struct tm_conf conf;
  int status = begin_command(&conf, args);
  if (status != EX_OK)
    return status;
  status = show_history(&conf, tm_args_get(args, "target"), tm_args_has(args, "json"));
  tm_conf_release(&conf);
  return status;
}

static int with_key(const struct tm_args *args, int (*run)(const struct tm_conf *, const char *))
{
  struct tm_conf conf;
  if (args->operands_len != 1) {
    tm_log_error("one KEY is wanted, or its first 8 characters");
    return EX_USAGE;
  }
  int status = begin_command(&conf, args);
  if (status != EX_OK)
    return status;
  status = run(&conf, args->operands[0]);
  tm_conf_release(&conf);
  return status;
}

static int run_show(const struct tm_args *args)
{
  return with_key(args, show_item);
}

static int requeue(const struct tm_conf *conf, const char *key)
{
  return show_requeue(conf, key, now_ms());
}

static int run_requeue(const struct tm_args *args)
{
  return with_key(args, requeue);
}

static int run_purge(const struct tm_args *args)
{
  struct tm_conf conf;
  int status = begin_command(&conf, args);
  if (status != EX_OK)
    return status;
  status = show_purge(&conf, tm_args_get(args, "target"), tm_args_has(args, "dead"),
                      tm_args_has(args, "all"), tm_now());
  tm_conf_release(&conf);
  return status;
}

static int run_requests(const struct tm_args *args)
{
  struct tm_conf conf;
  const char *answer = tm_args_get(args, "answer");
  const char *refuse = tm_args_get(args, "refuse");
  bool ask = tm_args_has(args, "ask");
  int decisions = (answer != NULL) + (refuse != NULL) + ask;
  if (decisions > 1 || args->operands_len != (size_t)decisions) {
    tm_log_error("an ID is wanted with one of --ask, --answer and --refuse, and none without");
    return EX_USAGE;
  }
  int status = begin_command(&conf, args);
  if (status != EX_OK)
    return status;
  if (ask)
    status = requests_ask(&conf, args->operands[0], now_ms());
  else if (answer != NULL)
    status = requests_answer(&conf, args->operands[0], answer, now_ms());
  else if (refuse != NULL)
    status = requests_refuse(&conf, args->operands[0], refuse, now_ms());
  else
    status = requests_list(&conf, tm_args_has(args, "json"), tm_now());
  tm_conf_release(&conf);
  return status;
}

/* --- rights --------------------------------------------------------------------------------- */

static int run_export_all(const struct tm_args *args)
{
  struct tm_conf conf;
  const char *output = tm_args_get(args, "output");
  if (output == NULL) {
    tm_log_error("--output DIR is wanted: a new folder");
    return EX_USAGE;
  }
  int status = begin_command(&conf, args);
  if (status != EX_OK)
    return status;
  status = rights_export_all(&conf, output, tm_now());
  tm_conf_release(&conf);
  return status;
}

static int run_delete_request(const struct tm_args *args)
{
  struct tm_conf conf;
  const char *by = tm_args_get(args, "by");
  if (by == NULL || by[0] == '\0') {
    tm_log_error("--by NAME is wanted: a request for deletion says whose it is");
    return EX_USAGE;
  }
  int status = begin_command(&conf, args);
  if (status != EX_OK)
    return status;
  status = with_targets(&conf);
  if (status == EX_OK)
    status = rights_delete_request(&conf, tm_args_get(args, "target"), tm_args_get(args, "device"),
                                   by, now_ms());
  tm_conf_release(&conf);
  return status;
}

/* --- the program ---------------------------------------------------------------------------- */

static const struct tm_option options[] = {
    {'c', "config", "FILE", NULL, "read this configuration instead of " TM_CONF_PATH},
    {'t', "target", "NAME",
     "queue push preview status history opportunities inquire demand purge delete-request check "
     "key",
     "this target alone; key: its name at the site"},
    {'d', "device", "DEVICE", "enable disable delete-request",
     "this device alone: NAME or HOST/NAME"},
    {'b', "by", "NAME", "enable disable delete-request", "who decides it"},
    {'n', "now", NULL, "queue preview push",
     "queue and preview: pass over the schedule; push: over quiet hours and waiting"},
    {'o', "output", "DIR", "preview export-all",
     "preview: also write each event to DIR/KEY.json; export-all: the new folder"},
    {'T', "trigger", "mail|link|timer", "push", "why now"},
    {'1', "once", NULL, "push", "one pass; do not wait for retries that are due within a minute"},
    {'j', "json", NULL, "status history opportunities inquire requests", "as JSON"},
    {0, "ask", NULL, "requests", "ask the device now, and answer with what it says"},
    {0, "answer", "FILE", "requests inquire",
     "requests: answer with what tidemark-probe --items printed; inquire: take answers that came "
     "from elsewhere; - for standard input"},
    {0, "open", NULL, "opportunities", "print summaries without what was won, lost or dropped"},
    {0, "figure", "expected|low|middle|high", "demand",
     "which of its numbers; expected unless given"},
    {0, "list", NULL, "inquire", "what was asked and answered"},
    {0, "agree", "ID", "inquire", "reserve what the answer promises from stock"},
    {0, "until", "DATE", "inquire", "with --agree: the last day of the reservation"},
    {0, "release", "ID", "inquire", "give back what was reserved"},
    {0, "refuse", "WHY", "requests", "refuse, and say why"},
    {0, "secret-file", "FILE", "sign verify", "the secret of the signature, whsec_ and base64"},
    {0, "id", "ID", "sign verify", "the webhook-id, where the document does not say it"},
    {0, "at", "TIME", "sign verify", "the webhook-timestamp; sign: instead of now"},
    {0, "signature", "HEADER", "verify", "the webhook-signature, instead of a file of headers"},
    {0, "explain", NULL, "key", "also print the lines that are hashed"},
    {0, "dead", NULL, "purge", "also what was given up"},
    {0, "all", NULL, "purge", "whatever its age"},
    {0},
};

static const struct tm_command commands[] = {
    {"enrol", "FILE", "make a target of what the vendor gave, or renew its credentials", run_enrol},
    {"enable", "sales|factory|service|comparison", "agree that data leaves for this purpose",
     run_enable},
    {"disable", "sales|factory|service|comparison", "withdraw it; what is unsent is withdrawn too",
     run_disable},
    {"queue", "[FILE|-]...", "turn due summaries into items of the spool", run_queue},
    {"push", "", "send what is due", run_push},
    {"preview", "[FILE|-]...", "show the very bytes that would leave, and what would not",
     run_preview},
    {"status", "", "show consent, schedule and targets", run_status},
    {"history", "", "list what was sent and refused", run_history},
    {"receive", "", "take what sites have dropped", cmd_receive},
    {"demand", "[FILE|-]", "give a demand document to an ERP as its forecast", cmd_demand},
    {"inquire", "[FILE|-]...", "ask an ERP for stock and date; reserve, release", cmd_inquire},
    {"opportunities", "[FILE|-]...", "list what became of what was offered to an ERP",
     cmd_opportunities},
    {"show", "KEY", "print an item's bytes", run_show},
    {"requeue", "KEY", "put a given-up item back into the line", run_requeue},
    {"export-all", "", "copy all raw data of the site into a new folder", run_export_all},
    {"delete-request", "", "ask the targets to delete what was sent", run_delete_request},
    {"requests", "[ID]", "list what service asks for; answer or refuse it", run_requests},
    {"purge", "", "remove old copies of what was sent", run_purge},
    {"check", "[MAPPING]...", "check configuration, secrets and mapping files", cmd_check},
    {"sign", "FILE", "print the headers that a document is signed by", cmd_sign},
    {"verify", "FILE [HEADERS]", "check the signature of a document", cmd_verify},
    {"key", "FILE", "compute the key of a document", cmd_key},
    {0},
};

static const struct tm_program program = {
    .name = "tidemark-export",
    .summary = "Sends summaries of devices to those who may have them: by consent, through a spool "
               "that loses nothing.",
    .commands = commands,
    .options = options,
};

int main(int argc, char **argv)
{
  return tm_program_main(&program, argc, argv);
}
