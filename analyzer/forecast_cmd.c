/* SPDX-License-Identifier: MIT */
/*
 * tidemark-analyze forecast: CSV in, one JSON line a series out, in the order of the input.
 *
 * The main thread reads the file into a ring of jobs and writes their lines in order; with --jobs
 * above one, threads work on the jobs between. The lines do not depend on the number of threads,
 * and the memory depends on it alone.
 */
#include "analyzer/commands.h"
#include "analyzer/forecast/forecast.h"
#include "analyzer/forecast_csv.h"
#include "analyzer/forecast_json.h"
#include "common/buf.h"
#include "common/error.h"
#include "common/file.h"
#include "common/log.h"
#include "common/number.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define JOBS_MAX      256
#define QUANTILES_MAX 99
#define SLOTS_PER_JOB 16
#define LINE_MAX_SIZE (64 << 20)

enum state { FREE, READY, DONE };

struct job {
  enum state state;
  struct forecast_csv_series series;
  struct tm_buf line;
  struct tm_error err;
};

struct run {
  struct forecast_params params;
  double quantiles[QUANTILES_MAX];
  const char *file;
  const struct tm_output *out;
  size_t refused, written;

  struct job *ring;
  size_t slots;
  size_t filled, taken, emitted; /* jobs so far; the slot is the count modulo slots */
  bool ended;                    /* nothing more will be filled */
  pthread_mutex_t lock;
  pthread_cond_t work, done;
  pthread_t threads[JOBS_MAX];
  size_t n_threads;
  struct forecast_work *own; /* for the main thread, when there are no others */
};

static void refuse(struct run *run, const char *what)
{
  run->refused++;
  tm_log_error("%s", what);
}

static void compute(struct job *job, const struct run *run, struct forecast_work *work)
{
  const struct forecast_csv_series *s = &job->series;
  struct forecast_series rows = {s->time, s->used, s->capacity, s->n};
  struct forecast_result result;
  job->err.code = 0;
  tm_buf_reset(&job->line);
  if (forecast_run(work, &rows, &run->params, &result, &job->err) < 0) {
    tm_fail_prefix(&job->err, s->name);
    return;
  }
  struct json_out o = JSON_OUT_INIT(&job->line);
  forecast_json_line(&o, s->name, &result, &run->params);
  if (o.rc == 0)
    o.rc = tm_buf_add(&job->line, "\n", 1);
  if (o.rc < 0)
    tm_fail(&job->err, o.rc, "%s: the line cannot be written: %s", s->name, strerror(-o.rc));
}

static void *serve(void *arg)
{
  struct run *run = arg;
  struct forecast_work *work = forecast_work_new();
  pthread_mutex_lock(&run->lock);
  for (;;) {
    while (run->taken == run->filled && !run->ended)
      pthread_cond_wait(&run->work, &run->lock);
    if (run->taken == run->filled)
      break;
    struct job *job = &run->ring[run->taken++ % run->slots];
    pthread_mutex_unlock(&run->lock);
    if (work != NULL)
      compute(job, run, work);
    else
      tm_fail(&job->err, -ENOMEM, "%s: out of memory", job->series.name);
    pthread_mutex_lock(&run->lock);
    job->state = DONE;
    pthread_cond_signal(&run->done);
  }
  pthread_mutex_unlock(&run->lock);
  forecast_work_free(work);
  return NULL;
}

static int emit(struct run *run, struct job *job, struct tm_error *err)
{
  if (job->err.code == -ENOMEM)
    return tm_fail(err, -ENOMEM, "%s: %s", run->file, job->err.text);
  if (job->err.code < 0) {
    tm_fail_prefix(&job->err, run->file);
    refuse(run, job->err.text);
    return 0;
  }
  run->written++;
  errno = 0;
  if (fwrite(job->line.ptr, 1, job->line.len, run->out->stream) != job->line.len)
    return tm_output_failed(run->out, err);
  return 0;
}

/* Waits for the oldest job and writes its line. */
static int emit_oldest(struct run *run, struct tm_error *err)
{
  struct job *job = &run->ring[run->emitted++ % run->slots];
  pthread_mutex_lock(&run->lock);
  while (job->state != DONE)
    pthread_cond_wait(&run->done, &run->lock);
  job->state = FREE;
  pthread_mutex_unlock(&run->lock);
  return emit(run, job, err);
}

static int take_series(void *context, struct forecast_csv_series *s, struct tm_error *err)
{
  struct run *run = context;
  if (run->filled - run->emitted == run->slots) {
    int rc = emit_oldest(run, err);
    if (rc < 0)
      return rc;
  }
  struct job *job = &run->ring[run->filled % run->slots];
  struct forecast_csv_series swap = job->series;
  job->series = *s;
  *s = swap;
  if (run->n_threads == 0) {
    compute(job, run, run->own);
    return emit(run, job, err);
  }
  pthread_mutex_lock(&run->lock);
  job->state = READY;
  run->filled++;
  pthread_cond_signal(&run->work);
  pthread_mutex_unlock(&run->lock);
  return 0;
}

static int take_refusal(void *context, const char *what, struct tm_error *err)
{
  (void)err;
  refuse(context, what);
  return 0;
}

