/* SPDX-License-Identifier: MIT */
/* The forecast as its callers see it: verdicts, and properties that must hold for any series. */
#include "analyzer/forecast/forecast.h"
#include "common/error.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DAY  86400
#define T0   1700006400
#define MOST 800

static int64_t times[MOST];
static double used[MOST], capacity[MOST];
static struct forecast_work *work;

/* n daily rows that climb from `from` by `rate`, with noise of that magnitude; capacity `cap`. */
static struct forecast_series series_of(size_t n, double from, double rate, double noise,
                                        double cap)
{
  uint32_t seed = 12345;
  for (size_t i = 0; i < n; i++) {
    seed = seed * 1664525u + 1013904223u;
    times[i] = T0 + (int64_t)i * DAY;
    used[i] = from + rate * (double)i + noise * ((seed >> 8) / 8388608.0 - 1);
    capacity[i] = cap;
  }
  return (struct forecast_series){times, used, capacity, n};
}

static struct forecast_result run_with(struct forecast_series s, struct forecast_params p)
{
  struct tm_error err = {0};
  struct forecast_result r;
  if (forecast_run(work, &s, &p, &r, &err) < 0)
    fail_msg("refused: %s", err.text);
  for (int q = 1; q < FORECAST_N_QUANTILES; q++)
    if (r.fill[q] != FORECAST_NONE)
      assert_true(r.fill[q - 1] != FORECAST_NONE && r.fill[q - 1] <= r.fill[q]);
  for (int h = 1; h < FORECAST_N_HORIZONS && !isnan(r.probability[0]); h++)
    assert_true(r.probability[h] >= r.probability[h - 1] && r.probability[h] <= 1);
  return r;
}

static struct forecast_result run_of(struct forecast_series s)
{
  return run_with(s, (struct forecast_params)FORECAST_PARAMS_INIT);
}

static void assert_no_date(const struct forecast_result *r)
{
  for (int q = 0; q < FORECAST_N_QUANTILES; q++)
    assert_true(r->fill[q] == FORECAST_NONE);
}

static double days_to(const struct forecast_result *r, int q)
{
  assert_true(r->fill[q] != FORECAST_NONE);
  return (double)(r->fill[q] - r->last_time) / DAY;
}

static void nothing_measured_gives_nothing(void **state)
{
  (void)state;
  struct forecast_result r = run_of((struct forecast_series){0});
  assert_int_equal(r.verdict, FORECAST_NO_ROWS);
  assert_true(r.last_time == FORECAST_NONE && isnan(r.last_used) && isnan(r.probability[0]));
  struct forecast_series s = series_of(50, 1, 1, 0, 100);
  for (int i = 0; i < 50; i++)
    used[i] = NAN;
  r = run_of(s);
  assert_int_equal(r.verdict, FORECAST_NO_ROWS);
  assert_no_date(&r);
  assert_true(r.values == NULL && r.last_time == times[49]);
}

static void without_a_limit_there_is_no_date_but_growth(void **state)
{
  (void)state;
  struct forecast_series s = series_of(100, 10, 1, 0, NAN);
  struct forecast_result r = run_of(s);
  assert_int_equal(r.verdict, FORECAST_NO_LIMIT);
  assert_no_date(&r);
  assert_true(isnan(r.probability[6]) && fabs(r.growth_per_day - 1) < 1e-9);
  s.capacity = NULL;
  r = run_of(s);
  assert_int_equal(r.verdict, FORECAST_NO_LIMIT);
}

static void a_short_history_says_how_long_it_is(void **state)
{
  (void)state;
  struct forecast_result r = run_of(series_of(13, 500, 1, 0, 1000));
  assert_int_equal(r.verdict, FORECAST_SHORT);
  assert_string_equal(r.reason, "13 days of history; 14 days needed");
  assert_no_date(&r);
  assert_true(isnan(r.probability[0]));
  r = run_of(series_of(14, 500, 1, 0, 1000));
  assert_int_equal(r.verdict, FORECAST_GROWING);
  r = run_of(series_of(2, 500, 1, 0, 1000));
  assert_int_equal(r.verdict, FORECAST_SHORT);
  assert_string_equal(r.reason, "2 days of history; 14 days needed");
}

static void full_is_full_now(void **state)
{
  (void)state;
  struct forecast_result r = run_of(series_of(60, 1200, 0, 0, 1000));
  assert_int_equal(r.verdict, FORECAST_REACHED);
  for (int q = 0; q < FORECAST_N_QUANTILES; q++)
    assert_true(r.fill[q] == times[59]);
  assert_true(r.probability[0] == 1 && forecast_probability_within(&r, 0) == 1);
  r = run_of(series_of(1, 1000, 0, 0, 1000));
  assert_int_equal(r.verdict, FORECAST_REACHED);
}

