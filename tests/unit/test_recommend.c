/* SPDX-License-Identifier: MIT */
/* Golden advice: what is proposed, to whom, and that nothing is when nothing is needed. */
#include "analyzer/recommend.h"

#include "common/buf.h"
#include "common/file.h"
#include "common/text.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/advice.h"

static void what_is_full_soon_grows_and_what_is_flat_or_falling_does_not(void **state)
{
  (void)state;
  const struct golden cases[] = {
      {"full within the quarter", "grow:SHELF-40T*3", SAMPLE(FULL_SOON)},
      {"flat", "", SAMPLE(.used_tib = 97.6)},
      {"falling", "", SAMPLE(.used_tib = 97.6, .growth_tib = -0.3)},
      {"full next year", "",
       SAMPLE(.used_tib = 80, .growth_tib = 0.1, .d10 = 300, .d50 = 400, .d90 = 600)},
      {"full now and flat at the top", "grow:SHELF-20T*1",
       SAMPLE(.used_tib = 120, .d10 = 0.001, .d50 = 0.001, .d90 = 0.001)},
      {"what fits is used up: a larger model with shelves", "grow:DS-400*1+SHELF-40T*8",
       SAMPLE(.capacity_tib = 240, .used_tib = 200, .growth_tib = 0.4, .d10 = 60, .d50 = 100,
              .d90 = 140)},
      {"bays are taken", "grow:DS-400*1+SHELF-40T*4",
       SAMPLE(FULL_SOON, .configuration = "2 x SHELF-20T, 4 \xc3\x97 SHELF-20T-SSD")},
      {"not in the catalogue", "", SAMPLE(FULL_SOON, .model = "DX-1")},
  };
  EXPECT_ALL(cases);
}

static void on_the_same_date_the_load_chooses_the_product(void **state)
{
  (void)state;
  const struct golden cases[] = {
      {"low load", "grow:SHELF-40T*3", SAMPLE(FULL_SOON, .load_first = 9000, .load_last = 9000)},
      {"high load on the same date", "grow:SHELF-20T*2+SHELF-40T*2",
       SAMPLE(FULL_SOON, .load_first = 33000, .load_last = 33000)},
  };
  EXPECT_ALL(cases);
}

static void a_load_that_rises_asks_for_cache_while_there_is_room(void **state)
{
  (void)state;
  const struct golden cases[] = {
      {"rising maxima, capacity fine", "cache:CACHE-64G*1",
       SAMPLE(.load_first = 20000, .load_last = 33000)},
      {"steady maxima", "", SAMPLE(.load_first = 27000, .load_last = 27000)},
      {"rising far below the limit", "", SAMPLE(.load_first = 2000, .load_last = 9000)},
  };
  EXPECT_ALL(cases);
}

static void where_the_cache_is_at_its_maximum_a_faster_device_is_asked_for(void **state)
{
  (void)state;
  const struct golden cases[] = {
      {"rising, cache at its maximum", "faster:DS-400*1+SHELF-40T*1+CACHE-64G*2",
       SAMPLE(.load_first = 44000, .load_last = 60000, .cache_gib = 96)},
      {"replaced: no software for what goes", "faster:DS-400*1+SHELF-40T*1+CACHE-64G*2",
       SAMPLE(.load_first = 44000, .load_last = 60000, .cache_gib = 96, .firmware = "4.3.0")},
  };
  EXPECT_ALL(cases);
}

static void several_needs_make_one_plan_without_contradiction(void **state)
{
  (void)state;
  const struct golden cases[] = {
      {"both, without contradiction", "grow:SHELF-40T*3+CACHE-32G*1",
       SAMPLE(FULL_SOON, .load_first = 20000, .load_last = 33000)},
      {"both, and the cache at its maximum", "grow:DS-400*1+SHELF-20T*2+SHELF-40T*3+CACHE-64G*1",
       SAMPLE(FULL_SOON, .load_first = 44000, .load_last = 60000, .cache_gib = 96)},
      {"full, and the software behind", "grow:SHELF-40T*3+FW-DS200-4.4.2*1",
       SAMPLE(FULL_SOON, .firmware = "4.3.0")},
  };
  EXPECT_ALL(cases);
}

static void software_that_is_behind_is_renewed_and_odd_versions_sort_rightly(void **state)
{
  (void)state;
  const struct golden cases[] = {
      {"software behind", "software:FW-DS200-4.4.2*1", SAMPLE(.firmware = "4.3.9")},
      {"software far behind", "software:FW-DS200-4.4.2*1", SAMPLE(.firmware = "v3.10")},
      {"software equal", "", SAMPLE(.firmware = "V4.4.2.0")},
      {"software newer", "", SAMPLE(.firmware = "4.10")},
      {"software unknown", "", SAMPLE(.firmware = "unknown")},
  };
  EXPECT_ALL(cases);
}

