/* SPDX-License-Identifier: MIT */
/* What the forecast makes of a history before it looks ahead, against numbers computed by hand or
 * by R: statistics, cleaning, refills, finer rows, the weekly cycle. */
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

static double scratch[8 * FC_GRID];

static void normal_numbers_agree_with_r(void **state)
{
  (void)state;
  assert_near(fc_normal_cdf(1), 0.8413447460685429, 1e-14);
  assert_near(fc_normal_cdf(-6), 9.865876450376946e-10, 1e-20);
  assert_near(fc_normal_quantile(0.975), 1.959963984540054, 1e-7);
  assert_near(fc_normal_quantile(0.001), -3.090232306167813, 1e-7);
  assert_near(fc_normal_quantile(0.5), 0, 1e-12);
}

static void selection_interpolates_between_ranks(void **state)
{
  (void)state;
  double a[] = {9, 1, 8, 2, 7, 3}, b[] = {4, 4, 4}, c[] = {5};
  assert_near(fc_select(a, 6, 0.5), 5, 0);       /* (3 + 7) / 2 */
  assert_near(fc_select(a, 6, 0.9), 8.5, 1e-12); /* rank 4.5: between 8 and 9 */
  assert_near(fc_select(a, 6, 0), 1, 0);
  assert_near(fc_select(b, 3, 0.3), 4, 0);
  assert_near(fc_select(c, 1, 0.7), 5, 0);
}

