/* SPDX-License-Identifier: MIT */
/*
 * OpenMetrics text for node_exporter's textfile collector, or any scraper: one family a number,
 * families apart from one another, as the format wants it.
 */
#include "analyzer/report/report.h"

#include "common/buf.h"
#include "common/clock.h"
#include "common/json.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define FAMILY_BYTES (256U << 20)

enum family { CAPACITY, USED, GROWTH, FILL, PROBABILITY, BUSIEST, OBSERVED, FAMILIES };

static const struct {
  const char *name;
  const char *help;
} families[FAMILIES] = {
    [CAPACITY] = {"tidemark_capacity_bytes", "Capacity of the device."},
    [USED] = {"tidemark_used_bytes", "Used capacity of the device."},
    [GROWTH] = {"tidemark_growth_bytes_per_day", "Growth of used capacity in a day."},
    [FILL] = {"tidemark_fill_time_seconds",
              "Time since 1970 at which the device is full with this probability."},
    [PROBABILITY] = {"tidemark_fill_probability_ratio",
                     "Probability that the device is full within the horizon."},
    [BUSIEST] = {"tidemark_busiest_interval_transfers",
                 "Most transfers completed in a unit interval of the period."},
    [OBSERVED] = {"tidemark_observed_time_seconds",
                  "Time since 1970 of the newest reading of the device."},
};

struct report {
  FILE *out;
  struct tm_buf text[FAMILIES];
};

static struct report *openmetrics_begin(const struct report_settings *settings)
{
  struct report *r = calloc(1, sizeof(*r));
  if (r == NULL)
    return NULL;
  r->out = settings->out;
  for (int i = 0; i < FAMILIES; i++)
    r->text[i] = (struct tm_buf)TM_BUF_INIT(FAMILY_BYTES);
  return r;
}

static void openmetrics_free(struct report *r)
{
  for (int i = 0; r != NULL && i < FAMILIES; i++)
    tm_buf_release(&r->text[i]);
  free(r);
}

static int put_label(struct tm_buf *b, const char *name, const char *value)
{
  int rc = tm_buf_printf(b, "%s%s=\"", b->len > 0 ? "," : "", name);
  for (const char *p = value != NULL ? value : ""; rc == 0 && *p != '\0'; p++) {
    if (*p == '\n')
      rc = tm_buf_puts(b, "\\n");
    else if (*p == '"' || *p == '\\')
      rc = tm_buf_printf(b, "\\%c", *p);
    else
      rc = tm_buf_add(b, p, 1);
  }
  return rc == 0 ? tm_buf_puts(b, "\"") : rc;
}

static int put_labels(struct tm_buf *labels, const json_t *summary)
{
  const json_t *customer = json_object_get(summary, "customer");
  const json_t *product = json_object_get(summary, "product");
  int rc = put_label(labels, "host", tm_json_get_string(customer, "host"));
  if (rc == 0)
    rc = put_label(labels, "device", tm_json_get_string(product, "device"));
  if (rc == 0)
    rc = put_label(labels, "kind", tm_json_get_string(product, "kind"));
  const char *id = tm_json_get_string(customer, "id");
  if (rc == 0 && id != NULL)
    rc = put_label(labels, "customer", id);
  const char *site = tm_json_get_string(customer, "site");
  if (rc == 0 && site != NULL)
    rc = put_label(labels, "site", site);
  return rc;
}

/* One sample; nothing where the value is not known. extra is a further label's text or "". */
static int put_sample(struct report *r, enum family f, const struct tm_buf *labels,
                      const char *extra, double value)
{
  if (isnan(value))
    return 0;
  return tm_buf_printf(&r->text[f], "%s{%s%s} %.15g\n", families[f].name, labels->ptr, extra,
                       value);
}

static int put_fill(struct report *r, const struct tm_buf *labels, const json_t *fill)
{
  int rc = 0;
  const char *key;
  const json_t *value;
  char extra[48];
  json_object_foreach((json_t *)fill, key, value)
  {
    int64_t t = 0;
    if (rc == 0 && json_is_string(value) && tm_json_get_time(fill, key, &t)) {
      snprintf(extra, sizeof(extra), ",quantile=\"%s\"", key);
      rc = put_sample(r, FILL, labels, extra, (double)t);
    }
  }
  json_object_foreach(json_object_get(fill, "probability_by_horizon"), key, value)
  {
    snprintf(extra, sizeof(extra), ",horizon=\"%s\"", key);
    if (rc == 0 && json_is_number(value))
      rc = put_sample(r, PROBABILITY, labels, extra, json_number_value(value));
  }
  return rc;
}

static int openmetrics_add(struct report *r, const char *line, size_t len, const json_t *summary)
{
  (void)line;
  (void)len;
  struct tm_buf labels = TM_BUF_INIT(8192);
  const json_t *status = json_object_get(summary, "status");
  const json_t *forecast = json_object_get(summary, "forecast");
  const json_t *transfers = json_object_get(status, "transfers");
  int64_t observed = 0;
  bool seen = tm_json_get_time(status, "observed_at", &observed);
  int rc = put_labels(&labels, summary);
  const struct {
    enum family family;
    double value;
  } samples[] = {
      {CAPACITY, tm_json_get_number(status, "capacity_bytes")},
      {USED, tm_json_get_number(status, "used_bytes")},
      {GROWTH, tm_json_get_number(forecast, "growth_bytes_per_day")},
      {BUSIEST, tm_json_get_number(transfers, "max_per_interval")},
      {OBSERVED, seen ? (double)observed : NAN},
  };
  for (size_t i = 0; rc == 0 && i < sizeof(samples) / sizeof(samples[0]); i++)
    rc = put_sample(r, samples[i].family, &labels, "", samples[i].value);
  if (rc == 0)
    rc = put_fill(r, &labels, json_object_get(forecast, "fill"));
  tm_buf_release(&labels);
  return rc;
}

static int openmetrics_end(struct report *r, size_t unread)
{
  (void)unread;
  for (int i = 0; i < FAMILIES; i++) {
    if (r->text[i].len > 0)
      fprintf(r->out, "# HELP %s %s\n# TYPE %s gauge\n%s", families[i].name, families[i].help,
              families[i].name, r->text[i].ptr);
  }
  fputs("# EOF\n", r->out);
  return EX_OK;
}

const struct report_format report_openmetrics = {
    .name = "openmetrics",
    .begin = openmetrics_begin,
    .add = openmetrics_add,
    .end = openmetrics_end,
    .free = openmetrics_free,
};