static int start(struct run *run, size_t jobs, struct tm_error *err)
{
  pthread_mutex_init(&run->lock, NULL);
  pthread_cond_init(&run->work, NULL);
  pthread_cond_init(&run->done, NULL);
  run->slots = SLOTS_PER_JOB * jobs;
  run->ring = calloc(run->slots, sizeof(*run->ring));
  if (run->ring == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  for (size_t i = 0; i < run->slots; i++)
    run->ring[i].line = (struct tm_buf)TM_BUF_INIT(LINE_MAX_SIZE);
  if (jobs == 1) {
    run->own = forecast_work_new();
    return run->own != NULL ? 0 : tm_fail(err, -ENOMEM, "out of memory");
  }
  for (; run->n_threads < jobs; run->n_threads++) {
    int rc = pthread_create(&run->threads[run->n_threads], NULL, serve, run);
    if (rc != 0)
      return tm_fail(err, -rc, "cannot start a thread: %s", strerror(rc));
  }
  return 0;
}

static void stop(struct run *run)
{
  pthread_mutex_lock(&run->lock);
  run->ended = true;
  pthread_cond_broadcast(&run->work);
  pthread_mutex_unlock(&run->lock);
  for (size_t i = 0; i < run->n_threads; i++)
    pthread_join(run->threads[i], NULL);
  for (size_t i = 0; i < run->slots && run->ring != NULL; i++) {
    forecast_csv_series_release(&run->ring[i].series);
    tm_buf_release(&run->ring[i].line);
  }
  free(run->ring);
  forecast_work_free(run->own);
  pthread_mutex_destroy(&run->lock);
  pthread_cond_destroy(&run->work);
  pthread_cond_destroy(&run->done);
}

static int forecast_stream(struct run *run, FILE *in, size_t jobs, struct tm_error *err)
{
  struct forecast_csv_taker taker = {take_series, take_refusal, run};
  int rc = start(run, jobs, err);
  if (rc == 0)
    rc = forecast_csv_read(in, run->file, &taker, err);
  while (rc == 0 && run->emitted < run->filled)
    rc = emit_oldest(run, err);
  stop(run);
  return rc;
}

static int forecast_file(struct run *run, size_t jobs, struct tm_error *err)
{
  if (strcmp(run->file, "-") == 0)
    return forecast_stream(run, stdin, jobs, err);
  int fd = tm_file_open(run->file, NULL, err);
  if (fd < 0)
    return fd;
  FILE *in = fdopen(fd, "r");
  if (in == NULL) {
    close(fd);
    return tm_fail(err, -errno, "%s: %s", run->file, strerror(errno));
  }
  int rc = forecast_stream(run, in, jobs, err);
  fclose(in);
  return rc;
}

static const char *read_quantiles(struct run *run, const char *text)
{
  char copy[1024], *rest = copy, *part;
  if (strlen(text) >= sizeof(copy))
    return "the list is too long";
  memcpy(copy, text, strlen(text) + 1);
  while ((part = strsep(&rest, ",")) != NULL) {
    size_t n = run->params.n_quantiles;
    double q;
    if (tm_parse_double(part, &q) < 0 || !(q > 0) || !(q < 1))
      return "expected numbers between 0 and 1, separated by commas";
    if (n > 0 && !(q > run->quantiles[n - 1]))
      return "the numbers must ascend";
    if (n == QUANTILES_MAX)
      return "the list is too long";
    run->quantiles[n] = q;
    run->params.n_quantiles++;
  }
  return NULL;
}

/* As many as this process may use. */
static size_t processors(void)
{
  cpu_set_t set;
  int n = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
  return n < 1 ? 1 : n > JOBS_MAX ? JOBS_MAX : (size_t)n;
}

static int read_options(struct run *run, const struct tm_args *args, uint64_t *jobs)
{
  const char *steps = tm_args_get(args, "steps"), *quantiles = tm_args_get(args, "quantiles");
  const char *threads = tm_args_get(args, "jobs"), *why;
  uint64_t n = 30;
  if (steps != NULL && tm_parse_u64(steps, 0, FORECAST_MAX_STEPS, &n) < 0)
    return tm_args_refuse(args, "steps", "expected a number from 0 to 3660");
  run->params.steps = n;
  run->params.quantiles = run->quantiles;
  why = read_quantiles(run, quantiles != NULL ? quantiles : "0.1,0.5,0.9");
  if (why != NULL)
    return tm_args_refuse(args, "quantiles", why);
  *jobs = processors();
  if (threads != NULL && tm_parse_u64(threads, 1, JOBS_MAX, jobs) < 0)
    return tm_args_refuse(args, "jobs", "expected a number from 1 to 256");
  return EX_OK;
}

int cmd_forecast(const struct tm_args *args)
{
  struct run run = {.params = FORECAST_PARAMS_INIT};
  struct tm_output output = {0};
  struct tm_error err = {0};
  uint64_t jobs = 1;
  int status = read_options(&run, args, &jobs);
  if (status != EX_OK)
    return status;
  if (args->operands_len != 1) {
    tm_log_error("forecast: one FILE.csv (or -) is expected");
    return EX_USAGE;
  }
  run.file = args->operands[0];
  int rc = tm_output_open(&output, tm_args_get(args, "output"), 0644, &err);
  if (rc == 0) {
    run.out = &output;
    rc = forecast_file(&run, jobs, &err);
  }
  if (rc == 0)
    rc = tm_output_commit(&output, &err);
  tm_output_release(&output);
  if (rc < 0) {
    return tm_log_status(rc, &err);
  }
  if (run.refused > 0)
    return EX_DATAERR;
  if (run.written > 0)
    return EX_OK;
  tm_log_error("%s: no series in it", run.file);
  return EX_NOINPUT;
}
