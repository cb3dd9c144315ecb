/* SPDX-License-Identifier: MIT */
#include "contrib/desk/store/days.h"

#include "common/merge.h"
#include "common/clock.h"
#include "common/json.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void months_are_those_of_the_calendar(void **state)
{
  (void)state;
  for (int64_t date = -800000; date < 2900000; date += 13) {
    char text[TM_TIME_SIZE];
    int year, month;
    if (date * TM_DAY < -62135596800 || date * TM_DAY > 253402300799)
      continue; /* what tm_time_format clamps */
    tm_time_format(text, date * TM_DAY);
    assert_int_equal(sscanf(text, "%d-%d", &year, &month), 2);
    int64_t m = days_month(date);
    if (m != (year - 1970) * 12 + month - 1)
      fail_msg("%s: month %lld", text, (long long)m);
    assert_true(days_month_start(m) <= date && days_month_start(m + 1) > date);
  }
}

static uint32_t seed = 7;

static unsigned chance(unsigned n)
{
  seed = seed * 1664525u + 1013904223u;
  return (seed >> 8) % n;
}

/* A day as a device might tell it: numbers of every kind, gaps, fields that were not agreed to. */
static json_t *some_day(int64_t date)
{
  char text[TM_DATE_SIZE];
  json_t *o = json_object();
  json_object_set_new(o, "date", json_string(tm_date_format_days(text, date)));
  for (int i = 0; i < DAY_FIELDS; i++) {
    const char *name = day_field_name(i);
    static const double values[] = {
        0, 1, 0.998, 1e14, 80590000000000.0, 89990.25, 1e300, -3.5, 9007199254740993.0};
    if (chance(8) == 0)
      continue;
    if (chance(8) == 0)
      json_object_set_new(o, name, json_null());
    else if (i == DAY_MAX_AT)
      json_object_set_new(o, name, tm_json_time(date * TM_DAY + chance(TM_DAY)));
    else if (i == DAY_COVERED)
      json_object_set_new(o, name, tm_json_number(chance(5) / 4.0));
    else
      json_object_set_new(o, name,
                          tm_json_number(chance(3) > 0 ? values[chance(9)] : chance(100000)));
  }
  return o;
}

static void a_month_comes_back_as_it_was_packed(void **state)
{
  (void)state;
  for (int round = 0; round < 300; round++) {
    struct tm_buf b = TM_BUF_INIT(1 << 16);
    struct tm_error err = {0};
    struct day days[DAYS_OF_MONTH], back[DAYS_OF_MONTH];
    int64_t start = days_month_start(600 + round);
    size_t n = 0, back_n;
    for (int64_t date = start; days_month(date) == 600 + round; date++) {
      if (chance(10) == 0)
        continue;
      json_t *json = some_day(date);
      assert_int_equal(day_read(&days[n++], json, date + chance(500)), 0);
      json_t *again = day_json(&days[n - 1], 0);
      if (!json_equal(json, again))
        fail_msg("%s\n%s", json_dumps(json, 0), json_dumps(again, 0));
      json_decref(again);
      json_decref(json);
    }
    assert_int_equal(days_pack(&b, days, n), 0);
    if (days_unpack(b.ptr, b.len, 600 + round, back, &back_n, &err) < 0)
      fail_msg("%s", err.text);
    assert_int_equal(back_n, n);
    for (size_t i = 0; i < n; i++) {
      json_t *x = day_json(&days[i], 1), *y = day_json(&back[i], 1);
      struct tm_buf text = TM_BUF_INIT(4096);
      struct json_out out = JSON_OUT_INIT(&text);
      day_write(&out, &days[i], 1);
      struct tm_buf tree = TM_BUF_INIT(4096);
      assert_int_equal(out.rc, 0);
      assert_int_equal(tm_json_append(&tree, x), 0);
      assert_string_equal(text.ptr, tree.ptr);
      tm_buf_release(&tree);
      tm_buf_release(&text);
      assert_true(json_equal(x, y));
      json_decref(x);
      json_decref(y);
    }
    tm_buf_release(&b);
  }
}

