/* SPDX-License-Identifier: MIT */
/* tidemark-analyze demand: what the factory should have ready, by SKU, shop and week. */
#include "analyzer/commands.h"

#include "analyzer/demand.h"
#include "analyzer/documents.h"
#include "analyzer/newest.h"
#include "analyzer/shops.h"
#include "common/buf.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/json.h"
#include "common/log.h"
#include "common/number.h"

#include <csv.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

struct demand_run {
  struct newest newest;
  int64_t now; /* the newest generated_at, unless it was given */
  bool as_of;
};

/* What the sums need of a summary; the rest would fill the memory. Of a device that needs nothing
 * it is enough to know that. */
static json_t *essence_of(const json_t *summary)
{
  if (json_array_size(json_object_get(summary, "recommendations")) == 0)
    return json_null();
  const json_t *fill = json_object_get(json_object_get(summary, "forecast"), "fill");
  const json_t *customer = json_object_get(summary, "customer");
  return json_pack("{s:O*, s:O*, s:O*, s:{s:O*}}", "generated_at",
                   json_object_get(summary, "generated_at"), "customer", customer,
                   "recommendations", json_object_get(summary, "recommendations"), "forecast",
                   "fill", fill);
}

static int each_summary(void *user, const json_t *summary, const char *line, size_t len,
                        struct tm_error *err)
{
  (void)line;
  (void)len;
  struct demand_run *run = user;
  static const char *const schema = "tidemark.summary/1";
  const char *given = tm_json_get_string(summary, "schema");
  const char *made = tm_json_get_string(summary, "generated_at");
  int64_t at;
  if (given == NULL || strcmp(given, schema) != 0)
    return tm_fail(err, -EBADMSG, "\"schema\" is not \"%s\"", schema);
  if (made == NULL || tm_time_parse(made, &at) < 0)
    return tm_fail(err, -EBADMSG, "\"generated_at\" is missing or no time");
  int rc = demand_check(summary, err);
  if (rc < 0)
    return rc;
  if (!run->as_of && at > run->now)
    run->now = at;
  return newest_put(&run->newest, summary, essence_of(summary), err);
}

/* A spreadsheet must not take a name for a formula. */
static int put_field(FILE *out, const char *text, bool last)
{
  bool formula = text[0] != '\0' && strchr("=+-@\t\r", text[0]) != NULL;
  char *safe = NULL;
  if (asprintf(&safe, "%s%s", formula ? "'" : "", text) < 0)
    return -ENOMEM;
  csv_fwrite(out, safe, strlen(safe));
  free(safe);
  fputs(last ? "\r\n" : ",", out);
  return 0;
}

static int put_value(FILE *out, const json_t *v, bool last)
{
  char number[32];
  struct tm_buf list = TM_BUF_INIT(1 << 24);
  int rc = 0;
  for (size_t i = 0; rc == 0 && i < json_array_size(v); i++)
    rc = tm_buf_printf(&list, "%s%s", i > 0 ? " " : "", json_string_value(json_array_get(v, i)));
  snprintf(number, sizeof(number), "%.10g", json_number_value(v));
  if (rc == 0)
    rc = put_field(out,
                   json_is_string(v)   ? json_string_value(v)
                   : list.len > 0      ? list.ptr
                   : json_is_number(v) ? number
                                       : "",
                   last);
  tm_buf_release(&list);
  return rc;
}

static int write_csv(FILE *out, const json_t *document, bool customers)
{
  static const char *const keys[] = {"sku",    "shop", "week",     "week_start", "low",
                                     "middle", "high", "expected", "customers",  "customer_ids"};
  const size_t n = sizeof(keys) / sizeof(keys[0]) - !customers;
  const json_t *lines = json_object_get(document, "lines");
  int rc = 0;
  for (size_t k = 0; rc == 0 && k < n; k++)
    rc = put_field(out, keys[k], k + 1 == n);
  for (size_t i = 0; i < json_array_size(lines); i++)
    for (size_t k = 0; rc == 0 && k < n; k++)
      rc = put_value(out, json_object_get(json_array_get(lines, i), keys[k]), k + 1 == n);
  return rc;
}

static int write_demand(const struct demand_run *run, const struct demand_settings *settings,
                        bool csv, const struct tm_output *out, struct tm_error *err)
{
  struct demand *d = demand_new(settings);
  json_t *document = NULL;
  int rc = d != NULL ? 0 : tm_fail(err, -ENOMEM, "out of memory");
  for (size_t i = 0; rc == 0 && i < run->newest.n; i++)
    rc = demand_add(d, newest_at(&run->newest, i), err);
  if (rc == 0 && (document = demand_json(d)) == NULL)
    rc = tm_fail(err, -ENOMEM, "out of memory");
  errno = 0;
  if (rc == 0 && csv && write_csv(out->stream, document, settings->customers) < 0)
    rc = tm_fail(err, -ENOMEM, "out of memory");
  else if (rc == 0 && !csv &&
           (json_dumpf(document, out->stream, JSON_COMPACT | JSON_REAL_PRECISION(15)) < 0 ||
            putc('\n', out->stream) == EOF))
    rc = tm_output_failed(out, err);
  json_decref(document);
  demand_free(d);
  return rc;
}

int cmd_demand(const struct tm_args *args)
{
  struct demand_run run = {0};
  struct shops shops = {0};
  struct documents_count count = {0};
  struct tm_output out = {0};
  struct tm_error err = {0};
  uint64_t weeks = 26;
  const char *format = tm_args_get(args, "format");
  const char *weeks_text = tm_args_get(args, "weeks");
  const char *shops_path = tm_args_get(args, "shops");
  int status = command_as_of(args, &run.now);
  if (status != 0)
    return status;
  run.as_of = run.now != INT64_MIN;
  if (weeks_text != NULL && tm_parse_u64(weeks_text, 1, DEMAND_MAX_WEEKS, &weeks) < 0)
    return tm_args_refuse(args, "weeks", "not a number from 1 to 156");
  if (format != NULL && strcmp(format, "json") != 0 && strcmp(format, "csv") != 0)
    return tm_args_refuse(args, "format", "not one of json, csv");
  int rc = shops_path != NULL ? shops_load(&shops, shops_path, &err) : 0;
  status = command_file_status(rc);
  if (rc < 0)
    goto out;
  rc = tm_output_open(&out, tm_args_get(args, "output"), 0644, &err);
  if (rc == 0)
    rc = documents_read(args->operands, each_summary, &run, &count, &err);
  if (rc == 0 && run.now == INT64_MIN)
    rc = tm_fail(&err, -ENOENT, "demand: no summary was read");
  struct demand_settings settings = {.now = run.now,
                                     .weeks = (unsigned)weeks,
                                     .shops = &shops,
                                     .customers = tm_args_has(args, "customers")};
  if (rc == 0)
    rc = write_demand(&run, &settings, format != NULL && strcmp(format, "csv") == 0, &out, &err);
  if (rc == 0)
    rc = tm_output_commit(&out, &err);
  status = rc == 0 ? documents_status(&count) : tm_exit_status(rc);
  if (rc == -ENOENT && count.refused + count.missing > 0)
    status = documents_status(&count);
out:
  if (rc < 0)
    tm_log_error("%s", err.text);
  tm_output_release(&out);
  newest_release(&run.newest);
  shops_release(&shops);
  return status;
}