static void a_printer_over_its_duty_gets_a_second_or_a_larger_one(void **state)
{
  (void)state;
  const struct golden cases[] = {
      {"printer within its duty", "",
       SAMPLE(.model = "PX-900", .kind = "printer", .capacity_tib = 0, .pages_per_day = 1600)},
      {"printer over its duty: a second one", "faster:PX-900*1",
       SAMPLE(.model = "PX-900", .kind = "printer", .capacity_tib = 0, .pages_per_day = 2047)},
      {"printer at three times its duty: a larger one is cheaper", "faster:PX-1200*1",
       SAMPLE(.model = "PX-900", .kind = "printer", .capacity_tib = 0, .pages_per_day = 4900)},
  };
  EXPECT_ALL(cases);
}

static void a_link_that_fills_up_gets_a_faster_one(void **state)
{
  (void)state;
  const struct golden cases[] = {
      {"link that fills up", "faster:LINK-25G*1",
       SAMPLE(.model = "LINK-10G", .kind = "network", .unit = "bytes", .capacity_tib = 0,
              .load_first = 2.2e11, .load_last = 3.4e11)},
      {"link with room", "",
       SAMPLE(.model = "LINK-10G", .kind = "network", .unit = "bytes", .capacity_tib = 0,
              .load_first = 0.8e11, .load_last = 0.9e11)},
  };
  EXPECT_ALL(cases);
}

static void a_computer_that_grows_busy_is_advised_by_name(void **state)
{
  (void)state;
  const struct golden cases[] = {
      {"computer that grows busy", "faster:PC-16*1",
       SAMPLE(.device = "pc-cad-14", .model = "PC-4", .kind = "computer", .unit = "load",
              .capacity_tib = 0, .load_first = 1, .load_last = 3.8)},
  };
  EXPECT_ALL(cases);
  json_t *list = advise_sample(&cases[0].s);
  const char *key = tm_json_get_string(json_array_get(list, 0), "key");
  assert_non_null(strstr(key, "/pc-cad-14/"));
  json_decref(list);
}

static void inspection_and_end_of_maintenance_are_advised_in_time(void **state)
{
  (void)state;
  const struct golden cases[] = {
      {"model no longer maintained soon", "",
       SAMPLE(.model = "DS-100", .capacity_tib = 20, .used_tib = 8, .cache_gib = 8)},
      {"yearly inspection", "service:CARE-DS200*1", SAMPLE(.sold_on = "2024-12-20")},
      {"inspected lately", "", SAMPLE(.sold_on = "2024-11-10")},
  };
  EXPECT_ALL(cases);
}

static json_t *printer_with(const char *name, double max, double level, double pages_per_day)
{
  struct sample s = SAMPLE(.model = "PX-900", .kind = "printer", .capacity_tib = 0,
                           .pages_per_day = pages_per_day);
  json_t *summary = sample_summary(&s);
  char level_name[64], max_name[64];
  snprintf(level_name, sizeof(level_name), "supply_level-%s", name);
  snprintf(max_name, sizeof(max_name), "supply_max-%s", name);
  json_object_set_new(json_object_get(summary, "status"), "levels",
                      json_pack("[{s:s, s:f}, {s:s, s:f}]", "name", level_name, "now", level,
                                "name", max_name, "now", max));
  return summary;
}

/* A toner of 20000 pages, 3 days of delivery and 7 in hand: at 1000 pages a day half of it is
 * ordered. */
