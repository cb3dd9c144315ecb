/* SPDX-License-Identifier: MIT */
/* tidemark-analyze recommend: what to offer, to whom, and until when. */
#include "analyzer/commands.h"

#include "analyzer/catalogue.h"
#include "analyzer/documents.h"
#include "analyzer/newest.h"
#include "analyzer/opportunity.h"
#include "analyzer/recommend.h"
#include "common/clock.h"
#include "common/conf.h"
#include "common/file.h"
#include "common/json.h"
#include "common/log.h"
#include "common/merge.h"
#include "common/text.h"

#include <errno.h>
#include <string.h>
#include <sysexits.h>

struct recommend_run {
  struct catalogue catalogue;
  struct rule_thresholds thresholds;
  int64_t as_of;        /* INT64_MIN: each summary's own generated_at */
  bool summaries;       /* they go straight out, with new recommendations */
  struct newest newest; /* else: the opportunities of each device */
  struct newest days;   /* of each device whose history came */
  struct tm_output out;
};

#define SUMMARY_SCHEMA "tidemark.summary/1"
#define HISTORY_SCHEMA "tidemark.history/1"

/* The day of the advice: as asked, else when the summary was made. */
static int day_of(const json_t *summary, int64_t as_of, int64_t *now, struct tm_error *err)
{
  const char *given = tm_json_get_string(summary, "schema");
  const char *at = tm_json_get_string(summary, "generated_at");
  if (given == NULL || strcmp(given, SUMMARY_SCHEMA) != 0)
    return tm_fail(err, -EBADMSG, "\"schema\" is not \"%s\"", SUMMARY_SCHEMA);
  *now = as_of;
  if (as_of == INT64_MIN && (at == NULL || tm_time_parse(at, now) < 0))
    return tm_fail(err, -EBADMSG, "\"generated_at\" is missing or no time");
  return 0;
}

static int write_line(const struct tm_output *out, const json_t *value, struct tm_error *err)
{
  errno = 0;
  if (json_dumpf(value, out->stream, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15)) <
          0 ||
      putc('\n', out->stream) == EOF)
    return tm_output_failed(out, err);
  return 0;
}

/* A site that agreed to the purpose factory alone tells what it needs, and not of what: its own
 * recommendations stand. */
static bool tells_the_device(const json_t *summary)
{
  return json_object_get(json_object_get(summary, "product"), "kind") != NULL &&
         json_is_object(json_object_get(summary, "status"));
}

/* Adds the days of a document to those of its device. */
static int keep_days(struct recommend_run *run, const json_t *document, struct tm_error *err)
{
  json_t *days = merge_history(newest_find(&run->days, document),
                               json_object_get(document, "history"), MERGE_KEEP_DAYS);
  return newest_put(&run->days, document, days, err);
}

/* A summary carries the newest days alone. Where the device's history came before it, the advice is
 * given with all of them. */
static int advise(struct recommend_run *run, const json_t *summary, int64_t now, json_t **list,
                  struct tm_error *err)
{
  if (newest_find(&run->days, summary) == NULL)
    return recommend(summary, &run->catalogue, &run->thresholds, now, list, err);
  int rc = keep_days(run, summary, err);
  json_t *whole = rc == 0 ? json_copy((json_t *)summary) : NULL;
  if (whole == NULL)
    return rc < 0 ? rc : tm_fail(err, -ENOMEM, "out of memory");
  json_object_set(whole, "history", newest_find(&run->days, summary));
  rc = recommend(whole, &run->catalogue, &run->thresholds, now, list, err);
  json_decref(whole);
  return rc;
}

static int each_document(void *user, const json_t *summary, const char *line, size_t len,
                         struct tm_error *err)
{
  (void)line;
  (void)len;
  struct recommend_run *run = user;
  const char *schema = tm_json_get_string(summary, "schema");
  json_t *list = NULL;
  int64_t now = 0;
  if (schema != NULL && strcmp(schema, HISTORY_SCHEMA) == 0)
    return keep_days(run, summary, err);
  int rc = day_of(summary, run->as_of, &now, err);
  if (rc == 0)
    rc = advise(run, summary, now, &list, err);
  if (rc < 0)
    return rc;
  if (run->summaries) {
    json_t *copy = json_copy((json_t *)summary);
    if (tells_the_device(summary))
      json_object_set(copy, "recommendations", list);
    rc = write_line(&run->out, copy, err);
    json_decref(copy);
  } else {
    json_t *found = json_array();
    for (size_t i = 0; i < json_array_size(list); i++)
      json_array_append_new(found, opportunity_of(summary, json_array_get(list, i)));
    rc = newest_put(&run->newest, summary, found, err);
  }
  json_decref(list);
  return rc;
}

