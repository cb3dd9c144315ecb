/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/json.h"
#include "exporters/demand_plan.h"

#include <errno.h>

static json_t *parse(const char *text)
{
  struct tm_error err = {0};
  json_t *v = tm_json_parse(text, strlen(text), "test", &err);
  if (v == NULL)
    fail_msg("%s", err.text);
  return v;
}

#define HEAD                                                                                       \
  "{\"schema\":\"tidemark.demand/1\",\"generated_at\":\"2026-11-20T00:10:00Z\","                   \
  "\"from\":\"2026-11-16\",\"weeks\":3,\"summaries\":9,\"lines\":["
#define LINE(sku, shop, week, expected, middle)                                                    \
  "{\"sku\":\"" sku "\",\"shop\":" shop ",\"week\":\"x\",\"week_start\":\"" week                   \
  "\",\"low\":0,\"middle\":" middle ",\"high\":9,\"expected\":" expected ",\"customers\":1}"

/* Week, shop and pieces, in short. */
static char *told(const char *text, enum demand_figure figure)
{
  json_t *demand = parse(text), *plan, *week, *line;
  struct tm_buf b = TM_BUF_INIT(4096);
  struct tm_error err = {0};
  size_t i;
  const char *sku;
  if (demand_check(demand, &err) != 0)
    fail_msg("%s", err.text);
  plan = demand_plan(demand, figure);
  json_array_foreach(plan, i, week)
  {
    const char *shop = tm_json_get_string(week, "shop");
    tm_buf_printf(&b, "%s %s", shop != NULL ? shop : "-", tm_json_get_string(week, "from") + 5);
    json_object_foreach(json_object_get(week, "lines"), sku, line)
    {
      tm_buf_printf(&b, " %s=%lld", sku,
                    (long long)json_integer_value(json_object_get(line, "pieces")));
    }
    tm_buf_puts(&b, "; ");
  }
  json_decref(plan);
  json_decref(demand);
  return tm_buf_take(&b);
}

static void fractions_are_carried_to_the_next_week(void **state)
{
  (void)state;
  const char *text = HEAD LINE("A", "\"RN\"", "2026-11-30", "0.3", "2") "," LINE(
      "A", "\"RN\"", "2026-11-16", "0.3",
      "0") "," LINE("A", "\"RN\"", "2026-11-23", "0.3",
                    "1") "," LINE("B", "\"RN\"", "2026-11-23", "1.4",
                                  "1") "," LINE("A", "null", "2026-11-16", "0.6", "0") "]}";
  char *got = told(text, DEMAND_EXPECTED);
  assert_string_equal(got, "- 11-16 A=1; RN 11-23 A=1 B=1; ");
  free(got);
  got = told(text, DEMAND_MIDDLE);
  assert_string_equal(got, "RN 11-23 A=1 B=1; RN 11-30 A=2; ");
  free(got);
  got = told(text, DEMAND_LOW);
  assert_null(got);
}

static void sums_stay_right(void **state)
{
  struct tm_buf b = TM_BUF_INIT(1 << 16);
  (void)state;
  tm_buf_puts(&b, HEAD);
  for (int i = 0; i < 28; i += 7) /* February 2027 begins on a Monday */
    tm_buf_printf(&b, "%s" LINE("A", "\"RN\"", "2027-02-%02d", "0.874", "0"), i > 0 ? "," : "",
                  1 + i);
  tm_buf_puts(&b, "]}");
  char *got = told(b.ptr, DEMAND_EXPECTED);
  assert_string_equal(got, "RN 02-01 A=1; RN 02-08 A=1; RN 02-15 A=1; "); /* 3.496 in all */
  free(got);
  tm_buf_release(&b);
}

/* 200 characters are the limit, as in demand.schema.json; shops that differ at their end alone stay
 * two. */
static void names_are_counted_in_characters(void **state)
{
  (void)state;
  char name[1000] = "", text[8000];
  struct tm_error err = {0};
  for (int i = 0; i < 199; i++)
    strcat(name, "\xe5\x99\xa8");
  snprintf(text, sizeof(text),
           HEAD LINE("%sA", "\"%sA\"", "2026-11-16", "1",
                     "1") "," LINE("%sA", "\"%sB\"", "2026-11-16", "1", "1") "]}",
           name, name, name, name);
  json_t *v = parse(text);
  if (demand_check(v, &err) != 0)
    fail_msg("%s", err.text);
  json_t *plan = demand_plan(v, DEMAND_EXPECTED);
  assert_int_equal(json_array_size(plan), 2);
  json_decref(plan);
  json_decref(v);
}

static void what_is_no_demand_is_refused(void **state)
{
  static const struct {
    const char *text, *says;
  } rows[] = {
      {"{\"schema\":\"tidemark.summary/1\"}", "schema"},
      {HEAD LINE("A", "\"RN\"", "2026-11-17", "1", "1") "]}", "lines[0]"},
      {HEAD LINE("A", "\"RN\"", "2026-11-16", "-1", "1") "]}", "lines[0]"},
      {HEAD LINE("A", "\"RN\"", "2026-11-16", "\"1\"", "1") "]}", "lines[0]"},
      {HEAD LINE("A", "7", "2026-11-16", "1", "1") "]}", "lines[0]"},
      {HEAD LINE("", "null", "2026-11-16", "1", "1") "]}", "lines[0]"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    struct tm_error err = {0};
    json_t *v = parse(rows[i].text);
    assert_int_equal(demand_check(v, &err), -EBADMSG);
    if (strncmp(err.text, rows[i].says, strlen(rows[i].says)) != 0)
      fail_msg("row %zu: %s", i, err.text);
    json_decref(v);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(fractions_are_carried_to_the_next_week),
      cmocka_unit_test(sums_stay_right),
      cmocka_unit_test(names_are_counted_in_characters),
      cmocka_unit_test(what_is_no_demand_is_refused),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
