/* SPDX-License-Identifier: MIT */
/* Counts of unit intervals: what is known, what is not, wraps and resets. */
#include "plugins/interval.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { T = 10 };
static const int64_t K = 1795133100; /* a border */

/* A sample of one counter, taken at `at` within a millisecond. */
static struct interval_sample sample(struct reading_counter *c, double at, uint64_t value)
{
  *c = (struct reading_counter){.name = "sda", .value = value};
  return (struct interval_sample){c, 1, at, at + 0.001, at};
}

static double border(struct interval *iv, int64_t at, double late, uint64_t value)
{
  struct reading_counter c;
  struct interval_sample s = sample(&c, (double)at + late, value);
  return interval_border(iv, at, &s);
}

static void add(struct interval *iv, double at, uint64_t value)
{
  struct reading_counter c;
  struct interval_sample s = sample(&c, at, value);
  interval_add(iv, &s);
}

static void assert_count(double seen, double wanted)
{
  if (isnan(wanted) ? !isnan(seen) : !(seen >= wanted && seen <= wanted))
    fail_msg("want %g, got %g", wanted, seen);
}

static void the_first_border_opens_and_the_next_counts(void **state)
{
  (void)state;
  struct interval iv;
  interval_init(&iv, T);
  assert_count(border(&iv, K, 0, 1000), NAN);
  assert_count(border(&iv, K + T, 0.05, 1007), 7);
  assert_count(border(&iv, K + 2 * T, 0, 1007), 0);
  assert_count(border(&iv, K + 3 * T, 0, 1038), 31);
  interval_release(&iv);
}

static void a_late_border_makes_both_neighbours_unknown(void **state)
{
  (void)state;
  struct interval iv;
  interval_init(&iv, T); /* bound 0.1 s */
  border(&iv, K, 0, 0);
  assert_count(border(&iv, K + T, 0.098, 5), 5);
  assert_count(border(&iv, K + 2 * T, 0.11, 9), NAN);
  assert_count(border(&iv, K + 3 * T, 0, 12), NAN);
  assert_count(border(&iv, K + 4 * T, 0, 20), 8);
  interval_release(&iv);
  assert_true(fabs(interval_bound(300) - 1) < 1e-9);
  assert_true(fabs(interval_bound(60) - 0.6) < 1e-9);
}

static void silence_and_passed_borders_are_unknown(void **state)
{
  (void)state;
  struct interval iv;
  interval_init(&iv, T);
  border(&iv, K, 0, 0);
  assert_count(interval_border(&iv, K + T, NULL), NAN);
  assert_count(border(&iv, K + 2 * T, 0, 9), NAN);
  assert_count(border(&iv, K + 3 * T, 0, 10), 1);
  assert_count(border(&iv, K + 5 * T, 0, 20), NAN); /* one border never came */
  assert_count(border(&iv, K + 6 * T, 0, 21), 1);
  interval_release(&iv);
}

static void ordinary_samples_do_not_move_a_border(void **state)
{
  (void)state;
  struct interval iv;
  interval_init(&iv, T);
  add(&iv, (double)K - 3, 100); /* before anything is open */
  border(&iv, K, 0, 200);
  add(&iv, (double)K + 3.7, 210);
  add(&iv, (double)K + 13.7, 999); /* beyond the border: not of this interval */
  add(&iv, (double)K + 2, 205);    /* answered late, out of order */
  assert_count(border(&iv, K + T, 0, 230), 30);
  interval_release(&iv);
}

/* An ordinary question that is under way while the border is asked may bring an older value. */
static void an_overlapping_answer_is_no_reset(void **state)
{
  (void)state;
  struct interval iv;
  struct reading_counter c = {.name = "sda", .value = 199};
  interval_init(&iv, T);
  border(&iv, K, 0.05, 200);
  interval_add(&iv, &(struct interval_sample){&c, 1, (double)K - 0.1, (double)K + 0.2, 0});
  assert_count(border(&iv, K + T, 0, 230), 30);
  interval_release(&iv);
}

static void a_reset_between_borders_is_one_unknown(void **state)
{
  (void)state;
  struct interval iv;
  interval_init(&iv, T);
  border(&iv, K, 0, 5000);
  assert_count(border(&iv, K + T, 0, 10), NAN);
  assert_count(border(&iv, K + 2 * T, 0, 14), 4);
  /* It has passed its old value again by the border: only the read in between saw it. */
  add(&iv, (double)K + 23, 3);
  assert_count(border(&iv, K + 3 * T, 0, 9000), NAN);
  assert_count(border(&iv, K + 4 * T, 0, 9001), 1);
  interval_release(&iv);
}