static int by_value(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Of any order and any number of equal values; and no number in place of one ends too. */
static void a_quantile_is_what_sorting_gives(void **state)
{
  (void)state;
  double a[200], sorted[200];
  uint64_t seed = 1;
  for (int round = 0; round < 20000; round++) {
    size_t n = 1 + (size_t)round % 200;
    unsigned values = 1 + (unsigned)round % 37;
    for (size_t i = 0; i < n; i++) {
      seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
      a[i] = sorted[i] = (double)((seed >> 33) % values) - 3;
    }
    qsort(sorted, n, sizeof(sorted[0]), by_value);
    double q = round % 11 / 10.0, rank = q * (double)(n - 1);
    size_t k = (size_t)rank;
    double wanted = sorted[k];
    if (k + 1 < n)
      wanted += (rank - (double)k) * (sorted[k + 1] - sorted[k]);
    assert_near(fc_select(a, n, q), wanted, 1e-12);
  }
  for (size_t i = 0; i < 200; i++)
    a[i] = i % 3 == 0 ? NAN : (double)i;
  fc_select(a, 200, 0.5);
}

static void lonely_spikes_and_zeros_are_dropped(void **state)
{
  (void)state;
  double used[40];
  for (int i = 0; i < 40; i++)
    used[i] = 100 + i;
  used[10] = 0;
  used[20] = 400;
  used[39] = 500; /* the last row is believed */
  struct fc_rows r = rows_of(used, 40, 1);
  fc_drop_read_errors(&r, scratch);
  assert_int_equal(r.n, 38);
  assert_near(r.used[10], 111, 0);
  assert_near(r.used[19], 121, 0);
  assert_near(r.used[37], 500, 0);
  assert_near(r.day[37], 0, 0);
  rows_free(&r);
}

static void a_step_that_stays_is_no_error(void **state)
{
  (void)state;
  double used[40];
  for (int i = 0; i < 40; i++)
    used[i] = i < 20 ? 100 + i : 300 + i;
  struct fc_rows r = rows_of(used, 40, 1);
  fc_drop_read_errors(&r, scratch);
  assert_int_equal(r.n, 40);
  rows_free(&r);
}

static void rows_at_an_old_capacity_say_at_least(void **state)
{
  (void)state;
  double used[] = {80, 90, 100, 100, 100, 140};
  struct fc_rows r = rows_of(used, 6, 1);
  for (int i = 0; i < 6; i++)
    r.capacity[i] = i < 5 ? 100 : 200;
  fc_unclip(&r, 200);
  /* a line from 90 on the second day to 140 four days later */
  assert_near(r.used[1], 90, 0);
  assert_near(r.used[2], 102.5, 1e-9);
  assert_near(r.used[3], 115, 1e-9);
  assert_near(r.used[4], 127.5, 1e-9);
  assert_near(r.used[5], 140, 0);
  rows_free(&r);
}

static void refills_are_joined_into_consumption(void **state)
{
  (void)state;
  double used[] = {30, 20, 10, 100, 90, 80};
  struct fc_rows r = rows_of(used, 6, 1);
  fc_join_refills(&r);
  double want[] = {120, 110, 100, 100, 90, 80};
  for (int i = 0; i < 6; i++)
    assert_near(r.used[i], want[i], 1e-12);
  rows_free(&r);
}

static void finer_rows_become_the_peak_of_the_day(void **state)
{
  (void)state;
  double used[] = {1, 2, 9, 3, 4, 5, 7, 6};
  struct fc_rows r = rows_of(used, 8, 1);
  static struct fc_grid g;
  for (int i = 0; i < 8; i++)
    r.day[i] = ((double)i - 7) / 4; /* each six hours */
  fc_regular(&g, &r, 0.25, 1, 10);
  assert_int_equal(g.n, 2);
  assert_near(g.u[0], 0.9, 1e-12); /* of 1, 2, 9, 3 */
  assert_near(g.u[1], 0.7, 1e-12); /* of 4, 5, 7, 6 */
  rows_free(&r);
}

static void gaps_are_drawn_as_lines_and_shift_nothing(void **state)
{
  (void)state;
  double used[] = {10, 20, 50, 60};
  struct fc_rows r = rows_of(used, 4, 1);
  static struct fc_grid g;
  r.day[0] = -5, r.day[1] = -4, r.day[2] = -1, r.day[3] = 0;
  fc_regular(&g, &r, 1, -1, 100);
  assert_int_equal(g.n, 6);
  double want[] = {-0.1, -0.2, -0.3, -0.4, -0.5, -0.6};
  for (int i = 0; i < 6; i++)
    assert_near(g.u[i], want[i], 1e-12);
  rows_free(&r);
}

static void a_weekly_cycle_is_taken_out_and_its_peak_told(void **state)
{
  (void)state;
  static struct fc_grid g;
  const double week[7] = {0, 1, 2, 3, 4, 5, -15};
  line(&g, 84, 0, 0);
  for (int i = 0; i < 84; i++)
    g.u[i] = 0.5 + 0.01 * week[(i + 2) % 7];       /* the last row is of phase (83 + 2) % 7 = 1 */
  assert_near(fc_season(&g, scratch), 0.04, 1e-9); /* from 1 to the peak of 5 */
  for (int i = 0; i < 84; i++)
    assert_near(g.u[i], 0.5, 1e-9);
}

static void a_line_and_noise_have_no_cycle(void **state)
{
  (void)state;
  static struct fc_grid g;
  line(&g, 200, 0, 0.001);
  assert_near(fc_season(&g, scratch), 0, 1e-12);
  assert_near(g.u[100], 0.1, 1e-12);
  uint32_t seed = 1;
  for (int i = 0; i < 200; i++) {
    seed = seed * 1664525u + 1013904223u;
    g.u[i] = (seed >> 8) / 16777216.0;
  }
  assert_near(fc_season(&g, scratch), 0, 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_quantile_is_what_sorting_gives),
      cmocka_unit_test(normal_numbers_agree_with_r),
      cmocka_unit_test(selection_interpolates_between_ranks),
      cmocka_unit_test(lonely_spikes_and_zeros_are_dropped),
      cmocka_unit_test(a_step_that_stays_is_no_error),
      cmocka_unit_test(rows_at_an_old_capacity_say_at_least),
      cmocka_unit_test(refills_are_joined_into_consumption),
      cmocka_unit_test(finer_rows_become_the_peak_of_the_day),
      cmocka_unit_test(gaps_are_drawn_as_lines_and_shift_nothing),
      cmocka_unit_test(a_weekly_cycle_is_taken_out_and_its_peak_told),
      cmocka_unit_test(a_line_and_noise_have_no_cycle),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
