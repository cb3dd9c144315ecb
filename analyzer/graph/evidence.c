/* SPDX-License-Identifier: MIT */
#include "analyzer/graph/evidence.h"

#include "analyzer/graph/document.h"
#include "common/clock.h"
#include "common/json.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 796, MAX_DAYS = 3660, INTERVAL_S = 300 };

/* What the summary said, in the shape that it was made of. */
struct evidence {
  const json_t *summary;
  const json_t *history;
  int64_t first, n; /* days since 1970, and how many of them; those that are missing are unknown */
  int64_t *time;
  double *used, *capacity;
  struct maxima_day *days;
  struct tm_conf conf;
  struct series series;
  struct forecast_result result;
  bool has_forecast;
};

static const json_t *summary_in(const json_t *document)
{
  const json_t *data = json_object_get(document, "data");
  return json_object_get(document, "specversion") != NULL ? data : document;
}

bool evidence_is_summary(const json_t *document)
{
  const char *schema = tm_json_get_string(summary_in(document), "schema");
  return schema != NULL &&
         (strncmp(schema, "tidemark.summary/", strlen("tidemark.summary/")) == 0 ||
          strncmp(schema, "tidemark.history/", strlen("tidemark.history/")) == 0);
}

static const char *text_or(const json_t *object, const char *key, const char *otherwise)
{
  const char *text = tm_json_get_string(object, key);
  return text != NULL ? text : otherwise;
}

/* --- days ------------------------------------------------------------------------------------- */

/* What a picture can show: plot.h. */
#define FIRST_DAY (631152000LL + TM_DAY) /* 1990-01-02 */
#define LAST_DAY  7258118400LL           /* 2200-01-01 */

static bool is_drawable(int64_t t)
{
  return t >= FIRST_DAY && t <= LAST_DAY;
}

/* The midnight in UTC of a day's date; INT64_MIN for none. */
static int64_t midnight(const json_t *day)
{
  int64_t t = INT64_MIN;
  const char *date = tm_json_get_string(day, "date");
  return date != NULL && tm_time_parse(date, &t) == 0 && is_drawable(t) ? t : INT64_MIN;
}

/* The days of the history and that of the last reading, which may be all there is. */
static int span_find(struct evidence *e)
{
  int64_t first = INT64_MAX;
  int64_t last = INT64_MIN;
  int64_t read = tm_json_time_or(json_object_get(e->summary, "status"), "observed_at", -1);
  size_t i;
  json_t *day;
  json_array_foreach(e->history, i, day)
  {
    int64_t t = midnight(day);
    if (t == INT64_MIN)
      continue;
    first = t < first ? t : first;
    last = t > last ? t : last;
  }
  if (is_drawable(read)) {
    read -= read % TM_DAY;
    first = read < first ? read : first;
    last = read > last ? read : last;
  }
  if (last == INT64_MIN)
    return -ENODATA;
  e->n = (last - first) / TM_DAY + 1;
  if (e->n > MAX_DAYS)
    e->n = MAX_DAYS; /* the newest ones */
  e->first = last - (e->n - 1) * TM_DAY;
  return 0;
}

static int days_allocate(struct evidence *e)
{
  size_t n = (size_t)e->n;
  e->time = calloc(n, sizeof(*e->time));
  e->used = calloc(n, sizeof(*e->used));
  e->capacity = calloc(n, sizeof(*e->capacity));
  e->days = calloc(n, sizeof(*e->days));
  if (e->time == NULL || e->used == NULL || e->capacity == NULL || e->days == NULL)
    return -ENOMEM;
  for (size_t i = 0; i < n; i++) {
    int64_t start = e->first + (int64_t)i * TM_DAY;
    e->time[i] = start + TM_DAY;
    e->used[i] = e->capacity[i] = NAN;
    e->days[i] = (struct maxima_day){.start = start, .end = start + TM_DAY, .max = NAN};
  }
  return 0;
}

/* How the maxima are to be read: the words of maxima_resolution(), backwards. */
static void resolution_read(struct maxima *m, const json_t *transfers)
{
  const char *resolution = text_or(transfers, "resolution", "exact");
  uint32_t span_s = (uint32_t)strtoul(resolution, NULL, 10);
  m->source = strcmp(resolution, "rate") == 0 ? MAXIMA_RATE : MAXIMA_COUNT;
  if (strcmp(resolution, "UTC day") == 0)
    span_s = TM_DAY;
  for (size_t i = 0; i < m->n; i++) {
    m->day[i].exact = strcmp(resolution, "exact") == 0;
    m->day[i].span_s = span_s;
  }
}

static void days_read(struct evidence *e, bool slots)
{
  bool counted = false;
  size_t i;
  json_t *day;
  json_array_foreach(e->history, i, day)
  {
    int64_t t = midnight(day);
    if (t < e->first) /* none, too */
      continue;
    size_t at = (size_t)((t - e->first) / TM_DAY);
    e->used[at] = tm_json_get_number(day, slots ? "slots_used" : "used_bytes");
    e->capacity[at] = tm_json_get_number(day, slots ? "slots_total" : "capacity_bytes");
    e->days[at].max = tm_json_get_number(day, "transfers_max");
    counted = counted || !isnan(e->days[at].max);
  }
  if (!counted)
    return;
  const json_t *transfers = json_object_get(json_object_get(e->summary, "status"), "transfers");
  double interval_s = tm_json_get_number(transfers, "interval_s");
  e->series.maxima = (struct maxima){
      .unit = text_or(transfers, "unit", "transfers"),
      .interval_s = interval_s >= 1 && interval_s <= TM_DAY ? (int64_t)interval_s : INTERVAL_S,
      .n = (size_t)e->n,
      .day = e->days};
  resolution_read(&e->series.maxima, transfers);
}

