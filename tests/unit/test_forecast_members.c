/* SPDX-License-Identifier: MIT */
/* What the forecast looks ahead with, against numbers computed by hand or by R: rates, replays,
 * drifts, paths, passages, trends and shapes, and the curve of chances that they become. */
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

static void every_window_finds_the_rate_of_a_line(void **state)
{
  (void)state;
  static struct fc_grid g;
  static struct fc_drifts d;
  static double z[FC_GRID];
  line(&g, 500, 0.1, 0.001);
  fc_drift(&d, z, &g, scratch);
  for (int j = 0; j < FC_DRIFTS; j++) {
    assert_near(d.rate[j][499], 0.001, 1e-9);
    assert_near(d.rate[j][60], 0.001, 1e-9);
  }
}

static void a_jump_is_not_growth(void **state)
{
  (void)state;
  static struct fc_grid g;
  static struct fc_drifts d;
  static double z[FC_GRID];
  line(&g, 200, 0.1, 0.001);
  for (int i = 150; i < 200; i++)
    g.u[i] += 0.2;
  fc_drift(&d, z, &g, scratch);
  assert_near(z[199], 0.1 + 0.199, 1e-9);
  /* 112 rows, with and without the jump; end to end over 112 rows it is (0.2 + 0.112) / 112 */
  assert_true(d.rate[4][199] > 0.002);
  assert_near(d.rate[FC_SLOPES + 4][199], 0.001, 1e-9);
  assert_near(d.rate[2 * FC_SLOPES + 2][199], 0.312 / 112, 1e-9);
}

static void the_replay_of_a_line_finds_no_error(void **state)
{
  (void)state;
  static struct fc_grid g;
  static struct fc_drifts d;
  static struct fc_record rec;
  static double z[FC_GRID];
  line(&g, 100, 0, 0.01);
  fc_drift(&d, z, &g, scratch);
  fc_replay(&rec, &g, &d, scratch);
  assert_int_equal(rec.judged, 11); /* up to 56 rows: 60 % of 100 */
  for (int j = 0; j < FC_DRIFTS; j++)
    for (size_t a = 0; a < rec.judged; a++) {
      assert_near(rec.error[j][a], 0, 1e-12);
      assert_near(rec.middle[j][a], 0, 1e-12);
    }
  assert_near(rec.blocks[10], (100 - 56 - 14) / 56.0, 1e-12);
}

static void the_replay_looks_at_the_running_maximum(void **state)
{
  (void)state;
  static struct fc_grid g;
  static struct fc_drifts d;
  static struct fc_record rec;
  line(&g, 36, 0, 0);
  for (int i = 0; i < 36; i += 2)
    g.u[i] = 0.1;           /* up and down; at odd rows 0 */
  memset(&d, 0, sizeof(d)); /* the drift says: nothing moves */
  fc_replay(&rec, &g, &d, scratch);
  /* within 2 rows the maximum is 0.1: above the odd rows by 0.1, above the even ones by 0 */
  assert_near(rec.error[0][1], 0.05, 1e-12); /* 22 origins, from row 12 on */
  /* the value after 2 rows would never differ */
}

static void drifts_that_agree_follow_students_t(void **state)
{
  (void)state;
  static struct fc_ensemble e;
  for (int j = 0; j < FC_DRIFTS; j++) {
    e.takes_part[j] = true;
    e.rate[j] = 0.01;
    for (int a = 0; a < FC_NODES; a++)
      e.error[j][a] = 0.1;
  }
  e.mean_rate = 0;
  e.n = INFINITY;
  /* spread 0.9625 * 0.1 and doubt 0.0389 * 0.1, in squares */
  double sd = sqrt(0.09625 * 0.09625 + 0.00389 * 0.00389 + 1e-10);
  assert_near(fc_ensemble_chance(&e, 10, 0.1 - sd), 0.8303168528581097,
              5e-4); /* R: pt(1, 10.711) */
  assert_near(fc_ensemble_chance(&e, 10, 0.1 + 2 * sd), 0.03575032282701183, 5e-4);
  assert_near(fc_ensemble_chance(&e, 10, 0.1), 0.5, 1e-9);
  assert_near(fc_ensemble_rate(&e), 0.01, 1e-12);
}

