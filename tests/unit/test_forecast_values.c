/* SPDX-License-Identifier: MIT */
/* The members of the value head, against numbers computed by hand. */
#include "analyzer/forecast/steps.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/forecast_rows.h"

static void smoothing_follows_its_recursion(void **state)
{
  (void)state;
  double y[] = {1, 2, 3, 5}, level[4], trend[4];
  struct fc_smooth simple = {.alpha = 0.5};
  fc_smooth_states(&simple, y, 4, level, trend);
  assert_near(level[1], 1.5, 0);
  assert_near(level[2], 2.25, 0);
  assert_near(level[3], 3.625, 0);
  /* damped: level 1, trend (5 - 1) / 3; step 0.9 * 4/3 = 1.2, e = -0.2 */
  struct fc_smooth damped = {.alpha = 0.5, .beta = 0.1, .damping = 0.9};
  fc_smooth_states(&damped, y, 4, level, trend);
  assert_near(level[1], 2.1, 1e-12);
  assert_near(trend[1], 1.18, 1e-12);
  /* step 1.062, e = 3 - 3.162 */
  assert_near(level[2], 3.162 - 0.081, 1e-12);
  assert_near(trend[2], 1.062 - 0.0162, 1e-12);
}

static void fitting_prefers_what_fits(void **state)
{
  (void)state;
  double y[120];
  struct fc_smooth s;
  for (int i = 0; i < 120; i++)
    y[i] = i % 2 ? 10 : 12; /* the best simple smoothing hardly moves */
  fc_smooth_fit(&s, FC_SMOOTH_LEVEL, y, 120);
  assert_true(s.alpha < 0.2);
  for (int i = 0; i < 120; i++)
    y[i] = i < 60 ? 10 : 20; /* and here it jumps at once */
  fc_smooth_fit(&s, FC_SMOOTH_LEVEL, y, 120);
  assert_true(s.alpha > 0.9);
  for (int i = 0; i < 120; i++)
    y[i] = 3 * i;
  fc_smooth_fit(&s, FC_SMOOTH_TREND, y, 120);
  assert_near(s.sd, 0, 1e-9);
}

static void autoregression_finds_a_cycle_of_two(void **state)
{
  (void)state;
  static struct fc_autoregression a;
  double y[200], f[4];
  for (int i = 0; i < 200; i++)
    y[i] = i % 2 ? 5 : 3;
  fc_autoregression_fit(&a, y, 200, 2);
  assert_int_equal(a.order[1], 2);
  assert_near(a.scale, 2, 1e-12);
  assert_true(a.coefficient[0][0] < -0.9); /* order 1: the step turns round */
  fc_autoregression_forecast(&a, 0, y, 199, f, 4);
  assert_near(f[0], 3, 0.3);
  assert_near(f[1], 5, 0.5);
}

static void autoregression_of_a_line_is_the_line(void **state)
{
  (void)state;
  static struct fc_autoregression a;
  double y[100], f[3];
  for (int i = 0; i < 100; i++)
    y[i] = 7 + 0.5 * i;
  fc_autoregression_fit(&a, y, 100, FC_AR_LONG);
  for (int which = 0; which < 2; which++) {
    fc_autoregression_forecast(&a, which, y, 99, f, 3);
    assert_near(f[0], 57, 1e-9);
    assert_near(f[2], 58, 1e-9);
  }
}

static void analogues_repeat_what_followed(void **state)
{
  (void)state;
  double y[300], swing[300], f[10];
  for (int i = 0; i < 300; i++)
    y[i] = 100 + 10 * sin(i * 2 * M_PI / 60);
  fc_analog_swings(swing, y, 300, 1e-12);
  assert_true(fc_analog(y, swing, 239, f, 10));
  for (int k = 0; k < 10; k++) /* with a doubt of 0.3 */
    assert_near(f[k], y[239] + 0.7 * (y[240 + k] - y[239]), 0.35);
  assert_false(fc_analog(y, swing, 60, f, 10));
}

static void the_same_weeks_of_past_years_are_found(void **state)
{
  (void)state;
  static struct fc_value_work w;
  double y[400], middle[13], sd[13], now[13 * FC_VALUE_KINDS];
  for (int i = 0; i < 400; i++)
    y[i] = 1000 + 100 * sin(i * 2 * M_PI / 52.1775);
  struct fc_rows r = rows_of(y, 400, 7);
  double mase = fc_values(middle, sd, 13, &r, 7, &w, now);
  assert_true(mase < 0.1);
  for (int k = 0; k < 13; k++) {
    assert_near(middle[k], 1000 + 100 * sin((400 + k) * 2 * M_PI / 52.1775), 8);
    assert_true(sd[k] > 0 && (k == 0 || sd[k] > sd[k - 1]));
  }
  rows_free(&r);
}

static void intervals_hold_what_they_promise(void **state)
{
  (void)state;
  static struct fc_value_work w;
  double y[300], middle[5], sd[5], now[5 * FC_VALUE_KINDS];
  uint32_t seed = 3;
  int inside = 0, all = 0;
  for (int round = 0; round < 60; round++) {
    y[0] = 1000;
    for (int i = 1; i < 300; i++) { /* a random walk */
      double e = 0;
      for (int j = 0; j < 12; j++) {
        seed = seed * 1664525u + 1013904223u;
        e += (seed >> 8) / 16777216.0;
      }
      y[i] = y[i - 1] + e - 6;
    }
    struct fc_rows r = rows_of(y, 295, 1);
    fc_values(middle, sd, 5, &r, 1, &w, now);
    for (int k = 0; k < 5; k++, all++)
      inside += fabs(y[295 + k] - middle[k]) < 1.2816 * sd[k];
    rows_free(&r);
  }
  assert_true(inside > 0.68 * all && inside < 0.92 * all); /* 80 % */
}

static void short_and_constant_series_are_safe(void **state)
{
  (void)state;
  static struct fc_value_work w;
  double y[60], middle[3], sd[3], now[3 * FC_VALUE_KINDS];
  for (int i = 0; i < 60; i++)
    y[i] = 5;
  for (size_t n = 1; n <= 60; n++) {
    struct fc_rows r = rows_of(y, n, 1);
    fc_values(middle, sd, 3, &r, 1, &w, now);
    assert_near(middle[2], 5, 1e-6);
    assert_near(sd[2], 0, 1e-6);
    rows_free(&r);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(smoothing_follows_its_recursion),
      cmocka_unit_test(fitting_prefers_what_fits),
      cmocka_unit_test(autoregression_finds_a_cycle_of_two),
      cmocka_unit_test(autoregression_of_a_line_is_the_line),
      cmocka_unit_test(analogues_repeat_what_followed),
      cmocka_unit_test(the_same_weeks_of_past_years_are_found),
      cmocka_unit_test(intervals_hold_what_they_promise),
      cmocka_unit_test(short_and_constant_series_are_safe),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
