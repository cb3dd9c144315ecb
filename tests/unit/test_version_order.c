/* SPDX-License-Identifier: MIT */
/* Version strings of any maker sort rightly, and the order is one. */
#include "analyzer/version_order.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static int sign(int x)
{
  return (x > 0) - (x < 0);
}

static void pairs_of_versions_compare_as_people_would(void **state)
{
  (void)state;
  static const struct {
    const char *a;
    int order;
    const char *b;
  } pairs[] = {
      {"4.4.2", -1, "4.10.0"},
      {"9.9", -1, "9.10"},
      {"4.4", 0, "4.4.0"},
      {"4.4", 0, "v4.4"},
      {"V4.4", 0, "Version 4.4.0"},
      {"FW 4.4.2", 0, "4.4.2"},
      {"1.0", 1, "1.0-rc1"},
      {"1.0~1", -1, "1.0"},
      {"1.0-rc2", -1, "1.0-rc10"},
      {"1.0-beta", -1, "1.0-rc1"},
      {"1.0-alpha", -1, "1.0beta"},
      {"9.1P2", 1, "9.1"},
      {"9.1P2", -1, "9.1P10"},
      {"9.1P2", -1, "9.2"},
      {"9.1P2", -1, "9.1.1"},
      {"2.03B", 1, "2.03A"},
      {"2.03B", 1, "2.3"},
      {"2.03", 0, "2.3"},
      {"R05.11", -1, "R05.12"},
      {"R05.11", 1, "r4.99"},
      {"7.4.1b", 1, "7.4.1a"},
      {"2026.05.1", 1, "2026.4"},
      {"20240501", -1, "20241101"},
      {"1.0-preview3", -1, "1"},
      {"4.4.2", 0, "4_4_2"},
      {"4.4.2 build 7", 1, "4.4.2 build 6"},
      {"007", 0, "7"},
      {"1.00000000000000000000000000001", -1, "1.2"},
      {"99999999999999999999999999999", -1, "100000000000000000000000000000"},
      {"1.0.0.0.0.1", 1, "1.0"},
      {"1.0a", 1, "1.0"},
      {"1.0a", 0, "1A"},
      {"", 0, ""},
      {"unknown", -1, "0.1"},
      {"\xff\xfe"
       "1.2",
       0, "1.2"},
  };
  for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
    int seen = sign(version_order(pairs[i].a, pairs[i].b));
    int back = sign(version_order(pairs[i].b, pairs[i].a));
    if (seen != pairs[i].order || back != -pairs[i].order)
      fail_msg("%s against %s: %d and back %d, wanted %d", pairs[i].a, pairs[i].b, seen, back,
               pairs[i].order);
  }
}

/* A list that sorts differently by its beginning would make qsort run wild. */
static void the_order_is_transitive_over_odd_strings(void **state)
{
  (void)state;
  static const char *const parts[] = {"", "0", "00", "1", "10", "a", "rc", "P", "~", ".", "v", "-"};
  enum { PARTS = sizeof(parts) / sizeof(parts[0]), N = 400 };
  static char text[N][32];
  uint32_t seed = 20261120;
  for (size_t i = 0; i < N; i++)
    for (size_t j = 0; j < 6; j++) {
      seed = seed * 1664525 + 1013904223;
      strncat(text[i], parts[(seed >> 16) % PARTS], sizeof(text[i]) - strlen(text[i]) - 1);
    }
  for (size_t i = 0; i < N; i++)
    for (size_t j = 0; j < N; j++) {
      int ij = sign(version_order(text[i], text[j]));
      assert_int_equal(ij, -sign(version_order(text[j], text[i])));
      for (size_t k = 0; ij <= 0 && k < N; k += 3)
        if (version_order(text[j], text[k]) <= 0 && version_order(text[i], text[k]) > 0)
          fail_msg("%s <= %s <= %s, but not the ends", text[i], text[j], text[k]);
    }
}

static void a_text_without_a_number_is_not_a_version(void **state)
{
  (void)state;
  assert_true(version_known("4.4.2"));
  assert_false(version_known(NULL));
  assert_false(version_known(""));
  assert_false(version_known("unknown"));
  char longest[200];
  memset(longest, '0', sizeof(longest) - 1);
  longest[sizeof(longest) - 1] = '\0';
  assert_false(version_known(longest));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(pairs_of_versions_compare_as_people_would),
      cmocka_unit_test(the_order_is_transitive_over_odd_strings),
      cmocka_unit_test(a_text_without_a_number_is_not_a_version),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
