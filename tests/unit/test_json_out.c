/* SPDX-License-Identifier: MIT */
/* What the fast writer writes must be what Jansson reads back. */
#include "common/json_out.h"

#include "common/json.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void containers_get_their_commas(void **state)
{
  (void)state;
  struct tm_buf b = TM_BUF_INIT(1000);
  struct json_out o = JSON_OUT_INIT(&b);
  json_out_open(&o, '{');
  json_out_key(&o, "a");
  json_out_open(&o, '[');
  json_out_int(&o, INT64_MIN);
  json_out_null(&o);
  json_out_open(&o, '{');
  json_out_close(&o, '}');
  json_out_close(&o, ']');
  json_out_key(&o, "b");
  json_out_string(&o, "q\"b\\s\x01 \xff");
  json_out_key(&o, "c");
  json_out_time(&o, 0);
  json_out_key(&o, "d");
  json_out_string(&o, "");
  json_out_close(&o, '}');
  assert_int_equal(o.rc, 0);
  assert_string_equal(b.ptr, "{\"a\":[-9223372036854775808,null,{}],"
                             "\"b\":\"q\\\"b\\\\s \xef\xbf\xbd\","
                             "\"c\":\"1970-01-01T00:00:00Z\",\"d\":null}");
  tm_buf_release(&b);
}

static void numbers_are_rounded_to_ten_figures(void **state)
{
  (void)state;
  static const struct {
    double v;
    const char *text;
  } rows[] = {{0, "0"},
              {-0.5, "-0.5"},
              {NAN, "null"},
              {INFINITY, "null"},
              {1e15, "1000000000000000"},
              {0.1, "0.1"},
              {9.9999999999, "10"},
              {123.456, "123.456"},
              {999999999.9, "999999999.9"},
              {1e-9, "1e-09"},
              {1.5e300, "1.5e+300"}};
  struct tm_buf b = TM_BUF_INIT(1000);
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    struct json_out o = JSON_OUT_INIT(&b);
    tm_buf_reset(&b);
    json_out_number(&o, rows[i].v);
    assert_string_equal(b.ptr, rows[i].text);
  }
  uint64_t seed = 1;
  for (int i = 0; i < 100000; i++) {
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    double v = ldexp((double)(seed >> 11), -(int)(seed % 60));
    struct json_out o = JSON_OUT_INIT(&b);
    tm_buf_reset(&b);
    json_out_number(&o, i % 2 ? v : -v);
    char printed[64];
    snprintf(printed, sizeof(printed), "%.10g", i % 2 ? v : -v);
    if (v != floor(v))
      assert_string_equal(b.ptr, printed);
  }
  tm_buf_release(&b);
}

/* Pieces of a row are what the elements one by one are. */
static void rows_are_written_as_their_elements(void **state)
{
  (void)state;
  static const double values[] = {0,    -7,   99,   100,         1e15,  123.456, 0.1,    -2.5,
                                  1e-9, NAN,  9e15, 12e8,        1e300, 99.95,   1e9,    3e-300,
                                  10,   1000, 0.5,  999999999.5, 4e18,  -1e6,    1234567};
  struct tm_buf b = TM_BUF_INIT(100000);
  struct tm_buf c = TM_BUF_INIT(100000);
  struct json_out one = JSON_OUT_INIT(&b);
  struct json_out row = JSON_OUT_INIT(&c);
  for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
    int64_t t = i % 5 == 0 ? INT64_MIN : (int64_t)i * 7654321987;
    json_out_open(&one, '{');
    json_out_key(&one, "a");
    json_out_number(&one, values[i]);
    json_out_key(&one, "b");
    json_out_time(&one, t);
    json_out_close(&one, '}');
    char *p = json_out_begin(&row, 20 + JSON_NUMBER_SIZE + JSON_TIME_SIZE);
    assert_non_null(p);
    p = json_put_number(json_put(p, "{\"a\":"), values[i]);
    p = json_put_time(json_put(p, ",\"b\":"), t);
    json_out_end(&row, json_put(p, "}"));
  }
  assert_string_equal(b.ptr, c.ptr);
  c.max = c.len;
  assert_null(json_out_begin(&row, 1));
  assert_int_equal(row.rc, -EFBIG);
  tm_buf_release(&b);
  tm_buf_release(&c);
}

