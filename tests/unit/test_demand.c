/* SPDX-License-Identifier: MIT */
/* The factory's sums: by week, shop and SKU, weighted by probability, without names. */
#include "analyzer/demand.h"
#include "analyzer/newest.h"
#include "common/clock.h"
#include "common/json.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define NOW 1795133100 /* Friday 2026-11-20T00:05:00Z, week 47 from 2026-11-16 */

static const struct shops no_shops = {0};

static json_t *summary_of(const char *customer, const char *device, const char *action,
                          const char *sku, int quantity, const char *fill, const char *order_by)
{
  json_t *r = json_pack("{s:s, s:s, s:[{s:s, s:i}], s:s}", "action", action, "key", "k", "lines",
                        "sku", sku, "quantity", quantity, "order_by", order_by);
  if (fill != NULL)
    json_object_set_new(r, "fill", json_loads(fill, 0, NULL));
  return json_pack("{s:s, s:{s:s, s:s, s:s}, s:{s:s}, s:[o]}", "generated_at",
                   "2026-11-20T00:05:00Z", "customer", "id", customer, "site", "s", "host", "h",
                   "product", "device", device, "recommendations", r);
}

static void add(struct demand *d, json_t *summary)
{
  struct tm_error err = {0};
  if (demand_add(d, summary, &err) != 0)
    fail_msg("%s", err.text);
  json_decref(summary);
}

static struct demand *begin(unsigned weeks, const struct shops *shops)
{
  const struct demand_settings settings = {
      .now = NOW, .weeks = weeks, .shops = shops != NULL ? shops : &no_shops};
  return demand_new(&settings);
}

static const json_t *line_at(const json_t *document, size_t i)
{
  return json_array_get(json_object_get(document, "lines"), i);
}

static double number(const json_t *line, const char *key)
{
  return tm_json_get_number(line, key);
}

/* All of a need falls into the week of 2027-01-11 when its dates do. */
#define IN_WEEK_2                                                                                  \
  "{\"0.1\":\"2027-01-11\",\"0.5\":\"2027-01-13\",\"0.9\":\"2027-01-17\","                         \
  "\"probability_by_horizon\":{\"51d\":0.0,\"59d\":0.9}}"

static void five_customers_of_one_week_are_added_by_probability(void **state)
{
  (void)state;
  struct demand *d = begin(26, NULL);
  for (int i = 0; i < 5; i++) {
    char customer[16];
    snprintf(customer, sizeof(customer), "C-%d", i);
    add(d, summary_of(customer, "a", "grow", "SHELF", 1 + i, IN_WEEK_2, "2026-12-01"));
  }
  json_t *document = demand_json(d);
  const json_t *line = NULL;
  double sum = 0;
  for (size_t i = 0; i < json_array_size(json_object_get(document, "lines")); i++) {
    sum += number(line_at(document, i), "expected");
    if (strcmp(tm_json_get_string(line_at(document, i), "week"), "2027-W02") == 0)
      line = line_at(document, i);
  }
  assert_non_null(line);
  assert_string_equal(tm_json_get_string(line, "week_start"), "2027-01-11");
  assert_int_equal(number(line, "customers"), 5);
  assert_true(fabs(sum - 0.9 * 15) < 0.02);
  assert_true(number(line, "expected") > 0.75 * 15);
  assert_true(number(line, "low") <= number(line, "middle"));
  assert_true(number(line, "middle") <= number(line, "high"));
  assert_true(number(line, "high") <= 15);
  char *text = json_dumps(document, 0);
  assert_null(strstr(text, "C-3"));
  free(text);
  json_decref(document);
  demand_free(d);
}

/* Against every outcome, one by one. */
static void low_middle_and_high_are_the_quantiles_of_the_sum(void **state)
{
  (void)state;
  const unsigned quantity[] = {1, 4, 2, 2, 7, 1, 3};
  const double p[] = {0.9, 0.3, 0.5, 0.1, 0.25, 0.99, 0};
  enum { N = 7 };
  double chance[32] = {0};
  for (unsigned set = 0; set < 1u << N; set++) {
    double c = 1;
    unsigned sum = 0;
    for (unsigned i = 0; i < N; i++) {
      c *= set >> i & 1 ? p[i] : 1 - p[i];
      sum += set >> i & 1 ? quantity[i] : 0;
    }
    chance[sum] += c;
  }
  unsigned long wanted[3] = {0};
  const double q[] = {0.1, 0.5, 0.9};
  for (int i = 0; i < 3; i++)
    for (double sum = chance[0]; sum < q[i]; sum += chance[++wanted[i]])
      ;
  struct demand_range range;
  assert_int_equal(demand_range_of(quantity, p, N, &range), 0);
  assert_int_equal(range.low, wanted[0]);
  assert_int_equal(range.middle, wanted[1]);
  assert_int_equal(range.high, wanted[2]);
  assert_true(fabs(range.expected - (0.9 + 1.2 + 1 + 0.2 + 1.75 + 0.99)) < 1e-9);
}

