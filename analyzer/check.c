/* SPDX-License-Identifier: MIT */
/*
 * tidemark-analyze check: everything that a run would stand on, before it does: the configuration,
 * the catalogue, the papers of the devices, and what keeps interval maxima from being exact, in the
 * RRD files and in collectd's own configuration.
 */
#include "analyzer/catalogue.h"
#include "analyzer/commands.h"
#include "analyzer/registration.h"
#include "analyzer/source/rrd_settings.h"
#include "analyzer/source/source.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"
#include "common/number.h"

#include <errno.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#define COLLECTD_CONF "/etc/collectd/collectd.conf"
#define UNIT_INTERVAL 300

struct check {
  const struct tm_args *args;
  struct tm_conf conf;
  FILE *out;
  size_t findings;
  size_t registered;
  size_t devices;
};

/* One finding is one line of the output: this command's data, not its errors. */
static void found(void *user, const char *text)
{
  struct check *c = user;
  fprintf(c->out, "%s\n", text);
  c->findings++;
}

static void check_catalogue(struct check *c)
{
  struct tm_error err = {0};
  struct catalogue catalogue = {0};
  const char *path = tm_args_get(c->args, "catalogue");
  if (path == NULL)
    path = c->conf.catalogue;
  if (path != NULL && catalogue_load(&catalogue, path, &err) < 0)
    found(c, err.text);
  catalogue_release(&catalogue);
}

static void check_products(struct check *c)
{
  struct tm_error err = {0};
  struct registrations r = {0};
  if (c->conf.products == NULL)
    return;
  if (registrations_load(&r, c->conf.products, found, c, &err) < 0)
    found(c, err.text);
  c->registered = r.n;
  registrations_release(&r);
}

static int check_source(struct check *c, const struct source_options *options, struct tm_error *err)
{
  struct source *source = NULL;
  const struct series_refusal *refused = NULL;
  int rc = source_open(&source, options, err);
  if (rc == -ENOENT) { /* no data yet is no fault of the configuration, but worth a line */
    found(c, err->text);
    return 0;
  }
  size_t n = rc == 0 ? source_refusals(source, &refused) : 0;
  for (size_t i = 0; i < n; i++)
    found(c, refused[i].text);
  if (rc == 0)
    rc = source_start(source, 1, err);
  struct series s;
  while (rc >= 0 && (rc = source_next(source, 0, &s, err)) > 0) {
    c->devices++;
    for (size_t i = 0; i < s.n_refused; i++)
      found(c, s.refused[i].text);
  }
  source_free(source);
  return rc;
}

static void check_collectd(struct check *c, int64_t interval_s)
{
  struct tm_error err = {0};
  const char *path = tm_args_get(c->args, "collectd-conf");
  if (path == NULL && access(COLLECTD_CONF, R_OK) != 0)
    return;
  if (rrd_settings_conf(path != NULL ? path : COLLECTD_CONF, interval_s, found, c, &err) < 0)
    found(c, err.text);
}

int cmd_check(const struct tm_args *args)
{
  struct check c = {.args = args};
  struct tm_error err = {0};
  struct tm_output out = {0};
  struct source_options options = {
      .now = tm_now(), .as_of = INT64_MIN, .days = 1, .settings = true};
  int64_t interval_s = UNIT_INTERVAL;
  const char *interval = tm_args_get(args, "interval");
  int status = command_load_conf(args, &c.conf);
  if (status == EX_OK && interval != NULL &&
      (tm_parse_duration(interval, &interval_s) < 0 || interval_s < 1))
    status = tm_args_refuse(args, "interval", "a duration such as 300s is expected");
  if (interval != NULL)
    options.interval_s = interval_s;
  if (status == EX_OK)
    status = command_source(args, &c.conf, &options);
  if (status != EX_OK)
    goto out;
  int rc = tm_output_open(&out, tm_args_get(args, "output"), 0644, &err);
  if (rc == 0) {
    c.out = out.stream;
    check_catalogue(&c);
    check_products(&c);
    check_collectd(&c, interval_s);
    rc = check_source(&c, &options, &err);
  }
  if (rc == 0 && c.findings == 0)
    fprintf(c.out, "nothing to mend: %zu device%s, %zu registered\n", c.devices,
            c.devices == 1 ? "" : "s", c.registered);
  if (rc == 0)
    rc = tm_output_commit(&out, &err);
  status = rc < 0 ? tm_exit_status(rc) : c.findings > 0 ? EX_DATAERR : EX_OK;
  if (rc < 0)
    tm_log_error("%s", err.text);
out:
  tm_output_release(&out);
  tm_conf_release(&c.conf);
  return status;
}
