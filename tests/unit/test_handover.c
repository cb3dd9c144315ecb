/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/handover.h"
#include "common/json.h"

enum { FACTORY, NORTH, SOUTH, ISLAND };

/* The factory supplies itself in 21 days; 2 days to the north, 4 to the south, nothing to the
 * island. */
static struct handover_shop shops[] = {
    {.name = "FAC", .supply_days = 21},
    {.name = "RN", .supply_days = -1, .sells = true},
    {.name = "RS", .supply_days = -1, .sells = true},
    {.name = "ISLAND", .supply_days = -1, .sells = true},
};
static const struct handover_transfer transfers[] = {{FACTORY, NORTH, 2}, {FACTORY, SOUTH, 4}};
static const struct handover_goods goods = {shops, 4, transfers, 2};

static void stock(uint64_t factory, uint64_t north, uint64_t south, uint64_t island)
{
  shops[FACTORY].stock = factory;
  shops[NORTH].stock = north;
  shops[SOUTH].stock = south;
  shops[ISLAND].stock = island;
}

static void a_day_follows_from_where_it_is(void **state)
{
  static const struct {
    const char *name;
    uint64_t factory, north, south, island, pieces;
    size_t wished, at;
    int64_t days, sooner; /* sooner -1: none */
    size_t sooner_at;
  } rows[] = {
      {"at the shop", 0, 2, 0, 0, 2, NORTH, NORTH, 0, -1, 0},
      {"at the factory", 12, 0, 0, 0, 2, NORTH, NORTH, 2, -1, 0},
      {"a part at the shop", 12, 2, 0, 0, 3, NORTH, NORTH, 2, -1, 0},
      {"nowhere", 0, 0, 0, 0, 1, NORTH, NORTH, 23, -1, 0},
      {"a part at the factory", 2, 0, 0, 0, 3, NORTH, NORTH, 23, -1, 0},
      {"another shop has it", 0, 3, 0, 0, 3, SOUTH, SOUTH, 25, 0, NORTH},
      {"another gets it sooner", 12, 0, 0, 0, 3, SOUTH, SOUTH, 4, 2, NORTH},
      {"the factory hands nothing over", 12, 0, 0, 0, 3, NORTH, NORTH, 2, -1, 0},
      {"the wished shop never has it", 0, 0, 0, 0, 1, ISLAND, NORTH, 23, -1, 0},
      {"the wished shop has it, and no road", 0, 0, 0, 1, 1, ISLAND, ISLAND, 0, -1, 0},
      {"an island's stock helps no other", 0, 0, 0, 9, 1, SOUTH, SOUTH, 25, 0, ISLAND},
      {"at the factory itself", 5, 0, 0, 0, 5, FACTORY, FACTORY, 0, -1, 0},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    struct handover h;
    stock(rows[i].factory, rows[i].north, rows[i].south, rows[i].island);
    handover_find(&h, &goods, rows[i].wished, rows[i].pieces);
    int64_t sooner = h.is_sooner ? h.sooner_days : -1;
    if (h.shop != rows[i].at || h.days != rows[i].days || sooner != rows[i].sooner ||
        (h.is_sooner && h.sooner_shop != rows[i].sooner_at))
      fail_msg("%s: shop %zu in %lld days, sooner %lld at %zu", rows[i].name, h.shop,
               (long long)h.days, (long long)sooner, h.sooner_shop);
  }
}

static void what_nobody_can_tell_is_said(void **state)
{
  (void)state;
  static const struct handover_shop alone[] = {{.name = "X", .supply_days = -1, .sells = true}};
  struct handover h;
  handover_find(&h, &(struct handover_goods){.shops = alone, .shops_len = 1}, 0, 1);
  assert_true(h.days == HANDOVER_NEVER);
  assert_false(h.is_sooner);
}

