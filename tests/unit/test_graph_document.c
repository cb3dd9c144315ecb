/* SPDX-License-Identifier: MIT */
/* What the graph command asks its helper to draw. */
#include "analyzer/graph/document.h"
#include "common/clock.h"
#include "common/json.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROWS = 400, EARLY = 1, MIDDLE = 3, LATE = 5 };

#define T0  1760054400LL /* 2025-10-10 */
#define TIB 1099511627776.0

struct fixture {
  int64_t time[ROWS];
  double used[ROWS], capacity[ROWS];
  struct series series;
  struct tm_conf conf;
  struct forecast_result result;
};

/* 400 days, 0.1 TiB a day, 50 TiB and from day 300 on 70; full in 100 days, 50 to 300. */
static void fill(struct fixture *f)
{
  *f = (struct fixture){0};
  tm_conf_defaults(&f->conf);
  for (int i = 0; i < ROWS; i++) {
    f->time[i] = T0 + (int64_t)i * TM_DAY;
    f->used[i] = (20 + i * 0.1) * TIB;
    f->capacity[i] = (i < 300 ? 50 : i == 300 ? 61 : 70) * TIB;
  }
  f->series = (struct series){.host = "h",
                              .device = "array-01",
                              .folder = "disk_array-array-01",
                              .unit = "bytes",
                              .n = ROWS,
                              .step_s = TM_DAY,
                              .time = f->time,
                              .used = f->used,
                              .capacity = f->capacity,
                              .used_now = f->used[ROWS - 1],
                              .capacity_now = 70 * TIB};
  f->result = (struct forecast_result){.verdict = FORECAST_GROWING,
                                       .last_time = f->time[ROWS - 1],
                                       .last_used = f->used[ROWS - 1],
                                       .limit = 70 * TIB,
                                       .growth_per_day = 0.1 * TIB,
                                       .step_s = TM_DAY};
  for (int q = 0; q < FORECAST_N_QUANTILES; q++)
    f->result.fill[q] = f->result.last_time + 100LL * TM_DAY;
  f->result.fill[EARLY] = f->result.last_time + 50LL * TM_DAY;
  f->result.fill[LATE] = f->result.last_time + 200LL * TM_DAY;
}

static json_t *document_of(const struct fixture *f)
{
  struct tm_error err = {0};
  json_t *d = NULL;
  if (graph_document(&d, &f->conf, &f->series, &f->result, "png", 800, &err) != 0)
    fail_msg("%s", err.text);
  return d;
}

static double at(const json_t *rows, size_t row, size_t column)
{
  const json_t *v = json_array_get(json_array_get(rows, row), column);
  return json_is_number(v) ? json_number_value(v) : NAN;
}

static void the_fan_reaches_the_limit_on_the_dates(void **state)
{
  struct fixture f;
  (void)state;
  fill(&f);
  json_t *d = document_of(&f);
  const json_t *fan = json_object_get(d, "forecast");
  int touched = 0;
  assert_true(at(fan, 0, 1) == f.result.last_used && at(fan, 0, 3) == f.result.last_used);
  for (size_t i = 0; i < json_array_size(fan); i++) {
    double t = at(fan, i, 0);
    assert_true(at(fan, i, 1) <= at(fan, i, 3));
    touched += t == (double)f.result.fill[EARLY] && at(fan, i, 3) == f.result.limit;
    touched += t == (double)f.result.fill[MIDDLE] && at(fan, i, 2) == f.result.limit;
    touched += t == (double)f.result.fill[LATE] && at(fan, i, 1) == f.result.limit;
  }
  assert_int_equal(touched, 3);
  assert_true(tm_json_get_number(d, "full") == (double)f.result.fill[MIDDLE]);
  assert_true(tm_json_get_number(d, "to") > (double)f.result.fill[LATE]);
  json_decref(d);
}