/* --- the rest --------------------------------------------------------------------------------- */

/* The last day ends when the device was last read, not with its midnight. */
static void status_read(struct evidence *e, bool slots)
{
  const json_t *status = json_object_get(e->summary, "status");
  struct series *s = &e->series;
  size_t last = (size_t)e->n - 1;
  int64_t at = tm_json_time_or(status, "observed_at", e->time[last]);
  if (at > e->days[last].start && at < e->time[last])
    e->time[last] = at;
  s->used_now = tm_json_get_number(status, slots ? "slots_used" : "used_bytes");
  s->capacity_now = tm_json_get_number(status, slots ? "slots_total" : "capacity_bytes");
  if (isnan(s->used_now))
    s->used_now = e->used[last];
  if (isnan(s->capacity_now))
    s->capacity_now = e->capacity[last];
  if (isnan(e->used[last]))
    e->used[last] = s->used_now;
  if (isnan(e->capacity[last]))
    e->capacity[last] = s->capacity_now;
}

static int64_t fill_at(const json_t *fill, double quantile)
{
  char key[24];
  snprintf(key, sizeof(key), "%g", quantile);
  return tm_json_time_or(fill, key, FORECAST_NONE);
}

static void forecast_read(struct evidence *e, bool slots)
{
  static const struct {
    const char *name;
    enum forecast_verdict verdict;
  } verdicts[] = {{"growing", FORECAST_GROWING},
                  {"flat", FORECAST_FLAT},
                  {"receding", FORECAST_RECEDING},
                  {"reached", FORECAST_REACHED}};
  const json_t *f = json_object_get(e->summary, "forecast");
  const char *verdict = text_or(f, "verdict", "");
  struct forecast_result *r = &e->result;
  if (!json_is_object(f))
    return;
  *r = (struct forecast_result){.verdict = FORECAST_SHORT,
                                .last_time = e->time[e->n - 1],
                                .last_used = e->series.used_now,
                                .limit = e->series.capacity_now,
                                .growth_per_day = tm_json_get_number(
                                    f, slots ? "growth_slots_per_day" : "growth_bytes_per_day"),
                                .step_s = TM_DAY};
  snprintf(r->reason, sizeof(r->reason), "%s", text_or(f, "reason", "no date is forecast"));
  for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
    if (strcmp(verdict, verdicts[i].name) == 0)
      r->verdict = verdicts[i].verdict;
  }
  for (int i = 0; i < FORECAST_N_QUANTILES; i++) {
    r->fill[i] = fill_at(json_object_get(f, "fill"), forecast_quantile[i]);
    if (r->fill[i] != FORECAST_NONE && r->fill[i] < r->last_time)
      r->fill[i] = r->last_time;
  }
  /* A line from an unknown point to an unknown limit cannot be drawn. */
  e->has_forecast = isfinite(r->last_used) && isfinite(r->limit);
}

static void names_read(struct evidence *e)
{
  const json_t *customer = json_object_get(e->summary, "customer");
  tm_conf_defaults(&e->conf);
  e->conf.customer_name = tm_json_get_string(customer, "name");
  e->conf.site = tm_json_get_string(customer, "site");
  e->conf.timezone = "UTC";
  e->series.host = text_or(customer, "host", "");
  e->series.device = text_or(json_object_get(e->summary, "product"), "device", "");
}

static bool has_any(const struct evidence *e, const char *key)
{
  size_t i;
  json_t *day;
  if (json_is_number(json_object_get(json_object_get(e->summary, "status"), key)))
    return true;
  json_array_foreach(e->history, i, day)
  {
    if (json_is_number(json_object_get(day, key)))
      return true;
  }
  return false;
}

static int evidence_read(struct evidence *e)
{
  bool slots = has_any(e, "slots_used") || has_any(e, "slots_total");
  bool fills = slots || has_any(e, "used_bytes") || has_any(e, "capacity_bytes");
  int rc = span_find(e);
  if (rc == 0)
    rc = days_allocate(e);
  if (rc < 0)
    return rc;
  names_read(e);
  days_read(e, slots);
  if (!fills)
    return e->series.maxima.n > 0 ? 0 : -ENODATA;
  status_read(e, slots);
  forecast_read(e, slots);
  e->series.unit = slots ? "slots" : "bytes";
  e->series.n = (size_t)e->n;
  e->series.step_s = TM_DAY;
  e->series.time = e->time;
  e->series.used = e->used;
  e->series.capacity = e->capacity;
  return 0;
}

int evidence_document(json_t **out, const json_t *document, struct tm_error *err)
{
  struct evidence e = {.summary = summary_in(document)};
  e.history = json_object_get(e.summary, "history");
  int rc = evidence_read(&e);
  if (rc == -ENODATA)
    tm_fail(err, rc, "nothing to draw: no value is known");
  else if (rc < 0)
    tm_fail(err, rc, "out of memory");
  else
    rc = graph_document(out, &e.conf, &e.series, e.has_forecast ? &e.result : NULL, "png", WIDTH,
                        err);
  free(e.time);
  free(e.used);
  free(e.capacity);
  free(e.days);
  return rc;
}
