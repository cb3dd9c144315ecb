/* SPDX-License-Identifier: MIT */
/* The reports for people tell of devices in one order: what has to be done first. */
#include "analyzer/report/report.h"
#include "common/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
  const char *device, *fill, *order_by; /* NULL: none */
  double probability_90d;
} devices[] = {
    {"d-none", NULL, NULL, 0},
    {"c-late-and-far", "2027-06-01T00:00:00Z", "2026-11-01", 0},
    {"b-soon", "2026-12-20T00:00:00Z", NULL, 1},
    {"a-next-year", "2027-03-01T00:00:00Z", NULL, 0},
    {"f-likelier", NULL, NULL, 0.2},
    {"e-order-soon", "2027-05-01T00:00:00Z", "2026-12-01", 0},
};
static const char *const order[] = {"h/c-late-and-far", "h/e-order-soon", "h/b-soon",
                                    "h/a-next-year",    "h/f-likelier",   "h/d-none"};
enum { DEVICES = sizeof(devices) / sizeof(devices[0]) };

static json_t *summary_of(size_t i)
{
  json_t *summary = json_pack(
      "{s:s, s:{s:s}, s:{s:s, s:s}, s:{s:i, s:i}, s:{s:s, s:{s:s?, s:s?, s:s?, s:{s:f}}}, s:[]}",
      "generated_at", "2026-11-20T00:00:00Z", "customer", "host", "h", "product", "device",
      devices[i].device, "kind", "disk_array", "status", "used_bytes", 1199, "capacity_bytes", 1200,
      "forecast", "verdict", "growing", "fill", "0.1", devices[i].fill, "0.5", devices[i].fill,
      "0.9", devices[i].fill, "probability_by_horizon", "90d", devices[i].probability_90d,
      "recommendations");
  if (devices[i].order_by != NULL)
    json_array_append_new(json_object_get(summary, "recommendations"),
                          json_pack("{s:s, s:s, s:s, s:[{s:s, s:i}]}", "action", "grow", "order_by",
                                    devices[i].order_by, "reason", "r", "lines", "sku", "S",
                                    "quantity", 1));
  return summary;
}

static char *report_of(const struct report_format *format)
{
  char *text = NULL;
  size_t size = 0;
  FILE *out = open_memstream(&text, &size);
  const struct report_settings settings = {.out = out};
  struct report *r = format->begin(&settings);
  assert_non_null(r);
  for (size_t i = 0; i < DEVICES; i++) {
    json_t *summary = summary_of(i);
    assert_non_null(summary);
    assert_int_equal(format->add(r, "", 0, summary), 0);
    json_decref(summary);
  }
  assert_int_equal(format->end(r, 0), 0);
  format->free(r);
  fclose(out);
  return text;
}

static void what_has_to_be_done_first_stands_first(void **state)
{
  (void)state;
  const struct report_format *const formats[] = {&report_table, &report_html};
  for (size_t f = 0; f < 2; f++) {
    char *text = report_of(formats[f]);
    const char *at = text;
    for (size_t i = 0; i < DEVICES; i++) {
      /* The page names host and device apart. */
      const char *name = f == 0 ? order[i] : strchr(order[i], '/') + 1;
      const char *found = strstr(at, name);
      if (found == NULL)
        fail_msg("%s: %s is not where it belongs in:\n%s", formats[f]->name, name, text);
      at = found;
    }
    free(text);
  }
}

static void what_is_not_full_is_not_said_to_be(void **state)
{
  (void)state;
  const struct report_format *const formats[] = {&report_table, &report_html};
  for (size_t f = 0; f < 2; f++) {
    char *text = report_of(formats[f]);
    assert_non_null(strstr(text, f == 0 ? "99 %" : "99\xc2\xa0%"));
    assert_null(strstr(text, f == 0 ? "100 %" : "100\xc2\xa0%"));
    free(text);
  }
}

int main(void)
{
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_has_to_be_done_first_stands_first),
      cmocka_unit_test(what_is_not_full_is_not_said_to_be),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
