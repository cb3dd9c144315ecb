/* SPDX-License-Identifier: MIT */
/* The small parts that every program stands on: numbers, time, text, JSON, files. */
#include "common/buf.h"
#include "common/clock.h"
#include "common/error.h"
#include "common/file.h"
#include "common/json.h"
#include "common/mail.h"
#include "common/number.h"
#include "common/text.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/tidemark-test-XXXXXX";

static void numbers_are_read_strictly(void **state)
{
  (void)state;
  uint64_t u = 7;
  assert_int_equal(tm_parse_u64("18446744073709551615", 0, UINT64_MAX, &u), 0);
  assert_true(u == UINT64_MAX);
  static const char *const bad[] = {"", "-1", "+1", " 1", "1 ", "0x10", "1.5", "a"};
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
    assert_int_equal(tm_parse_u64(bad[i], 0, UINT64_MAX, &u), -EINVAL);
  assert_int_equal(tm_parse_u64("18446744073709551616", 0, UINT64_MAX, &u), -ERANGE);
  assert_int_equal(tm_parse_u64("11", 0, 10, &u), -ERANGE);
  assert_true(u == UINT64_MAX);
  int64_t i64 = 0;
  assert_int_equal(tm_parse_i64("-5", -10, 10, &i64), 0);
  assert_int_equal(i64, -5);
  assert_int_equal(tm_parse_i64("--5", -10, 10, &i64), -EINVAL);
  double d = 0;
  assert_int_equal(tm_parse_double("-1.5e3", &d), 0);
  assert_true(d == -1500);
  static const char *const not_decimal[] = {"nan", "inf", "0x1p3", " 1", "", "1,5", "."};
  for (size_t i = 0; i < sizeof(not_decimal) / sizeof(not_decimal[0]); i++)
    assert_int_equal(tm_parse_double(not_decimal[i], &d), -EINVAL);
  assert_int_equal(tm_parse_double("1e999", &d), -ERANGE);
}

static void units_are_read_and_written(void **state)
{
  (void)state;
  int64_t s = 0;
  assert_int_equal(tm_parse_duration("7d", &s), 0);
  assert_int_equal(s, 604800);
  assert_int_equal(tm_parse_duration("90", &s), 0);
  assert_int_equal(s, 90);
  assert_int_equal(tm_parse_duration("7x", &s), -EINVAL);
  assert_int_equal(tm_parse_duration("99999d", &s), -ERANGE);
  uint64_t b = 0;
  assert_int_equal(tm_parse_bytes("10MiB", &b), 0);
  assert_true(b == 10485760);
  assert_int_equal(tm_parse_bytes("99999999P", &b), -ERANGE);
  char out[32];
  assert_true(tm_percent(119.99, 120) == 99 && tm_percent(120, 120) == 100);
  assert_true(tm_percent(0.29, 1) == 29 && tm_percent(0.009, 1) == 0);
  assert_true(tm_percent(5, 4) == 125 && isnan(tm_percent(1, 0)) && isnan(tm_percent(NAN, 1)));
  assert_string_equal(tm_format_bytes(out, sizeof(out), 0), "0 B");
  assert_string_equal(tm_format_bytes(out, sizeof(out), 812), "812 B");
  assert_string_equal(tm_format_bytes(out, sizeof(out), 97.6 * 1099511627776.0), "97.6 TiB");
  assert_string_equal(tm_format_bytes(out, sizeof(out), 1023.0 * 1024), "1.00 MiB");
  assert_string_equal(tm_format_bytes(out, sizeof(out), NAN), "unknown");
  assert_string_equal(tm_format_bytes(out, sizeof(out), -2048), "-2.00 KiB");
  assert_string_equal(tm_format_count(out, sizeof(out), 843), "843");
  assert_string_equal(tm_format_count(out, sizeof(out), 12400), "12.4 k");
  assert_string_equal(tm_format_grouped(out, sizeof(out), "1234567.50"), "1,234,567.50");
  assert_string_equal(tm_format_grouped(out, sizeof(out), "-123456"), "-123,456");
  assert_string_equal(tm_format_grouped(out, sizeof(out), "999"), "999");
  assert_string_equal(tm_format_grouped(out, sizeof(out), "1.23e+15"), "1.23e+15");
  assert_string_equal(tm_format_grouped(out, 6, "1234567"), "1,234");
}