static void wrong_drifts_weigh_little(void **state)
{
  (void)state;
  static struct fc_ensemble e;
  for (int j = 0; j < FC_DRIFTS; j++) {
    e.takes_part[j] = true;
    e.rate[j] = j == 0 ? 0.01 : 1;
    for (int a = 0; a < FC_NODES; a++)
      e.error[j][a] = j == 0 ? 0.001 : 1;
  }
  e.n = 100;
  assert_near(fc_ensemble_rate(&e), 0.01, 1e-3);
}

static void paths_of_even_steps_arrive_when_the_division_says(void **state)
{
  (void)state;
  static struct fc_grid g;
  static struct fc_strata strata;
  static struct fc_paths p;
  fc_strata_init(&strata);
  line(&g, 400, 0, 0.001);
  fc_paths_draw(&p, &g, 0.0705, &strata, scratch);
  /* 71 rows, but for the wandering of the rate and a surprise; all of the past is alike */
  for (int m = 0; m < FC_MEMORIES; m++) {
    assert_near(fc_paths_chance(&p, m, 20), 0, 0.04);
    assert_true(fc_paths_chance(&p, m, 65) < 0.5 && fc_paths_chance(&p, m, 77) > 0.5);
    assert_near(fc_paths_chance(&p, m, 300), 1, 0);
  }
}

static void paths_of_a_falling_series_never_arrive(void **state)
{
  (void)state;
  static struct fc_grid g;
  static struct fc_strata strata;
  static struct fc_paths p;
  fc_strata_init(&strata);
  line(&g, 400, 1, -0.001);
  fc_paths_draw(&p, &g, 0.01, &strata, scratch);
  for (int m = 0; m < FC_MEMORIES; m++)
    assert_near(fc_paths_chance(&p, m, 3660), 0, 0);
}

static void a_short_memory_sees_the_newest_rate(void **state)
{
  (void)state;
  static struct fc_grid g;
  static struct fc_strata strata;
  static struct fc_paths p;
  fc_strata_init(&strata);
  line(&g, 400, 0, 0);
  for (size_t i = 300; i < 400; i++)
    g.u[i] = 0.001 * (double)(i - 300); /* it grew in the newest quarter only */
  fc_paths_draw(&p, &g, 0.1, &strata, scratch);
  double sooner = fc_paths_chance(&p, 0, 130), later = fc_paths_chance(&p, FC_MEMORIES - 1, 130);
  assert_true(sooner > 0.6 && later < 0.35);
}

static void more_room_never_hastens_a_path(void **state)
{
  (void)state;
  static struct fc_grid g;
  static struct fc_strata strata;
  static struct fc_paths p[2];
  uint32_t r = 1;
  fc_strata_init(&strata);
  line(&g, 300, 0, 0.001);
  for (size_t i = 1; i < 300; i++) {
    r = r * 1664525 + 1013904223;
    g.u[i] += 0.01 * (r >> 8) / 16777216.0;
  }
  fc_paths_draw(&p[0], &g, 0.05, &strata, scratch);
  for (int k = 6; k < 40; k++, p[0] = p[1]) {
    fc_paths_draw(&p[1], &g, 0.01 * k, &strata, scratch);
    for (int m = 0; m < FC_MEMORIES; m++)
      for (int i = 0; i < FC_PATHS; i++)
        assert_true(p[1].arrival[m][i] >= p[0].arrival[m][i]);
  }
}

static void strata_are_those_of_r(void **state)
{
  (void)state;
  static struct fc_strata s;
  fc_strata_init(&s);
  assert_near(s.normal[0], -2.417559016236505, 1e-7);      /* qnorm(0.5 / 64) */
  assert_near(s.exponential[0], 4.852030263919617, 1e-12); /* -log(0.5 / 64) */
  assert_near(s.pareto[63], 1.0065577, 1e-6);              /* (63.5 / 64)^(-1 / 1.2) */
}

static void lumps_are_waited_for(void **state)
{
  (void)state;
  static struct fc_grid g;
  static struct fc_strata strata;
  static struct fc_paths p;
  fc_strata_init(&strata);
  line(&g, 401, 0, 0);
  for (int i = 0; i < 401; i++)
    g.u[i] = 0.1 * (i / 40); /* a lump every 40 rows */
  fc_paths_draw(&p, &g, 0.05, &strata, scratch);
  /* one lump is enough: the chance within k rows is about 1 - (1 - 1/40)^k, 0.4 at 20 */
  double chance = fc_paths_chance(&p, FC_MEMORIES - 1, 20);
  assert_true(chance > 0.25 && chance < 0.6);
}