static void a_supply_is_ordered_before_it_ends(void **state)
{
  (void)state;
  static const struct {
    const char *name;
    double max, level, pages;
    const char *wanted;
  } cases[] = {
      {"Black_Toner", 100, 50, 1000, "supply:TONER-K-PX9*1"},
      {"Black_Toner", 100, 51, 1000, ""},
      {"Black_Toner~2", 100, 50, 1000, "supply:TONER-K-PX9*1"}, /* one of two of that name */
      {"Black_Toner2", 100, 50, 1000, ""},
      {"Black_Toner", 100, 51, 1100, "supply:TONER-K-PX9*1"},
      {"black", 4000, 4000 * 0.49, 1000, "supply:TONER-K-PX9*1"},
      {"Pink_Toner", 100, 1, 1000, ""},
      {"Black_Toner", 0, 0, 1000, ""},
      {"Black_Toner", 100, 101, 1000, ""},
      {"Drum", 100, 16, 1000, "supply:DRUM-PX9*1"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    json_t *summary = printer_with(cases[i].name, cases[i].max, cases[i].level, cases[i].pages);
    json_t *list = advise(summary, SAMPLE_NOW);
    if (strcmp(shape(list), cases[i].wanted) != 0)
      fail_msg("%s %g of %g: \"%s\", wanted \"%s\"", cases[i].name, cases[i].level, cases[i].max,
               shape(list), cases[i].wanted);
    json_decref(list);
    json_decref(summary);
  }
}

/* Of 1000 pages a day 200 are in colour: the drum, told to count these, lasts five times as long.
 */
static void a_colour_supply_is_used_up_by_colour_pages(void **state)
{
  (void)state;
  json_t *summary = printer_with("Drum", 100, 50, 1000);
  json_t *levels = json_object_get(json_object_get(summary, "status"), "levels");
  json_array_append_new(levels, json_pack("{s:s, s:i}", "name", "page_count-total", "now", 50000));
  json_array_append_new(levels, json_pack("{s:s, s:i}", "name", "page_count-color", "now", 10000));
  struct catalogue_item *drum = NULL;
  for (size_t i = 0; i < catalogue.n; i++)
    if (strcmp(catalogue.items[i].sku, "DRUM-PX9") == 0)
      drum = &catalogue.items[i];
  thresholds.supply_days = 30; /* 60000 pages at a half, 30 days; with 8 of delivery too late */
  json_t *list = advise(summary, SAMPLE_NOW);
  assert_string_equal(shape(list), "supply:DRUM-PX9*1");
  json_decref(list);
  drum->counts = "color";
  list = advise(summary, SAMPLE_NOW);
  assert_string_equal(shape(list), "");
  json_decref(list);
  drum->counts = NULL;
  rule_thresholds_init(&thresholds);
  json_decref(summary);
}

/* A library that counts slots grows by slots: 46 of 48, one more in five days. */
static void a_library_grows_by_slots(void **state)
{
  (void)state;
  struct sample s =
      SAMPLE(.model = "ML-48", .kind = "media_library", .d10 = 6, .d50 = 10, .d90 = 18);
  json_t *summary = sample_summary(&s);
  json_t *status = json_object_get(summary, "status");
  json_object_set_new(status, "capacity_bytes", json_null());
  json_object_set_new(status, "used_bytes", json_null());
  json_object_set_new(status, "slots_total", json_integer(48));
  json_object_set_new(status, "slots_used", json_integer(46));
  json_object_set_new(json_object_get(summary, "forecast"), "growth_slots_per_day", json_real(0.2));
  json_t *list = advise(summary, SAMPLE_NOW);
  /* 46 + 0.2 x 365 slots and a margin: 119 or so, two expansions of 48. */
  assert_string_equal(shape(list), "grow:ML-EXP-48*2");
  assert_non_null(strstr(tm_json_get_string(first(list), "reason"), "46 of 48 slots used"));
  json_decref(list);
  json_decref(summary);
}

static void of_twenty_customers_three_need_something(void **state)
{
  (void)state;
  unsigned found = 0;
  for (int i = 0; i < 20; i++) {
    char id[16];
    snprintf(id, sizeof(id), "C-%04d", i);
    struct sample s = SAMPLE(.customer = id, .used_tib = 30 + 3 * i, .growth_tib = i % 4 * 0.01,
                             .load_first = 5000, .load_last = 5000 + 300 * i);
    if (i % 7 == 3) {
      s.used_tib = 110;
      s.d10 = 20 + i, s.d50 = 40 + i, s.d90 = 60 + i;
    } else if (i % 3 == 0) {
      s.d10 = 400, s.d50 = 900, s.d90 = 2000;
    }
    json_t *list = advise_sample(&s);
    if (json_array_size(list) > 0) {
      found++;
      assert_int_equal(i % 7, 3);
      assert_non_null(strstr(tm_json_get_string(first(list), "key"), id));
      assert_non_null(strstr(tm_json_get_string(first(list), "reason"), "110 TiB of 120 TiB"));
    }
    json_decref(list);
  }
  assert_int_equal(found, 3);
}

static void two_needs_make_one_plan_that_names_both(void **state)
{
  (void)state;
  struct sample s = SAMPLE(FULL_SOON, .firmware = "4.3.0");
  json_t *list = advise_sample(&s);
  assert_int_equal(json_array_size(list), 1);
  const json_t *e = json_object_get(first(list), "evidence");
  assert_string_equal(tm_json_get_string(e, "needs"), "grow, software");
  assert_string_equal(tm_json_get_string(e, "software_newest_1"), "4.4.2");
  assert_int_equal(json_array_size(json_object_get(first(list), "lines")), 2);
  json_decref(list);
}

/* From the evidence alone anybody comes to the same date and set. */
static void the_evidence_is_enough_to_do_the_sum_again(void **state)
{
  (void)state;
  struct sample s = SAMPLE(FULL_SOON);
  json_t *list = advise_sample(&s);
  const json_t *e = json_object_get(first(list), "evidence");
  int64_t early, order_by;
  tm_time_parse(tm_json_get_string(json_object_get(first(list), "fill"), "0.1"), &early);
  tm_time_parse(tm_json_get_string(first(list), "order_by"), &order_by);
  assert_true(early - order_by == (int64_t)((tm_json_get_number(e, "lead_time_days") +
                                             tm_json_get_number(e, "sales_cycle_days")) *
                                            TM_DAY));
  double used = tm_json_get_number(e, "grow_used");
  double growth = tm_json_get_number(e, "grow_per_day");
  double room = tm_json_get_number(e, "grow_capacity") - used;
  int64_t observed;
  tm_time_parse(tm_json_get_string(e, "observed_at"), &observed);
  /* The fill date is told to the day, so that the sum is right to a day's growth. */
  double to_edge = (double)(early - observed) / TM_DAY;
  double days = tm_json_get_number(e, "grow_planning_days");
  double again = used + growth * days + (room - growth * to_edge) * sqrt(days / to_edge);
  assert_true(fabs(again - tm_json_get_number(e, "grow_need_p90")) < growth);
  assert_true(tm_json_get_bool(e, "cheapest", false));
  json_decref(list);
}

static void a_cache_of_unknown_effect_is_still_tried_first(void **state)
{
  (void)state;
  static const char text[] =
      "{\"schema\":\"tidemark.catalogue/1\",\"issued_on\":\"2026-11-01\",\"sales_cycle_days\":14,"
      "\"models\":[{\"sku\":\"DS-200\",\"name\":\"m\",\"price\":{\"amount\":\"10\",\"currency\":"
      "\"EUR\"},\"lead_time_days\":7,\"kind\":\"disk_array\",\"rated_transfers_per_s\":120}],"
      "\"cache_modules\":[{\"sku\":\"C\",\"name\":\"c\",\"price\":{\"amount\":\"1\",\"currency\":"
      "\"EUR\"},\"lead_time_days\":7,\"fits\":[\"DS-200\"],\"adds_bytes\":1,\"max_quantity\":1}]}";
  struct catalogue small = {0};
  struct catalogue whole = catalogue;
  assert_int_equal(catalogue_parse(&small, text, sizeof(text) - 1, "c", NULL), 0);
  catalogue = small;
  struct sample s = SAMPLE(.load_first = 20000, .load_last = 33000);
  expect(&s, "cache:C*1");
  /* Nothing fits any more: the need is told, and no item named. */
  s.configuration = "1 x C";
  expect(&s, "faster:");
  catalogue = whole;
  catalogue_release(&small);
}

static void set_at(json_t *summary, const char *path, json_t *value)
{
  char text[100];
  snprintf(text, sizeof(text), "%s", path);
  char *dot = strrchr(text, '.');
  json_t *object = summary;
  if (dot != NULL) {
    *dot = '\0';
    object = json_object_get(summary, text);
  }
  json_object_set_new(object, dot != NULL ? dot + 1 : text, value);
}

/* The sample's catalogue, with this SKU in the place of SHELF-40T. */
static void load_renamed(struct catalogue *c, const char *sku)
{
  struct tm_buf text = TM_BUF_INIT(CATALOGUE_MAX_BYTES), made = TM_BUF_INIT(CATALOGUE_MAX_BYTES);
  struct tm_error err = {0};
  assert_int_equal(tm_file_read("contrib/schema/samples/catalogue.json", &text, NULL), 0);
  const char *from = text.ptr;
  for (const char *at; (at = strstr(from, "\"SHELF-40T\"")) != NULL; from = at + 11)
    tm_buf_printf(&made, "%.*s\"%s\"", (int)(at - from), from, sku);
  tm_buf_puts(&made, from);
  if (catalogue_parse(c, made.ptr, made.len, "c", &err) != 0)
    fail_msg("%s", err.text);
  tm_buf_release(&text);
  tm_buf_release(&made);
}

static void long_names_are_cut_behind_a_character(void **state)
{
  (void)state;
  char many[600] = "", sku[700], version[700];
  struct catalogue renamed = {0};
  struct tm_error err = {0};
  json_t *list = NULL;
  for (int i = 0; i < 85; i++)
    strcat(many, "\xe5\x99\xa8");
  snprintf(sku, sizeof(sku), "AB%.180s", many);
  snprintf(version, sizeof(version), "4.3.0%.120s", many);
  load_renamed(&renamed, sku);
  struct sample s = SAMPLE(FULL_SOON, .firmware = version, .device = many);
  json_t *summary = sample_summary(&s);
  int rc = recommend(summary, &renamed, &thresholds, SAMPLE_NOW, &list, &err);
  assert_string_equal(err.text, "");
  assert_int_equal(rc, 0);
  assert_int_equal(json_array_size(json_object_get(first(list), "lines")), 2);
  assert_non_null(strstr(tm_json_get_string(first(list), "reason"), "3 \xc3\x97 AB\xe5"));
  json_decref(list);
  json_decref(summary);
  catalogue_release(&renamed);
}

/* A summary of any shape is refused or says nothing; it never crashes and never invents. */
static void odd_summaries_cost_only_themselves(void **state)
{
  (void)state;
  static const char *const paths[] = {
      "product",
      "status",
      "history",
      "forecast",
      "customer",
      "product.model",
      "product.software",
      "product.sold_on",
      "product.cache_bytes",
      "status.transfers",
      "status.capacity_bytes",
      "status.used_bytes",
      "status.levels",
      "status.observed_at",
      "forecast.fill",
      "forecast.growth_bytes_per_day",
  };
  static const char *const values[] = {
      "null",  "7",  "-1", "1e300",       "\"\"",
      "\"x\"", "[]", "{}", "[1,null,{}]", "{\"0.1\":7,\"0.5\":\"9999-99-99\"}",
      "true"};
  for (size_t p = 0; p < sizeof(paths) / sizeof(paths[0]); p++)
    for (size_t v = 0; v < sizeof(values) / sizeof(values[0]); v++) {
      struct sample s = SAMPLE(FULL_SOON, .load_first = 20000, .load_last = 33000);
      json_t *summary = sample_summary(&s);
      json_t *list = NULL;
      struct tm_error err = {0};
      set_at(summary, paths[p], json_loads(values[v], JSON_DECODE_ANY, NULL));
      int rc = recommend(summary, &catalogue, &thresholds, SAMPLE_NOW, &list, &err);
      assert_true(rc == 0 ? list != NULL : rc == -EBADMSG && err.text[0] != '\0');
      json_decref(list);
      json_decref(summary);
    }
  json_t *list = NULL;
  json_t *seven = json_integer(7);
  assert_int_equal(recommend(seven, &catalogue, &thresholds, SAMPLE_NOW, &list, NULL), -EBADMSG);
  json_decref(seven);
}

int main(void)
{
  if (!advice_load())
    return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_full_soon_grows_and_what_is_flat_or_falling_does_not),
      cmocka_unit_test(on_the_same_date_the_load_chooses_the_product),
      cmocka_unit_test(a_load_that_rises_asks_for_cache_while_there_is_room),
      cmocka_unit_test(where_the_cache_is_at_its_maximum_a_faster_device_is_asked_for),
      cmocka_unit_test(several_needs_make_one_plan_without_contradiction),
      cmocka_unit_test(software_that_is_behind_is_renewed_and_odd_versions_sort_rightly),
      cmocka_unit_test(a_printer_over_its_duty_gets_a_second_or_a_larger_one),
      cmocka_unit_test(a_link_that_fills_up_gets_a_faster_one),
      cmocka_unit_test(a_computer_that_grows_busy_is_advised_by_name),
      cmocka_unit_test(inspection_and_end_of_maintenance_are_advised_in_time),
      cmocka_unit_test(a_supply_is_ordered_before_it_ends),
      cmocka_unit_test(a_colour_supply_is_used_up_by_colour_pages),
      cmocka_unit_test(a_library_grows_by_slots),
      cmocka_unit_test(of_twenty_customers_three_need_something),
      cmocka_unit_test(two_needs_make_one_plan_that_names_both),
      cmocka_unit_test(the_evidence_is_enough_to_do_the_sum_again),
      cmocka_unit_test(a_cache_of_unknown_effect_is_still_tried_first),
      cmocka_unit_test(long_names_are_cut_behind_a_character),
      cmocka_unit_test(odd_summaries_cost_only_themselves),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  catalogue_release(&catalogue);
  return failed;
}