static void what_is_damaged_is_refused(void **state)
{
  (void)state;
  struct tm_buf b = TM_BUF_INIT(1 << 16);
  struct day days[DAYS_OF_MONTH], back[DAYS_OF_MONTH];
  size_t n;
  for (int i = 0; i < 28; i++) {
    json_t *json = some_day(days_month_start(650) + i);
    assert_int_equal(day_read(&days[i], json, 20000), 0);
    json_decref(json);
  }
  assert_int_equal(days_pack(&b, days, 28), 0);
  for (size_t len = 0; len < b.len; len++)
    assert_int_equal(days_unpack(b.ptr, len, 650, back, &n, NULL), -EBADMSG);
  for (int i = 0; i < 20000; i++) { /* it may be taken, but not crash */
    char copy[1 << 14];
    assert_true(b.len < sizeof(copy));
    memcpy(copy, b.ptr, b.len);
    for (unsigned k = 0; k < 3; k++)
      copy[chance((unsigned)b.len)] = (char)chance(256);
    days_unpack(copy, b.len, 650, back, &n, NULL);
  }
  assert_int_equal(days_unpack(b.ptr, b.len, INT64_MAX, back, &n, NULL), -EBADMSG);
  tm_buf_release(&b);
}

/* The rules advise from what days_merge keeps, as from what merge_history would. */
static void merging_is_that_of_the_analyzer(void **state)
{
  (void)state;
  for (int round = 0; round < 500; round++) {
    struct day kept[DAYS_OF_MONTH], sent[DAYS_OF_MONTH];
    size_t kept_n = 0, sent_n = 0;
    json_t *a = json_array(), *b = json_array(), *mine = json_array();
    int64_t start = days_month_start(660);
    for (int i = 0; i < 30; i++) {
      if (chance(3) > 0) {
        json_t *day = some_day(start + i);
        json_array_append_new(a, day);
        assert_int_equal(day_read(&kept[kept_n++], day, 1), 0);
      }
      if (chance(3) > 0) {
        json_t *day = some_day(start + i);
        json_array_append_new(b, day);
        assert_int_equal(day_read(&sent[sent_n++], day, 2), 0);
      }
    }
    days_merge(kept, &kept_n, sent, sent_n);
    for (size_t i = 0; i < kept_n; i++)
      json_array_append_new(mine, day_json(&kept[i], 0));
    json_t *theirs = merge_history(a, b, 800);
    assert_true(json_equal(mine, theirs));
    assert_int_equal(days_merge(kept, &kept_n, kept, kept_n), 0);
    json_decref(a);
    json_decref(b);
    json_decref(mine);
    json_decref(theirs);
  }
}

static void what_is_told_again_keeps_its_day_of_arrival(void **state)
{
  (void)state;
  struct day kept[DAYS_OF_MONTH], sent;
  size_t n = 1;
  json_t *json = json_pack("{s:s, s:f}", "date", "2026-11-19", "used_bytes", 5.0);
  assert_int_equal(day_read(&kept[0], json, 100), 0);
  assert_int_equal(day_read(&sent, json, 101), 0);
  assert_int_equal(days_merge(kept, &n, &sent, 1), 0);
  assert_int_equal(kept[0].arrived_on, 100);
  sent.value[DAY_USED] = 6;
  assert_int_equal(days_merge(kept, &n, &sent, 1), 1);
  assert_int_equal(kept[0].arrived_on, 101);
  json_object_set_new(json, "date", json_string("2026-13-01"));
  assert_int_equal(day_read(&sent, json, 1), -EBADMSG);
  json_decref(json);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(months_are_those_of_the_calendar),
      cmocka_unit_test(a_month_comes_back_as_it_was_packed),
      cmocka_unit_test(what_is_damaged_is_refused),
      cmocka_unit_test(merging_is_that_of_the_analyzer),
      cmocka_unit_test(what_is_told_again_keeps_its_day_of_arrival),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
