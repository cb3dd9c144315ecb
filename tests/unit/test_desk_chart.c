/* SPDX-License-Identifier: MIT */
/* The series of a device, and the server's own drawing of it. CHART_TO=FILE.html keeps the drawing.
 */
#include "common/clock.h"
#include "common/json.h"
#include "contrib/desk/chart/drawing.h"
#include "contrib/desk/chart/series.h"
#include "contrib/desk/http/template.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TIB 1099511627776.0
/* 2026-11-20 */
#define TODAY 20777

/* A year that grows by a tenth of a TiB a day; capacity doubles on the 100th day, five days are
 * missing from the 200th on, and the busiest day is the 300th. */
static json_t *a_year(void)
{
  json_t *days = json_array();
  for (int i = 0; i < 365; i++) {
    char date[TM_DATE_SIZE];
    if (i >= 200 && i < 205)
      continue;
    tm_date_format_days(date, TODAY - 365 + i);
    json_array_append_new(days, json_pack("{s:s, s:f, s:f, s:i, s:s}", "date", date, "used_bytes",
                                          (40 + 0.1 * i) * TIB, "capacity_bytes",
                                          (i < 100 ? 60 : 120) * TIB, "transfers_max",
                                          i == 300 ? 48210 : 20000 + 37 * (i % 7),
                                          "transfers_max_at", "2026-09-16T01:35:00Z"));
  }
  return days;
}

static json_t *a_summary(const char *early, const char *middle, const char *late)
{
  return json_pack("{s:s, s:{s:s}, s:{s:s}, s:{s:{s:i, s:s}}, s:{s:f, s:{s:s?, s:s?, s:s?}}}",
                   "generated_at", "2026-11-20T00:05:00Z", "customer", "id", "C-1001", "product",
                   "device", "array-01", "status", "transfers", "interval_s", 300, "unit", "writes",
                   "forecast", "growth_bytes_per_day", 0.1 * TIB, "fill", "0.1", early, "0.5",
                   middle, "0.9", late);
}

static json_t *series_of(json_t *summary, json_t *days, const char *order_by)
{
  json_t *changes =
      json_pack("[{s:s, s:s}]", "date", "2026-06-21", "text", "Firmware 4.2 is now 4.3");
  struct series_input in = {.summary = summary,
                            .days = days,
                            .timezone = "Asia/Tokyo",
                            .today = "2026-11-20",
                            .order_by = order_by,
                            .changes = changes};
  json_t *series = series_document(&in);
  assert_non_null(series);
  json_decref(changes);
  return series;
}

static const char *element(const json_t *array, size_t i, const char *key)
{
  return tm_json_get_string(json_array_get(array, i), key);
}

static void a_gap_stays_a_gap_and_steps_are_events(void **state)
{
  (void)state;
  json_t *summary = a_summary("2027-03-01T00:00:00Z", "2027-06-01T00:00:00Z", NULL);
  json_t *days = a_year(), *series = series_of(summary, days, NULL);
  const json_t *used = json_object_get(series, "used");
  assert_int_equal(json_array_size(used), 365);
  assert_true(json_is_null(json_array_get(json_array_get(used, 202), 1)));
  assert_true(json_is_number(json_array_get(json_array_get(used, 205), 1)));
  assert_int_equal(json_array_size(json_object_get(series, "capacity")), 2);
  const json_t *events = json_object_get(series, "events");
  assert_int_equal(json_array_size(events), 3);
  assert_string_equal(element(events, 0, "text"), "Capacity 60.0 TiB \xe2\x86\x92 120 TiB");
  assert_string_equal(element(events, 1, "text"), "No data for 5 days");
  assert_string_equal(element(events, 2, "text"), "Firmware 4.2 is now 4.3");
  assert_string_equal(element(events, 2, "mark"), "C");
  const json_t *peak = json_object_get(json_object_get(series, "maxima"), "peak");
  assert_int_equal(tm_json_get_number(peak, "value"), 48210);
  json_decref(series);
  json_decref(days);
  json_decref(summary);
}

static void the_fan_reaches_the_capacity_on_the_dates_of_the_summary(void **state)
{
  (void)state;
  json_t *summary =
      a_summary("2027-01-09T00:00:00Z", "2027-02-28T00:00:00Z", "2027-06-08T00:00:00Z");
  json_t *days = a_year(), *series = series_of(summary, days, "2026-11-17");
  const json_t *rows = json_object_get(series, "forecast");
  /* 50, 100 and 200 days ahead; the rows are 7 days apart after the first week. */
  static const int reach[] = {200, 100, 50};
  size_t i;
  const json_t *row;
  json_array_foreach(rows, i, row)
  {
    int64_t t;
    assert_int_equal(tm_time_parse(json_string_value(json_array_get(row, 0)), &t), 0);
    double ahead = (double)(t / TM_DAY - TODAY), from = 76.4 * TIB;
    for (size_t k = 0; k < 3; k++) {
      double want = from + (120 * TIB - from) / reach[k] * ahead;
      double got = json_number_value(json_array_get(row, k + 1));
      assert_true(fabs(got - want) < 1e-3 * TIB);
    }
  }
  assert_true(i > 20);
  const json_t *fill = json_object_get(series, "fill");
  assert_string_equal(tm_json_get_string(fill, "low"), "2027-01-09");
  assert_string_equal(tm_json_get_string(fill, "high"), "2027-06-08");
  json_decref(series);
  json_decref(days);
  json_decref(summary);
}

