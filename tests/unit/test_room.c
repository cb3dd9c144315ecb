/* SPDX-License-Identifier: MIT */
#include "common/room.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void elements_stay_when_the_array_grows(void **state)
{
  (void)state;
  uint32_t *list = NULL;
  size_t cap = 0;
  size_t times = 0;
  for (uint32_t i = 0; i < 10000; i++) {
    size_t before = cap;
    assert_int_equal(TM_ROOM(list, cap, i), 0);
    assert_true(cap > i);
    list[i] = i;
    times += cap != before;
  }
  assert_true(times <= 10); /* doubled, not one by one */
  for (uint32_t i = 0; i < 10000; i++)
    assert_int_equal(list[i], i);
  size_t before = cap;
  assert_int_equal(tm_room(&list, &cap, 10000, 5 * before, sizeof(*list)), 0);
  assert_true(cap >= 10000 + 5 * before);
  free(list);
}

static void what_cannot_be_had_leaves_all_as_it_was(void **state)
{
  (void)state;
  uint32_t *list = NULL;
  size_t cap = 0;
  assert_int_equal(TM_ROOM(list, cap, 0), 0);
  const uint32_t *was = list;
  size_t had = cap;
  assert_int_equal(tm_room(&list, &cap, 1, SIZE_MAX, sizeof(*list)), -ENOMEM);
  assert_int_equal(tm_room(&list, &cap, 1, SIZE_MAX / 2, sizeof(*list)), -ENOMEM);
  assert_ptr_equal(list, was);
  assert_int_equal(cap, had);
  free(list);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(elements_stay_when_the_array_grows),
      cmocka_unit_test(what_cannot_be_had_leaves_all_as_it_was),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests_name("room", tests, NULL, NULL);
}
