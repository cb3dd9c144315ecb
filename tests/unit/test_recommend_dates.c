/* SPDX-License-Identifier: MIT */
/* Until when advice is to be followed, and where need ends and none begins. */
#include "analyzer/recommend.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/advice.h"

static int late_by(const struct sample *s, const char *order_by)
{
  json_t *list = advise_sample(s);
  assert_string_equal(tm_json_get_string(first(list), "order_by"), order_by);
  int late = (int)json_integer_value(json_object_get(first(list), "late_by_days"));
  json_decref(list);
  return late;
}

/* Shelves take 40 days and the sale 14. */
static void the_order_date_is_the_early_edge_less_delivery_and_sale(void **state)
{
  (void)state;
  struct sample s = SAMPLE(FULL_SOON);
  assert_int_equal(late_by(&s, "2026-11-17"), 3);
  s.d10 = 54;
  assert_int_equal(late_by(&s, "2026-11-20"), 0);
  s.d10 = 53;
  assert_int_equal(late_by(&s, "2026-11-19"), 1);
  s.d10 = 70;
  assert_int_equal(late_by(&s, "2026-12-06"), 0);
  s.used_tib = 120, s.growth_tib = 0;
  s.d10 = s.d50 = s.d90 = 0.0001;
  assert_int_equal(late_by(&s, "2026-09-27"), 54);
}

/* The thresholds that a probability has to pass, from either side. */
static void each_threshold_divides_need_from_none(void **state)
{
  (void)state;
  struct sample s = SAMPLE(FULL_SOON);
  json_t *list = advise_sample(&s);
  double p = tm_json_get_number(first(list), "confidence");
  json_decref(list);
  thresholds.min_probability = p + 0.01;
  expect(&s, "");
  thresholds.min_probability = p - 0.01;
  expect(&s, "grow:SHELF-40T*3");
  rule_thresholds_init(&thresholds);
  /* The lead time of the model and the sale, 56 days, are looked over in any case. */
  thresholds.within_days = 10;
  expect(&s, "");
  s.d10 = 20, s.d50 = 55, s.d90 = 70;
  list = advise_sample(&s);
  assert_int_equal(json_array_size(list), 1);
  json_decref(list);
  s.d50 = 58;
  expect(&s, "");
  rule_thresholds_init(&thresholds);

  struct sample printer = SAMPLE(.model = "PX-900", .kind = "printer", .capacity_tib = 0,
                                 .pages_per_day = 50000 / 30.0);
  expect(&printer, "");
  printer.pages_per_day *= 1.001;
  expect(&printer, "faster:PX-900*1");
  thresholds.duty_share = 1.01;
  expect(&printer, "");
  rule_thresholds_init(&thresholds);

  struct sample busy = SAMPLE(.load_first = 20000, .load_last = 33000);
  thresholds.load_floor_share = 33000 / 300.0 / 120 + 0.001;
  expect(&busy, "");
  thresholds.load_floor_share -= 0.002;
  expect(&busy, "cache:CACHE-64G*1");
  rule_thresholds_init(&thresholds);

  /* DS-100 is maintained until 2028-03-31: 497 days. */
  struct sample old = SAMPLE(.model = "DS-100", .capacity_tib = 20, .used_tib = 8, .cache_gib = 8);
  thresholds.end_of_service_days = 496;
  expect(&old, "");
  thresholds.end_of_service_days = 498;
  expect(&old, "service:DS-200*1");
  /* Full as well: one successor for both needs, large enough. */
  struct sample full = SAMPLE(.model = "DS-100", .capacity_tib = 20, .used_tib = 19, .cache_gib = 8,
                              .growth_tib = 0.1, .d10 = 8, .d50 = 10, .d90 = 14);
  expect(&full, "grow:DS-200*1+SHELF-20T*1");
  rule_thresholds_init(&thresholds);

  /* Sold 365 days before 2027-01-03: due in 44 days, as many as lead time and threshold. */
  struct sample care = SAMPLE(.sold_on = "2026-01-03");
  expect(&care, "service:CARE-DS200*1");
  care.sold_on = "2026-01-05";
  expect(&care, "");
}

/* Whatever a configuration asks for: a date is never made up. */
static void a_need_without_an_early_edge_is_not_dated(void **state)
{
  (void)state;
  struct sample s =
      SAMPLE(.used_tib = 97.6, .growth_tib = 0.29, .load_first = 20000, .load_last = 33000);
  const double shares[] = {0.01, 0.05, 0.5, 1};
  for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
    thresholds.min_probability = shares[i];
    json_t *list = advise_sample(&s);
    for (size_t k = 0; k < json_array_size(list); k++) {
      const char *by = tm_json_get_string(json_array_get(list, k), "order_by");
      assert_true(strncmp(by, "2026", 4) == 0 || strncmp(by, "2027", 4) == 0);
    }
    json_decref(list);
  }
  rule_thresholds_init(&thresholds);
}

int main(void)
{
  if (!advice_load())
    return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_order_date_is_the_early_edge_less_delivery_and_sale),
      cmocka_unit_test(each_threshold_divides_need_from_none),
      cmocka_unit_test(a_need_without_an_early_edge_is_not_dated),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  catalogue_release(&catalogue);
  return failed;
}
