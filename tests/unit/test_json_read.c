/* SPDX-License-Identifier: MIT */
#include "common/json_read.h"

#include "common/buf.h"
#include "common/file.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { DEPTH = 32 };

/* 1 when it was read, and then as Jansson reads it: the same members in the same order, the same
 * numbers to the last bit. 0 when it was left to Jansson. */
static int compare(const char *text, size_t len)
{
  json_t *plain = tm_json_read_plain(text, len, DEPTH);
  if (plain == NULL)
    return 0;
  json_error_t why;
  json_t *other = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
  if (other == NULL)
    fail_msg("'%.*s': Jansson says %s", (int)len, text, why.text);
  char *a = json_dumps(plain, JSON_ENCODE_ANY | JSON_REAL_PRECISION(17));
  char *b = json_dumps(other, JSON_ENCODE_ANY | JSON_REAL_PRECISION(17));
  assert_true(json_equal(plain, other));
  assert_string_equal(a, b);
  free(a);
  free(b);
  json_decref(plain);
  json_decref(other);
  return 1;
}

static uint32_t seed = 1;

static uint32_t chance(uint32_t n)
{
  seed = seed * 1664525u + 1013904223u;
  return (uint32_t)(((uint64_t)seed * n) >> 32);
}

static void samples_are_read_and_what_is_made_of_them_as_jansson_says(void **state)
{
  (void)state;
  static const char letters[] = "{}[]\",:0123456789.-+eE tfnu\\\n\x01\x80\xc3\xa9";
  glob_t found;
  int read = 0;
  assert_int_equal(glob("contrib/schema/samples/*.json", 0, NULL, &found), 0);
  for (size_t i = 0; i < found.gl_pathc; i++) {
    struct tm_buf b = TM_BUF_INIT(1 << 20);
    assert_int_equal(tm_file_read(found.gl_pathv[i], &b, NULL), 0);
    if (compare(b.ptr, b.len) != 1)
      print_message("# %s is left to Jansson\n", found.gl_pathv[i]);
    for (int n = 0; n < 2000; n++) {
      uint32_t at = chance((uint32_t)b.len), to = chance((uint32_t)b.len);
      char before = b.ptr[at], other = b.ptr[to];
      b.ptr[at] = letters[chance(sizeof(letters) - 1)];
      b.ptr[to] = chance(2) != 0 ? other : before;
      read += compare(b.ptr, n % 4 == 0 ? chance((uint32_t)b.len) : b.len);
      b.ptr[to] = other;
      b.ptr[at] = before;
    }
    tm_buf_release(&b);
  }
  globfree(&found);
  assert_true(read > 1000); /* a letter of a text, a digit */
}

static void numbers_are_the_ones_that_strtod_finds(void **state)
{
  (void)state;
  char text[64];
  int read = 0;
  for (int n = 0; n < 200000; n++) {
    uint64_t whole = ((uint64_t)chance(1u << 31) << 20 | chance(1u << 20)) >> chance(50);
    uint32_t digits = chance(14);
    int len = snprintf(text, sizeof(text), "%s%llu", chance(2) != 0 ? "-" : "",
                       (unsigned long long)whole);
    if (digits > 0)
      text[len++] = '.';
    for (uint32_t i = 0; i < digits; i++)
      text[len++] = (char)('0' + chance(10));
    read += compare(text, (size_t)len);
  }
  assert_true(read > 100000);
}

static void what_is_rare_or_wrong_is_left_to_jansson(void **state)
{
  (void)state;
  static const char *const texts[] = {"",
                                      " ",
                                      "\"a\\n\"",
                                      "\"\\u00e9\"",
                                      "\"\xff\"",
                                      "{\"\xc3\xa9\":1}",
                                      "{\"a\":1,\"a\":1}",
                                      "{\"a\":1,}",
                                      "{a:1}",
                                      "{\"a\" 1}",
                                      "[1,]",
                                      "[,1]",
                                      "[1 2]",
                                      "[1",
                                      "1 1",
                                      "01",
                                      "-",
                                      "-0",
                                      "-0.0",
                                      "1.",
                                      ".1",
                                      "+1",
                                      "1e3",
                                      "1.5E-3",
                                      "9223372036854775808",
                                      "12345678901234567890",
                                      "9007199254740993.5",
                                      "0.10000000000000001",
                                      "tru",
                                      "nul",
                                      "\"a",
                                      "\"a\x01\"",
                                      "NaN"};
  for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
    if (tm_json_read_plain(texts[i], strlen(texts[i]), DEPTH) != NULL)
      fail_msg("'%s' is read", texts[i]);
  }
  assert_null(tm_json_read_plain("\"a\0b\"", 5, DEPTH));
  static const char *const good[] = {"0",
                                     "-1",
                                     "true",
                                     " [ ] ",
                                     "{}",
                                     "\"\xc3\xa9\"",
                                     "0.5",
                                     "-0.25",
                                     "[{\"\":[null,false]}]\n",
                                     "123456789012345678"};
  for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
    if (compare(good[i], strlen(good[i])) != 1)
      fail_msg("'%s' is left to Jansson", good[i]);
  }
}

static void nesting_ends_where_it_is_told(void **state)
{
  (void)state;
  json_t *v = tm_json_read_plain("[{\"a\":[]}]", 10, 3);
  assert_non_null(v);
  json_decref(v);
  assert_null(tm_json_read_plain("[{\"a\":[]}]", 10, 2));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(samples_are_read_and_what_is_made_of_them_as_jansson_says),
      cmocka_unit_test(numbers_are_the_ones_that_strtod_finds),
      cmocka_unit_test(what_is_rare_or_wrong_is_left_to_jansson),
      cmocka_unit_test(nesting_ends_where_it_is_told),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests_name("json_read", tests, NULL, NULL);
}