static void flat_and_falling_have_no_date_and_say_so(void **state)
{
  (void)state;
  struct forecast_result r = run_of(series_of(200, 700, 0, 0, 1000));
  assert_int_equal(r.verdict, FORECAST_FLAT);
  assert_string_equal(r.reason, "flat over 199 days of history: no date");
  assert_no_date(&r);
  assert_true(r.probability[4] < 0.02);
  r = run_of(series_of(300, 700, 0, 5, 1000));
  assert_int_equal(r.verdict, FORECAST_FLAT);
  assert_no_date(&r);
  r = run_of(series_of(300, 900, -1, 3, 1000));
  assert_int_equal(r.verdict, FORECAST_RECEDING);
  assert_string_equal(r.reason, "falling over 299 days of history: no date");
  assert_no_date(&r);
  assert_true(r.probability[6] < 0.05);
  r = run_of(series_of(200, 0, 0, 0, 1000));
  assert_int_equal(r.verdict, FORECAST_FLAT);
}

static void a_line_is_followed_to_its_day(void **state)
{
  (void)state;
  static const struct {
    size_t n;
    double rate, left;
  } cases[] = {{300, 1, 200}, {120, 2, 60}, {365, 0.5, 30}, {60, 3, 90}, {200, 10, 45}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    double end = 500 + cases[i].rate * (double)(cases[i].n - 1);
    struct forecast_result r =
        run_of(series_of(cases[i].n, 500, cases[i].rate, 0, end + cases[i].rate * cases[i].left));
    assert_int_equal(r.verdict, FORECAST_GROWING);
    assert_true(fabs(r.growth_per_day / cases[i].rate - 1) < 0.01);
    if (fabs(days_to(&r, 3) - cases[i].left) > 2)
      fail_msg("case %zu: %.2f days instead of %.0f", i, days_to(&r, 3), cases[i].left);
    assert_true(days_to(&r, 1) <= cases[i].left + 1 && days_to(&r, 5) >= cases[i].left - 1);
  }
}

static void a_longer_line_narrows_the_range(void **state)
{
  (void)state;
  double before = INFINITY;
  static const size_t lengths[] = {20, 40, 80, 160, 320};
  for (size_t i = 0; i < 5; i++) {
    double end = 100 + 1.0 * (double)(lengths[i] - 1);
    struct forecast_result r = run_of(series_of(lengths[i], 100, 1, 0, end + 100));
    double width = days_to(&r, 5) - days_to(&r, 1);
    if (width > before + 0.5)
      fail_msg("%zu rows: %.1f days wide, fewer rows %.1f", lengths[i], width, before);
    before = width;
  }
}

static void more_capacity_is_never_sooner(void **state)
{
  (void)state;
  static const struct {
    double rate, noise;
  } cases[] = {{1, 0}, {1, 20}, {0.3, 40}, {-0.2, 30}, {0.05, 2}};
  for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
    struct forecast_result before = {0};
    for (double cap = 1000; cap < 2500; cap *= 1.07) {
      struct forecast_result r = run_of(series_of(365, 600, cases[c].rate, cases[c].noise, cap));
      if (r.n_nodes > 1 && before.n_nodes > 1) {
        for (double day = 1; day < 3000; day *= 1.5)
          assert_true(forecast_probability_within(&r, day) <=
                      forecast_probability_within(&before, day) + 0.02);
        assert_true(forecast_days_until(&r, 0.5) >= forecast_days_until(&before, 0.5) - 1e-6);
        assert_true(forecast_days_until(&r, 0.9) >= forecast_days_until(&before, 0.9) - 1e-6);
      }
      before = r;
    }
  }
}

static void units_and_dates_are_only_units(void **state)
{
  (void)state;
  static const double quantile[] = {0.1, 0.5};
  struct forecast_params p = {.limit = NAN, .steps = 5, .quantiles = quantile, .n_quantiles = 2};
  struct forecast_series s = series_of(200, 500, 1, 15, 1000);
  struct forecast_result a = run_with(s, p);
  double value = a.values[9];
  for (int i = 0; i < 200; i++) {
    used[i] *= 1048576;
    capacity[i] *= 1048576;
    times[i] += 1234567;
  }
  struct forecast_result b = run_with(s, p);
  assert_true(fabs(b.values[9] / value / 1048576 - 1) < 1e-9);
  assert_true(fabs(b.growth_per_day / a.growth_per_day / 1048576 - 1) < 1e-9);
  for (int q = 0; q < FORECAST_N_QUANTILES; q++)
    assert_true(llabs(b.fill[q] - a.fill[q] - 1234567) <= 1);
  for (int h = 0; h < FORECAST_N_HORIZONS; h++)
    assert_true(fabs(b.probability[h] - a.probability[h]) < 1e-9);
}

