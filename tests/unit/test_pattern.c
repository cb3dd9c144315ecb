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
static unsigned compare(const char *text)
{
  struct tm_pattern *p = NULL;
  regex_t regex;
  char subject[160];
  unsigned fitted = 0;
  assert_int_equal(tm_pattern_new(&p, text), 0);
  assert_int_equal(regcomp(&regex, text, REG_EXTENDED | REG_NOSUB), 0);
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

static void texts_fit_what_fits_the_same_posix_expression(void **state)
{
  (void)state;
  static const char *const expressions[] = {
      "^a*b$",
      "^a?a?b?$",
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
      "a",
      "^a",
      "b$",
      "^a|b$",
      "^a*ab$",
      "^.*$",
      "^[[:digit:]]$",
      "^(a(b)?)$",
      "^a?[ab]?b$",
      "^(a|b)+$",
      "^[0-9]*[0-9]$",
  };
  for (size_t i = 0; i < sizeof(expressions) / sizeof(expressions[0]); i++)
    compare(expressions[i]);
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
      *fitted += compare(json_string_value(child)) > 0;
      n++;
    }
    if (strcmp(key, "patternProperties") == 0) {
      json_object_foreach(child, name, member)
      {
        *fitted += compare(name) > 0;
        n++;
      }
    }
    n += of_schema(child, fitted);
  }
  return n;
}

static void every_pattern_of_the_schemas_means_the_same(void **state)
{
  (void)state;
  unsigned n = 0, fitted = 0;
  glob_t files;
  assert_int_equal(glob("contrib/schema/*.schema.json", 0, NULL, &files), 0);
  for (size_t i = 0; i < files.gl_pathc; i++) {
    json_t *schema = json_load_file(files.gl_pathv[i], 0, NULL);
    assert_non_null(schema);
    n += of_schema(schema, &fitted);
    json_decref(schema);
  }
  globfree(&files);
  assert_true(n > 60);
  assert_true(fitted > n / 2); /* most were given something that fits them */
}

/* Nothing that a text can do takes longer than is bearable. */
static void a_text_that_takes_beyond_reason_does_not_fit(void **state)
{
  (void)state;
  struct tm_pattern *p = NULL;
  char text[64];
  memset(text, 'a', sizeof(text));
  text[sizeof(text) - 1] = '\0';
  assert_int_equal(tm_pattern_new(&p, "^(a|a)*(a|a)*(a|a)*b$"), 0);
  assert_false(tm_pattern_fits(p, text));
  tm_pattern_free(p);
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
      cmocka_unit_test(texts_fit_what_fits_the_same_posix_expression),
      cmocka_unit_test(every_pattern_of_the_schemas_means_the_same),
      cmocka_unit_test(a_text_that_takes_beyond_reason_does_not_fit),
      cmocka_unit_test(what_is_no_pattern_is_refused),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests_name("pattern", tests, NULL, NULL);
}