static void a_wrap_between_borders_is_counted(void **state)
{
  (void)state;
  struct interval iv;
  interval_init(&iv, T);
  border(&iv, K, 0, UINT32_MAX - 99);
  assert_count(border(&iv, K + T, 0, 50), 150);
  border(&iv, K + 3 * T, 0, UINT64_MAX - 99);
  add(&iv, (double)K + 35, 20);
  assert_count(border(&iv, K + 4 * T, 0, 50), 150);
  interval_release(&iv);
}

static void disks_that_come_or_go_make_the_sum_unknown(void **state)
{
  (void)state;
  struct interval iv;
  struct reading_counter two[] = {{.name = "sda", .value = 10}, {.name = "sdb", .value = 90}};
  struct reading_counter swapped[] = {{.name = "sdb", .value = 95}, {.name = "sda", .value = 12}};
  struct interval_sample s = {two, 2, (double)K, (double)K, 0};
  interval_init(&iv, T);
  interval_border(&iv, K, &s);
  s = (struct interval_sample){swapped, 2, (double)K + T, (double)K + T, T};
  assert_count(interval_border(&iv, K + T, &s), 7); /* another order is no change */
  s = (struct interval_sample){two, 1, (double)K + 2 * T, (double)K + 2 * T, 2 * T};
  assert_count(interval_border(&iv, K + 2 * T, &s), NAN);
  s = (struct interval_sample){two, 2, (double)K + 3 * T, (double)K + 3 * T, 3 * T};
  assert_count(interval_border(&iv, K + 3 * T, &s), NAN);
  interval_release(&iv);
}

static void a_clock_that_was_set_makes_the_count_unknown(void **state)
{
  (void)state;
  struct interval iv;
  struct reading_counter c = {.name = "sda", .value = 5};
  struct interval_sample s = {&c, 1, (double)K, (double)K, 1000};
  interval_init(&iv, T);
  interval_border(&iv, K, &s);
  c.value = 6;
  s = (struct interval_sample){&c, 1, (double)K + T, (double)K + T, 1004}; /* set ahead by 6 s */
  assert_count(interval_border(&iv, K + T, &s), NAN);
  c.value = 8;
  s = (struct interval_sample){&c, 1, (double)K + 2 * T, (double)K + 2 * T, 1014};
  assert_count(interval_border(&iv, K + 2 * T, &s), 2);
  interval_release(&iv);
}

static void steps_are_known_or_refused(void **state)
{
  (void)state;
  const uint64_t end32 = UINT32_MAX;
  const struct {
    struct reading_counter older;
    struct reading_counter newer;
    bool known;
    uint64_t step;
  } rows[] = {
      {{.value = 5}, {.value = 5}, true, 0},
      {{.value = 5}, {.value = 12}, true, 7},
      {{.value = 2000}, {.value = 10}, false, 0}, /* never 4.3e9 */
      {{.value = end32 - 9}, {.value = 10}, true, 20},
      {{.value = end32 - 9, .bits = 32}, {.value = 10, .bits = 32}, true, 20},
      {{.value = UINT64_MAX - 9}, {.value = 10}, true, 20},
      {{.value = UINT64_MAX - 9, .bits = 64}, {.value = 10, .bits = 64}, true, 20},
      {{.value = end32 - 9, .bits = 64}, {.value = 10, .bits = 64}, false, 0},
      {{.value = end32 + 9}, {.value = 10}, false, 0},
      /* far from the end: only certain when the width is known and nothing was restarted */
      {{.value = 1000}, {.value = 10}, false, 0},
      {{.value = 3000000000, .bits = 32, .epoch = 7},
       {.value = 10, .bits = 32, .epoch = 7},
       true,
       end32 - 3000000000 + 11},
      {{.value = 3000000000, .bits = 32}, {.value = 10, .bits = 32}, false, 0},
      {{.value = 5, .epoch = 1}, {.value = 12, .epoch = 2}, false, 0},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    uint64_t step = 0;
    if (interval_step(&rows[i].older, &rows[i].newer, &step) != rows[i].known ||
        step != rows[i].step)
      fail_msg("row %zu: step %llu", i, (unsigned long long)step);
  }
}

int main(void)
{
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_first_border_opens_and_the_next_counts),
      cmocka_unit_test(a_late_border_makes_both_neighbours_unknown),
      cmocka_unit_test(silence_and_passed_borders_are_unknown),
      cmocka_unit_test(ordinary_samples_do_not_move_a_border),
      cmocka_unit_test(an_overlapping_answer_is_no_reset),
      cmocka_unit_test(a_reset_between_borders_is_one_unknown),
      cmocka_unit_test(a_wrap_between_borders_is_counted),
      cmocka_unit_test(disks_that_come_or_go_make_the_sum_unknown),
      cmocka_unit_test(a_clock_that_was_set_makes_the_count_unknown),
      cmocka_unit_test(steps_are_known_or_refused),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
