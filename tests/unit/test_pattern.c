/* SPDX-License-Identifier: MIT */
#include "common/pattern.h"

#include <errno.h>
#include <glob.h>
#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

static uint32_t seed = 1;

static uint32_t chance(uint32_t n)
{
  seed = seed * 1664525u + 1013904223u;
  return (uint32_t)(((uint64_t)seed * n) >> 32);
}

/* Of texts that are nearly right some are, and some are not. */
static const char *const seeds[] = {
    "",
    "2026-11-20",
    "2026-11-20T11:35:37Z",
    "2026-11-20T11:35:37+09:00",
    "3f79bb7b435b05321651daefd374cdc681dc06faa65e374e38337b88ca046dea",
    "JPY",
    "-12.50",
    "1200000",
    "0.975",
    "365d",
    "grow_capacity",
    "1:1, 50 %/day + x-y",
    "theil-sen",
    "ab-]^c",
    "(a|b)?",
    "aab",
    "\xc3\xa9\xff"};

static void vary(char text[160])
{
  static const char letters[] = "0123456789abcdefzAZ-+.:T /%,_^](|)?\xff\n";
  snprintf(text, 100, "%s", seeds[chance(sizeof(seeds) / sizeof(seeds[0]))]);
  for (uint32_t n = chance(3); n > 0; n--) {
    size_t len = strlen(text), at = chance((uint32_t)len + 1);
    char c = letters[chance(sizeof(letters) - 1)];
    uint32_t what = chance(3);
    if (what == 0 && at < len) {
      text[at] = c;
    } else if (what == 1 && at < len) {
      memmove(text + at, text + at + 1, len - at);
    } else {
      memmove(text + at + 1, text + at, len - at + 1);
      text[at] = c;
    }
  }
}

/* How many fitted. */
static unsigned compare(const char *text, bool row)
{
  struct tm_pattern *p = NULL;
  regex_t regex;
  char subject[160];
  unsigned fitted = 0;
  assert_int_equal(tm_pattern_new(&p, text), 0);
  assert_int_equal(regcomp(&regex, text, REG_EXTENDED | REG_NOSUB), 0);
  if (tm_pattern_is_row(p) != row)
    fail_msg("%s: %s", text, row ? "is left to regexec()" : "is walked along");
  for (int i = 0; i < 20000; i++) {
    vary(subject);
    bool fits = regexec(&regex, subject, 0, NULL, 0) == 0;
    if (tm_pattern_fits(p, subject) != fits)
      fail_msg("%s: '%s' %s", text, subject, fits ? "fits" : "does not fit");
    fitted += fits;
  }
  regfree(&regex);
  tm_pattern_free(p);
  return fitted;
}

static void rows_fit_what_the_expression_fits(void **state)
{
  (void)state;
  static const char *const rows[] = {
      "^a*b$",
      "^a?a?b?$x",
      "^[^0-9]*$",
      "^(a|b)?$",
      "^$",
      "^[]^a-c-]+$",
      "^\\(a\\|b\\)\\?$",
      "^(Z|[+-][0-9]+)?",
      "^[0-9]{2,}-$",
      "^-?[0-9]+([.][0-9]+)?$",
      "^(aa|a)b$",
      "^[0-9]{4}(-[0-9]{2}){2}$",
  };
  static const bool walked[] = {true, false, true, true, true, true,
                                true, false, true, true, true, false};
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
    compare(rows[i], walked[i]);
}

static void others_are_left_to_the_expression(void **state)
{
  (void)state;
  static const char *const others[] = {
      "a",         "^a",         "b$",       "^a|b$",        "^a*ab$", "^.*$", "^[[:digit:]]$",
      "^(a(b)?)$", "^a?[ab]?b$", "^(a|b)+$", "^[0-9]*[0-9]$"};
  for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
    compare(others[i], false);
}

static unsigned of_schema(const json_t *v, unsigned *fitted)
{
  const char *key;
  json_t *child;
  unsigned n = 0;
  size_t i;
  json_array_foreach(v, i, child) n += of_schema(child, fitted);
  json_object_foreach((json_t *)v, key, child)
  {
    const char *name;
    json_t *member;
    if (strcmp(key, "pattern") == 0 && json_is_string(child)) {
      *fitted += compare(json_string_value(child), true) > 0;
      n++;
    }
    if (strcmp(key, "patternProperties") == 0) {
      json_object_foreach(child, name, member)
      {
        *fitted += compare(name, true) > 0;
        n++;
      }
    }
    n += of_schema(child, fitted);
  }
  return n;
}

static void what_comes_by_the_thousand_is_walked_along(void **state)
{
  (void)state;
  static const char *const schemas[] = {"contrib/schema/summary.schema.json",
                                        "contrib/schema/history.schema.json"};
  unsigned n = 0, fitted = 0;
  for (size_t i = 0; i < 2; i++) {
    json_t *schema = json_load_file(schemas[i], 0, NULL);
    assert_non_null(schema);
    n += of_schema(schema, &fitted);
    json_decref(schema);
  }
  assert_true(n > 20);
  assert_int_equal(fitted, n); /* each was given something that fits it */
}

static void what_is_no_pattern_is_refused(void **state)
{
  (void)state;
  struct tm_pattern *p = NULL;
  assert_int_equal(tm_pattern_new(&p, "^[a-$"), -EINVAL);
  assert_int_equal(tm_pattern_new(&p, "^(a$"), -EINVAL);
  assert_null(p);
  tm_pattern_free(NULL);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rows_fit_what_the_expression_fits),
      cmocka_unit_test(others_are_left_to_the_expression),
      cmocka_unit_test(what_comes_by_the_thousand_is_walked_along),
      cmocka_unit_test(what_is_no_pattern_is_refused),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests_name("pattern", tests, NULL, NULL);
}