static const char *text_of(const json_t *o, const char *part, const char *key)
{
  const char *text = tm_json_get_string(part != NULL ? json_object_get(o, part) : o, key);
  return text != NULL ? text : "-";
}

/* One block a need: when, who, what, why. */
static void write_table(const struct recommend_run *run, const json_t *found, size_t needy)
{
  FILE *out = run->out.stream;
  size_t n = json_array_size(found);
  for (size_t i = 0; i < n; i++) {
    const json_t *o = json_array_get(found, i);
    int late = (int)json_integer_value(json_object_get(o, "late_by_days"));
    fprintf(out, "%s  %s", text_of(o, NULL, "order_by"), text_of(o, NULL, "action"));
    if (late > 0)
      fprintf(out, "  %d day%s late", late, late == 1 ? "" : "s");
    fprintf(out, "\n  %s, %s, %s/%s, %s\n", text_of(o, "customer", "id"),
            text_of(o, "customer", "site"), text_of(o, "customer", "host"),
            text_of(o, "product", "device"), text_of(o, "product", "model"));
    fprintf(out, "  %s\n  %s\n\n", text_of(o, NULL, "reason"), text_of(o, NULL, "key"));
  }
  fprintf(out, "%zu of %zu devices need something.\n", needy, run->newest.n);
}

/* All devices' opportunities as one list. */
static int write_found(const struct recommend_run *run, bool table, struct tm_error *err)
{
  json_t *found = json_array();
  size_t needy = 0;
  for (size_t i = 0; i < run->newest.n; i++) {
    json_t *of_device = newest_at(&run->newest, i);
    needy += json_array_size(of_device) > 0;
    json_array_extend(found, of_device);
  }
  int rc = opportunity_sort(found);
  if (rc < 0)
    tm_fail(err, rc, "out of memory");
  if (rc == 0 && table)
    write_table(run, found, needy);
  for (size_t i = 0; !table && rc == 0 && i < json_array_size(found); i++)
    rc = write_line(&run->out, json_array_get(found, i), err);
  json_decref(found);
  return rc;
}

/* The catalogue of --catalogue, else the configuration's. Returns the exit status. */
static int set_up(struct recommend_run *run, const struct tm_args *args)
{
  struct tm_conf conf = {0};
  struct tm_error err = {0};
  int status = command_load_conf(args, &conf);
  const char *path = tm_args_get(args, "catalogue");
  if (path == NULL)
    path = conf.catalogue;
  run->thresholds = conf.recommend;
  if (status != EX_OK) {
    tm_conf_release(&conf);
    return status;
  }
  if (path == NULL) {
    tm_log_error("recommend: --catalogue FILE is needed: none is configured");
    status = EX_USAGE;
  } else {
    int rc = catalogue_load(&run->catalogue, path, &err);
    status = command_file_status(rc);
    if (rc < 0)
      tm_log_error("%s", err.text);
  }
  tm_conf_release(&conf);
  return status;
}

int cmd_recommend(const struct tm_args *args)
{
  struct recommend_run run = {0};
  struct documents_count count = {0};
  struct tm_error err = {0};
  const char *format = tm_args_get(args, "format");
  int status = command_as_of(args, &run.as_of);
  if (status != 0)
    return status;
  if (format == NULL)
    format = "json";
  if (strcmp(format, "json") != 0 && strcmp(format, "table") != 0 &&
      strcmp(format, "summaries") != 0)
    return tm_args_refuse(args, "format", "not one of table, json, summaries");
  run.summaries = strcmp(format, "summaries") == 0;
  status = set_up(&run, args);
  if (status != EX_OK)
    goto out;
  int rc = tm_output_open(&run.out, tm_args_get(args, "output"), 0644, &err);
  if (rc == 0)
    rc = documents_read(args->operands, each_document, &run, &count, &err);
  if (rc == 0 && !run.summaries)
    rc = write_found(&run, strcmp(format, "table") == 0, &err);
  if (rc == 0)
    rc = tm_output_commit(&run.out, &err);
  if (rc < 0)
    tm_log_error("%s", err.text);
  status = rc == 0 ? documents_status(&count) : tm_exit_status(rc);
  if (status == EX_OK && count.read == 0) {
    tm_log_error("recommend: no summary was read");
    status = EX_NOINPUT;
  }
out:
  tm_output_release(&run.out);
  newest_release(&run.newest);
  newest_release(&run.days);
  catalogue_release(&run.catalogue);
  return status;
}
