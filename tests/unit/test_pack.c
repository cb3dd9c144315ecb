/* SPDX-License-Identifier: MIT */
/* The set that is advised is the cheapest one: the same as trying every set. */
#include "analyzer/pack.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static uint32_t seed = 20261120;

static unsigned dice(unsigned sides)
{
  seed = seed * 1664525 + 1013904223;
  return (seed >> 8) % sides;
}

/* Every set, by counting; small cases only. */
static int64_t cheapest_of_all(const struct pack_item *items, size_t n,
                               const struct pack_need *need)
{
  unsigned q[PACK_MAX_ITEMS] = {0};
  int64_t best = -1;
  for (;;) {
    double gain[PACK_GAINS] = {0};
    double uses[PACK_ROOMS] = {0};
    int64_t price = 0;
    for (size_t i = 0; i < n; i++) {
      price += q[i] * items[i].price;
      for (int g = 0; g < PACK_GAINS; g++)
        gain[g] += q[i] * items[i].gain[g];
      for (int r = 0; r < PACK_ROOMS; r++)
        uses[r] += q[i] * items[i].uses[r];
    }
    int fits = 1;
    for (int g = 0; g < PACK_GAINS; g++)
      fits &= gain[g] >= need->gain[g];
    for (int r = 0; r < PACK_ROOMS; r++)
      fits &= uses[r] <= need->room[r];
    if (fits && (best < 0 || price < best))
      best = price;
    size_t i = 0;
    while (i < n && q[i] + items[i].step > items[i].max)
      q[i++] = 0;
    if (i == n)
      return best;
    q[i] += items[i].step;
  }
}

static void random_item(struct pack_item *item)
{
  *item = (struct pack_item){
      .gain = {dice(4) == 0 ? 0 : 1 + dice(40), dice(2) == 0 ? 0 : dice(30)},
      .uses = {dice(3), 0, dice(3) == 0 ? dice(8) : 0},
      .price = dice(8) == 0 ? 0 : 1 + dice(500),
      .max = 1 + dice(5),
      .step = dice(4) == 0 ? 2 : 1,
  };
  item->uses[PACK_TOTAL] = item->gain[PACK_SIZE];
}

static void no_set_is_cheaper_than_the_one_that_is_found(void **state)
{
  (void)state;
  unsigned found = 0;
  for (int round = 0; round < 20000; round++) {
    struct pack_item items[5];
    size_t n = 1 + dice(5);
    for (size_t i = 0; i < n; i++)
      random_item(&items[i]);
    struct pack_need need = {
        .gain = {dice(120), dice(3) == 0 ? dice(60) : 0},
        .room = {dice(2) == 0 ? INFINITY : dice(20), dice(2) == 0 ? INFINITY : dice(200),
                 dice(2) == 0 ? INFINITY : dice(20)},
    };
    struct pack_set set;
    int rc = pack_cheapest(items, n, &need, &set);
    int64_t best = cheapest_of_all(items, n, &need);
    if ((rc == 0 ? set.price : -1) != best)
      fail_msg("round %d: %lld, wanted %lld", round, rc == 0 ? (long long)set.price : -1LL,
               (long long)best);
    if (rc != 0)
      continue;
    found++;
    assert_true(set.proven);
    double gain[PACK_GAINS] = {0};
    for (size_t i = 0; i < n; i++) {
      assert_true(set.quantity[i] <= items[i].max);
      assert_int_equal(set.quantity[i] % items[i].step, 0);
      for (int g = 0; g < PACK_GAINS; g++)
        gain[g] += set.quantity[i] * items[i].gain[g];
    }
    for (int g = 0; g < PACK_GAINS; g++)
      assert_true(gain[g] >= need.gain[g]);
  }
  assert_true(found > 5000); /* the cases are not all impossible ones */
}

static void of_equal_prices_fewer_pieces_are_taken(void **state)
{
  (void)state;
  const struct pack_item items[] = {
      {.gain = {20}, .price = 100, .max = 10, .step = 1},
      {.gain = {40}, .price = 200, .max = 10, .step = 1},
  };
  struct pack_need need = {.gain = {80}, .room = {INFINITY, INFINITY, INFINITY}};
  struct pack_set set;
  assert_int_equal(pack_cheapest(items, 2, &need, &set), 0);
  assert_int_equal(set.quantity[0], 0);
  assert_int_equal(set.quantity[1], 2);
  need.gain[0] = 0;
  assert_int_equal(pack_cheapest(items, 2, &need, &set), 0);
  assert_int_equal(set.pieces, 0);
  need.gain[0] = 601;
  assert_int_equal(pack_cheapest(items, 2, &need, &set), -ENOENT);
}

static void terabytes_and_many_items_are_solved_within_the_steps(void **state)
{
  (void)state;
  struct pack_item items[PACK_MAX_ITEMS];
  for (size_t i = 0; i < PACK_MAX_ITEMS; i++)
    items[i] = (struct pack_item){.gain = {(double)(i + 1) * 1.3e12, (double)(i % 7)},
                                  .uses = {1 + (double)(i % 3)},
                                  .price = (int64_t)(900 + i * 997) * 10000,
                                  .max = 20,
                                  .step = 1 + (unsigned)(i % 2)};
  struct pack_need need = {.gain = {4.7e14, 55}, .room = {24, INFINITY, INFINITY}};
  struct pack_set set;
  assert_int_equal(pack_cheapest(items, PACK_MAX_ITEMS, &need, &set), 0);
  print_message("# %u pieces, proven %d\n", set.pieces, set.proven);
  assert_int_equal(pack_cheapest(items, PACK_MAX_ITEMS + 1, &need, &set), -E2BIG);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(no_set_is_cheaper_than_the_one_that_is_found),
      cmocka_unit_test(of_equal_prices_fewer_pieces_are_taken),
      cmocka_unit_test(terabytes_and_many_items_are_solved_within_the_steps),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
