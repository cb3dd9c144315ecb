/* SPDX-License-Identifier: MIT */
/*
 * tidemark-demo: writes the demonstration fleet (see fleet.h), two years that end at --end:
 * OUT/CUSTOMER/{tidemark.conf,products.d,rrd,state,spool,outbox}. One process a site; OUT/lock is
 * held by all of them.
 */
#include "common/clock.h"
#include "common/file.h"
#include "common/lock.h"
#include "common/log.h"
#include "common/number.h"
#include "common/options.h"
#include "contrib/demo/course.h"
#include "contrib/demo/paper.h"
#include "contrib/demo/store.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

enum {
  SITES_MAX = 16,
  LOCK_WAIT_S = 10 /* for those whose parent was killed: they end by themselves */
};

struct job {
  const struct site *site;
  const struct store_types *types;
  const char *out;
  const char *catalogue;
  int64_t first, end; /* multiples of UNIT_S */
};

/* Was collectd down in the interval that ends at t? The first one after it is unknown too. */
static bool down(const struct site *s, int64_t first, int64_t t)
{
  int64_t begin = first + (int64_t)s->gap_day * TM_DAY;
  return s->gap_hours > 0 && t > begin && t <= begin + (int64_t)s->gap_hours * 3600;
}

static int device_files(const struct job *job, const struct device *d, const struct series *series,
                        size_t n, struct store_file *files, struct tm_error *err)
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
    rc = store_create(&files[i], path, type, job->first, UNIT_S, err);
  }
  return rc;
}

/* The value that collectd would hand on: at a border after a gap the count is not known. */
static int series_add(struct store_file *f, const struct series *s, const struct job *job,
                      int64_t t, const double *values, struct tm_error *err)
{
  if (down(job->site, job->first, t))
    return 0;
  if (!s->at_border)
    return store_add(f, (double)(t - UNIT_S) + job->site->phase_s, values, s->n_values, err);
  bool unknown = t == job->first + UNIT_S || down(job->site, job->first, t - UNIT_S);
  const double nothing[] = {NAN};
  return store_add(f, (double)t, unknown ? nothing : values, s->n_values, err);
}

static int device_write(const struct job *job, const struct device *d, struct tm_error *err)
{
  struct series series[MAX_SERIES];
  struct store_file files[MAX_SERIES] = {0};
  double values[MAX_SERIES][MAX_VALUES];
  struct course course;
  double phase = job->site->phase_s / UNIT_S;
  size_t n = course_series(d, series);
  int rc = device_files(job, d, series, n, files, err);
  course_init(&course, d);
  for (int64_t t = job->first + UNIT_S; rc == 0 && t <= job->end; t += UNIT_S) {
    course_step(&course, t, phase, values);
    for (size_t i = 0; rc == 0 && i < n; i++)
      rc = series_add(&files[i], &series[i], job, t, values[i], err);
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
  rc = paper_write(dir, job->site, job->catalogue, job->first, err);
  for (const struct device *d = job->site->devices; rc == 0 && d->name != NULL; d++)
    rc = device_write(job, d, err);
  return rc;
}

/* It ends with its parent, also when that is gone already: whoever kills the one means the other.
 */
static pid_t site_start(const struct job *job)
{
  pid_t parent = getpid();
  pid_t pid = fork();
  if (pid != 0)
    return pid;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent)
    _exit(EX_SOFTWARE);
  struct tm_error err = {0};
  int rc = site_write(job, &err);
  if (rc < 0)
    tm_log_error("%s", err.text);
  _exit(tm_exit_status(rc));
}

/* What its process ended with, as a status of ours. */
static int site_end(const struct job *job, pid_t pid)
{
  int status = 0;
  pid_t ended;
  while ((ended = waitpid(pid, &status, 0)) < 0 && errno == EINTR)
    ;
  if (ended > 0 && WIFEXITED(status))
    return WEXITSTATUS(status);
  tm_log_error("%s/%s: %s%s", job->out, job->site->customer,
               ended < 0 ? "" : "the process that wrote it died of it: ",
               ended < 0 ? strerror(errno) : strsignal(WTERMSIG(status)));
  return EX_SOFTWARE;
}

