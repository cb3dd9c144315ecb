/* SPDX-License-Identifier: MIT */
/* Series read from CSV: what is taken, what is refused, and where it says the fault lies. */
#include "analyzer/forecast_csv.h"
#include "common/error.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char told[4096]; /* what the takers were given, as text */

static void tell(const char *text)
{
  size_t n = strlen(told);
  snprintf(told + n, sizeof(told) - n, "%s", text);
}

static int take(void *context, struct forecast_csv_series *s, struct tm_error *err)
{
  char text[300];
  (void)context;
  (void)err;
  snprintf(text, sizeof(text), "[%.100s", s->name);
  tell(text);
  for (size_t i = 0; i < s->n; i++) {
    snprintf(text, sizeof(text), " %lld,%g,%g", (long long)s->time[i], s->used[i], s->capacity[i]);
    tell(text);
  }
  tell("]");
  return 0;
}

static int refuse(void *context, const char *what, struct tm_error *err)
{
  (void)context;
  (void)err;
  tell("{");
  tell(what);
  tell("}");
  return 0;
}

static int read_bytes(const char *csv, size_t n, struct tm_error *err)
{
  struct forecast_csv_taker taker = {take, refuse, NULL};
  FILE *in = fmemopen((void *)(uintptr_t)csv, n, "r");
  assert_non_null(in);
  told[0] = '\0';
  int rc = forecast_csv_read(in, "F", &taker, err);
  fclose(in);
  return rc;
}

static void assert_reads(const char *csv, const char *want)
{
  struct tm_error err = {0};
  if (read_bytes(csv, strlen(csv), &err) < 0)
    fail_msg("refused: %s", err.text);
  assert_string_equal(told, want);
}

static void assert_fails(const char *csv, const char *want)
{
  struct tm_error err = {0};
  assert_int_equal(read_bytes(csv, strlen(csv), &err), -EBADMSG);
  assert_string_equal(err.text, want);
}

#define HEAD "series,time,used,capacity\n"

static void rows_become_series(void **state)
{
  (void)state;
  assert_reads(HEAD "a,1,5,10\na,2,6,10\nb,1,,\n", "[a 1,5,10 2,6,10][b 1,nan,nan]");
  assert_reads(HEAD, "");
  assert_reads("used,extra,series,time\r\n5,x,\"a \"\"b\"\";\",1\r\n", "[a \"b\"; 1,5,nan]");
  assert_reads("\xef\xbb\xbf" HEAD "\n\na,-5,1e-3,2\n", "[a -5,0.001,2]");
  assert_reads(HEAD "a,1,5,10", "[a 1,5,10]");
  assert_reads(HEAD "a,1,5\n", "[a 1,5,nan]");
}

static void a_bad_row_refuses_its_series_alone(void **state)
{
  (void)state;
  assert_reads(HEAD "a,1,5,10\na,x,6,10\na,y,7,10\nb,1,2,3\n",
               "{F:3: series 'a': the time is not in epoch seconds}[b 1,2,3]");
  assert_reads(HEAD "a,1,nan,10\n", "{F:2: series 'a': 'used' is not a number}");
  assert_reads(HEAD "a,1,5,inf\n", "{F:2: series 'a': 'capacity' is not a number}");
  assert_reads(HEAD "a,5,1,\na,4,1,\n",
               "{F:3: series 'a': the time lies before that of the row above}");
  assert_reads(HEAD "a,5\n", "{F:2: series 'a': the row has too few fields}");
  assert_reads(HEAD "a,1,0x10,\n", "{F:2: series 'a': 'used' is not a number}");
}

static void a_history_may_begin_again(void **state)
{
  (void)state;
  static char csv[4000] = HEAD;
  size_t n = strlen(csv);
  for (int round = 0; round < 2; round++)
    for (int i = 20 * round; i < 60; i++)
      n += (size_t)snprintf(csv + n, sizeof(csv) - n, "a,%d,5,\n", 1000 + 10 * i);
  struct tm_error err = {0};
  assert_int_equal(read_bytes(csv, n, &err), 0);
  assert_non_null(strstr(told, "1590,5,nan][a 1200,5,nan"));
  assert_null(strchr(told, '{'));
  /* but not from long ago, and not by a few rows */
  n = strlen(HEAD) + 60 * strlen("a,1000,5,\n");
  strcpy(csv + n, "a,1500,5,\n");
  assert_int_equal(read_bytes(csv, strlen(csv), &err), 0);
  assert_string_equal(told, "{F:62: series 'a': the time lies before that of the row above}");
  strcpy(csv + n, "a,-5000,5,\n");
  assert_int_equal(read_bytes(csv, strlen(csv), &err), 0);
  assert_string_equal(told, "{F:62: series 'a': the time lies before that of the row above}");
}

static void lines_are_counted_through_quotes_and_empty_lines(void **state)
{
  (void)state;
  assert_reads(HEAD "\n\"a\nb\",1,2,3\nc,z,1,1\n",
               "[a\nb 1,2,3]{F:5: series 'c': the time is not in epoch seconds}");
}

static void a_file_that_is_no_csv_fails(void **state)
{
  (void)state;
  assert_fails("a,b,c\n1,2,3\n", "F:1: the header has no column 'series'");
  assert_fails("series,time\n", "F:1: the header has no column 'used'");
  assert_fails("\n", "F: no header: series,time,used,capacity is expected");
  struct tm_error err = {0};
  const char *open = HEAD "a,1,2,3\n\"b,1,2,3\n";
  assert_int_equal(read_bytes(open, strlen(open), &err), -EBADMSG);
  assert_true(strncmp(err.text, "F:3: ", 5) == 0);
}

static void fields_have_a_limit(void **state)
{
  (void)state;
  static char csv[300000];
  struct tm_error err = {0};
  memset(csv, 'x', sizeof(csv));
  memcpy(csv, HEAD, sizeof(HEAD) - 1);
  memcpy(csv + 5000, ",1,2,3\n", 8);
  assert_int_equal(read_bytes(csv, strlen(csv), &err), -EBADMSG);
  assert_string_equal(err.text, "F:2: a field is longer than 4096 bytes");
  memset(csv + 5000, 'x', 8); /* and one that never ends */
  assert_int_equal(read_bytes(csv, sizeof(csv), &err), -EBADMSG);
  assert_string_equal(err.text, "F:2: a field is longer than 4096 bytes");
}

static void bytes_of_zero_are_refused(void **state)
{
  (void)state;
  struct tm_error err = {0};
  static const char csv[] = HEAD "a\0b,1,2,3\n";
  assert_int_equal(read_bytes(csv, sizeof(csv) - 1, &err), 0);
  assert_string_equal(told, "{F:2: series 'a': a NUL byte in a field}");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rows_become_series),
      cmocka_unit_test(a_bad_row_refuses_its_series_alone),
      cmocka_unit_test(a_history_may_begin_again),
      cmocka_unit_test(lines_are_counted_through_quotes_and_empty_lines),
      cmocka_unit_test(a_file_that_is_no_csv_fails),
      cmocka_unit_test(fields_have_a_limit),
      cmocka_unit_test(bytes_of_zero_are_refused),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