static void first_passage_is_the_inverse_gaussian(void **state)
{
  (void)state;
  static struct fc_trends t = {.n = 1};
  t.model[0] = (struct fc_trend){.weight = 1, .rate = 0.01, .level_variance = 0.01};
  /* Phi(0) + exp(2) Phi(-2) */
  assert_near(fc_trends_chance(&t, 100, 1), 0.6681020012231705, 1e-9);
  /* the drift N(0.01, 0.005^2), by quadrature */
  t.model[0].rate_variance = 0.005 * 0.005;
  assert_near(fc_trends_chance(&t, 100, 1), 0.6543967783541409, 1e-6);
}

static void trends_see_a_line_and_an_accelerating_series(void **state)
{
  (void)state;
  static struct fc_grid g;
  static struct fc_trends t;
  line(&g, 300, 0, 0.001);
  fc_trends_filter(&t, &g);
  assert_true(fc_trends_chance(&t, 180, 0.2) < 0.05);
  assert_true(fc_trends_chance(&t, 220, 0.2) > 0.95);
  /* rate 0.001 * exp(2 * years): at 0.2 the time is log(1 + 0.2 * 2 / 0.365) / 2 years, 135 days */
  for (int i = 0; i < 300; i++)
    g.u[i] = 0.1825 * exp(2 * (i - 299) / 365.0);
  fc_trends_filter(&t, &g);
  assert_true(fc_trends_chance(&t, 120, 0.2) < 0.2);
  assert_true(fc_trends_chance(&t, 150, 0.2) > 0.8);
}

static void shapes_know_no_unit(void **state)
{
  (void)state;
  static struct fc_grid g;
  double shape[FC_SHAPES];
  line(&g, 365, 0, 1 / 364.0);
  fc_shape(shape, &g);

  assert_near(shape[FC_DIRECT], log(1.001), 1e-6);
  assert_near(shape[FC_RANGE], 0, 2e-4);
  assert_near(shape[FC_FASTER_28], 0, 1e-9);
  assert_near(shape[FC_ROUGH], log(1e-3), 1e-3);
  for (int i = 0; i < 365; i++)
    g.u[i] = i < 337 ? 0 : (i - 336) / 28.0; /* all growth in the last 28 rows */
  fc_shape(shape, &g);
  assert_true(shape[FC_FASTER_28] > 0.99);
  assert_near(shape[FC_ACTIVE], log(365.0 / 28 + 0.03), 0.02);
}

static void shapes_tell_when_and_how_it_moved(void **state)
{
  (void)state;
  static struct fc_grid g;
  double shape[FC_SHAPES];
  line(&g, 365, 0, 1 / 364.0);
  fc_shape(shape, &g);
  assert_near(shape[FC_PERSISTS_7], 0, 2e-3);
  assert_near(shape[FC_HALVES], 0, 1e-9);
  assert_near(shape[FC_ALIKE], 0, 1e-9); /* months that do not differ tell nothing */

  for (int i = 0; i < 365; i++)
    g.u[i] = i < 337 ? 0 : (i - 336) / 28.0;
  g.u[350] += 0.25; /* and one day's excursion, down again two weeks ago */
  fc_shape(shape, &g);
  assert_near(shape[FC_LENGTH], log(365), 1e-12);
  assert_near(shape[FC_SINCE_LARGE], 0, 1e-12);
  assert_near(shape[FC_SINCE_ANY], 0, 1e-12);
  assert_near(shape[FC_SINCE_LARGEST], log1p(364 - 350), 1e-12);
  assert_near(shape[FC_LARGEST_WAY], 0.25 + 1 / 28.0, 1e-6);
  assert_near(shape[FC_MOVES], 28 / 364.0, 1e-12);
  double down = 0.25 - 1 / 28.0, moved = 1 + 2 * down;
  assert_near(shape[FC_DOWN], down / moved, 1e-6);
  assert_near(shape[FC_HALVES], 1 / (1 + 0.1 * moved / 2), 1e-6);
  /* thirteen months, one of them 1: sd sqrt(12) / 13, mean 1 / 13 */
  assert_near(shape[FC_UNEVEN], log(sqrt(12) + 0.05), 1e-6);

  for (int i = 0; i < 365; i++)
    g.u[i] = i % 2;
  fc_shape(shape, &g);
  assert_near(shape[FC_PERSISTS_7], log(1 / sqrt(7) + 1e-3), 1e-4);
  assert_near(shape[FC_BELOW_TOP], 1, 1e-6);
}

