/* SPDX-License-Identifier: MIT */
/* tidemark-probe: asks devices by URL and prints what a plugin would see. */
#include "common/buf.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/log.h"
#include "common/number.h"
#include "common/options.h"
#include "plugins/ask.h"
#include "plugins/serve.h"
#include "plugins/source/block.h"
#include "plugins/source/ipp.h"
#include "plugins/source/redfish.h"
#include "plugins/source/snmp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum { DEFAULT_TIMEOUT_S = 10, MAX_TIMEOUT_S = 3600, MAX_ITEMS = 256, MAX_LINE = 64 << 20 };

static const struct ask_source *const sources[] = {&source_block,
#ifndef TM_HOST_ONLY
                                                   &source_snmp, &source_redfish, &source_ipp,
#endif
                                                   NULL};

static const struct tm_option options[] = {
    {'t', "timeout", "SECONDS", NULL, "give a device up after so long (default 10)"},
    {0, "credentials", "FILE", NULL, "names and secrets for the devices, readable by nobody else"},
    {0, "cacert", "FILE", NULL,
     "certificates that servers may be signed by, for redfishs: and ipps:"},
    {0, "pinned-key", "KEY", NULL, "accept the server with this key alone: sha256//BASE64"},
#ifndef TM_HOST_ONLY
    {0, "serve", NULL, NULL, "answer the questions of a plugin, which starts this by itself"},
#endif
    {0, "items", "NAME,...", NULL, "ask for these data items only"},
    {0, "explain", NULL, NULL, "say which OID or path gave each value"},
    {0, "profiles", "DIR", NULL, "look here first for what is known of product families"},
    {0, "proc", "DIR", NULL, "where /proc is seen, for block: (default /proc)"},
    {0, "sys", "DIR", NULL, "where /sys is seen, for block: (default /sys)"},
    {0, "root", "DIR", NULL, "where the root of the file systems is seen, for block:"},
    {0}};

/* Options that are settings of a device. */
static const struct {
  const char *option;
  const char *setting;
} settings_of[] = {{"credentials", "Credentials"},
                   {"cacert", "CACert"},
                   {"pinned-key", "PinnedKey"},
                   {"profiles", "Profiles"},
                   {"proc", "ProcPath"},
                   {"sys", "SysPath"},
                   {"root", "RootPath"}};

struct probe {
  struct ask *ask;
  struct ask_settings settings;
  struct ask_job *jobs;
  size_t jobs_len;
  char *items_text;
  const char *items[MAX_ITEMS + 1];
  double timeout_s;
};

/* EX_OK, or the status to leave with, the reason said. */
static int read_options(struct probe *p, const struct tm_args *args)
{
  const char *timeout = tm_args_get(args, "timeout");
  p->timeout_s = DEFAULT_TIMEOUT_S;
  if (timeout != NULL && (tm_parse_double(timeout, &p->timeout_s) < 0 || p->timeout_s <= 0 ||
                          p->timeout_s > MAX_TIMEOUT_S))
    return tm_args_refuse(args, "timeout", "seconds between 0 and 3600 are wanted");
  for (size_t i = 0; i < sizeof(settings_of) / sizeof(settings_of[0]); i++) {
    const char *value = tm_args_get(args, settings_of[i].option);
    if (value != NULL && ask_settings_set(&p->settings, settings_of[i].setting, value) < 0) {
      tm_log_error("out of memory");
      return EX_OSERR;
    }
  }
  const char *items = tm_args_get(args, "items");
  if (items == NULL)
    return EX_OK;
  p->items_text = strdup(items);
  if (p->items_text == NULL) {
    tm_log_error("out of memory");
    return EX_OSERR;
  }
  char *rest = p->items_text;
  size_t n = 0;
  for (char *item = NULL; (item = strsep(&rest, ",")) != NULL;) {
    if (item[0] == '\0' || n == MAX_ITEMS)
      return tm_args_refuse(args, "items", "names separated by commas are wanted, 256 at most");
    p->items[n++] = item;
  }
  return EX_OK;
}

static int make_jobs(struct probe *p, const struct tm_args *args)
{
  struct tm_error err = {0};
  p->jobs = calloc(args->operands_len, sizeof(*p->jobs));
  if (p->jobs == NULL || ask_new(&p->ask, sources, &p->settings, &err) < 0) {
    tm_log_error("out of memory");
    return EX_OSERR;
  }
  for (size_t i = 0; i < args->operands_len; i++) {
    struct ask_job *job = &p->jobs[i];
    int rc = ask_device_from_url(&job->device, p->ask, args->operands[i], &p->settings, &err);
    if (rc < 0) {
      /* The URL itself may hold a secret: its place on the command line names it. */
      tm_log_error("operand %zu: %s", i + 1, err.text);
      return rc == -EINVAL ? EX_USAGE : tm_exit_status(rc);
    }
    p->jobs_len = i + 1;
    job->part = p->items[0] != NULL ? ASK_ITEMS : ASK_EVERYTHING;
    job->items = p->items;
    job->deadline = tm_monotonic() + p->timeout_s;
    job->explain = tm_args_has(args, "explain") ? json_object() : NULL;
  }
  return EX_OK;
}

static int print_job(const struct ask_job *job)
{
  struct tm_buf line = TM_BUF_INIT(MAX_LINE);
  json_t *o = reading_to_json(&job->reading);
  if (o != NULL && job->explain != NULL)
    json_object_set(o, "explain", job->explain);
  int rc = o != NULL ? tm_json_append(&line, o) : -ENOMEM;
  if (rc == 0)
    puts(line.ptr);
  else
    tm_log_error("out of memory");
  json_decref(o);
  tm_buf_release(&line);
  return rc;
}

static int run(const struct tm_args *args)
{
  struct probe p = {0};
  int status = EX_OK;
#ifndef TM_HOST_ONLY
  snmp_allow_v3();
  if (tm_args_has(args, "serve"))
    return serve_run(0, sources);
#endif
  if (args->operands_len == 0) {
    tm_log_error("no URL given; try 'tidemark-probe block:'");
    return EX_USAGE;
  }
  status = read_options(&p, args);
  if (status == EX_OK)
    status = make_jobs(&p, args);
  if (status != EX_OK)
    goto out;
  ask_run(p.jobs, p.jobs_len);
  for (size_t i = 0; i < p.jobs_len; i++) {
    const struct tm_error *error = &p.jobs[i].reading.error;
    if (error->code != 0) {
      tm_log_error("%s", error->text);
      status = EX_UNAVAILABLE;
    }
    if (print_job(&p.jobs[i]) < 0) {
      tm_log_error("a reading cannot be printed: out of memory");
      status = EX_OSERR;
    }
  }
out:
  for (size_t i = 0; i < p.jobs_len; i++) {
    reading_release(&p.jobs[i].reading);
    json_decref(p.jobs[i].explain);
    ask_device_free(p.jobs[i].device);
  }
  ask_free(p.ask);
  ask_settings_release(&p.settings);
  free(p.jobs);
  free(p.items_text);
  return status;
}

static const struct tm_command commands[] = {{NULL, "URL...", "", run}, {0}};

static const struct tm_program program = {
    .name = "tidemark-probe",
    .summary = "Asks devices by URL and prints one JSON object per URL and line: what the "
               "plugins would see. URLs: block: (this host), block:md0, snmp://COMMUNITY@HOST, "
               "redfishs://HOST, ipp://HOST/PATH.",
    .commands = commands,
    .options = options,
};

int main(int argc, char **argv)
{
  return tm_program_main(&program, argc, argv);
}
