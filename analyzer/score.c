/* SPDX-License-Identifier: MIT */
/*
 * tidemark-analyze score: holds the forecasts of the ledger against what happened, by model and
 * kind of device, and prunes what is too old to matter.
 */
#include "analyzer/commands.h"
#include "analyzer/ledger.h"
#include "analyzer/source/source.h"
#include "common/clock.h"
#include "common/conf.h"
#include "common/file.h"
#include "common/json.h"
#include "common/log.h"
#include "common/number.h"
#include "common/room.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define DEFAULT_KEEP_DAYS 1096
#define MAX_GROUPS        64

/* What is told of one model and kind together. */
struct group {
  char model[80];
  const char *kind;
  size_t forecasts;
  size_t judged;
  size_t inside;
  double *errors; /* days, of those that have one */
  size_t errors_len;
  size_t errors_cap;
  struct {
    size_t n;      /* forecasts whose horizon has passed */
    size_t filled; /* of those, how many had filled by then */
    size_t alarms; /* how many had said so with a probability of a half or more */
    size_t hits;   /* alarms that came true */
    double brier;  /* sum of squared differences of probability and outcome */
  } horizon[FORECAST_N_HORIZONS];
};

struct score {
  struct group groups[MAX_GROUPS];
  size_t groups_len;
  size_t pruned;
};

static struct group *group_of(struct score *s, const char *model, const char *kind)
{
  for (size_t i = 0; i < s->groups_len; i++) {
    if (strcmp(s->groups[i].model, model) == 0 && strcmp(s->groups[i].kind, kind) == 0)
      return &s->groups[i];
  }
  if (s->groups_len == MAX_GROUPS)
    return NULL;
  struct group *g = &s->groups[s->groups_len++];
  snprintf(g->model, sizeof(g->model), "%s", model);
  g->kind = kind;
  return g;
}

static int add_error(struct group *g, double days)
{
  if (TM_ROOM(g->errors, g->errors_cap, g->errors_len) < 0)
    return -ENOMEM;
  g->errors[g->errors_len++] = days;
  return 0;
}

static void add_horizons(struct group *g, const struct ledger_entry *e,
                         const struct ledger_judgement *j, int64_t newest)
{
  for (int h = 0; h < FORECAST_N_HORIZONS; h++) {
    double days = forecast_horizon_days[h];
    bool filled = j->reached && j->reached_days <= days;
    bool passed = (double)(newest - e->at) / TM_DAY >= days;
    if (isnan(e->probability[h]) || (!passed && !filled))
      continue;
    double miss = e->probability[h] - (filled ? 1 : 0);
    bool alarm = e->probability[h] >= 0.5;
    g->horizon[h].n++;
    g->horizon[h].filled += filled;
    g->horizon[h].alarms += alarm;
    g->horizon[h].hits += alarm && filled;
    g->horizon[h].brier += miss * miss;
  }
}

static int add_device(struct score *score, const struct tm_conf *conf, const struct series *s,
                      int64_t keep_since, struct tm_error *err)
{
  struct ledger l = {0};
  int rc = ledger_read(&l, conf->state_dir, s->host, s->device, err);
  ledger_tell_damage(&l, conf->state_dir, s->host, s->device); /* pruning takes it away */
  if (rc == 0)
    rc = ledger_prune(conf->state_dir, s->host, s->device, keep_since, err);
  if (rc < 0) {
    ledger_release(&l);
    return rc;
  }
  score->pruned += (size_t)rc;
  rc = 0;
  for (size_t i = 0; i < l.len && rc == 0; i++) {
    const struct ledger_entry *e = &l.entries[i];
    if (e->at < keep_since || strcmp(e->of, "capacity") != 0)
      continue;
    struct group *g = group_of(score, e->model, series_kind_name(s->kind));
    if (g == NULL)
      continue;
    struct ledger_judgement j = ledger_judge(e, s->time, s->used, s->n, FORECAST_UP);
    g->forecasts++;
    g->judged += j.outcome != LEDGER_PENDING;
    g->inside += j.outcome == LEDGER_INSIDE;
    if (!isnan(j.error_days))
      rc = add_error(g, j.error_days);
    if (s->n > 0)
      add_horizons(g, e, &j, s->time[s->n - 1]);
  }
  if (rc < 0)
    tm_fail(err, rc, "out of memory");
  ledger_release(&l);
  return rc;
}

static void print_table(FILE *f, const struct score *s)
{
  if (s->groups_len == 0) {
    fputs("No forecast has been recorded yet: tidemark-analyze run --record keeps them.\n", f);
    return;
  }
  fprintf(f, "%-14s %-28s %9s %7s %8s %13s\n", "KIND", "MODEL", "FORECASTS", "JUDGED", "INSIDE",
          "MEDIAN ERROR");
  for (size_t i = 0; i < s->groups_len; i++) {
    const struct group *g = &s->groups[i];
    char inside[16] = "-";
    char error[32] = "-";
    double median = ledger_median(g->errors, g->errors_len);
    if (g->judged > 0)
      snprintf(inside, sizeof(inside), "%.0f %%", 100.0 * (double)g->inside / (double)g->judged);
    if (!isnan(median))
      snprintf(error, sizeof(error), "%+.0f days", median);
    fprintf(f, "%-14s %-28s %9zu %7zu %8s %13s\n", g->kind, g->model, g->forecasts, g->judged,
            inside, error);
  }
  fprintf(f, "\n%-14s %-28s %8s %9s %7s %7s %7s %7s\n", "KIND", "MODEL", "WITHIN", "FORECASTS",
          "FILLED", "ALARMS", "HITS", "BRIER");
  for (size_t i = 0; i < s->groups_len; i++) {
    const struct group *g = &s->groups[i];
    for (int h = 0; h < FORECAST_N_HORIZONS; h++) {
      if (g->horizon[h].n == 0)
        continue;
      fprintf(f, "%-14s %-28s %6d d %9zu %7zu %7zu %7zu %7.3f\n", g->kind, g->model,
              forecast_horizon_days[h], g->horizon[h].n, g->horizon[h].filled, g->horizon[h].alarms,
              g->horizon[h].hits, g->horizon[h].brier / (double)g->horizon[h].n);
    }
  }
}