static double exponential(const void *mean, double rows)
{
  return 1 - exp(-rows / *(const double *)mean);
}

static void dates_and_probabilities_are_read_off_one_curve(void **state)
{
  (void)state;
  double mean = 100;
  struct forecast_result r = {.last_time = 1000};
  fc_passage(&r, exponential, &mean, 1);
  assert_near(forecast_days_until(&r, 0.5), 100 * log(2), 1.5);
  assert_near(forecast_probability_within(&r, 90), 1 - exp(-0.9), 0.01);
  for (int q = 0; q < FORECAST_N_QUANTILES; q++) {
    double want = -100 * log(1 - forecast_quantile[q]);
    assert_near((double)(r.fill[q] - 1000) / 86400, want, 0.05 * want);
    assert_near(forecast_probability_within(&r, forecast_days_until(&r, forecast_quantile[q])),
                forecast_quantile[q], 1e-9);
    assert_true(q == 0 || r.fill[q] >= r.fill[q - 1]);
  }
  assert_true(r.n_nodes <= FORECAST_MAX_NODES);
}

static double stairs(const void *at, double rows)
{
  return rows < *(const double *)at ? 0 : 1;
}

static void a_certain_day_is_found_to_the_day(void **state)
{
  (void)state;
  double at = 123.4;
  struct forecast_result r = {0};
  fc_passage(&r, stairs, &at, 1);
  assert_near(forecast_days_until(&r, 0.5), 123.4, 1);
  assert_near(forecast_days_until(&r, 0.025), 123.4, 1);
  assert_near(forecast_days_until(&r, 0.975), 123.4, 1);
}

static void more_than_ten_years_is_no_date(void **state)
{
  (void)state;
  double mean = 20000;
  struct forecast_result r = {0};
  fc_passage(&r, exponential, &mean, 1);
  assert_true(isinf(forecast_days_until(&r, 0.5)));
  assert_true(r.fill[3] == FORECAST_NONE);
  assert_true(isfinite(forecast_days_until(&r, 0.1))); /* 2107 days */
}

static void a_chance_never_falls_when_a_member_rises(void **state)
{
  (void)state;
  struct fc_pool p;
  double shape[FC_SHAPES] = {0};
  for (int s = 0; s < FC_SHAPES; s++) {
    shape[s] = s % 2 ? -1 : 1;
    fc_pool_prepare(&p, shape);
    for (int m = 0; m < FC_MEMBERS; m++) {
      double before = 0;
      for (double x = 0; x <= 1; x += 0.05) {
        double member[FC_MEMBERS] = {0.3, 0.3, 0.3, 0.3, 0.3};
        member[m] = x;
        double chance = fc_pool_chance(&p, member, 90);
        assert_true(chance >= before && chance <= 1);
        before = chance;
      }
    }
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_window_finds_the_rate_of_a_line),
      cmocka_unit_test(a_jump_is_not_growth),
      cmocka_unit_test(the_replay_of_a_line_finds_no_error),
      cmocka_unit_test(the_replay_looks_at_the_running_maximum),
      cmocka_unit_test(drifts_that_agree_follow_students_t),
      cmocka_unit_test(wrong_drifts_weigh_little),
      cmocka_unit_test(paths_of_even_steps_arrive_when_the_division_says),
      cmocka_unit_test(paths_of_a_falling_series_never_arrive),
      cmocka_unit_test(lumps_are_waited_for),
      cmocka_unit_test(a_short_memory_sees_the_newest_rate),
      cmocka_unit_test(more_room_never_hastens_a_path),
      cmocka_unit_test(strata_are_those_of_r),
      cmocka_unit_test(first_passage_is_the_inverse_gaussian),
      cmocka_unit_test(trends_see_a_line_and_an_accelerating_series),
      cmocka_unit_test(shapes_know_no_unit),
      cmocka_unit_test(shapes_tell_when_and_how_it_moved),
      cmocka_unit_test(dates_and_probabilities_are_read_off_one_curve),
      cmocka_unit_test(a_certain_day_is_found_to_the_day),
      cmocka_unit_test(more_than_ten_years_is_no_date),
      cmocka_unit_test(a_chance_never_falls_when_a_member_rises),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