static void the_axis_ends_after_the_likely_date_but_not_ages_later(void **state)
{
  struct fixture f;
  (void)state;
  fill(&f);
  f.result.fill[LATE] = FORECAST_NONE;
  json_t *d = document_of(&f);
  assert_true(tm_json_get_number(d, "to") > (double)f.result.fill[MIDDLE]);
  assert_true(tm_json_get_number(d, "to") < (double)f.result.last_time + 250.0 * TM_DAY);
  assert_non_null(strstr(tm_json_get_string(d, "subtitle"), "full after"));
  json_decref(d);
  f.result.fill[MIDDLE] = f.result.last_time + 3000LL * TM_DAY;
  d = document_of(&f);
  assert_true(tm_json_get_number(d, "to") < (double)f.result.last_time + 200.0 * TM_DAY);
  json_decref(d);
}

static void an_expansion_is_one_mark_although_its_row_is_a_mean(void **state)
{
  struct fixture f;
  (void)state;
  fill(&f);
  json_t *d = document_of(&f);
  const json_t *events = json_object_get(d, "events");
  assert_int_equal(json_array_size(events), 1);
  assert_string_equal(tm_json_get_string(json_array_get(events, 0), "text"),
                      "Expanded by 20.0 TiB on 2026-08-05");
  json_decref(d);
}

static void without_a_verdict_nothing_is_forecast(void **state)
{
  static const enum forecast_verdict verdicts[] = {FORECAST_SHORT, FORECAST_NO_LIMIT,
                                                   FORECAST_NO_ROWS};
  struct fixture f;
  (void)state;
  fill(&f);
  for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
    f.result.verdict = verdicts[i];
    for (int q = 0; q < FORECAST_N_QUANTILES; q++)
      f.result.fill[q] = FORECAST_NONE;
    strcpy(f.result.reason, "9 days of history; 14 days needed");
    json_t *d = document_of(&f);
    assert_null(json_object_get(d, "forecast"));
    assert_null(json_object_get(d, "full"));
    assert_true(tm_json_get_number(d, "to") == (double)f.result.last_time);
    assert_non_null(strstr(tm_json_get_string(d, "subtitle"), "9 days of history"));
    json_decref(d);
  }
}

static void a_flat_device_goes_on_at_its_pace_within_its_limits(void **state)
{
  struct fixture f;
  (void)state;
  fill(&f);
  f.result.verdict = FORECAST_RECEDING;
  f.result.growth_per_day = -5 * TIB;
  for (int q = 0; q < FORECAST_N_QUANTILES; q++)
    f.result.fill[q] = FORECAST_NONE;
  json_t *d = document_of(&f);
  const json_t *line = json_object_get(d, "forecast");
  size_t last = json_array_size(line) - 1;
  assert_true(at(line, last, 2) == 0);
  assert_true(isnan(at(line, last, 1)) && isnan(at(line, last, 3)));
  json_decref(d);
}

static void what_is_not_known_is_not_drawn(void **state)
{
  struct fixture f;
  struct tm_error err = {0};
  json_t *d = NULL;
  (void)state;
  fill(&f);
  f.series.n = 0;
  assert_int_equal(graph_document(&d, &f.conf, &f.series, NULL, "png", 800, &err), -ENODATA);
  assert_null(d);
  struct maxima_day day = {.start = T0, .end = T0 + TM_DAY, .max = 7, .span_s = 3600};
  f.series.unit = NULL;
  f.series.maxima = (struct maxima){
      .source = MAXIMA_COUNT, .unit = "pages", .interval_s = 300, .n = 1, .day = &day};
  assert_int_equal(graph_document(&d, &f.conf, &f.series, NULL, "png", 800, &err), 0);
  assert_int_equal(json_array_size(json_object_get(d, "rows")), 0);
  const char *label = tm_json_get_string(json_object_get(d, "maxima"), "label");
  assert_true(strncmp(label, "Most pages in any 300 s, by day", 31) == 0);
  json_decref(d);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_fan_reaches_the_limit_on_the_dates),
      cmocka_unit_test(the_axis_ends_after_the_likely_date_but_not_ages_later),
      cmocka_unit_test(an_expansion_is_one_mark_although_its_row_is_a_mean),
      cmocka_unit_test(without_a_verdict_nothing_is_forecast),
      cmocka_unit_test(a_flat_device_goes_on_at_its_pace_within_its_limits),
      cmocka_unit_test(what_is_not_known_is_not_drawn),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
