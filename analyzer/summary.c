/* SPDX-License-Identifier: MIT */
#include "analyzer/summary.h"

#include "analyzer/expansion.h"
#include "common/clock.h"
#include "common/json_out.h"

#include <errno.h>
#include <math.h>
#include <string.h>

static void put_string(struct json_out *o, const char *key, const char *value)
{
  json_out_key(o, key);
  json_out_string(o, value);
}

static void put_time(struct json_out *o, const char *key, int64_t t)
{
  json_out_key(o, key);
  json_out_time(o, t);
}

static void put_number(struct json_out *o, const char *key, double value)
{
  json_out_key(o, key);
  json_out_number(o, value);
}

/* Bytes and slots are whole; means over a row are not, and nobody needs their fraction. */
static void put_whole(struct json_out *o, const char *key, double value)
{
  put_number(o, key, round(value));
}

static bool counts_slots(const struct series *s)
{
  return s->unit != NULL && strcmp(s->unit, "slots") == 0;
}

static void put_customer(struct json_out *o, const struct summary *s)
{
  json_out_key(o, "customer");
  json_out_open(o, '{');
  put_string(o, "id", s->conf->customer_id);
  put_string(o, "name", s->conf->customer_name);
  put_string(o, "site", s->conf->site);
  put_string(o, "host", s->series->host);
  json_out_close(o, '}');
}

/* What is fixed: the device's own name and kind, then what its registration and inventory say. */
static void put_product(struct json_out *o, const struct summary *s)
{
  json_out_key(o, "product");
  json_out_open(o, '{');
  put_string(o, "device", s->series->device);
  put_string(o, "kind", series_kind_name(s->series->kind));
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)s->product, key, value)
  {
    if (strcmp(key, "device") == 0 || strcmp(key, "kind") == 0)
      continue;
    json_out_key(o, key);
    json_out_value(o, value);
  }
  json_out_close(o, '}');
}

/* The newest days that go into the document. */
static size_t first_day(const struct summary *s)
{
  const struct maxima *m = &s->series->maxima;
  return m->n > s->history_days ? m->n - s->history_days : 0;
}

/* The period's maximum, its mean over what was covered, and the weakest resolution behind it. */
static void put_load(struct json_out *o, const struct summary *s)
{
  const struct maxima *m = &s->series->maxima;
  const struct maxima_day *busiest = NULL;
  const struct maxima_day *weakest = NULL;
  double sum = 0;
  double weight = 0;
  for (size_t i = first_day(s); i < m->n; i++) {
    const struct maxima_day *d = &m->day[i];
    if (isnan(d->max))
      continue;
    if (busiest == NULL || d->max > busiest->max)
      busiest = d;
    if (weakest == NULL || (weakest->exact && !d->exact) ||
        (weakest->exact == d->exact && d->span_s > weakest->span_s))
      weakest = d;
    double covered = d->covered * (double)(d->end - d->start);
    if (!isnan(d->mean)) {
      sum += d->mean * covered;
      weight += covered;
    }
  }
  json_out_key(o, "transfers");
  if (m->source == MAXIMA_NONE) {
    json_out_null(o);
    return;
  }
  char resolution[MAXIMA_TEXT_SIZE];
  json_out_open(o, '{');
  put_string(o, "unit", m->unit);
  json_out_key(o, "interval_s");
  json_out_int(o, m->interval_s);
  put_number(o, "max_per_interval", busiest != NULL ? busiest->max : NAN);
  put_time(o, "max_at", busiest != NULL ? busiest->max_at : INT64_MIN);
  if (!s->brief)
    put_number(o, "mean_per_interval", weight > 0 ? sum / weight : NAN);
  put_string(o, "resolution",
             weakest != NULL ? maxima_resolution(resolution, m, weakest) : "unknown");
  json_out_close(o, '}');
}

static void put_levels(struct json_out *o, const struct series *s)
{
  if (s->n_levels == 0)
    return;
  json_out_key(o, "levels");
  json_out_open(o, '[');
  for (size_t i = 0; i < s->n_levels; i++) {
    json_out_open(o, '{');
    put_string(o, "name", s->levels[i].name);
    put_number(o, "now", s->levels[i].now);
    json_out_close(o, '}');
  }
  json_out_close(o, ']');
}

/* The day of the last change of capacity: a need after it is a new one. */
static void put_change(struct json_out *o, const struct series *s, bool brief)
{
  char date[TM_DATE_SIZE];
  int64_t since = expansion_last(s->time, s->capacity, s->unit != NULL ? s->n : 0);
  if (brief && since == INT64_MIN) /* a month of rows does not tell that there was none */
    return;
  put_string(o, "capacity_changed_on", since != INT64_MIN ? tm_date_format(date, since) : NULL);
}

static void put_status(struct json_out *o, const struct summary *s)
{
  const struct series *d = s->series;
  bool slots = counts_slots(d);
  json_out_key(o, "status");
  json_out_open(o, '{');
  put_time(o, "observed_at", d->read_at != INT64_MIN ? d->read_at : d->observed_at);
  put_whole(o, "capacity_bytes", slots ? NAN : d->capacity_now);
  put_whole(o, "used_bytes", slots ? NAN : d->used_now);
  if (slots) {
    put_whole(o, "slots_total", d->capacity_now);
    put_whole(o, "slots_used", d->used_now);
  }
  put_change(o, d, s->brief);
  put_load(o, s);
  put_levels(o, d);
  json_out_close(o, '}');
}

#define DAY_SIZE (200 + TM_DATE_SIZE + JSON_TIME_SIZE + 6 * JSON_NUMBER_SIZE)

