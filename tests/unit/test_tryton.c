/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/clock.h"
#include "exporters/tryton/value.h"

#include <math.h>

static void decimals_have_the_currency_s_digits(void **state)
{
  static const struct {
    const char *text;
    int digits;
    const char *want; /* NULL: null */
  } rows[] = {
      {"9600.00", 2, "9600.00"},
      {"9600", 2, "9600.00"},
      {"1200000", 0, "1200000"},
      {"12.345", 2, "12.35"},
      {"12.3449", 2, "12.34"},
      {"0.5", 0, "1"},
      {"-12.345", 2, "-12.35"},
      {"0.005", 2, "0.01"},
      {"99.999", 2, "100.00"},
      {"1.2345", 4, "1.2345"},
      {"123456789012345.1234", 2, NULL}, /* 19 figures */
      {"", 2, NULL},
      {".5", 2, NULL},
      {"1,5", 2, NULL},
      {"1e9", 2, NULL},
      {"--1", 2, NULL},
      {NULL, 2, NULL},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    json_t *v = tryton_decimal(rows[i].text, rows[i].digits);
    const char *got = json_string_value(json_object_get(v, "decimal"));
    if (rows[i].want == NULL ? !json_is_null(v) : got == NULL || strcmp(got, rows[i].want) != 0)
      fail_msg("%s: want %s, got %s", rows[i].text, rows[i].want, got);
    json_decref(v);
  }
}

static void dates_go_there_and_come_back(void **state)
{
  (void)state;
  json_t *v = tryton_date("2028-02-29");
  assert_int_equal(json_integer_value(json_object_get(v, "day")), 29);
  assert_int_equal(tryton_day_of(v), 21243);
  json_decref(v);
  v = tryton_day(21243);
  assert_int_equal(json_integer_value(json_object_get(v, "month")), 2);
  json_decref(v);
  v = tryton_date("2026-11-20T00:05:00Z");
  assert_int_equal(json_integer_value(json_object_get(v, "day")), 20);
  json_decref(v);
  v = tryton_datetime(1795147376);
  assert_int_equal(tryton_time_of(v), 1795147376);
  json_decref(v);
  static const char *const none[] = {"tomorrow", "2026-13-40", NULL};
  for (size_t i = 0; i < 3; i++) {
    v = tryton_date(none[i]);
    assert_true(json_is_null(v));
    assert_int_equal(tryton_day_of(v), INT64_MIN);
    json_decref(v);
  }
  assert_int_equal(tryton_time_of(NULL), INT64_MIN);
}

static void lead_times_are_days(void **state)
{
  (void)state;
  json_t *v = json_pack("{s:s,s:f}", "__class__", "timedelta", "seconds", 1814400.0);
  assert_true(tryton_days(v) == 21);
  json_decref(v);
  assert_true(isnan(tryton_days(json_null())));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(decimals_have_the_currency_s_digits),
      cmocka_unit_test(dates_go_there_and_come_back),
      cmocka_unit_test(lead_times_are_days),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