static void the_present_capacity_counts(void **state)
{
  (void)state;
  struct forecast_series s = series_of(300, 500, 1, 0, 1000);
  for (int i = 0; i < 150; i++)
    capacity[i] = 700;
  struct forecast_result r = run_of(s);
  assert_true(r.limit == 1000 && fabs(days_to(&r, 3) - 201) < 3);
  capacity[299] = NAN; /* the last known one */
  r = run_of(s);
  assert_true(r.limit == 1000);
}

static void growth_that_was_cut_off_says_at_least(void **state)
{
  (void)state;
  struct forecast_series s = series_of(200, 500, 2, 0, 1200);
  for (int i = 0; i < 150; i++) {
    capacity[i] = 700; /* full at row 100, enlarged at row 150 */
    used[i] = fmin(used[i], 700);
  }
  struct forecast_result r = run_of(s);
  assert_true(fabs(r.growth_per_day - 2) < 0.05);
  assert_true(fabs(days_to(&r, 3) - 151) < 4);
}

static void supplies_count_down_through_refills(void **state)
{
  (void)state;
  struct forecast_params p = FORECAST_PARAMS_INIT;
  p.direction = FORECAST_DOWN;
  struct forecast_series s = series_of(170, 0, 0, 0, NAN);
  for (int i = 0; i < 170; i++)
    used[i] = 100 - 2 * (i % 45); /* refilled three times; 30 left, 15 days */
  struct forecast_result r = run_with(s, p);
  assert_int_equal(r.verdict, FORECAST_GROWING);
  assert_true(used[169] == 32 && r.limit == 0);
  assert_true(fabs(r.growth_per_day + 2) < 0.05);
  assert_true(fabs(days_to(&r, 3) - 16) < 2);
  p.limit = 32;
  r = run_with(s, p);
  assert_int_equal(r.verdict, FORECAST_REACHED);
  for (int i = 0; i < 170; i++)
    used[i] = i < 100 ? 60 : 60 + 0.2 * (i - 100);
  p.limit = 10;
  r = run_with(s, p);
  assert_int_equal(r.verdict, FORECAST_RECEDING);
  assert_true(strstr(r.reason, "rising") != NULL);
}

static void a_limit_outranks_the_capacity(void **state)
{
  (void)state;
  struct forecast_params p = FORECAST_PARAMS_INIT;
  p.limit = 900;
  struct forecast_result r = run_with(series_of(300, 500, 1, 0, 5000), p);
  assert_true(fabs(days_to(&r, 3) - 101) < 2);
}

static void wrong_parameters_are_refused_and_the_workspace_lives(void **state)
{
  (void)state;
  struct forecast_series s = series_of(100, 500, 1, 0, 1000);
  struct forecast_result r = {.n = 77};
  struct tm_error err = {0};
  static const double wrong[][2] = {{0, 0.5}, {0.5, 1}, {0.5, 0.5}, {0.9, 0.1}, {NAN, 0.5}};
  for (size_t i = 0; i < 5; i++) {
    struct forecast_params p = {.limit = NAN, .steps = 1, .quantiles = wrong[i], .n_quantiles = 2};
    assert_int_equal(forecast_run(work, &s, &p, &r, &err), -EINVAL);
  }
  struct forecast_params many = {.limit = NAN, .steps = FORECAST_MAX_STEPS + 1};
  assert_int_equal(forecast_run(work, &s, &many, &r, &err), -EINVAL);
  struct forecast_params plain = FORECAST_PARAMS_INIT;
  times[50] = times[48];
  assert_int_equal(forecast_run(work, &s, &plain, &r, &err), -EINVAL);
  assert_string_equal(err.text, "row 51 lies before the row above it");
  assert_int_equal(r.n, 77);
  times[50] = times[49]; /* equal times are one row */
  assert_int_equal(forecast_run(work, &s, &plain, &r, &err), 0);
}