static void times_are_read_and_written(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    int rc;
    int64_t t;
  } rows[] = {
      {"1970-01-01T00:00:00Z", 0, 0},
      {"2026-11-20T00:05:00Z", 0, 1795133100},
      {"2026-11-20T09:05:00+09:00", 0, 1795133100},
      {"2026-11-20T00:05:00.250Z", 0, 1795133100},
      {"2026-11-20", 0, 1795132800},
      {"@1795133100", 0, 1795133100},
      {"2024-02-29", 0, 1709164800},
      {"2026-02-29", -EINVAL, 0},
      {"2026-13-01", -EINVAL, 0},
      {"2026-11-20T24:05:00Z", -EINVAL, 0},
      {"2026-11-20T00:05:00", -EINVAL, 0},
      {"2026-11-20x", -EINVAL, 0},
      {"", -EINVAL, 0},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    int64_t t = -1;
    assert_int_equal(tm_time_parse(rows[i].text, &t), rows[i].rc);
    assert_int_equal(t, rows[i].rc == 0 ? rows[i].t : -1);
  }
  char out[TM_TIME_SIZE];
  assert_string_equal(tm_time_format(out, 1795133100), "2026-11-20T00:05:00Z");
  assert_string_equal(tm_time_format(out, INT64_MAX), "9999-12-31T23:59:59Z");
}

/* Facts of the zone database: `zdump -v ZONE`. */
static void local_days_have_their_own_lengths(void **state)
{
  (void)state;
  struct tm_error err = {0};
  static const struct {
    const char *zone;
    const char *inside; /* a time within the day */
    const char *start;
    int hours;
  } rows[] = {
      {"UTC", "2026-03-29T12:00:00Z", "2026-03-29T00:00:00Z", 24},
      {"Europe/Berlin", "2026-03-29T12:00:00Z", "2026-03-28T23:00:00Z", 23},
      {"Europe/Berlin", "2026-10-25T12:00:00Z", "2026-10-24T22:00:00Z", 25},
      {"America/New_York", "2026-03-08T20:00:00Z", "2026-03-08T05:00:00Z", 23},
      {"Asia/Tokyo", "2026-03-29T12:00:00Z", "2026-03-28T15:00:00Z", 24},
      {"Asia/Kathmandu", "2026-03-29T12:00:00Z", "2026-03-28T18:15:00Z", 24},
      /* midnight does not exist: the day begins at 01:00 local */
      {"America/Asuncion", "2022-10-02T12:00:00Z", "2022-10-02T04:00:00Z", 23},
      {"Africa/Cairo", "2026-04-24T12:00:00Z", "2026-04-23T22:00:00Z", 23},
      /* midnight comes twice: the day begins with the first */
      {"America/Havana", "2026-11-01T12:00:00Z", "2026-11-01T04:00:00Z", 25},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    int64_t t = 0;
    char out[TM_TIME_SIZE];
    assert_int_equal(tm_zone_use(rows[i].zone, &err), 0);
    assert_int_equal(tm_time_parse(rows[i].inside, &t), 0);
    int64_t start = tm_day_start(t);
    assert_string_equal(tm_time_format(out, start), rows[i].start);
    assert_int_equal(tm_day_next(t) - start, rows[i].hours * 3600);
    assert_int_equal(tm_day_start(start), start);
    assert_int_equal(tm_day_start(tm_day_next(t) - 1), start);
  }
  assert_int_equal(tm_zone_use("Asia/Tokio", &err), -EINVAL);
  assert_non_null(strstr(err.text, "Asia/Tokio"));
  assert_int_equal(tm_zone_use("../../etc/passwd", &err), -EINVAL);
  assert_int_equal(tm_zone_use("UTC", &err), 0);
}

/* libc takes UTC without a word when it cannot read the file. In a child, which has no descriptor
 * left. */
