/* SPDX-License-Identifier: MIT */
/*
 * tidemark-analyze run: every device of a source through forecast and maxima into summaries, with
 * several jobs side by side, and the summaries in order into a report.
 */
#include "analyzer/ahead.h"
#include "analyzer/commands.h"
#include "analyzer/device.h"
#include "analyzer/ordered.h"
#include "analyzer/report/report.h"
#include "analyzer/run_options.h"
#include "analyzer/source/source.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/json.h"
#include "common/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define ADVICE_HISTORY_DAYS 366
#define BAR_WIDTH           30
#define AHEAD_BYTES         ((size_t)1 << 20)

struct run {
  const struct tm_args *args;
  struct tm_conf conf;
  struct run_options options;
  struct catalogue catalogue;
  struct registrations registrations;

  struct source *source;
  struct ordered *ordered;
  struct report *report;
  struct tm_output output;
  struct tm_output recorded; /* STATEDIR/summaries.ndjson, with --record */
  atomic_bool ahead_broken;  /* none can be written, as was said */
  atomic_int unrecorded;     /* why something could not be recorded: a negative errno */
  atomic_size_t refused;     /* files and devices that could not be used */
  size_t reported;
  atomic_size_t written; /* bytes of the report, and how many of them the disk was told of */
  atomic_size_t ahead;
  struct tm_error sink_error;

  bool bar;           /* a progress bar is wanted */
  double bar_started; /* it shows up after a second */
  double bar_drawn;
};

/* --- the report ------------------------------------------------------------------------------- */

static void draw_bar(struct run *run, size_t done, size_t count)
{
  double now = tm_monotonic();
  if (now - run->bar_started < 1 || (now - run->bar_drawn < 0.1 && done < count))
    return;
  run->bar_drawn = now;
  int full = count > 0 ? (int)(done * BAR_WIDTH / count) : BAR_WIDTH;
  if (done < count)
    fprintf(stderr, "\r[%.*s%*s] %zu of %zu devices", full, "##############################",
            BAR_WIDTH - full, "", done, count);
  else
    fprintf(stderr, "\r%*s\r", BAR_WIDTH + 48, "");
  fflush(stderr);
}

/* One line of STATEDIR/summaries.ndjson. When that cannot be written the old one stands, it is said
 * once, and the report goes on. */
static void keep_one(struct run *run, const char *data, size_t len)
{
  FILE *f = run->recorded.stream;
  errno = 0;
  if (f == NULL || (fwrite(data, 1, len, f) == len && putc('\n', f) != EOF))
    return;
  int code = errno != 0 ? -errno : -EIO;
  tm_log_error("%s: cannot write: %s", run->recorded.path, strerror(-code));
  atomic_store(&run->unrecorded, code);
  tm_output_release(&run->recorded);
}

/* One summary, in the order of the devices. */
static int report_one(void *user, size_t index, char *data, size_t len)
{
  struct run *run = user;
  if (run->bar)
    draw_bar(run, index + 1, source_count(run->source));
  if (data == NULL)
    return 0;
  json_t *parsed = NULL;
  if (!run->options.format->wants_lines) {
    parsed = tm_json_parse(data, len, "summary", &run->sink_error);
    if (parsed == NULL)
      return run->sink_error.code;
  }
  int rc = run->options.format->add(run->report, data, len, parsed);
  json_decref(parsed);
  if (rc < 0)
    return tm_fail(&run->sink_error, rc, "%s: cannot write: %s",
                   run->output.path != NULL ? run->output.path : "standard output", strerror(-rc));
  run->reported++;
  atomic_fetch_add(&run->written, len);
  keep_one(run, data, len);
  return 0;
}

/* Opens STATEDIR/summaries.ndjson. A state folder that cannot be used is said once, and the report
 * is made without recording anything. */
static void open_recorded(struct run *run)
{
  struct tm_error err = {0};
  char path[4096];
  int n = snprintf(path, sizeof(path), "%s/summaries.ndjson", run->conf.state_dir);
  int rc = n < 0 || (size_t)n >= sizeof(path)
               ? tm_fail(&err, -ENAMETOOLONG, "%s: too long", run->conf.state_dir)
               : tm_dir_make(run->conf.state_dir, 0750, &err);
  if (rc == 0)
    rc = tm_output_open(&run->recorded, path, 0640, &err);
  if (rc == 0)
    return;
  tm_log_error("%s", err.text);
  atomic_store(&run->unrecorded, rc);
  run->options.record = false;
}

