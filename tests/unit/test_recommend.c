/* SPDX-License-Identifier: MIT */
/* Golden advice: what is proposed, to whom, until when, and that nothing is when nothing is needed.
 */
#include "analyzer/expansion.h"
#include "common/merge.h"
#include "analyzer/recommend.h"
#include "tests/lib/summary_sample.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct catalogue catalogue;
static struct rule_thresholds thresholds;

/* "grow:SHELF-20T*4+FW-DS200-4.4.2*1 supply:TONER-K-PX9*1", the first to be ordered in front. */
static const char *shape(const json_t *list)
{
  static char text[1000];
  text[0] = '\0';
  for (size_t i = 0; i < json_array_size(list); i++) {
    const json_t *r = json_array_get(list, i);
    const json_t *lines = json_object_get(r, "lines");
    size_t len = strlen(text);
    len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s:", i > 0 ? " " : "",
                            tm_json_get_string(r, "action"));
    for (size_t k = 0; k < json_array_size(lines); k++)
      len += (size_t)snprintf(
          text + len, sizeof(text) - len, "%s%s*%d", k > 0 ? "+" : "",
          tm_json_get_string(json_array_get(lines, k), "sku"),
          (int)json_integer_value(json_object_get(json_array_get(lines, k), "quantity")));
  }
  return text;
}

static json_t *advise(const json_t *summary, int64_t now)
{
  json_t *list = NULL;
  struct tm_error err = {0};
  if (recommend(summary, &catalogue, &thresholds, now, &list, &err) != 0)
    fail_msg("%s", err.text);
  return list;
}

static json_t *advise_sample(const struct sample *s)
{
  json_t *summary = sample_summary(s);
  json_t *list = advise(summary, SAMPLE_NOW);
  json_decref(summary);
  return list;
}

static void expect(const struct sample *s, const char *wanted)
{
  json_t *list = advise_sample(s);
  if (strcmp(shape(list), wanted) != 0) {
    for (size_t i = 0; i < json_array_size(list); i++)
      print_message("# %s\n", tm_json_get_string(json_array_get(list, i), "reason"));
    fail_msg("\"%s\", wanted \"%s\"", shape(list), wanted);
  }
  json_decref(list);
}

#define FULL_SOON .used_tib = 97.6, .growth_tib = 0.29, .d10 = 51, .d50 = 78, .d90 = 113

struct golden {
  const char *what;
  const char *wanted;
  struct sample s;
};

static void expect_all(const struct golden *cases, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    print_message("# %s\n", cases[i].what);
    expect(&cases[i].s, cases[i].wanted);
  }
}
#define EXPECT_ALL(cases) expect_all(cases, sizeof(cases) / sizeof((cases)[0]))

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

static const json_t *first(const json_t *list)
{
  assert_true(json_array_size(list) > 0);
  return json_array_get(list, 0);
}

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
  const char *source = getenv("SOURCE");
  struct tm_error err = {0};
  if (source != NULL && chdir(source) < 0)
    return 1;
  if (catalogue_load(&catalogue, "contrib/schema/samples/catalogue.json", &err) < 0) {
    printf("Bail out! %s\n", err.text);
    return 1;
  }
  rule_thresholds_init(&thresholds);
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
      cmocka_unit_test(the_order_date_is_the_early_edge_less_delivery_and_sale),
      cmocka_unit_test(each_threshold_divides_need_from_none),
      cmocka_unit_test(a_need_without_an_early_edge_is_not_dated),
      cmocka_unit_test(a_supply_is_ordered_before_it_ends),
      cmocka_unit_test(a_colour_supply_is_used_up_by_colour_pages),
      cmocka_unit_test(a_library_grows_by_slots),
      cmocka_unit_test(of_twenty_customers_three_need_something),
      cmocka_unit_test(two_needs_make_one_plan_that_names_both),
      cmocka_unit_test(a_change_of_capacity_is_dated_alike_from_fine_and_coarse_rows),
      cmocka_unit_test(an_expansion_closes_the_item_and_begins_a_new_key),
      cmocka_unit_test(a_receiver_judges_by_all_days_that_it_was_sent),
      cmocka_unit_test(days_are_merged_by_date_and_what_they_cover),
      cmocka_unit_test(the_key_stays_while_the_need_is_the_same),
      cmocka_unit_test(the_evidence_is_enough_to_do_the_sum_again),
      cmocka_unit_test(a_cache_of_unknown_effect_is_still_tried_first),
      cmocka_unit_test(odd_summaries_cost_only_themselves),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  catalogue_release(&catalogue);
  return failed;
}
