/* SPDX-License-Identifier: MIT */
/* IPP messages: what is let through to libcups, and what is made of it. */
#include "plugins/source/ipp_answer.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HEAD  "\x02\x00\x00\x00\x00\x00\x00\x01"
#define GROUP "\x04"
#define END   "\x03"
#define PAGES "\x21\x00\x1dprinter-impressions-completed\x00\x04\x00\x00\x00\x07"
/* A collection's begin and end tags, as a value without a name. */
#define BEGIN "\x34\x00\x00\x00\x00"
#define CLOSE "\x37\x00\x00\x00\x00"

#define BYTES(text) text, sizeof(text) - 1

static void only_sound_messages_are_let_through(void **state)
{
  (void)state;
  static const struct {
    const char *data;
    size_t len;
    bool sound;
  } cases[] = {
      {BYTES(HEAD END), true},
      {BYTES(HEAD GROUP PAGES END), true},
      {BYTES(HEAD GROUP PAGES END "what follows is not looked at"), true},
      {BYTES(""), false},
      {BYTES("\x02\x00\x00\x00"), false},
      {BYTES(HEAD), false},                  /* no end */
      {BYTES(HEAD PAGES END), false},        /* outside of a group */
      {BYTES(HEAD GROUP "\x21\x00"), false}, /* cut in a length */
      {BYTES(HEAD GROUP "\x21\x00\x05"
                        "ab"),
       false}, /* cut in a name */
      {BYTES(HEAD GROUP "\x21\x7f\xff"
                        "ab" END),
       false},
      {BYTES(HEAD GROUP "\x21\xff\xff"
                        "ab" END),
       false}, /* a negative length */
      {BYTES(HEAD GROUP BEGIN CLOSE END), true},
      {BYTES(HEAD GROUP BEGIN END), false},
      {BYTES(HEAD GROUP CLOSE END), false},
      {BYTES(HEAD GROUP BEGIN GROUP CLOSE END), false},
      {BYTES(HEAD GROUP BEGIN BEGIN BEGIN BEGIN BEGIN BEGIN BEGIN BEGIN CLOSE CLOSE CLOSE CLOSE
                 CLOSE CLOSE CLOSE CLOSE END),
       true},
      {BYTES(HEAD GROUP BEGIN BEGIN BEGIN BEGIN BEGIN BEGIN BEGIN BEGIN BEGIN CLOSE CLOSE CLOSE
                 CLOSE CLOSE CLOSE CLOSE CLOSE CLOSE END),
       false},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    if (ipp_message_is_sound(cases[i].data, cases[i].len) != cases[i].sound)
      fail_msg("case %zu: want %d", i, cases[i].sound);
    struct reading r;
    reading_init(&r, READING_PRINTER);
    if (!cases[i].sound)
      assert_int_equal(ipp_read_answer(cases[i].data, cases[i].len, "p", &r, NULL), -EBADMSG);
    reading_release(&r);
  }
}

static void too_many_values_are_refused(void **state)
{
  (void)state;
  static const char value[] = "\x21\x00\x00\x00\x04\x00\x00\x00\x07";
  size_t n = 20001;
  size_t size = n * (sizeof(value) - 1) + 10;
  char *data = malloc(size);
  assert_non_null(data);
  memcpy(data, HEAD GROUP, 9);
  for (size_t i = 0; i < n; i++)
    memcpy(data + 9 + i * (sizeof(value) - 1), value, sizeof(value) - 1);
  data[size - 1] = '\x03';
  assert_false(ipp_message_is_sound(data, size));
  data[9 + (n - 1) * (sizeof(value) - 1)] = '\x03';
  assert_true(ipp_message_is_sound(data, size));
  free(data);
}

static void every_cut_of_a_message_is_survived(void **state)
{
  (void)state;
  static const char whole[] = HEAD GROUP PAGES END;
  for (size_t len = 0; len < sizeof(whole); len++) {
    struct reading r;
    reading_init(&r, READING_PRINTER);
    char *copy = malloc(len > 0 ? len : 1); /* so that one byte too many is seen */
    assert_non_null(copy);
    memcpy(copy, whole, len);
    int rc = ipp_read_answer(copy, len, "p", &r, NULL);
    assert_int_equal(rc, len >= sizeof(whole) - 1 ? 0 : -EBADMSG);
    assert_true(rc < 0 ? isnan(r.pages_total) : r.pages_total == 7);
    assert_int_equal(r.counters_len, rc < 0 ? 0 : 1);
    free(copy);
    reading_release(&r);
  }
}

static void a_status_becomes_an_error(void **state)
{
  (void)state;
  static const struct {
    const char *data;
    int rc;
  } cases[] = {
      {"\x02\x00\x00\x01\x00\x00\x00\x01\x03", 0}, /* attributes ignored */
      {"\x02\x00\x05\x03\x00\x00\x00\x01\x03", -EPROTONOSUPPORT},
      {"\x02\x00\x04\x06\x00\x00\x00\x01\x03", -ENOENT},
      {"\x02\x00\x04\x01\x00\x00\x00\x01\x03", -EACCES},
      {"\x02\x00\x05\x00\x00\x00\x00\x01\x03", -EIO},
      {"\x02\x00\xff\xff\x00\x00\x00\x01\x03", -EIO},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct reading r;
    struct tm_error err = {0};
    reading_init(&r, READING_PRINTER);
    assert_int_equal(ipp_read_answer(cases[i].data, 9, "p", &r, &err), cases[i].rc);
    assert_true((err.text[0] != '\0') == (cases[i].rc < 0));
    reading_release(&r);
  }
}

static void a_request_is_sound_and_asks_by_name(void **state)
{
  (void)state;
  struct tm_buf all = TM_BUF_INIT(65536);
  struct tm_buf few = TM_BUF_INIT(65536);
  assert_int_equal(ipp_make_request(&all, "ipp://p/ipp/print", 20, false), 0);
  assert_int_equal(ipp_make_request(&few, "ipp://p/ipp/print", 11, true), 0);
  assert_true(ipp_message_is_sound(all.ptr, all.len));
  assert_memory_equal(all.ptr, "\x02\x00\x00\x0b", 4);
  assert_memory_equal(few.ptr, "\x01\x01\x00\x0b", 4);
  assert_non_null(memmem(all.ptr, all.len, "marker-levels", 13));
  assert_null(memmem(few.ptr, few.len, "marker-levels", 13));
  assert_non_null(memmem(few.ptr, few.len, "printer-impressions-completed", 29));
  assert_non_null(memmem(all.ptr, all.len, "ipp://p/ipp/print", 17));
  struct tm_buf small = TM_BUF_INIT(20);
  assert_true(ipp_make_request(&small, "ipp://p/ipp/print", 20, false) < 0);
  tm_buf_release(&all);
  tm_buf_release(&few);
  tm_buf_release(&small);
}

int main(void)
{
  cmocka_set_message_output(CM_OUTPUT_TAP);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(only_sound_messages_are_let_through),
      cmocka_unit_test(too_many_values_are_refused),
      cmocka_unit_test(every_cut_of_a_message_is_survived),
      cmocka_unit_test(a_status_becomes_an_error),
      cmocka_unit_test(a_request_is_sound_and_asks_by_name),
  };
  return cmocka_run_group_tests_name("ipp", tests, NULL, NULL);
}
