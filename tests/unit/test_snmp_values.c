/* SPDX-License-Identifier: MIT */
/* What an agent's values mean, and how its rows are kept and found. */
#include "plugins/source/snmp_rows.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct snmp_value text(const char *s)
{
  return (struct snmp_value){.type = SNMP_STRING, .bytes = s, .len = strlen(s)};
}

static struct snmp_value integer(int32_t i)
{
  return (struct snmp_value){.type = SNMP_INTEGER, .integer = i};
}

static void identifiers_are_read_strictly(void **state)
{
  (void)state;
  struct oid_path o = {0};
  char out[64];
  assert_int_equal(oid_parse(".1.3.6.1.4294967295", &o), 0);
  assert_int_equal(o.len, 5);
  assert_string_equal(oid_format(out, sizeof(out), o.id, o.len), "1.3.6.1.4294967295");
  static const char *const bad[] = {"", ".", "1.", "1..2", "1.3.x", "4294967296", " 1", "-1"};
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
    assert_int_equal(oid_parse(bad[i], &o), -EINVAL);
  char many[3 * OID_PATH_MAX + 4] = "1";
  for (int i = 0; i < OID_PATH_MAX; i++)
    strcat(many, ".1");
  assert_int_equal(oid_parse(many, &o), -EINVAL);
  /* A short room cuts between arcs, not within one. */
  assert_string_equal(oid_format(out, 6, (uint32_t[]){1, 3, 65535}, 3), "1.3");
}

static void numbers_in_texts_are_understood(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    double value; /* NAN: no number */
    double unit;
  } rows[] = {
      {"46881075200", 46881075200, 1},
      {"0xAEA547A00", 46881077760.0, 1},
      {"132.9", 132.9, 1},
      {" 12 ", 12, 1},
      {"5.46 TB", 5.46, 1e12},
      {"5.46TiB", 5.46, 0x1p40},
      {"1,234", 1234, 1},
      {"1,234,567", 1234567, 1},
      {"1,5", NAN, 1},
      {"", NAN, 1},
      {"12 apples", NAN, 1},
      {"0x", NAN, 1},
      {"0xG1", NAN, 1},
      {"0x11112222333344445", NAN, 1},
      {"nan", NAN, 1},
      {"inf", NAN, 1},
      {"1e999", NAN, 1},
      {"--", NAN, 1},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    struct snmp_value v = text(rows[i].text);
    double unit = 0;
    double got = snmp_value_number(&v, &unit);
    if (isnan(rows[i].value) != isnan(got) || (!isnan(got) && fabs(got - rows[i].value) > 0.5) ||
        (!isnan(got) && unit != rows[i].unit))
      fail_msg("'%s': wanted %g x %g, got %g x %g", rows[i].text, rows[i].value, rows[i].unit, got,
               unit);
  }
}

static void negative_sizes_have_wrapped_or_are_unknown(void **state)
{
  (void)state;
  static const struct {
    int32_t told;
    double size;
  } rows[] = {{0, 0},
              {5, 5},
              {-1, NAN},
              {-2, NAN},
              {-9, NAN},
              {-10, 4294967286.0},
              {INT32_MIN, 2147483648.0},
              {-1392430019, 2902537277.0}};
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    struct snmp_value v = integer(rows[i].told);
    double got = snmp_value_size(&v, NULL);
    if (isnan(rows[i].size) ? !isnan(got) : got != rows[i].size)
      fail_msg("%d: wanted %g, got %g", rows[i].told, rows[i].size, got);
  }
  /* A negative text or float has not wrapped: it is nonsense. */
  struct snmp_value v = text("-5000");
  assert_true(isnan(snmp_value_size(&v, NULL)));
  v = (struct snmp_value){.type = SNMP_REAL, .real = -5000};
  assert_true(isnan(snmp_value_size(&v, NULL)));
}

static void words_are_taken_as_unsigned(void **state)
{
  (void)state;
  struct snmp_value v = integer(-230633264);
  assert_true(snmp_value_word(&v) == 4064334032.0);
  v = integer(-1);
  assert_true(snmp_value_word(&v) == 4294967295.0);
  v = (struct snmp_value){.type = SNMP_UNSIGNED, .number = 1ULL << 33};
  assert_true(isnan(snmp_value_word(&v)));
  v = text("no");
  assert_true(isnan(snmp_value_word(&v)));
}

static void an_identity_is_no_number(void **state)
{
  (void)state;
  struct snmp_value v = {.type = SNMP_IDENTITY, .bytes = "1.3.6.1", .len = 7};
  assert_true(isnan(snmp_value_number(&v, NULL)));
}