static void many_pieces_are_close_to_the_exact_sum(void **state)
{
  (void)state;
  enum { N = 1024 };
  static unsigned quantity[2 * N];
  static double p[2 * N];
  for (int i = 0; i < 2 * N; i++) {
    quantity[i] = 1;
    p[i] = 0.2;
  }
  struct demand_range exact, normal;
  assert_int_equal(demand_range_of(quantity, p, N, &exact), 0);
  assert_int_equal(exact.middle, 205);
  assert_int_equal(demand_range_of(quantity, p, 2 * N, &normal), 0);
  assert_int_equal(normal.middle, 410);
  assert_true(normal.high - normal.low > 44 && normal.high - normal.low < 48);
}

static void a_need_is_spread_over_its_range(void **state)
{
  (void)state;
  struct demand *d = begin(26, NULL);
  add(d, summary_of("C", "a", "grow", "S", 1,
                    "{\"0.1\":\"2026-12-01\",\"0.5\":\"2027-01-01\",\"0.9\":\"2027-02-01\"}", "x"));
  json_t *document = demand_json(d);
  size_t n = json_array_size(json_object_get(document, "lines"));
  double sum = 0;
  assert_true(n >= 10 && n <= 12);
  for (size_t i = 0; i < n; i++) {
    assert_true(number(line_at(document, i), "expected") < 0.2);
    sum += number(line_at(document, i), "expected");
  }
  assert_true(fabs(sum - 0.9) < 0.01);
  json_decref(document);
  demand_free(d);
}

static void what_is_needed_already_counts_this_week(void **state)
{
  (void)state;
  struct demand *d = begin(4, NULL);
  add(d, summary_of("C", "a", "grow", "S", 2,
                    "{\"0.1\":\"2026-10-01\",\"0.5\":\"2026-10-01\",\"0.9\":\"2026-10-02\"}", "x"));
  add(d, summary_of("C", "b", "software", "F", 1, NULL, "2026-11-29"));
  add(d, summary_of("C", "c", "software", "G", 1, NULL, "2029-01-01"));
  json_t *document = demand_json(d);
  assert_int_equal(json_array_size(json_object_get(document, "lines")), 2);
  assert_string_equal(tm_json_get_string(line_at(document, 0), "week"), "2026-W48");
  assert_string_equal(tm_json_get_string(line_at(document, 1), "week"), "2026-W47");
  assert_true(number(line_at(document, 1), "expected") == 1.8);
  assert_int_equal(number(line_at(document, 0), "expected"), 1);
  json_decref(document);
  demand_free(d);
}

/* A factory that may see no recommendation's own range has the device's. */
static void the_fill_date_of_the_forecast_will_do(void **state)
{
  (void)state;
  struct demand *d = begin(26, NULL);
  json_t *summary = summary_of("C", "a", "grow", "S", 1, NULL, "2026-12-01");
  json_object_set_new(summary, "forecast",
                      json_pack("{s:o}", "fill", json_loads(IN_WEEK_2, 0, NULL)));
  add(d, summary);
  json_t *document = demand_json(d);
  double most = 0;
  for (size_t i = 0; i < json_array_size(json_object_get(document, "lines")); i++)
    if (strcmp(tm_json_get_string(line_at(document, i), "week"), "2027-W02") == 0)
      most = number(line_at(document, i), "expected");
  assert_true(most > 0.7);
  json_decref(document);
  demand_free(d);
}

static void customers_are_gathered_by_their_shop(void **state)
{
  (void)state;
  char path[] = "/tmp/tidemark-shops-XXXXXX";
  int fd = mkstemp(path);
  static const char text[] = "{\"schema\":\"tidemark.shops/1\",\"otherwise\":\"Tokyo\",\n"
                             "\"shops\":{\"C-1\":\"Osaka\",\"C-2/s\":\"Kobe\"}}";
  assert_true(fd >= 0 && write(fd, text, sizeof(text) - 1) == sizeof(text) - 1);
  close(fd);
  struct shops shops = {0};
  struct tm_error err = {0};
  assert_int_equal(shops_load(&shops, path, &err), 0);
  struct demand *d = begin(4, &shops);
  static const char *const customers[] = {"C-1", "C-2", "C-3", "C-1"};
  for (size_t i = 0; i < 4; i++)
    add(d, summary_of(customers[i], "a", "software", "F", 1, NULL, "2026-11-21"));
  json_t *document = demand_json(d);
  assert_string_equal(tm_json_get_string(line_at(document, 0), "shop"), "Kobe");
  assert_string_equal(tm_json_get_string(line_at(document, 1), "shop"), "Osaka");
  assert_int_equal(number(line_at(document, 1), "middle"), 2);
  assert_int_equal(number(line_at(document, 1), "customers"), 1);
  assert_string_equal(tm_json_get_string(line_at(document, 2), "shop"), "Tokyo");
  json_decref(document);
  demand_free(d);
  shops_release(&shops);
  assert_int_equal(shops_parse(&shops, text, sizeof(text) - 1, "shops", &err), 0);
  assert_string_equal(tm_json_get_string(shops.document, "otherwise"), "Tokyo");
  shops_release(&shops);
  assert_int_equal(shops_parse(&shops, "{}", 2, "shops", &err), -EBADMSG);
  fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
  static const char bad[] = "{\"schema\":\"tidemark.shops/1\",\n\"shops\":{\n\"C-1\":7}}";
  assert_true(fd >= 0 && write(fd, bad, sizeof(bad) - 1) == sizeof(bad) - 1);
  close(fd);
  assert_int_equal(shops_load(&shops, path, &err), -EBADMSG);
  assert_non_null(strstr(err.text, ":3: \"C-1\" is not a string"));
  unlink(path);
}

