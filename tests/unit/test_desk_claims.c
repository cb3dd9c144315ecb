/* SPDX-License-Identifier: MIT */
/* The arithmetic of a claim: one device beside its peers. Expected numbers are numpy's (mean,
 * median, std with ddof=1), written down from outside. */
#include "contrib/desk/claims/compare.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define close_to(a, b) assert_true(fabs((double)(a) - (b)) <= 1e-12 * fmax(1, fabs((double)(b))))

static void numbers_are_those_of_numpy(void **state)
{
  (void)state;
  double peers[] = {1.48, 1.36, 1.42, 1.40, 1.44, 1.43};
  struct compare_numbers c;
  compare_numbers(&c, peers, 6, 1.08);
  assert_true(c.shown);
  close_to(c.mean, 1.4216666666666666);
  close_to(c.median, 1.4249999999999998);
  close_to(c.spread, 0.04020779360604936);
  close_to(c.low, 1.36);
  close_to(c.high, 1.48);
  close_to(c.percentile, 0);
  close_to(c.distance, (1.08 - 1.4216666666666666) / 0.04020779360604936);
  assert_true(c.below_all && !c.above_all && c.outlier);

  double odd[] = {3, 1, 2, 5, 4};
  compare_numbers(&c, odd, 5, 4);
  close_to(c.mean, 3);
  close_to(c.median, 3);
  close_to(c.spread, 1.5811388300841898);
  close_to(c.percentile, 70); /* three below, and half of the one alike */
  assert_false(c.outlier || c.below_all || c.above_all);
}

static void the_claimed_one_moves_nothing(void **state)
{
  (void)state;
  static const double claims[] = {1.4, 1e300, -1e300, INFINITY, NAN};
  for (size_t i = 0; i < 5; i++) {
    double peers[] = {1.48, 1.36, 1.42, 1.40, 1.44, 1.43};
    struct compare_numbers c;
    compare_numbers(&c, peers, 6, claims[i]);
    close_to(c.mean, 1.4216666666666666);
    close_to(c.median, 1.4249999999999998);
    close_to(c.spread, 0.04020779360604936);
    assert_int_equal(c.n, 6);
    assert_int_equal(c.outlier, i >= 1 && i <= 3);
    assert_int_equal(isnan(c.percentile), i == 4);
  }
}

static void of_fewer_than_five_nothing_is_told(void **state)
{
  (void)state;
  double peers[] = {1, 2, 3, 4};
  struct compare_numbers c;
  for (size_t n = 0; n < COMPARE_LEAST; n++) {
    compare_numbers(&c, peers, n, 1000);
    assert_int_equal(c.n, n);
    assert_true(!c.shown && isnan(c.mean) && isnan(c.median) && isnan(c.spread));
    assert_true(isnan(c.low) && isnan(c.percentile) && !c.outlier && !c.above_all);
  }
  const char *texts[] = {"on", "on", "on", "on"};
  struct compare_texts t;
  compare_texts(&t, texts, 4, "off");
  assert_true(!t.shown && t.same == 0 && t.most_n == 0 && t.most[0] == '\0' && !t.outlier);
}

static void peers_that_are_all_alike_have_no_spread(void **state)
{
  (void)state;
  double peers[] = {0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1};
  struct compare_numbers c;
  compare_numbers(&c, peers, 7, 0.1);
  assert_true(c.spread == 0 && c.mean == 0.1 && c.distance == 0 && !c.outlier);
  close_to(c.percentile, 50);
  compare_numbers(&c, peers, 7, 0.2);
  assert_true(isinf(c.distance) && c.outlier && c.above_all);
  double big[] = {1e12 + 1, 1e12 + 2, 1e12 + 3, 1e12 + 4, 1e12 + 5};
  compare_numbers(&c, big, 5, 1e12);
  close_to(c.spread, 1.5811388300841898);
}

static void a_rare_text_is_not_told(void **state)
{
  (void)state;
  const char *peers[] = {"on", "off", "on", "on", "on", "on", "on", "on", "on", "on", "on"};
  struct compare_texts t;
  compare_texts(&t, peers, 11, "off");
  assert_true(t.shown && t.outlier);
  assert_int_equal(t.same, 1);
  assert_int_equal(t.most_n, 10);
  assert_string_equal(t.most, "on");
  const char *named[] = {"Taro's", "Hanako's", "Taro's", "x", "y", "z"};
  compare_texts(&t, named, 6, "ready");
  assert_string_equal(t.most, "");
  assert_int_equal(t.most_n, 0);
  assert_false(t.outlier); /* where everybody says another thing, nobody is unusual */
  compare_texts(&t, named, 6, "Taro's");
  assert_string_equal(t.most, "Taro's");
  assert_int_equal(t.most_n, 2);
  assert_false(t.outlier);
  compare_texts(&t, named, 6, NULL);
  assert_false(t.outlier);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(numbers_are_those_of_numpy),
      cmocka_unit_test(the_claimed_one_moves_nothing),
      cmocka_unit_test(of_fewer_than_five_nothing_is_told),
      cmocka_unit_test(peers_that_are_all_alike_have_no_spread),
      cmocka_unit_test(a_rare_text_is_not_told),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests_name("desk_claims", tests, NULL, NULL);
}