static json_t *group_to_json(const struct group *g)
{
  json_t *o = json_object();
  json_object_set_new(o, "kind", json_string(g->kind));
  json_object_set_new(o, "model", tm_json_text(g->model));
  json_object_set_new(o, "forecasts", json_integer((json_int_t)g->forecasts));
  json_object_set_new(o, "judged", json_integer((json_int_t)g->judged));
  json_object_set_new(o, "inside", json_integer((json_int_t)g->inside));
  json_object_set_new(o, "median_error_days",
                      tm_json_number(ledger_median(g->errors, g->errors_len)));
  json_t *horizons = json_object();
  for (int h = 0; h < FORECAST_N_HORIZONS; h++) {
    if (g->horizon[h].n == 0)
      continue;
    char key[16];
    snprintf(key, sizeof(key), "%dd", forecast_horizon_days[h]);
    json_object_set_new(horizons, key,
                        json_pack("{s:I,s:I,s:I,s:I,s:f}", "forecasts", (json_int_t)g->horizon[h].n,
                                  "filled", (json_int_t)g->horizon[h].filled, "alarms",
                                  (json_int_t)g->horizon[h].alarms, "hits",
                                  (json_int_t)g->horizon[h].hits, "brier",
                                  g->horizon[h].brier / (double)g->horizon[h].n));
  }
  json_object_set_new(o, "horizons", horizons);
  return o;
}

static int print_json(FILE *f, const struct score *s, struct tm_error *err)
{
  struct tm_buf line = TM_BUF_INIT(1U << 20);
  int rc = 0;
  for (size_t i = 0; i < s->groups_len && rc == 0; i++) {
    json_t *o = group_to_json(&s->groups[i]);
    tm_buf_reset(&line);
    rc = tm_json_append(&line, o);
    json_decref(o);
    if (rc == 0)
      fprintf(f, "%s\n", line.ptr);
  }
  tm_buf_release(&line);
  return rc < 0 ? tm_fail(err, rc, "out of memory") : 0;
}

static size_t say_refusals(const struct series_refusal *refused, size_t n)
{
  for (size_t i = 0; i < n; i++)
    tm_log_error("%s", refused[i].text);
  return n;
}

/* Every device of the source. *unread: files and devices that could not be used. */
static int score_all(struct score *score, const struct tm_conf *conf,
                     const struct source_options *options, int64_t keep_s, size_t *unread,
                     struct tm_error *err)
{
  struct source *source = NULL;
  const struct series_refusal *refused = NULL;
  size_t n = 0;
  int rc = source_open(&source, options, err);
  if (rc == 0)
    n = source_refusals(source, &refused);
  *unread += say_refusals(refused, n);
  if (rc == 0)
    rc = source_start(source, 1, err);
  struct series s;
  while (rc >= 0 && (rc = source_next(source, 0, &s, err)) > 0) {
    *unread += say_refusals(s.refused, s.n_refused);
    if (s.observed_at == INT64_MIN)
      continue; /* nothing of it could be read: nothing is judged, nothing is old */
    rc = add_device(score, conf, &s, s.observed_at - keep_s, err);
  }
  source_free(source);
  return rc;
}

int cmd_score(const struct tm_args *args)
{
  struct tm_conf conf;
  struct tm_error err = {0};
  int status = command_load_conf(args, &conf);
  int rc = 0;
  struct score score = {0};
  struct tm_output out = {0};
  int64_t keep_s = DEFAULT_KEEP_DAYS * (int64_t)TM_DAY;
  size_t unread = 0;
  const char *keep = tm_args_get(args, "keep");
  const char *format = tm_args_get(args, "format");
  bool json = format != NULL && strcmp(format, "json") == 0;
  if (status != EX_OK)
    goto out;
  if (keep != NULL && tm_parse_duration(keep, &keep_s) < 0)
    status = tm_args_refuse(args, "keep", "a duration such as 1096d is expected");
  else if (format != NULL && !json && strcmp(format, "table") != 0)
    status = tm_args_refuse(args, "format", "expected one of table, json");
  struct source_options options = {.as_of = INT64_MIN, .days = 1, .now = tm_now()};
  if (status == EX_OK)
    status = command_source(args, &conf, &options);
  if (status != EX_OK)
    goto out;
  rc = score_all(&score, &conf, &options, keep_s, &unread, &err);
  if (rc == 0)
    rc = tm_output_open(&out, tm_args_get(args, "output"), 0644, &err);
  if (rc == 0 && json)
    rc = print_json(out.stream, &score, &err);
  else if (rc == 0)
    print_table(out.stream, &score);
  if (rc == 0)
    rc = tm_output_commit(&out, &err);
  if (rc == 0 && unread > 0)
    status = EX_DATAERR;
  if (rc < 0)
    status = tm_log_status(rc, &err);
out:
  for (size_t i = 0; i < score.groups_len; i++)
    free(score.groups[i].errors);
  tm_output_release(&out);
  tm_conf_release(&conf);
  return status;
}