static void the_order_of_the_summaries_changes_no_byte(void **state)
{
  (void)state;
  char *text[2];
  for (int round = 0; round < 2; round++) {
    struct demand *d = begin(26, NULL);
    for (int k = 0; k < 40; k++) {
      int i = round == 0 ? k : 39 - k;
      char customer[16], fill[200];
      snprintf(customer, sizeof(customer), "C-%d", i % 11);
      snprintf(fill, sizeof(fill),
               "{\"0.1\":\"2026-12-%02d\",\"0.5\":\"2027-01-%02d\","
               "\"0.9\":\"2027-02-%02d\"}",
               1 + i % 28, 1 + i % 27, 1 + i % 26);
      add(d, summary_of(customer, "a", "grow", i % 3 ? "S" : "T", 1 + i % 5, fill, "x"));
    }
    json_t *document = demand_json(d);
    text[round] = json_dumps(document, JSON_REAL_PRECISION(17));
    json_decref(document);
    demand_free(d);
  }
  assert_string_equal(text[0], text[1]);
  free(text[0]);
  free(text[1]);
}

static void a_line_without_a_quantity_refuses_its_summary(void **state)
{
  (void)state;
  static const char *const bad[] = {
      "{\"recommendations\":7}",
      "{\"recommendations\":[{\"lines\":[{\"sku\":\"S\"}]}]}",
      "{\"recommendations\":[{\"lines\":[{\"sku\":\"S\",\"quantity\":-1}]}]}",
      "{\"recommendations\":[{\"lines\":[{\"sku\":\"S\",\"quantity\":1.5}]}]}",
      "{\"recommendations\":[{\"lines\":[{\"sku\":\"S\",\"quantity\":1e9}]}]}",
      "{\"recommendations\":[{\"lines\":[{\"quantity\":1}]}]}",
  };
  struct demand *d = begin(4, NULL);
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    json_t *summary = json_loads(bad[i], 0, NULL);
    struct tm_error err = {0};
    assert_int_equal(demand_add(d, summary, &err), -EBADMSG);
    json_decref(summary);
  }
  json_t *document = demand_json(d);
  assert_int_equal(json_array_size(json_object_get(document, "lines")), 0);
  json_decref(document);
  demand_free(d);
}

static void of_several_summaries_of_a_device_the_newest_counts(void **state)
{
  (void)state;
  struct newest n = {0};
  static const char *const days[] = {"2026-11-19", "2026-11-20", "2026-11-18"};
  for (int i = 0; i < 3; i++) {
    char at[32];
    json_t *s = summary_of("C", i == 3 ? "b" : "a", "grow", "S", 1, NULL, "x");
    snprintf(at, sizeof(at), "%sT00:00:00Z", days[i]);
    json_object_set_new(s, "generated_at", json_string(at));
    assert_int_equal(newest_put(&n, s, json_integer(i), NULL), 0);
    json_decref(s);
  }
  assert_int_equal(n.n, 1);
  assert_int_equal(json_integer_value(newest_at(&n, 0)), 1);
  newest_release(&n);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(five_customers_of_one_week_are_added_by_probability),
      cmocka_unit_test(low_middle_and_high_are_the_quantiles_of_the_sum),
      cmocka_unit_test(many_pieces_are_close_to_the_exact_sum),
      cmocka_unit_test(a_need_is_spread_over_its_range),
      cmocka_unit_test(what_is_needed_already_counts_this_week),
      cmocka_unit_test(the_fill_date_of_the_forecast_will_do),
      cmocka_unit_test(customers_are_gathered_by_their_shop),
      cmocka_unit_test(the_order_of_the_summaries_changes_no_byte),
      cmocka_unit_test(a_line_without_a_quantity_refuses_its_summary),
      cmocka_unit_test(of_several_summaries_of_a_device_the_newest_counts),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
