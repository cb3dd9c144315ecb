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
  json_out_bool(&o, true);
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
  assert_string_equal(b.ptr, "{\"a\":[-9223372036854775808,true,null,{}],"
                             "\"b\":\"q\\\"b\\\\s \xef\xbf\xbd\","
                             "\"c\":\"1970-01-01T00:00:00Z\",\"d\":null}");
  tm_buf_release(&b);
}

static void numbers_read_back_to_ten_figures(void **state)
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
    double got = fabs(strtod(b.ptr, NULL));
    assert_true(fabs(got - v) <= v * 1.01e-9);
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
      cmocka_unit_test(numbers_read_back_to_ten_figures),
      cmocka_unit_test(rows_are_written_as_their_elements),
      cmocka_unit_test(a_full_buffer_is_said_once),
      cmocka_unit_test(half_a_document_is_none),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
