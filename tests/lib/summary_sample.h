/* SPDX-License-Identifier: MIT */
#ifndef TM_TESTS_SUMMARY_SAMPLE_H
#define TM_TESTS_SUMMARY_SAMPLE_H

#include <jansson.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>

#include "common/clock.h"
#include "common/json.h"

/* Summaries for the tests of rules and recommendations, by their numbers. */
#define SAMPLE_NOW 1795133100 /* 2026-11-20T00:05:00Z */
#define SAMPLE_TIB 1099511627776.0

struct sample {
  const char *customer, *device, *model, *kind, *configuration, *firmware, *sold_on;
  const char *unit; /* of the load */
  double capacity_tib, used_tib, growth_tib;
  double d10, d50, d90;         /* days from now until full; 0: not within ten years */
  double load_first, load_last; /* transfers in the busiest 300 s of the first and last day */
  double pages_per_day;
  double cache_gib;
  int days;              /* of history */
  int expanded_days_ago; /* 0: never; the capacity was half before */
};
/* The defaults are there to be overridden. */
#pragma GCC diagnostic ignored "-Woverride-init"
#define SAMPLE(...)                                                                                \
  (struct sample)                                                                                  \
  {                                                                                                \
    .customer = "C-1001", .device = "array-01", .model = "DS-200", .kind = "disk_array",           \
    .firmware = "4.4.2", .sold_on = "2025-04-01", .unit = "transfers", .capacity_tib = 120,        \
    .used_tib = 60, .cache_gib = 32, .days = 60, __VA_ARGS__                                       \
  }

static inline json_t *sample_date(double days)
{
  return days > 0 ? tm_json_time(SAMPLE_NOW + (int64_t)(days * TM_DAY)) : json_null();
}

static inline json_t *sample_history(const struct sample *s)
{
  json_t *history = json_array();
  for (int i = s->days; i-- > 0;) {
    char time[TM_TIME_SIZE];
    char date[16];
    int64_t t = SAMPLE_NOW - (int64_t)i * TM_DAY;
    double share = s->days > 1 ? 1 - (double)i / (s->days - 1) : 1;
    double max = s->load_first + share * (s->load_last - s->load_first);
    double mean = s->pages_per_day > 0 ? s->pages_per_day / 288 : max / 4;
    bool half = s->expanded_days_ago > 0 && i >= s->expanded_days_ago;
    snprintf(date, sizeof(date), "%.10s", tm_time_format(time, t));
    json_array_append_new(
        history,
        json_pack("{s:s, s:o, s:o, s:o, s:o}", "date", date, "capacity_bytes",
                  tm_json_number(s->capacity_tib * SAMPLE_TIB * (half ? 0.5 : 1)), "used_bytes",
                  tm_json_number((s->used_tib - i * s->growth_tib) * SAMPLE_TIB), "transfers_max",
                  s->load_last > 0 || s->pages_per_day > 0 ? tm_json_number(max) : json_null(),
                  "transfers_mean", tm_json_number(mean)));
  }
  return history;
}

static inline json_t *sample_summary(const struct sample *s)
{
  bool paper = s->pages_per_day > 0;
  bool load = s->load_last > 0 || paper;
  json_t *summary = json_pack(
      "{s:s, s:s, s:{s:s, s:s, s:s, s:s}, s:{s:s, s:s, s:s, s:s, s:s, s:s*, s:o, s:[{s:s, s:s}]}}",
      "schema", "tidemark.summary/1", "generated_at", "2026-11-20T00:05:00Z", "customer", "id",
      s->customer, "name", "Example KK", "site", "osaka-1", "host", "nas-gw.example.com", "product",
      "device", s->device, "kind", s->kind, "vendor", paper ? "Example Print" : "Example Storage",
      "model", s->model, "sold_on", s->sold_on, "configuration", s->configuration, "cache_bytes",
      s->cache_gib > 0 ? tm_json_number(s->cache_gib * 1073741824) : json_null(), "software",
      "name", "firmware", "version", s->firmware);
  json_t *status = json_pack(
      "{s:s, s:o, s:o}", "observed_at", "2026-11-20T00:00:00Z", "capacity_bytes",
      s->capacity_tib > 0 ? tm_json_number(s->capacity_tib * SAMPLE_TIB) : json_null(),
      "used_bytes", s->capacity_tib > 0 ? tm_json_number(s->used_tib * SAMPLE_TIB) : json_null());
  json_object_set_new(
      status, "transfers",
      load ? json_pack("{s:s, s:i}", "unit", paper ? "pages" : s->unit, "interval_s", 300)
           : json_null());
  json_object_set_new(summary, "status", status);
  json_object_set_new(summary, "history", sample_history(s));
  json_object_set_new(summary, "forecast",
                      json_pack("{s:s, s:o, s:{s:o, s:o, s:o, s:{s:o}}}", "model", "test",
                                "growth_bytes_per_day", tm_json_number(s->growth_tib * SAMPLE_TIB),
                                "fill", "0.1", sample_date(s->d10), "0.5", sample_date(s->d50),
                                "0.9", sample_date(s->d90), "probability_by_horizon", "365d",
                                s->d90 > 0 ? json_null() : json_real(0.01)));
  json_object_set_new(summary, "recommendations", json_array());
  return summary;
}

#endif