static void a_zone_that_cannot_be_loaded_is_told(void **state)
{
  (void)state;
  static const char *const zones[] = {"Asia/Tokyo", "Europe/Lisbon", "EST", "WET", "Etc/GMT+3"};
  static const char *const none[] = {"UTC", "Etc/UTC"}; /* there is nothing to be wrong */
  for (size_t i = 0; i < 5; i++) {
    pid_t child = fork();
    assert_int_not_equal(child, -1);
    if (child == 0) {
      struct tm_error err = {0};
      struct rlimit limit = {0, 0};
      int before = tm_zone_use(zones[i], &err) == 0 && tm_zone_use("UTC", &err) == 0 ? 0 : 1;
      setrlimit(RLIMIT_NOFILE, &limit);
      bool told = tm_zone_use(zones[i], &err) == -EIO && strstr(err.text, zones[i]) != NULL;
      _exit(before + !told);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
  }
  for (size_t i = 0; i < 2; i++)
    assert_int_equal(tm_zone_use(none[i], NULL), 0);
  assert_int_equal(tm_zone_use("UTC", NULL), 0);
}

static void text_from_outside_is_cleaned(void **state)
{
  (void)state;
  static const struct {
    const char *in;
    size_t len;
    const char *out;
  } rows[] = {
      {"  HP  LaserJet\r\n", 16, "HP LaserJet"},
      {"ab\0cd", 5, "ab"},
      {"a\x1b[31mb", 7, "a [31mb"},
      {"\xff\xfe", 2, "\xef\xbf\xbd\xef\xbf\xbd"},
      {"caf\xc3\xa9", 5, "caf\xc3\xa9"},
      {"caf\xc3", 4, "caf\xef\xbf\xbd"},
      {"\xc0\x80", 2, "\xef\xbf\xbd\xef\xbf\xbd"},
      {"\xed\xa0\x80", 3, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
      {"a\xe2\x80\xae"
       "b",
       5, "a b"},
      {"\t\n ", 3, ""},
  };
  char out[64];
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    assert_int_equal(tm_text_clean(out, sizeof(out), rows[i].in, rows[i].len), strlen(rows[i].out));
    assert_string_equal(out, rows[i].out);
    assert_true(tm_text_is_utf8(out));
  }
  assert_int_equal(tm_text_clean(out, 4, "ab\xc3\xa9", 4), 2); /* not cut in two */
  assert_string_equal(out, "ab");
  tm_text_copy(out, 4, "abcd");
  assert_string_equal(out, "abc");
  /* Of a character that does not fit nothing stays; a last one that fits does. */
  static const char *const cut[][2] = {
      {"ab\xc3\xa9", "ab"},     {"a\xc3\xa9z", "a\xc3\xa9"},
      {"a\xe2\x82\xac", "a"},   {"\xe2\x82\xacz", "\xe2\x82\xac"},
      {"\xf0\x9f\x98\x80", ""}, {"\x80\x80\x80\x80", "\x80\x80\x80"}};
  for (size_t i = 0; i < sizeof(cut) / sizeof(cut[0]); i++) {
    tm_text_copy(out, 4, cut[i][0]);
    assert_string_equal(out, cut[i][1]);
  }
  tm_text_copy(out, 4, NULL);
  assert_string_equal(out, "");
  static const char *const names[] = {"timezone", "name", "url", NULL};
  assert_string_equal(tm_text_nearest("timezoen", names), "timezone");
  assert_string_equal(tm_text_nearest("nmae", names) ? "found" : "none", "none");
  assert_string_equal(tm_text_nearest("nam", names), "name");
  assert_null(tm_text_nearest("directory", names));
}

static void json_from_outside_is_bounded(void **state)
{
  (void)state;
  struct tm_error err = {0};
  char deep[80];
  memset(deep, '[', 40);
  memset(deep + 40, ']', 40);
  assert_null(tm_json_parse(deep, sizeof(deep), "x.json", &err));
  assert_non_null(strstr(err.text, "x.json:1: nested deeper"));
  assert_null(tm_json_parse("{\"a\":1,\n\"a\":2}", 14, "x.json", &err));
  assert_non_null(strstr(err.text, "x.json:2:"));
  json_t *v = tm_json_parse("{\"a\":\"[[[\\\"\"}", 13, "x.json", &err);
  assert_string_equal(tm_json_get_string(v, "a"), "[[[\"");
  assert_null(tm_json_get_string(v, "b"));
  json_decref(v);
  assert_null(tm_json_parse("{\"a\": [{\"b\": -1.7976931348623157e308}]}", 39, "x.json", &err));
  assert_string_equal(err.text, "x.json: a number is larger than 1e308");
  json_decref(v = tm_json_parse("[1e308, -1e308]", 15, "x.json", &err));
  assert_non_null(v);

  json_t *dates = json_pack("{s:s, s:s}", "on", "1970-01-03", "at", "1970-01-03T23:00:00Z");
  assert_true(tm_json_day(dates, "on") == 2 && tm_json_day(dates, "at") == 2);
  assert_true(tm_json_day(dates, "none") == INT64_MIN);
  json_decref(dates);
  json_t *o = json_object();
  json_object_set_new(o, "nan", tm_json_number(NAN));
  json_object_set_new(o, "whole", tm_json_number(3.0));
  json_object_set_new(o, "part", tm_json_number(0.1));
  json_object_set_new(o, "bad", tm_json_text("x\xff"));
  struct tm_buf b = TM_BUF_INIT(1000);
  assert_int_equal(tm_json_append(&b, o), 0);
  assert_string_equal(b.ptr, "{\"nan\":null,\"whole\":3,\"part\":0.1,\"bad\":\"x\xef\xbf\xbd\"}");
  tm_buf_reset(&b);
  assert_int_equal(tm_buf_percent(&b, "a{b=\"c\"}&+ ~\xc3\xa9/-._9"), 0);
  assert_string_equal(b.ptr, "a%7Bb%3D%22c%22%7D%26%2B%20~%C3%A9%2F-._9");
  tm_buf_release(&b);
  struct tm_buf small = TM_BUF_INIT(5);
  assert_int_equal(tm_json_append(&small, o), -EFBIG);
  tm_buf_release(&small);
  json_decref(o);
}

static void files_are_written_whole_or_not_at_all(void **state)
{
  (void)state;
  struct tm_error err = {0};
  char path[64];
  char link[64];
  snprintf(path, sizeof(path), "%s/a", folder);
  snprintf(link, sizeof(link), "%s/b", folder);
  assert_int_equal(tm_file_write(path, "one", 3, 0640, &err), 0);
  struct tm_output out;
  assert_int_equal(tm_output_open(&out, path, 0600, &err), 0);
  fputs("two", out.stream);
  tm_output_release(&out); /* given up: the old content stands */
  struct tm_buf b = TM_BUF_INIT(100);
  assert_int_equal(tm_file_read(path, &b, &err), 0);
  assert_string_equal(b.ptr, "one");
  tm_buf_release(&b);
  struct stat st;
  assert_int_equal(stat(path, &st), 0);
  assert_int_equal(st.st_mode & 0777, 0640);
  struct tm_buf tiny = TM_BUF_INIT(2);
  assert_int_equal(tm_file_read(path, &tiny, &err), -EFBIG);
  tm_buf_release(&tiny);
  assert_int_equal(symlink(path, link), 0);
  assert_true(tm_file_open(link, NULL, &err) < 0);
  assert_non_null(strstr(err.text, "symbolic link"));
  assert_true(tm_file_open(folder, NULL, &err) < 0);
  assert_non_null(strstr(err.text, "is a directory"));
  unlink(link);
  assert_int_equal(mkfifo(link, 0600), 0);
  assert_true(tm_file_open(link, NULL, &err) < 0);
  assert_non_null(strstr(err.text, "FIFO"));
  unlink(link);
  unlink(path);
  snprintf(path, sizeof(path), "%s/no/such", folder);
  assert_true(tm_file_write(path, "x", 1, 0600, &err) < 0);
  assert_non_null(strstr(err.text, path));
}

/* An output named /dev/null must not become a regular file of that name. */
static void devices_and_fifos_are_not_replaced(void **state)
{
  (void)state;
  struct tm_error err = {0};
  struct tm_output out;
  struct stat st;
  char path[64];
  snprintf(path, sizeof(path), "%s/fifo", folder);
  assert_int_equal(mkfifo(path, 0600), 0);
  int fd = open(path, O_RDWR);
  assert_int_equal(tm_output_open(&out, path, 0600, &err), 0);
  fputs("through", out.stream);
  assert_int_equal(tm_output_commit(&out, &err), 0);
  char got[8] = "";
  assert_int_equal(read(fd, got, 7), 7);
  assert_string_equal(got, "through");
  assert_int_equal(lstat(path, &st), 0);
  assert_true(S_ISFIFO(st.st_mode));
  close(fd);
  unlink(path);
  assert_int_equal(tm_output_open(&out, "/dev/full", 0600, &err), 0);
  fputs("no room", out.stream);
  assert_int_equal(tm_output_commit(&out, &err), -ENOSPC);
  assert_int_equal(tm_output_open(&out, folder, 0600, &err), -EISDIR);
  /* The shell's "$OUT" that is not set: nothing is made, and it is no "no input". */
  assert_int_equal(tm_output_open(&out, "", 0600, &err), -ENOTDIR);
}

static void addresses_of_mail_are_no_headers(void **state)
{
  (void)state;
  static const char *const good[] = {"a@b", "k.mori+x@desk.example.com", "o'neil@example.com"};
  static const char *const bad[] = {"",      "@",     "a@",      "@b",    "a",
                                    "a@b@c", "a b@c", "a@b>",    "<a@b",  "a@b\r\nBcc: x@y",
                                    "a@b\n", "a,b@c", "\"a\"@b", "a@b\t", "\xc3\xa9@b"};
  for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
    assert_true(tm_mail_is_address(good[i]));
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
    if (tm_mail_is_address(bad[i]))
      fail_msg("\"%s\" was taken", bad[i]);
  assert_false(tm_mail_is_address(NULL));
  char text[300];
  memset(text, 'a', sizeof(text) - 1);
  text[sizeof(text) - 1] = '\0';
  text[100] = '@';
  assert_false(tm_mail_is_address(text));
}

static void errors_are_one_clean_line(void **state)
{
  (void)state;
  struct tm_error err = {0};
  assert_int_equal(tm_fail(&err, -EINVAL, "%s: bad", "a\nb"), -EINVAL);
  assert_string_equal(err.text, "a?b: bad");
  assert_int_equal(tm_fail_prefix(&err, "x"), -EINVAL);
  assert_string_equal(err.text, "x: a?b: bad");
  char letters[900];
  memset(letters, 'x', sizeof(letters));
  for (size_t i = 0; i + 3 <= sizeof(letters); i += 3)
    memcpy(letters + i, "\xe5\x83\x8f", 3);
  for (int lead = 0; lead < 3; lead++) {
    tm_fail(&err, -EINVAL, "%.*s%.*s", lead, "abc", (int)sizeof(letters), letters);
    assert_true(tm_text_is_utf8(err.text));
    assert_true(strlen(err.text) > sizeof(err.text) - 4);
  }
  assert_int_equal(tm_fail(&err, 0, "never success"), -EIO);
  assert_int_equal(tm_fail(NULL, -ENOENT, "no place"), -ENOENT);
  assert_int_equal(tm_exit_status(-ENOENT), 66);
  assert_int_equal(tm_exit_status(0), 0);
}

static int remove_folder(void **state)
{
  (void)state;
  return rmdir(folder);
}

int main(void)
{
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test(numbers_are_read_strictly),
      cmocka_unit_test(units_are_read_and_written),
      cmocka_unit_test(times_are_read_and_written),
      cmocka_unit_test(local_days_have_their_own_lengths),
      cmocka_unit_test(a_zone_that_cannot_be_loaded_is_told),
      cmocka_unit_test(text_from_outside_is_cleaned),
      cmocka_unit_test(json_from_outside_is_bounded),
      cmocka_unit_test(files_are_written_whole_or_not_at_all),
      cmocka_unit_test(devices_and_fifos_are_not_replaced),
      cmocka_unit_test(addresses_of_mail_are_no_headers),
      cmocka_unit_test(errors_are_one_clean_line),
  };
  if (mkdtemp(folder) == NULL)
    return 1;
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, NULL, remove_folder);
}
