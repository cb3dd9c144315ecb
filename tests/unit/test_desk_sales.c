/* SPDX-License-Identifier: MIT */
/* What people read instead of codes, the life of an item, and tables for spreadsheets. */
#include "contrib/desk/sales/csv.h"
#include "contrib/desk/sales/find.h"
#include "contrib/desk/sales/life.h"
#include "contrib/desk/sales/quote.h"
#include "contrib/desk/sales/words.h"

#include "common/json.h"

#include <errno.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void an_item_moves_on_and_back_by_one_step_only(void **state)
{
  (void)state;
  static const struct {
    const char *from, *to;
    bool may;
  } cases[] = {
      {"new", "contacted", true},   {"new", "agreed", true},         {"new", "installed", true},
      {"new", "new", false},        {"proposed", "contacted", true}, {"proposed", "new", false},
      {"ordered", "agreed", true},  {"ordered", "proposed", false},  {"new", "lost", true},
      {"delivered", "lost", true},  {"installed", "lost", false},    {"contacted", "snoozed", true},
      {"agreed", "snoozed", false}, {"snoozed", "contacted", true},  {"snoozed", "ordered", false},
      {"lost", "new", true},        {"lost", "delivered", false},    {"gone", "new", false},
      {"new", "gone", false},       {"new", "nonsense", false},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    if (life_may(cases[i].from, cases[i].to) != cases[i].may)
      fail_msg("%s to %s", cases[i].from, cases[i].to);
}

static void expect_when(int64_t day, const char *class, const char *text)
{
  json_t *when = words_when(day, 1000);
  assert_string_equal(tm_json_get_string(when, "class"), class);
  assert_string_equal(tm_json_get_string(when, "text"), text);
  json_decref(when);
}

static void days_are_told_as_people_say_them(void **state)
{
  (void)state;
  expect_when(997, "late", "3 days late");
  expect_when(999, "late", "1 day late");
  expect_when(1000, "soon", "today");
  expect_when(1001, "soon", "in 1 day");
  expect_when(1014, "soon", "in 14 days");
  expect_when(1015, "", "in 15 days");
  json_t *none = words_when(INT64_MIN, 1000);
  assert_true(json_is_null(none));
  json_decref(none);
  json_t *lines = json_pack("[{s:s, s:i}, {s:s, s:i}]", "sku", "SHELF-20T", "quantity", 4, "sku",
                            "FW-4.4.2", "quantity", 1);
  json_t *text = words_lines(lines);
  assert_string_equal(json_string_value(text), "4 \xc3\x97 SHELF-20T, 1 \xc3\x97 FW-4.4.2");
  json_decref(text);
  json_decref(lines);
}

static void steps_show_who_and_when(void **state)
{
  (void)state;
  json_t *item = json_pack("{s:s}", "state", "proposed");
  json_t *events = json_pack("[{s:s, s:i, s:s}, {s:s, s:i, s:s}]", "to_state", "contacted", "at", 5,
                             "by_name", "K. Mori", "to_state", "proposed", "at", 9, "by_name", "R");
  json_t *steps = life_steps(item, events);
  assert_int_equal(json_array_size(steps), 7);
  assert_string_equal(tm_json_get_string(json_array_get(steps, 1), "by"), "K. Mori");
  assert_string_equal(tm_json_get_string(json_array_get(steps, 2), "class"), "now");
  assert_string_equal(tm_json_get_string(json_array_get(steps, 3), "sub"), "needs who and when");
  assert_null(json_object_get(json_array_get(steps, 3), "at"));
  json_t *moves = life_moves(item);
  assert_int_equal(json_array_size(moves), 7); /* back, four on, snoozed, lost */
  json_decref(moves);
  json_decref(steps);
  json_decref(events);
  json_decref(item);
}

static void a_spreadsheet_sees_no_formula(void **state)
{
  (void)state;
  static const struct csv_column columns[] = {
      {"name", "name"}, {"amount", "price.amount"}, {"n", "n"}, {NULL, NULL}};
  json_t *rows = json_pack("[{s:s, s:{s:s}, s:i}, {s:s, s:n, s:f}, {s:s}]", "name",
                           "=cmd|' /C calc'!A0", "price", "amount", "-1", "n", -5, "name",
                           "say \"hello\", all", "price", "n", 0.5, "name", "\tx");
  struct tm_buf out = TM_BUF_INIT(10000);
  assert_int_equal(csv_table(&out, columns, rows), 0);
  assert_string_equal(out.ptr, "\"name\",\"amount\",\"n\"\r\n"
                               "\"'=cmd|' /C calc'!A0\",\"'-1\",-5\r\n"
                               "\"say \"\"hello\"\", all\",,0.5\r\n"
                               "\"'\tx\",,\r\n");
  tm_buf_release(&out);
  json_decref(rows);
}

static void what_was_typed_is_looked_for_as_it_stands(void **state)
{
  (void)state;
  char out[32];
  find_like(out, sizeof(out), "Mi_nato 7%\\");
  assert_string_equal(out, "%mi\\_nato 7\\%\\\\%");
  find_like(out, sizeof(out), "");
  assert_string_equal(out, "");
  find_like(out, 8, "abcdefghijkl");
  assert_true(strlen(out) < 8);
  for (size_t size = 6; size < 16; size++) {
    find_like(out, size, "x\xe6\xb0\xb4\xf0\x9f\x8d\x8e");
    assert_string_equal(out, size < 9    ? "%x%"
                             : size < 13 ? "%x\xe6\xb0\xb4%"
                                         : "%x\xe6\xb0\xb4\xf0\x9f\x8d\x8e%");
  }
}

static void a_quote_adds_up_exactly(void **state)
{
  (void)state;
  static const struct quote_line typed[] = {
      {"SHELF-20T", "3", "0.10"}, {"", "", ""}, {"FW-4.4.2", "1", "999999999999"}};
  struct tm_error err = {0};
  json_t *lines = NULL, *total = NULL;
  assert_int_equal(quote_count(typed, 3, "EUR", &lines, &total, &err), 0);
  assert_int_equal(json_array_size(lines), 2);
  assert_string_equal(
      tm_json_get_string(json_object_get(json_array_get(lines, 0), "sum"), "amount"), "0.30");
  assert_string_equal(tm_json_get_string(total, "amount"), "999999999999.30");
  assert_string_equal(tm_json_get_string(total, "currency"), "EUR");
  json_decref(lines);
  json_decref(total);
}

static void a_wrong_line_is_told_by_its_number(void **state)
{
  (void)state;
  static const struct {
    struct quote_line line;
    const char *currency, *says;
  } cases[] = {
      {{"", "1", "5"}, "JPY", "line 2: say what it is"},
      {{"X", "0", "5"}, "JPY", "line 2: a quantity from 1"},
      {{"X", "-1", "5"}, "JPY", "line 2: a quantity from 1"},
      {{"X", "1.5", "5"}, "JPY", "line 2: a quantity from 1"},
      {{"X", NULL, "5"}, "JPY", "line 2: a quantity from 1"},
      {{"X", "1", "-5"}, "JPY", "line 2: a price is written"},
      {{"X", "1", "1e3"}, "JPY", "line 2: a price is written"},
      {{"X", "1", "1.23456"}, "JPY", "line 2: a price is written"},
      {{"X", "1000000", "999999999999"}, "JPY", "line 2: this is more money"},
      {{"X", "1", "5"}, "yen", "a currency is written"},
      {{"X", "1", "5"}, NULL, "a currency is written"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    const struct quote_line typed[] = {{"A", "1", "1"}, cases[i].line};
    struct tm_error err = {0};
    json_t *lines = NULL, *total = NULL;
    assert_int_equal(quote_count(typed, 2, cases[i].currency, &lines, &total, &err), -EINVAL);
    assert_null(lines);
    if (strncmp(err.text, cases[i].says, strlen(cases[i].says)) != 0)
      fail_msg("%zu: %s", i, err.text);
  }
  struct tm_error err = {0};
  json_t *lines = NULL, *total = NULL;
  assert_int_equal(quote_count(NULL, 0, "JPY", &lines, &total, &err), -EINVAL);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_item_moves_on_and_back_by_one_step_only),
      cmocka_unit_test(days_are_told_as_people_say_them),
      cmocka_unit_test(steps_show_who_and_when),
      cmocka_unit_test(a_spreadsheet_sees_no_formula),
      cmocka_unit_test(a_quote_adds_up_exactly),
      cmocka_unit_test(a_wrong_line_is_told_by_its_number),
      cmocka_unit_test(what_was_typed_is_looked_for_as_it_stands),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests_name("desk_sales", tests, NULL, NULL);
}