static void values_continue_a_line_and_quantiles_never_cross(void **state)
{
  (void)state;
  static const double quantile[] = {0.025, 0.1, 0.5, 0.9, 0.975};
  struct forecast_params p = {.limit = NAN, .steps = 30, .quantiles = quantile, .n_quantiles = 5};
  struct forecast_result r = run_with(series_of(200, 100, 1, 0, NAN), p);
  for (int k = 0; k < 30; k++)
    assert_true(fabs(r.values[k * 5 + 2] - (300 + k)) < 0.01);
  r = run_with(series_of(200, 100, 0.5, 30, NAN), p);
  assert_true(r.backtest_mase > 0 && r.backtest_mase < 1);
  for (int k = 0; k < 30; k++)
    for (int q = 1; q < 5; q++)
      assert_true(r.values[k * 5 + q] >= r.values[k * 5 + q - 1]);
  assert_int_equal(r.step_s, DAY);
  r = run_with(series_of(1, 42, 0, 0, NAN), p);
  assert_true(r.values == NULL); /* one row has no step */
  r = run_with(series_of(2, 42, 0, 0, NAN), p);
  assert_true(r.values[29 * 5 + 2] == 42);
}

static void rows_without_values_do_not_set_the_pace(void **state)
{
  (void)state;
  struct forecast_params p = FORECAST_PARAMS_INIT;
  struct forecast_series s = series_of(110, 0, 0, 0, 1000);
  for (int i = 0; i < 100; i++) {
    used[i] = NAN;
    times[i] = T0 + (int64_t)i * 60 * DAY;
  }
  for (int i = 0; i < 10; i++) { /* measured at last, and more often */
    used[100 + i] = 500 + 9 * i;
    times[100 + i] = times[99] + (int64_t)(i + 1) * 3 * DAY;
  }
  struct forecast_result r = run_with(s, p);
  assert_int_equal(r.verdict, FORECAST_GROWING);
  assert_true(r.growth_per_day > 2 && r.growth_per_day < 4);
}

static void any_garbage_gives_finite_numbers(void **state)
{
  (void)state;
  static const double quantile[] = {0.1, 0.5, 0.9};
  static const double odd[] = {0, 1, -1, 1e300, -1e300, 1e-300, 5, NAN, INFINITY, 1e15, 0.1};
  struct forecast_params p = {.limit = NAN, .steps = 10, .quantiles = quantile, .n_quantiles = 3};
  uint32_t seed = 7;
  for (int round = 0; round < 400; round++) {
    seed = seed * 1664525u + 1013904223u;
    size_t n = (seed >> 10) % 300;
    struct forecast_series s = series_of(n, 1, 0, 0, 1000);
    for (size_t i = 0; i < n; i++) {
      seed = seed * 1664525u + 1013904223u;
      used[i] = odd[(seed >> 12) % (round % 2 ? 11 : 4)];
      capacity[i] = odd[(seed >> 20) % 11];
      times[i] = i > 0 ? times[i - 1] + (int64_t)(seed >> 28) * 40000 : 0;
    }
    p.direction = round % 3 == 0 ? FORECAST_DOWN : FORECAST_UP;
    struct forecast_result r = run_with(s, p);
    for (int h = 0; h < FORECAST_N_HORIZONS; h++)
      assert_true(isnan(r.probability[h]) == (r.n_nodes == 0));
    if (r.n_nodes > 0)
      assert_true(isfinite(forecast_probability_within(&r, 100)));
  }
}

static int open_work(void **state)
{
  (void)state;
  work = forecast_work_new();
  return work == NULL;
}

static int close_work(void **state)
{
  (void)state;
  forecast_work_free(work);
  return 0;
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nothing_measured_gives_nothing),
      cmocka_unit_test(without_a_limit_there_is_no_date_but_growth),
      cmocka_unit_test(a_short_history_says_how_long_it_is),
      cmocka_unit_test(full_is_full_now),
      cmocka_unit_test(flat_and_falling_have_no_date_and_say_so),
      cmocka_unit_test(a_line_is_followed_to_its_day),
      cmocka_unit_test(a_longer_line_narrows_the_range),
      cmocka_unit_test(more_capacity_is_never_sooner),
      cmocka_unit_test(units_and_dates_are_only_units),
      cmocka_unit_test(the_present_capacity_counts),
      cmocka_unit_test(growth_that_was_cut_off_says_at_least),
      cmocka_unit_test(supplies_count_down_through_refills),
      cmocka_unit_test(a_limit_outranks_the_capacity),
      cmocka_unit_test(wrong_parameters_are_refused_and_the_workspace_lives),
      cmocka_unit_test(values_continue_a_line_and_quantiles_never_cross),
      cmocka_unit_test(rows_without_values_do_not_set_the_pace),
      cmocka_unit_test(any_garbage_gives_finite_numbers),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, open_work, close_work);
}