static int open_output(struct run *run, struct tm_error *err)
{
  const char *path = tm_args_get(run->args, "output");
  int rc = tm_output_open(&run->output, path, 0644, err);
  if (rc < 0)
    return rc;
  if (run->options.record)
    open_recorded(run);
  bool terminal = run->output.stream == stdout && isatty(STDOUT_FILENO);
  struct report_settings settings = {
      .out = run->output.stream,
      .color = terminal && tm_color_wanted(STDOUT_FILENO),
      .columns = run->output.stream == stdout ? tm_terminal_columns(STDOUT_FILENO) : 0,
      .warning_s = run->options.warning_s,
      .critical_s = run->options.critical_s,
  };
  run->report = run->options.format->begin(&settings);
  if (run->report == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  run->bar = isatty(STDERR_FILENO) && !tm_args_has(run->args, "quiet");
  run->bar_started = tm_monotonic();
  return 0;
}

/* --- the jobs --------------------------------------------------------------------------------- */

struct job {
  struct run *run;
  unsigned number;
  pthread_t thread;
  struct device_work work;
  struct ahead ahead;
  struct tm_error err; /* why the job ended early */
};

static void say_refusals(struct run *run, const struct series_refusal *refused, size_t n)
{
  for (size_t i = 0; i < n; i++)
    tm_log_error("%s", refused[i].text);
  atomic_fetch_add(&run->refused, n);
}

/* What cannot be kept takes nothing from the report. */
static void was_not_recorded(struct run *run, const struct tm_error *err)
{
  tm_log_error("%s", err->text);
  atomic_store(&run->unrecorded, err->code);
}

/* The forecast of the device in hand as an RRD; s is NULL at the end. */
static void keep_ahead(struct job *job, const struct series *s)
{
  struct run *run = job->run;
  struct tm_error err = {0};
  if (run->options.ahead_folder == NULL)
    return;
  int rc = s == NULL
               ? ahead_flush(&job->ahead, &err)
               : ahead_add(&job->ahead, s, job->work.forecasted ? &job->work.result : NULL, &err);
  /* What concerns all files is said by one of the jobs. */
  if (rc < 0 && !(job->ahead.broken && atomic_exchange(&run->ahead_broken, true)))
    was_not_recorded(run, &err);
}

/* The line of one device as a string of its own, *line; NULL when nothing can be said of it. A lack
 * of memory is no device's fault: it ends the job, and what was written last time stands. */
static int make_line(struct job *job, const struct series *s, char **line, size_t *len)
{
  struct tm_error err = {0};
  struct run *run = job->run;
  say_refusals(run, s->refused, s->n_refused);
  if (s->n == 0 && s->maxima.n == 0 && s->n_levels == 0)
    return 0;
  int rc = device_summarize(&job->work, &run->options.settings, s, &err);
  if (rc == -ENOMEM)
    return tm_fail(&job->err, rc, "%s", err.text);
  if (rc < 0) {
    tm_log_error("%s", err.text);
    atomic_fetch_add(&run->refused, 1);
    return 0;
  }
  if (run->options.record && device_record(&job->work, &run->options.settings, s, &err) < 0)
    was_not_recorded(run, &err);
  keep_ahead(job, s);
  *line = malloc(job->work.line.len + 1);
  if (*line == NULL)
    return tm_fail(&job->err, -ENOMEM, "%s/%s: out of memory", s->host, s->device);
  memcpy(*line, job->work.line.ptr, job->work.line.len + 1);
  *len = job->work.line.len;
  return 0;
}

/* Outside of the lock under which lines are written: the disk has its own pace. */
static void write_ahead(struct run *run)
{
  size_t ahead = atomic_load(&run->ahead);
  size_t written = atomic_load(&run->written);
  if (written - ahead >= AHEAD_BYTES &&
      atomic_compare_exchange_strong(&run->ahead, &ahead, written))
    tm_output_ahead(&run->output);
}

static void *run_job(void *user)
{
  struct job *job = user;
  struct run *run = job->run;
  struct series s;
  int rc;
  while ((rc = source_next(run->source, job->number, &s, &job->err)) > 0) {
    size_t len = 0;
    char *line = NULL;
    rc = make_line(job, &s, &line, &len);
    if (rc == 0)
      rc = ordered_put(run->ordered, s.index, line, len);
    if (rc < 0)
      break;
    write_ahead(run);
  }
  if (rc >= 0)
    keep_ahead(job, NULL);
  if (rc < 0)
    ordered_abort(run->ordered, rc);
  return NULL;
}

static int run_jobs(struct run *run, struct tm_error *err)
{
  struct job jobs[SOURCE_MAX_JOBS] = {0};
  unsigned started = 0;
  int rc = source_start(run->source, run->options.jobs, err);
  for (; rc == 0 && started < run->options.jobs; started++) {
    struct job *job = &jobs[started];
    job->run = run;
    job->number = started;
    ahead_init(&job->ahead, run->options.ahead_folder);
    rc = device_work_init(&job->work);
    if (rc == 0)
      rc = -pthread_create(&job->thread, NULL, run_job, job);
    if (rc < 0) {
      device_work_release(&job->work);
      tm_fail(err, rc, "cannot start job %u: %s", started, strerror(-rc));
      ordered_abort(run->ordered, rc);
      break;
    }
  }
  for (unsigned i = 0; i < started; i++) {
    pthread_join(jobs[i].thread, NULL);
    device_work_release(&jobs[i].work);
    ahead_release(&jobs[i].ahead);
    if (rc == 0 && jobs[i].err.code < 0) {
      *err = jobs[i].err;
      rc = err->code;
    }
  }
  if (rc == 0 && run->sink_error.code < 0) {
    *err = run->sink_error;
    rc = err->code;
  }
  return rc;
}

static int load_catalogue(struct run *run, struct tm_error *err)
{
  const char *path = tm_args_get(run->args, "catalogue");
  if (path == NULL)
    path = run->conf.catalogue;
  if (path == NULL || !run->options.settings.forecast)
    return 0;
  /* A load that rises is not seen within a month. */
  if (tm_args_get(run->args, "history") == NULL)
    run->options.settings.history_days = run->options.source.days = ADVICE_HISTORY_DAYS;
  run->options.settings.thresholds = run->conf.recommend;
  run->options.settings.catalogue = &run->catalogue;
  return catalogue_load(&run->catalogue, path, err);
}

static void registration_was_refused(void *user, const char *text)
{
  struct run *run = user;
  tm_log_error("%s", text);
  atomic_fetch_add(&run->refused, 1);
}

/* Whether a folder of the state folder is there. One that this user may not look into is told once,
 * rather than for each device. */
static bool can_look_into(const struct run *run, const char *name)
{
  char path[4096];
  snprintf(path, sizeof(path), "%s/%s", run->conf.state_dir, name);
  if (access(path, X_OK) == 0)
    return true;
  if (errno != ENOENT && errno != ENOTDIR)
    tm_log_warning("%s: %s", path, strerror(errno));
  return false;
}

/* The papers of the devices, and whether the plugins have left an inventory. */
static int load_products(struct run *run, struct tm_error *err)
{
  run->options.settings.has_inventory = can_look_into(run, "inventory");
  run->options.settings.registrations = &run->registrations;
  if (run->conf.products == NULL)
    return 0;
  return registrations_load(&run->registrations, run->conf.products, registration_was_refused, run,
                            err);
}

static int run_all(struct run *run, struct tm_error *err)
{
  int rc = load_catalogue(run, err);
  if (rc == 0)
    rc = load_products(run, err);
  if (rc < 0)
    return rc;
  rc = source_open(&run->source, &run->options.source, err);
  if (rc < 0)
    return rc;
  const struct series_refusal *refused = NULL;
  size_t n = source_refusals(run->source, &refused);
  say_refusals(run, refused, n);
  rc = open_output(run, err);
  if (rc < 0)
    return rc;
  run->ordered = ordered_new(source_count(run->source), report_one, run);
  if (run->ordered == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  return run_jobs(run, err);
}

static int finish(struct run *run, struct tm_error *err)
{
  int status = run->options.format->end(run->report, atomic_load(&run->refused));
  int rc = tm_output_commit(&run->output, err);
  if (rc < 0)
    return rc;
  if (run->recorded.path != NULL && tm_output_commit(&run->recorded, err) < 0) {
    tm_log_error("%s", err->text);
    atomic_store(&run->unrecorded, err->code);
  }
  if (run->options.format == &report_nagios)
    return status;
  if (atomic_load(&run->unrecorded) < 0)
    status = tm_exit_status(atomic_load(&run->unrecorded));
  else if (atomic_load(&run->refused) > 0)
    status = EX_DATAERR;
  else if (run->reported == 0 && status == EX_OK && source_count(run->source) > 0)
    status = EX_NOINPUT;
  return status;
}

int cmd_run(const struct tm_args *args)
{
  const char *format = tm_args_get(args, "format");
  bool nagios = format != NULL && report_format_find(format) == &report_nagios;
  struct run run = {.args = args};
  struct tm_error err = {0};
  int status = command_load_conf(args, &run.conf);
  if (status != 0 && nagios)
    status = report_nagios_unknown("the configuration cannot be used");
  if (status == 0)
    status = run_options_parse(&run.options, args, &run.conf);
  if (status != 0)
    goto out;
  run.options.settings.has_ledger = can_look_into(&run, "ledger");
  int rc = run_all(&run, &err);
  if (rc == 0)
    rc = finish(&run, &err);
  status = rc >= 0 ? rc : tm_exit_status(rc);
  if (rc < 0)
    tm_log_error("%s", err.text);
  if (rc < 0 && nagios)
    status = report_nagios_unknown(err.text);
out:
  if (run.options.format != NULL)
    run.options.format->free(run.report);
  tm_output_release(&run.output);
  tm_output_release(&run.recorded);
  ordered_free(run.ordered);
  source_free(run.source);
  registrations_release(&run.registrations);
  catalogue_release(&run.catalogue);
  tm_conf_release(&run.conf);
  return status;
}