/* One process a site: each has a time zone of its own, and they share the processors. */
static int fleet_write(const struct job *base, const char *customer)
{
  struct job job[SITES_MAX];
  pid_t pid[SITES_MAX];
  int worst = EX_OK;
  size_t n = 0;
  for (const struct site *s = demo_fleet; s->customer != NULL && n < SITES_MAX; s++) {
    if (customer != NULL && strcmp(customer, s->customer) != 0)
      continue;
    job[n] = *base;
    job[n].site = s;
    pid[n] = site_start(&job[n]);
    if (pid[n] < 0) {
      tm_log_error("%s/%s: %s", base->out, s->customer, strerror(errno));
      worst = EX_OSERR;
      break;
    }
    n++;
  }
  for (size_t i = 0; i < n; i++) {
    int status = site_end(&job[i], pid[i]);
    worst = status > worst ? status : worst;
  }
  return worst;
}

static bool is_known(const char *customer)
{
  const struct site *s = demo_fleet;
  while (s->customer != NULL && strcmp(s->customer, customer) != 0)
    s++;
  return s->customer != NULL;
}

/* The folder, made where it is missing, and the lock of it: two that write one RRD crash on it. */
static int folder_take(const char *dir, char out[PATH_MAX], int *lock, struct tm_error *err)
{
  char path[PATH_MAX + sizeof("/lock")];
  int rc = tm_dir_make(dir, 0755, err);
  if (rc == 0 && realpath(dir, out) == NULL)
    rc = tm_fail(err, -errno, "%s: %s", dir, strerror(errno));
  if (rc < 0)
    return rc;
  snprintf(path, sizeof(path), "%s/lock", out);
  *lock = tm_lock_take(path, 0644, LOCK_WAIT_S, err);
  return *lock < 0 ? *lock : 0;
}

static int cmd_generate(const struct tm_args *args)
{
  struct tm_error err = {0};
  struct store_types types = {0};
  struct job job = {.types = &types, .catalogue = tm_args_get(args, "catalogue")};
  char out[PATH_MAX];
  char catalogue[PATH_MAX];
  const char *end = tm_args_get(args, "end");
  const char *customer = tm_args_get(args, "site");
  const char *days = tm_args_get(args, "days");
  uint64_t n_days = DAYS;
  int status = EX_OK, lock = -1;
  job.end = tm_now();
  if (end != NULL && tm_time_parse(end, &job.end) < 0)
    return tm_args_refuse(args, "end", "not a time, such as 2026-11-20T00:00:00Z");
  if (days != NULL && tm_parse_u64(days, 1, DAYS, &n_days) < 0)
    return tm_args_refuse(args, "days", "not a number of days from 1 to 731");
  if (customer != NULL && !is_known(customer))
    return tm_args_refuse(args, "site", "not a customer of the fleet, such as C-1001");
  job.end -= job.end % UNIT_S;
  job.first = job.end - (int64_t)n_days * TM_DAY;

  int rc = folder_take(args->operands[0], out, &lock, &err);
  job.out = out;
  if (job.catalogue != NULL && realpath(job.catalogue, catalogue) == NULL)
    rc = tm_fail(&err, -errno, "%s: %s", job.catalogue, strerror(errno));
  if (job.catalogue != NULL)
    job.catalogue = catalogue;
  const char *path;
  for (size_t i = 0; rc == 0 && (path = tm_args_nth(args, "types", i)) != NULL; i++)
    rc = store_types_read(&types, path, UNIT_S, &err);
  if (rc == 0)
    status = fleet_write(&job, customer);
  if (lock >= 0)
    close(lock);
  store_types_release(&types);
  if (rc < 0)
    tm_log_error("%s", err.text);
  return rc < 0 ? tm_exit_status(rc) : status;
}

static const struct tm_option options[] = {
    {'e', "end", "TIME", NULL, "the end of the two years; now when it is not given"},
    {'d', "days", "N", NULL, "so many days in place of the two years"},
    {'s', "site", "CUSTOMER", NULL, "the site of this customer alone"},
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