static void without_a_date_there_is_no_fan(void **state)
{
  (void)state;
  json_t *summary = a_summary(NULL, NULL, NULL), *days = a_year();
  json_t *series = series_of(summary, days, NULL);
  assert_null(json_object_get(series, "forecast"));
  assert_null(json_object_get(series, "fill"));
  json_t *model = drawing_model(series);
  assert_non_null(model);
  assert_null(json_object_get(model, "fan"));
  assert_null(json_object_get(model, "range"));
  json_decref(model);
  json_decref(series);
  json_decref(days);
  json_decref(summary);
}

static void what_is_not_known_is_not_drawn(void **state)
{
  (void)state;
  json_t *summary = a_summary(NULL, NULL, NULL), *days = json_array();
  json_t *series = series_of(summary, days, NULL);
  assert_null(drawing_model(series));
  json_decref(series);
  /* Maxima alone: a printer, a link. */
  for (int i = 0; i < 40; i++) {
    char date[TM_DATE_SIZE];
    tm_date_format_days(date, TODAY - 40 + i);
    json_array_append_new(days, json_pack("{s:s, s:i}", "date", date, "transfers_max", 10 + i));
  }
  series = series_of(summary, days, NULL);
  json_t *model = drawing_model(series);
  assert_non_null(json_object_get(model, "bars"));
  assert_null(json_object_get(model, "capacity"));
  assert_true(json_is_null(json_object_get(series, "unit")));
  json_decref(model);
  json_decref(series);
  json_decref(days);
  json_decref(summary);
}

static int count_of(const char *text, const char *what)
{
  int n = 0;
  for (; (text = strstr(text, what)) != NULL; text++)
    n++;
  return n;
}

static void the_page_draws_what_the_series_says(void **state)
{
  (void)state;
  json_t *summary =
      a_summary("2027-01-10T00:00:00Z", "2027-02-06T00:00:00Z", "2027-03-13T00:00:00Z");
  json_t *days = a_year(), *series = series_of(summary, days, "2026-11-17");
  json_t *model = json_pack("{s:s, s:o, s:O}", "series", "/devices/1/series", "drawing",
                            drawing_model(series), "events", json_object_get(series, "events"));
  const char *source = getenv("SOURCE");
  char folder[500];
  snprintf(folder, sizeof(folder), "%s/contrib/desk/pages", source != NULL ? source : ".");
  struct templates *t = NULL;
  struct tm_error err = {0};
  struct tm_buf out = TM_BUF_INIT(4 << 20);
  const struct template_clock clock = {.now = TODAY * (int64_t)TM_DAY, .zone = "JST"};
  if (templates_load(&t, folder, &err) != 0 ||
      template_render(t, "chart.html", model, &clock, &out, &err) != 0)
    fail_msg("%s", err.text);
  assert_int_equal(count_of(out.ptr, "<polyline class=\"c-used\""), 2);
  assert_int_equal(count_of(out.ptr, "<polygon class=\"c-fan\""), 1);
  assert_int_equal(count_of(out.ptr, "class=\"c-markbox\""), 4);
  assert_non_null(strstr(out.ptr, "order by 2026-11-17"));
  assert_non_null(strstr(out.ptr, "between 2027-01-10 and 2027-03-13"));
  assert_null(strstr(out.ptr, "nan"));
  const char *keep = getenv("CHART_TO");
  if (keep != NULL) {
    FILE *f = fopen(keep, "we");
    assert_non_null(f);
    fputs(out.ptr, f);
    fclose(f);
  }
  tm_buf_release(&out);
  templates_free(t);
  json_decref(model);
  json_decref(series);
  json_decref(days);
  json_decref(summary);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_gap_stays_a_gap_and_steps_are_events),
      cmocka_unit_test(the_fan_reaches_the_capacity_on_the_dates_of_the_summary),
      cmocka_unit_test(without_a_date_there_is_no_fan),
      cmocka_unit_test(what_is_not_known_is_not_drawn),
      cmocka_unit_test(the_page_draws_what_the_series_says),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  tm_zone_use("UTC", NULL);
  return cmocka_run_group_tests_name("desk_chart", tests, NULL, NULL);
}
