/* SPDX-License-Identifier: MIT */
/* Advice from one summary to the next: its key, what an expansion closes, and days that came
 * before. */
#include "analyzer/expansion.h"
#include "analyzer/recommend.h"
#include "common/merge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/advice.h"

static void a_change_of_capacity_is_dated_alike_from_fine_and_coarse_rows(void **state)
{
  (void)state;
  enum { HOUR = 3600, N = 24 * 40 };
  static int64_t time[N];
  static double capacity[N];
  /* 60 until the 20th day at 10 o'clock, then 120. */
  for (int i = 0; i < N; i++) {
    time[i] = (int64_t)(i + 1) * HOUR;
    capacity[i] = time[i] <= 20 * TM_DAY + 10 * HOUR ? 60 : 120;
  }
  assert_int_equal(expansion_last(time, capacity, N), 20 * TM_DAY + 10 * HOUR);
  for (int step = 2; step <= 24; step *= 2) {
    int64_t end[N];
    double mean[N];
    size_t n = 0;
    for (int i = 0; i + step <= N; i += step, n++) {
      end[n] = time[i + step - 1];
      mean[n] = 0;
      for (int k = 0; k < step; k++)
        mean[n] += capacity[i + k] / step;
    }
    assert_int_equal(expansion_last(end, mean, n) / TM_DAY, 20);
  }
  /* Two bad readings are none; unknown rows say nothing; a slow drift is none. */
  capacity[N - 5] = capacity[N - 6] = 7;
  capacity[N - 9] = NAN;
  assert_int_equal(expansion_last(time, capacity, N), 20 * TM_DAY + 10 * HOUR);
  for (int i = 0; i < N; i++)
    capacity[i] = 100 + 0.001 * i;
  assert_true(expansion_last(time, capacity, N) == INT64_MIN);
  assert_true(expansion_last(time, capacity, 0) == INT64_MIN);
}

static const char *key_of(const struct sample *s, const char *wanted)
{
  static char key[300];
  json_t *list = advise_sample(s);
  snprintf(key, sizeof(key), "%s", tm_json_get_string(first(list), "key"));
  json_decref(list);
  return strcmp(key, wanted) == 0 ? NULL : key;
}

#define KEY "C-1001/osaka-1/nas-gw.example.com/array-01/"

static void an_expansion_closes_the_item_and_begins_a_new_key(void **state)
{
  (void)state;
  struct sample s = SAMPLE(FULL_SOON);
  assert_null(key_of(&s, KEY "grow/2025-04-01"));
  /* Expanded ten days ago: quiet, and the next need is another one. */
  s.expanded_days_ago = 10;
  s.d10 = s.d50 = s.d90 = 0;
  expect(&s, "");
  s.d10 = 40, s.d50 = 60, s.d90 = 80;
  assert_null(key_of(&s, KEY "grow/2026-11-11"));
  /* What the site knows of longer ago outranks what 60 days show. */
  json_t *summary = sample_summary(&s);
  json_object_set_new(json_object_get(summary, "status"), "capacity_changed_on",
                      json_string("2026-03-14"));
  json_t *list = advise(summary, SAMPLE_NOW);
  assert_string_equal(tm_json_get_string(first(list), "key"), KEY "grow/2026-03-14");
  json_decref(list);
  /* One day with another capacity is a bad reading. */
  json_object_del(json_object_get(summary, "status"), "capacity_changed_on");
  json_t *history = json_object_get(summary, "history");
  for (size_t i = 0; i < json_array_size(history); i++)
    json_object_set_new(json_array_get(history, i), "capacity_bytes",
                        json_real((i == 30 ? 10 : 120) * SAMPLE_TIB));
  list = advise(summary, SAMPLE_NOW);
  assert_string_equal(tm_json_get_string(first(list), "key"), KEY "grow/2025-04-01");
  json_decref(list);
  json_decref(summary);
}

static void expect_list(const json_t *summary, const char *wanted)
{
  json_t *list = advise(summary, SAMPLE_NOW);
  assert_string_equal(shape(list), wanted);
  json_decref(list);
}

/* History of [["DATE", used, covered], ...], written with single quotes. */
static json_t *days_of(const char *text)
{
  char quoted[200];
  snprintf(quoted, sizeof(quoted), "%s", text);
  for (char *c = quoted; *c != '\0'; c++)
    *c = *c == '\'' ? '"' : *c;
  json_t *rows = json_loads(quoted, JSON_DECODE_ANY, NULL);
  json_t *days = json_is_array(rows) ? json_array() : NULL;
  for (size_t i = 0; i < json_array_size(rows); i++) {
    json_t *row = json_array_get(rows, i);
    if (json_is_array(row))
      json_array_append_new(days, json_pack("{s:O, s:O, s:O*}", "date", json_array_get(row, 0),
                                            "used_bytes", json_array_get(row, 1), "covered",
                                            json_array_get(row, 2)));
    else
      json_array_append(days, row);
  }
  json_decref(rows);
  return days;
}