/* The greater part of the document: see json_out_begin(). */
static void put_day(struct json_out *o, const struct maxima_day *d, int64_t date_days, bool slots,
                    bool brief)
{
  char *p = json_out_begin(o, DAY_SIZE);
  if (p == NULL)
    return;
  p = tm_date_format_days(json_put(p, "{\"date\":\""), date_days) + TM_DATE_LEN;
  p = slots ? json_put(p, "\",\"slots_total\":") : json_put(p, "\",\"capacity_bytes\":");
  p = json_put_number(p, round(d->capacity));
  p = slots ? json_put(p, ",\"slots_used\":") : json_put(p, ",\"used_bytes\":");
  p = json_put_number(p, round(d->used));
  p = json_put_number(json_put(p, ",\"transfers_max\":"), d->max);
  p = json_put_time(json_put(p, ",\"transfers_max_at\":"), d->max_at);
  if (!brief) {
    p = json_put_number(json_put(p, ",\"transfers_mean\":"), d->mean);
    p = json_put_number(json_put(p, ",\"transfers_p95\":"), d->p95);
  }
  p = json_put_number(json_put(p, ",\"covered\":"), round(d->covered * 1000) / 1000);
  json_out_end(o, json_put(p, "}"));
}

static void put_history(struct json_out *o, const struct summary *s)
{
  const struct maxima *m = &s->series->maxima;
  int64_t date_days = 0;
  json_out_key(o, "history");
  json_out_open(o, '[');
  for (size_t i = first_day(s); i < m->n; i++) {
    const struct maxima_day *d = &m->day[i];
    /* Noon: the day's own date whatever its first hour is called. */
    if (i > first_day(s) && m->day[i - 1].end == d->start)
      date_days++;
    else
      date_days = tm_date_days(d->start + (d->end - d->start) / 2);
    put_day(o, d, date_days, counts_slots(s->series), s->brief);
  }
  json_out_close(o, ']');
}

static const char *verdict_name(enum forecast_verdict verdict)
{
  static const char *const names[] = {
      [FORECAST_NO_ROWS] = "no-rows", [FORECAST_NO_LIMIT] = "no-limit",
      [FORECAST_SHORT] = "short",     [FORECAST_REACHED] = "reached",
      [FORECAST_FLAT] = "flat",       [FORECAST_RECEDING] = "receding",
      [FORECAST_GROWING] = "growing"};
  return names[verdict];
}

static void put_fill(struct json_out *o, const struct forecast_result *f)
{
  char key[24];
  json_out_key(o, "fill");
  json_out_open(o, '{');
  for (int i = 0; i < FORECAST_N_QUANTILES; i++) {
    snprintf(key, sizeof(key), "%g", forecast_quantile[i]);
    put_time(o, key, f->fill[i] == FORECAST_NONE ? INT64_MIN : f->fill[i]);
  }
  json_out_key(o, "probability_by_horizon");
  json_out_open(o, '{');
  for (int i = 0; i < FORECAST_N_HORIZONS; i++) {
    snprintf(key, sizeof(key), "%dd", forecast_horizon_days[i]);
    put_number(o, key, round(f->probability[i] * 1e4) / 1e4);
  }
  json_out_close(o, '}');
  json_out_close(o, '}');
}

static void put_forecast(struct json_out *o, const struct summary *s)
{
  const struct forecast_result *f = s->forecast;
  json_out_key(o, "forecast");
  if (f == NULL) {
    json_out_null(o);
    return;
  }
  json_out_open(o, '{');
  put_string(o, "model", f->model);
  put_string(o, "verdict", verdict_name(f->verdict));
  put_string(o, "reason", f->reason);
  /* The difference of a few minutes, told by the day, would only frighten. */
  double growth = f->verdict == FORECAST_SHORT ? NAN : f->growth_per_day;
  if (counts_slots(s->series))
    put_number(o, "growth_slots_per_day", round(growth * 1e3) / 1e3);
  else
    put_whole(o, "growth_bytes_per_day", growth);
  put_fill(o, f);
  json_out_key(o, "backtest");
  json_out_open(o, '{');
  put_number(o, "mase", round(f->backtest_mase * 1e4) / 1e4);
  put_string(o, "record", s->record);
  json_out_close(o, '}');
  json_out_close(o, '}');
}

int summary_write(struct tm_buf *out, const struct summary *s)
{
  struct json_out o = JSON_OUT_INIT(out);
  const struct maxima *m = &s->series->maxima;
  size_t first = first_day(s);
  json_out_open(&o, '{');
  put_string(&o, "schema", "tidemark.summary/1");
  put_time(&o, "generated_at", s->generated_at);
  json_out_key(&o, "period");
  json_out_open(&o, '{');
  put_time(&o, "from", first < m->n ? m->day[first].start : s->series->observed_at);
  put_time(&o, "to", s->series->observed_at);
  json_out_close(&o, '}');
  put_customer(&o, s);
  put_product(&o, s);
  put_status(&o, s);
  put_history(&o, s);
  put_forecast(&o, s);
  return o.rc;
}

int summary_close(struct tm_buf *out, const json_t *recommendations)
{
  struct json_out o = JSON_OUT_INIT(out);
  o.comma = true;
  json_out_key(&o, "recommendations");
  if (recommendations != NULL) {
    json_out_value(&o, recommendations);
  } else {
    json_out_open(&o, '[');
    json_out_close(&o, ']');
  }
  json_out_close(&o, '}');
  return o.rc;
}