/* What lies nearer than the supplier is handed over first, the rest when he has brought it. */
static void what_is_not_there_comes_from_the_supplier(void **state)
{
  struct handover_part parts[5];
  struct handover h;
  (void)state;
  stock(2, 1, 0, 0);
  assert_int_equal(handover_plan(parts, &goods, NORTH, 6), 3);
  assert_true(parts[0].from == NORTH && parts[0].pieces == 1 && parts[0].days == 0);
  assert_true(parts[1].from == FACTORY && parts[1].pieces == 2 && parts[1].days == 2);
  assert_false(parts[0].coming || parts[1].coming);
  assert_true(parts[2].from == FACTORY && parts[2].pieces == 3 && parts[2].days == 23);
  assert_true(parts[2].coming);
  assert_int_equal(handover_plan(parts, &goods, NORTH, 3), 2);
  assert_false(parts[1].coming);
  assert_int_equal(handover_plan(parts, &goods, ISLAND, 1), 0);
  handover_find(&h, &goods, NORTH, 6);
  json_t *line = handover_line("SHELF-40T", 6, &goods, NORTH, &h, 20777 /* 2026-11-20 */);
  char *text = json_dumps(json_object_get(line, "at"), JSON_SORT_KEYS | JSON_COMPACT);
  assert_string_equal(
      text, "{\"on\":\"2026-12-13\",\"parts\":["
            "{\"on\":\"2026-11-20\",\"quantity\":1},{\"on\":\"2026-11-22\",\"quantity\":2},"
            "{\"on\":\"2026-12-13\",\"quantity\":3}],\"quantity\":6,\"shop\":\"RN\"}");
  free(text);
  json_decref(line);
}

/* A shelf that is farther than the supplier is left alone when it would not be enough. */
static void a_far_shelf_does_not_make_it_later(void **state)
{
  static const struct handover_shop two[] = {
      {.name = "A", .supply_days = 3, .sells = true},
      {.name = "B", .stock = 1, .supply_days = -1, .sells = true},
  };
  static const struct handover_transfer road[] = {{1, 0, 9}};
  static const struct handover_goods g = {two, 2, road, 1};
  struct handover_part parts[3];
  (void)state;
  assert_int_equal(handover_days(&g, 0, 2), 3);
  assert_int_equal(handover_plan(parts, &g, 0, 2), 1);
  assert_true(parts[0].coming && parts[0].from == 0 && parts[0].pieces == 2 && parts[0].days == 3);
}

/* Two shelves the same distance away are both used. */
static void shelves_are_emptied_by_their_distance(void **state)
{
  static const struct handover_transfer roads[] = {
      {FACTORY, NORTH, 2}, {SOUTH, NORTH, 1}, {ISLAND, NORTH, 2}};
  const struct handover_goods g = {shops, 4, roads, 3};
  struct handover_part parts[4];
  (void)state;
  stock(5, 1, 2, 5);
  assert_int_equal(handover_parts(parts, &g, NORTH, 10), 4);
  assert_int_equal(parts[0].from, NORTH);
  assert_int_equal(parts[0].pieces, 1);
  assert_int_equal(parts[1].from, SOUTH);
  assert_int_equal(parts[1].pieces, 2);
  assert_int_equal(parts[2].from, FACTORY);
  assert_int_equal(parts[2].pieces, 5);
  assert_int_equal(parts[3].from, ISLAND);
  assert_int_equal(parts[3].pieces, 2);
  assert_int_equal(handover_days(&g, NORTH, 13), 2);
  assert_int_equal(handover_days(&g, NORTH, 14), 23);
  assert_int_equal(handover_parts(parts, &g, NORTH, 1), 1);
}

static void a_line_says_shop_day_and_number(void **state)
{
  struct handover h;
  (void)state;
  stock(0, 3, 1, 0);
  handover_find(&h, &goods, SOUTH, 3);
  json_t *line = handover_line("SHELF-40T", 3, &goods, SOUTH, &h, 20777 /* 2026-11-20 */);
  char *text = json_dumps(line, JSON_COMPACT);
  assert_string_equal(
      text,
      "{\"sku\":\"SHELF-40T\",\"quantity\":3,\"at\":{\"shop\":\"RS\",\"on\":"
      "\"2026-12-15\",\"quantity\":3,\"parts\":[{\"on\":\"2026-11-20\","
      "\"quantity\":1},{\"on\":\"2026-12-15\",\"quantity\":2}]},\"sooner\":{\"shop\":\"RN\",\"on\":"
      "\"2026-11-20\",\"quantity\":3},\"stock\":1,\"lead_time_days\":25}");
  free(text);
  json_decref(line);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_day_follows_from_where_it_is),
      cmocka_unit_test(what_nobody_can_tell_is_said),
      cmocka_unit_test(what_is_not_there_comes_from_the_supplier),
      cmocka_unit_test(a_far_shelf_does_not_make_it_later),
      cmocka_unit_test(shelves_are_emptied_by_their_distance),
      cmocka_unit_test(a_line_says_shop_day_and_number),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