static void texts_are_cleaned(void **state)
{
  (void)state;
  char out[16];
  struct snmp_value v = {.type = SNMP_STRING, .bytes = "a\n b\0c", .len = 6};
  assert_int_equal(snmp_value_text(&v, out, sizeof(out)), 3);
  assert_string_equal(out, "a b");
  v = integer(-7);
  assert_int_equal(snmp_value_text(&v, out, sizeof(out)), 2);
  assert_string_equal(out, "-7");
}

static void quotes_around_a_whole_text_are_no_part_of_it(void **state)
{
  (void)state;
  static const struct {
    const char *told;
    const char *text;
  } rows[] = {{"\"ME4024\"", "ME4024"},
              {" \" A 1  \" ", "A 1"},
              {"\"\"", ""},
              {"\"", "\""},
              {"\"4.3", "\"4.3"},
              {"19\"", "19\""},
              {"\"a\" \"b\"", "\"a\" \"b\""}};
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    char out[16];
    struct snmp_value v = text(rows[i].told);
    assert_int_equal(snmp_value_text(&v, out, sizeof(out)), strlen(rows[i].text));
    assert_string_equal(out, rows[i].text);
  }
  struct snmp_value v = text("\"12\"");
  assert_true(snmp_value_number(&v, NULL) == 12);
}

static void add(struct snmp_rows *r, const uint32_t *id, size_t len, int32_t value)
{
  struct snmp_value v = integer(value);
  assert_int_equal(snmp_rows_add(r, id, len, &v), 0);
}

static void rows_are_found_in_whatever_order_they_came(void **state)
{
  (void)state;
  struct snmp_rows r;
  struct snmp_row row;
  size_t first = 0;
  snmp_rows_init(&r);
  add(&r, (uint32_t[]){1, 3, 2}, 3, 20);
  add(&r, (uint32_t[]){1, 3, 1, 5}, 4, 15);
  add(&r, (uint32_t[]){1, 3, 1, 4}, 4, 14);
  add(&r, (uint32_t[]){1, 3, 1, 5}, 4, 99); /* again: the first one stands */
  add(&r, (uint32_t[]){1, 3, 10, 1}, 4, 101);
  assert_int_equal(snmp_rows_under(&r, (uint32_t[]){1, 3, 1}, 3, &first), 2);
  snmp_rows_at(&r, first, &row);
  assert_int_equal(row.value.integer, 14);
  snmp_rows_at(&r, first + 1, &row);
  assert_int_equal(row.value.integer, 15);
  assert_true(snmp_rows_get(&r, (uint32_t[]){1, 3, 2}, 3, &row));
  assert_int_equal(row.value.integer, 20);
  assert_false(snmp_rows_get(&r, (uint32_t[]){1, 3}, 2, &row));
  assert_int_equal(snmp_rows_under(&r, (uint32_t[]){1, 4}, 2, &first), 0);
  snmp_rows_release(&r);
  snmp_rows_release(&r);
}

static void rows_are_bounded(void **state)
{
  (void)state;
  struct snmp_rows r;
  struct snmp_row row;
  static uint32_t id[SNMP_ARCS + 1];
  static char big[4096];
  memset(big, 'x', sizeof(big));
  snmp_rows_init(&r);
  struct snmp_value v = {.type = SNMP_STRING, .bytes = big, .len = sizeof(big)};
  assert_int_equal(snmp_rows_add(&r, id, SNMP_ARCS, &v), 0);
  assert_true(snmp_rows_get(&r, id, SNMP_ARCS, &row));
  assert_int_equal(row.value.len, SNMP_BYTES);
  assert_int_equal(row.value.bytes[SNMP_BYTES], '\0');
  assert_int_equal(snmp_rows_add(&r, id, SNMP_ARCS + 1, &v), -EFBIG);
  int rc = 0;
  for (uint32_t i = 0; rc == 0 && i < SNMP_ROWS_MAX + 1; i++)
    rc = snmp_rows_add(&r, &i, 1, &v);
  assert_int_equal(rc, -EFBIG);
  snmp_rows_release(&r);
}

int main(void)
{
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test(identifiers_are_read_strictly),
      cmocka_unit_test(numbers_in_texts_are_understood),
      cmocka_unit_test(negative_sizes_have_wrapped_or_are_unknown),
      cmocka_unit_test(words_are_taken_as_unsigned),
      cmocka_unit_test(an_identity_is_no_number),
      cmocka_unit_test(texts_are_cleaned),
      cmocka_unit_test(quotes_around_a_whole_text_are_no_part_of_it),
      cmocka_unit_test(rows_are_found_in_whatever_order_they_came),
      cmocka_unit_test(rows_are_bounded),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