static json_t *days_from(const json_t *history, size_t from, size_t to)
{
  json_t *days = json_array();
  for (size_t i = from; i < to; i++)
    json_array_append(days, json_array_get(history, i));
  return days;
}

/* The days that are sent do not tell a rising load; with those that were kept they do. */
static void a_receiver_judges_by_all_days_that_it_was_sent(void **state)
{
  (void)state;
  struct sample s = SAMPLE(.load_first = 20000, .load_last = 33000, .days = 200);
  json_t *summary = sample_summary(&s);
  json_t *whole = json_incref(json_object_get(summary, "history"));
  json_t *kept = days_from(whole, 0, 194);
  json_t *sent = days_from(whole, 193, 200);
  json_t *site = advise(summary, SAMPLE_NOW);
  json_object_set(summary, "history", sent);
  expect_list(summary, "");
  json_object_set_new(summary, "history", merge_history(kept, sent, MERGE_KEEP_DAYS));
  json_t *vendor = advise(summary, SAMPLE_NOW);
  assert_int_equal(json_array_size(site), 1);
  assert_true(json_equal(site, vendor));
  json_decref(site);
  json_decref(vendor);
  json_decref(kept);
  json_decref(sent);
  json_decref(whole);
  json_decref(summary);
}

static void days_are_merged_by_date_and_what_they_cover(void **state)
{
  (void)state;
  static const struct {
    const char *what, *kept, *sent, *merged;
    size_t keep;
  } cases[] = {
      {"one behind the other", "[['2026-01-01',1]]", "[['2026-01-02',2]]", "1 2", 10},
      {"sent late", "[['2026-01-02',2]]", "[['2026-01-01',1]]", "1 2", 10},
      {"a day that was not over", "[['2026-01-01',1],['2026-01-02',2,0.1]]",
       "[['2026-01-02',3,1],['2026-01-03',4,0.2]]", "1 3 4", 10},
      {"a day of which less is left", "[['2026-01-02',2,0.9]]", "[['2026-01-02',3,0.1]]", "2", 10},
      {"told again", "[['2026-01-02',2]]", "[['2026-01-02',3]]", "3", 10},
      {"the newest are kept", "[['2026-01-01',1],['2026-01-02',2]]", "[['2026-01-03',3]]", "2 3",
       2},
      {"no date, no object", "[['yesterday',1],7,null]", "[['2026-01-03',3]]", "3", 10},
      {"nothing was kept", "null", "[['2026-01-03',3]]", "3", 10},
      {"nothing", "null", "null", "", 10},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    char text[200] = "";
    json_t *kept = days_of(cases[i].kept);
    json_t *sent = days_of(cases[i].sent);
    json_t *merged = merge_history(kept, sent, cases[i].keep);
    for (size_t k = 0; k < json_array_size(merged); k++) {
      size_t len = strlen(text);
      snprintf(text + len, sizeof(text) - len, "%s%g", k > 0 ? " " : "",
               tm_json_get_number(json_array_get(merged, k), "used_bytes"));
    }
    if (strcmp(text, cases[i].merged) != 0)
      fail_msg("%s: \"%s\", wanted \"%s\"", cases[i].what, text, cases[i].merged);
    json_decref(kept);
    json_decref(sent);
    json_decref(merged);
  }
}

/* The site today and the vendor weeks later find the same need under the same key. */
static void the_key_stays_while_the_need_is_the_same(void **state)
{
  (void)state;
  struct sample s = SAMPLE(FULL_SOON);
  json_t *summary = sample_summary(&s);
  json_t *site = advise(summary, SAMPLE_NOW);
  json_t *again = advise(summary, SAMPLE_NOW);
  json_t *vendor = advise(summary, SAMPLE_NOW + 20 * TM_DAY);
  assert_true(json_equal(site, again));
  assert_string_equal(tm_json_get_string(first(site), "key"),
                      tm_json_get_string(first(vendor), "key"));
  assert_int_equal(json_integer_value(json_object_get(first(vendor), "late_by_days")), 23);
  json_decref(site);
  json_decref(again);
  json_decref(vendor);
  json_decref(summary);
}

int main(void)
{
  if (!advice_load())
    return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_change_of_capacity_is_dated_alike_from_fine_and_coarse_rows),
      cmocka_unit_test(an_expansion_closes_the_item_and_begins_a_new_key),
      cmocka_unit_test(a_receiver_judges_by_all_days_that_it_was_sent),
      cmocka_unit_test(days_are_merged_by_date_and_what_they_cover),
      cmocka_unit_test(the_key_stays_while_the_need_is_the_same),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  catalogue_release(&catalogue);
  return failed;
}