/* What Jansson writes of the same double, byte for byte; whole numbers as integers. */
static void must_write_as_jansson(double value)
{
  char ours[JSON_NUMBER_SIZE + 1];
  char theirs[64];
  *json_put_real(ours, value) = '\0';
  bool whole = value == floor(value) && fabs(value) < 4e15;
  json_t *v = whole ? json_integer((json_int_t)value) : json_real(value);
  size_t n = json_dumpb(v, theirs, sizeof(theirs) - 1, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
  json_decref(v);
  theirs[n] = '\0';
  assert_string_equal(ours, theirs);
}

static void reals_are_written_as_jansson_writes_them(void **state)
{
  (void)state;
  static const double values[] = {0.981,  0.1,       21611.10985, 0.30000000000000004, 1.0 / 3,
                                  1e-9,   3e-300,    999999999.9, 999999999.99999,     -2.5,
                                  1e300,  123456.75, 0.09999999,  99.999999999,        8e15,
                                  -1e-16, 1e9 + 0.5};
  for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
    must_write_as_jansson(values[i]);
  uint64_t seed = 88172645463325252U;
  for (int i = 0; i < 200000; i++) {
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    double power = pow(10, (double)(seed >> 8 & 15));
    must_write_as_jansson((double)(seed >> 20) / power);                         /* all figures */
    must_write_as_jansson((double)(seed >> 20 & 0xffffffff) / power);            /* ten at most */
    must_write_as_jansson(nextafter((double)(seed >> 44) / power, i % 2 * 1e9)); /* just beside */
  }
}

static void texts_are_escaped_and_otherwise_left_alone(void **state)
{
  (void)state;
  char text[600];
  size_t n = 0;
  for (int c = 1; c < 128; c++)
    text[n++] = (char)c;
  n += (size_t)sprintf(text + n, "Gr\xc3\xb6\xc3\x9f"
                                 "e \xf0\x9f\x96\xa8 \xe2\x80\xae \\u0041 \"");
  struct tm_buf b = TM_BUF_INIT(10000);
  struct json_out o = JSON_OUT_INIT(&b);
  json_out_exact(&o, text, n);
  assert_int_equal(o.rc, 0);
  json_t *v = json_stringn(text, n);
  char *theirs = json_dumps(v, JSON_ENCODE_ANY);
  assert_string_equal(b.ptr, theirs);
  free(theirs);
  json_decref(v);
  json_out_exact(&o, "broken \xc3", 8);
  assert_int_equal(o.rc, -EBADMSG);
  o.rc = 0;
  json_out_exact(&o, "a\0b", 3);
  assert_int_equal(o.rc, -EBADMSG);
  tm_buf_release(&b);
}

/* Wherever a Jansson value stops to fit it is told, and nothing of it stays: Jansson itself passes
 * over an object's key that was not taken, and what follows may fit. */
static void what_does_not_fit_is_not_half_written(void **state)
{
  (void)state;
  json_t *v = json_pack("{s:s, s:[i, f, b, n, s], s:{s:{s:[]}, s:{}}, s:s, s:i}", "text",
                        "a\n\"b\"\\", "list", 7, 0.25, 1, "\xc3\xb6", "a", "b", "c", "d", "end", "",
                        "a key that is longer than all that follows", 1);
  assert_non_null(v);
  struct tm_buf whole = TM_BUF_INIT(10000);
  assert_int_equal(tm_json_append(&whole, v), 0);
  for (size_t max = 3; max < whole.len + 3; max++) {
    struct tm_buf b = TM_BUF_INIT(max);
    assert_int_equal(tm_buf_puts(&b, "abc"), 0);
    assert_int_equal(tm_json_append(&b, v), -EFBIG);
    assert_string_equal(b.ptr, "abc");
    assert_int_equal(b.len, 3);
    tm_buf_release(&b);
  }
  tm_buf_release(&whole);
  json_decref(v);
}

static void a_full_buffer_is_said_once(void **state)
{
  (void)state;
  struct tm_buf b = TM_BUF_INIT(4);
  struct json_out o = JSON_OUT_INIT(&b);
  json_out_string(&o, "too long");
  json_out_int(&o, 1);
  assert_int_equal(o.rc, -EFBIG);
  tm_buf_release(&b);
}

/* Jansson goes on where the name of a member was not taken. */
static void half_a_document_is_none(void **state)
{
  (void)state;
  json_t *value = json_pack("{s:i,s:{s:s,s:[i]}}", "a", 1, "bc", "d", "e", "f", 2);
  struct tm_buf whole = TM_BUF_INIT(1000);
  assert_int_equal(tm_json_append(&whole, value), 0);
  for (size_t max = 0; max < whole.len; max++) {
    struct tm_buf b = TM_BUF_INIT(max);
    assert_int_equal(tm_json_append(&b, value), -EFBIG);
    assert_int_equal(b.len, 0);
    tm_buf_release(&b);
  }
  tm_buf_release(&whole);
  json_decref(value);
}

int main(void)
{
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test(containers_get_their_commas),
      cmocka_unit_test(numbers_are_rounded_to_ten_figures),
      cmocka_unit_test(rows_are_written_as_their_elements),
      cmocka_unit_test(reals_are_written_as_jansson_writes_them),
      cmocka_unit_test(texts_are_escaped_and_otherwise_left_alone),
      cmocka_unit_test(what_does_not_fit_is_not_half_written),
      cmocka_unit_test(a_full_buffer_is_said_once),
      cmocka_unit_test(half_a_document_is_none),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
