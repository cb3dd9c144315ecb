/* SPDX-License-Identifier: MIT */
/*
 * tidemark-demo: writes the demonstration fleet (see fleet.h), two years that end at --end:
 * OUT/CUSTOMER/{tidemark.conf,products.d,rrd,state,spool,outbox}. One process a site.
 */
#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"
#include "common/options.h"
#include "contrib/demo/course.h"
#include "contrib/demo/paper.h"
#include "contrib/demo/store.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

struct job {
  const struct site *site;
  const struct store_types *types;
  const char *out;
  const char *catalogue;
  int64_t end; /* a multiple of UNIT_S */
};

/* Was collectd down in the interval that ends at t? The first one after it is unknown too. */
static bool down(const struct site *s, int64_t first, int64_t t)
{
  int64_t begin = first + (int64_t)s->gap_day * TM_DAY;
  return s->gap_hours > 0 && t > begin && t <= begin + (int64_t)s->gap_hours * 3600;
}

static int device_files(const struct job *job, const struct device *d, const struct series *series,
                        size_t n, int64_t first, struct store_file *files, struct tm_error *err)
{
  char folder[128];
  char path[PATH_MAX];
  course_folder(d, folder, sizeof(folder));
  snprintf(path, sizeof(path), "%s/%s/rrd/%s/%s", job->out, job->site->customer, job->site->host,
           folder);
  int rc = tm_dir_make(path, 0755, err);
  for (size_t i = 0; rc == 0 && i < n; i++) {
    const struct store_type *type = store_type_find(job->types, series[i].type);
    if (type == NULL || type->n_sources != series[i].n_values)
      return tm_fail(err, -ENOENT, "%s: not in the types.db files, or with other data sources",
                     series[i].type);
    snprintf(path, sizeof(path), "%s/%s/rrd/%s/%s/%s%s%s.rrd", job->out, job->site->customer,
             job->site->host, folder, series[i].type, series[i].instance == NULL ? "" : "-",
             series[i].instance == NULL ? "" : series[i].instance);
    rc = store_create(&files[i], path, type, first, UNIT_S, err);
  }
  return rc;
}

/* The value that collectd would hand on: at a border after a gap the count is not known. */
static int series_add(struct store_file *f, const struct series *s, const struct job *job,
                      int64_t first, int64_t t, const double *values, struct tm_error *err)
{
  if (down(job->site, first, t))
    return 0;
  if (!s->at_border)
    return store_add(f, (double)(t - UNIT_S) + job->site->phase_s, values, s->n_values, err);
  bool unknown = t == first + UNIT_S || down(job->site, first, t - UNIT_S);
  const double nothing[] = {NAN};
  return store_add(f, (double)t, unknown ? nothing : values, s->n_values, err);
}

static int device_write(const struct job *job, const struct device *d, struct tm_error *err)
{
  struct series series[MAX_SERIES];
  struct store_file files[MAX_SERIES] = {0};
  double values[MAX_SERIES][MAX_VALUES];
  struct course course;
  int64_t first = job->end - (int64_t)DAYS * TM_DAY;
  double phase = job->site->phase_s / UNIT_S;
  size_t n = course_series(d, series);
  int rc = device_files(job, d, series, n, first, files, err);
  course_init(&course, d);
  for (int64_t t = first + UNIT_S; rc == 0 && t <= job->end; t += UNIT_S) {
    course_step(&course, t, phase, values);
    for (size_t i = 0; rc == 0 && i < n; i++)
      rc = series_add(&files[i], &series[i], job, first, t, values[i], err);
  }
  for (size_t i = 0; i < n; i++) {
    if (rc == 0)
      rc = store_flush(&files[i], err);
    store_release(&files[i]);
  }
  return rc;
}

static int site_write(const struct job *job, struct tm_error *err)
{
  char dir[PATH_MAX];
  int rc = tm_zone_use(job->site->timezone, err);
  if (rc < 0)
    return rc;
  snprintf(dir, sizeof(dir), "%s/%s", job->out, job->site->customer);
  rc = paper_write(dir, job->site, job->catalogue, job->end - (int64_t)DAYS * TM_DAY, err);
  for (const struct device *d = job->site->devices; rc == 0 && d->name != NULL; d++)
    rc = device_write(job, d, err);
  return rc;
}

static pid_t site_start(const struct job *job)
{
  pid_t pid = fork();
  if (pid != 0)
    return pid;
  struct tm_error err = {0};
  int rc = site_write(job, &err);
  if (rc < 0)
    tm_log_error("%s", err.text);
  _exit(tm_exit_status(rc));
}

/* One process a site: each has a time zone of its own, and they share the processors. */
static int fleet_write(const struct job *base)
{
  int worst = EX_OK;
  size_t n = 0;
  for (const struct site *s = demo_fleet; s->customer != NULL; s++, n++) {
    struct job job = *base;
    job.site = s;
    if (site_start(&job) < 0) {
      tm_log_error("%s: %s", s->customer, strerror(errno));
      worst = EX_OSERR;
      break;
    }
  }
  for (int status; n > 0 && wait(&status) > 0; n--) {
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : EX_SOFTWARE;
    worst = code > worst ? code : worst;
  }
  return worst;
}

static int absolute(const char *dir, char out[PATH_MAX], struct tm_error *err)
{
  int rc = tm_dir_make(dir, 0755, err);
  if (rc == 0 && realpath(dir, out) == NULL)
    rc = tm_fail(err, -errno, "%s: %s", dir, strerror(errno));
  return rc;
}

static int cmd_generate(const struct tm_args *args)
{
  struct tm_error err = {0};
  struct store_types types = {0};
  struct job job = {.types = &types, .catalogue = tm_args_get(args, "catalogue")};
  char out[PATH_MAX];
  char catalogue[PATH_MAX];
  const char *end = tm_args_get(args, "end");
  int status = EX_OK;
  job.end = tm_now();
  if (end != NULL && tm_time_parse(end, &job.end) < 0)
    return tm_args_refuse(args, "end", "not a time, such as 2026-11-20T00:00:00Z");
  job.end -= job.end % UNIT_S;

  int rc = absolute(args->operands[0], out, &err);
  job.out = out;
  if (job.catalogue != NULL && realpath(job.catalogue, catalogue) == NULL)
    rc = tm_fail(&err, -errno, "%s: %s", job.catalogue, strerror(errno));
  if (job.catalogue != NULL)
    job.catalogue = catalogue;
  const char *path;
  for (size_t i = 0; rc == 0 && (path = tm_args_nth(args, "types", i)) != NULL; i++)
    rc = store_types_read(&types, path, UNIT_S, &err);
  if (rc == 0)
    status = fleet_write(&job);
  store_types_release(&types);
  if (rc < 0)
    tm_log_error("%s", err.text);
  return rc < 0 ? tm_exit_status(rc) : status;
}

static const struct tm_option options[] = {
    {'e', "end", "TIME", NULL, "the end of the two years; now when it is not given"},
    {'t', "types", "FILE", NULL, "a types.db with the types; give it for each file"},
    {'c', "catalogue", "FILE", NULL, "what the sites' configurations name as catalogue"},
    {0}};
static const struct tm_command commands[] = {
    {NULL, "DIR", "writes the synthetic fleet of the demonstration into DIR", cmd_generate}, {0}};
static const struct tm_program program = {
    "tidemark-demo", "write the synthetic fleet of Tidemark's demonstration", commands, options};

int main(int argc, char **argv)
{
  return tm_program_main(&program, argc, argv);
}
