/* SPDX-License-Identifier: MIT */
#include "exporters/schedule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int64_t at(const char *text)
{
  int64_t t = 0;
  assert_int_equal(tm_time_parse(text, &t), 0);
  return t;
}

/* Runs a site that wakes once an hour; returns the local dates of its records, comma-separated. */
static const char *dates_of(const struct tm_conf_schedule *s, const char *from, const char *to)
{
  static char dates[4096];
  struct schedule_state state = {INT64_MIN, INT64_MIN};
  dates[0] = '\0';
  for (int64_t now = at(from); now <= at(to); now += 3600) {
    struct schedule_answer a;
    char date[TM_DATE_SIZE];
    schedule_ask(&a, s, &state, now);
    if (!a.due)
      continue;
    assert_true(a.to <= now);
    strcat(dates, dates[0] != '\0' ? "," : "");
    strcat(dates, tm_date_format(date, a.to));
    state = a.next;
  }
  return dates;
}

static void every_n_days_counts_from_the_first_record(void **state)
{
  (void)state;
  assert_int_equal(tm_zone_use("Asia/Tokyo", NULL), 0);
  struct tm_conf_schedule s = {.rule = TM_EVERY_DAYS, .days = 7};
  assert_string_equal(dates_of(&s, "2027-01-04T00:00:00+09:00", "2027-02-10T00:00:00+09:00"),
                      "2027-01-04,2027-01-11,2027-01-18,2027-01-25,2027-02-01,2027-02-08");
  s.days = 1;
  s.at_minute = 150;
  assert_string_equal(dates_of(&s, "2027-01-04T00:00:00+09:00", "2027-01-06T12:00:00+09:00"),
                      "2027-01-03,2027-01-04,2027-01-05,2027-01-06");
}

static void the_31st_is_the_last_day_of_a_shorter_month(void **state)
{
  (void)state;
  assert_int_equal(tm_zone_use("Europe/Berlin", NULL), 0);
  struct tm_conf_schedule s = {.rule = TM_MONTHDAY, .monthday = 31};
  assert_string_equal(dates_of(&s, "2027-12-31T00:00:00+01:00", "2028-05-01T00:00:00+02:00"),
                      "2027-12-31,2028-01-31,2028-02-29,2028-03-31,2028-04-30");
  s.monthday = 29;
  assert_string_equal(dates_of(&s, "2027-01-29T00:00:00+01:00", "2027-04-01T00:00:00+02:00"),
                      "2027-01-29,2027-02-28,2027-03-29");
}

static void weekdays_are_those_of_the_site(void **state)
{
  (void)state;
  assert_int_equal(tm_zone_use("America/New_York", NULL), 0);
  struct tm_conf_schedule s = {.rule = TM_WEEKDAY, .weekday = 1, .at_minute = 150};
  /* 2027-03-14 at 02:30 does not exist there; Mondays are not touched by it */
  assert_string_equal(dates_of(&s, "2027-03-01T08:00:00Z", "2027-03-29T12:00:00Z"),
                      "2027-03-01,2027-03-08,2027-03-15,2027-03-22,2027-03-29");
  s.weekday = 0;
  assert_string_equal(dates_of(&s, "2027-03-07T08:00:00Z", "2027-03-22T12:00:00Z"),
                      "2027-03-07,2027-03-14,2027-03-21");
}

static void a_missed_date_is_made_up_for_and_dated_right(void **state)
{
  (void)state;
  assert_int_equal(tm_zone_use("UTC", NULL), 0);
  struct tm_conf_schedule s = {.rule = TM_MONTHDAY, .monthday = 1};
  struct schedule_state st = {schedule_day(at("2027-01-01")), at("2027-01-01")};
  struct schedule_answer a;
  schedule_ask(&a, &s, &st, at("2027-01-31T23:59:59Z"));
  assert_false(a.due);
  schedule_ask(&a, &s, &st, at("2027-02-09T10:00:00Z")); /* off since January */
  assert_true(a.due);
  assert_int_equal(a.to, at("2027-02-01"));
  schedule_ask(&a, &s, &a.next, at("2027-02-09T10:00:01Z"));
  assert_false(a.due);
}

static void a_clock_set_back_makes_no_second_record(void **state)
{
  (void)state;
  assert_int_equal(tm_zone_use("UTC", NULL), 0);
  struct tm_conf_schedule s = {.rule = TM_EVERY_DAYS, .days = 1};
  struct schedule_state st = {schedule_day(at("2027-01-01")), at("2027-01-10")};
  struct schedule_answer a;
  schedule_ask(&a, &s, &st, at("2027-01-09T12:00:00Z"));
  assert_false(a.due);
  assert_true(a.clock_went_back);
  schedule_ask(&a, &s, &st, at("2027-01-10T12:00:00Z"));
  assert_false(a.due);
  schedule_ask(&a, &s, &st, at("2027-01-11T00:00:00Z"));
  assert_true(a.due);
}

static void quiet_hours_may_pass_midnight(void **state)
{
  (void)state;
  assert_int_equal(tm_zone_use("Asia/Tokyo", NULL), 0);
  struct tm_conf_schedule s = {.quiet_from = 8 * 60, .quiet_to = 18 * 60};
  assert_true(schedule_is_quiet(&s, at("2027-01-09T08:00:00+09:00")));
  assert_false(schedule_is_quiet(&s, at("2027-01-09T18:00:00+09:00")));
  s = (struct tm_conf_schedule){.quiet_from = 22 * 60, .quiet_to = 6 * 60};
  assert_true(schedule_is_quiet(&s, at("2027-01-09T23:00:00+09:00")));
  assert_true(schedule_is_quiet(&s, at("2027-01-09T05:59:00+09:00")));
  assert_false(schedule_is_quiet(&s, at("2027-01-09T12:00:00+09:00")));
  s.quiet_from = s.quiet_to = 0;
  assert_false(schedule_is_quiet(&s, at("2027-01-09T00:00:00+09:00")));
}

int main(void)
{
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_n_days_counts_from_the_first_record),
      cmocka_unit_test(the_31st_is_the_last_day_of_a_shorter_month),
      cmocka_unit_test(weekdays_are_those_of_the_site),
      cmocka_unit_test(a_missed_date_is_made_up_for_and_dated_right),
      cmocka_unit_test(a_clock_set_back_makes_no_second_record),
      cmocka_unit_test(quiet_hours_may_pass_midnight),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
