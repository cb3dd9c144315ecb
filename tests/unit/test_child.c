/* SPDX-License-Identifier: MIT */
/* Programs that are run as children: what goes in and comes out, and how they may fail. */
#include "common/child.h"
#include "common/clock.h"
#include "common/file.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* A program beside this one, where children are looked for first. */
static char name[64];
static char path[PATH_MAX];

static void script(const char *text)
{
  struct tm_error err = {0};
  char self[PATH_MAX];
  ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
  assert_true(n > 0);
  self[n] = '\0';
  *strrchr(self, '/') = '\0';
  snprintf(name, sizeof(name), "test-child-%d", (int)getpid());
  assert_true(snprintf(path, sizeof(path), "%s/%s", self, name) < (int)sizeof(path));
  if (tm_file_write(path, text, strlen(text), 0755, &err) < 0)
    fail_msg("%s", err.text);
}

static int remove_script(void **state)
{
  (void)state;
  unlink(path);
  return 0;
}

static void it_is_told_and_heard(void **state)
{
  struct tm_error err = {0};
  struct tm_buf out = TM_BUF_INIT(1 << 20);
  const char *const arguments[] = {"one", "two words", NULL};
  struct tm_child child = {.arguments = arguments, .input = "abc", .input_len = 3, .output = &out};
  int status = -1;
  (void)state;
  script("#!/bin/sh\necho \"$#:$2\"\ncat\nexit 7\n");
  assert_int_equal(tm_child_run(name, &child, &status, &err), 0);
  assert_int_equal(status, 7);
  assert_string_equal(out.ptr, "2:two words\nabc");
  assert_int_equal(tm_child_must(name, &child, &err), -EIO);
  assert_non_null(strstr(err.text, "status 7"));
  tm_buf_release(&out);
}

static void much_goes_both_ways_at_once(void **state)
{
  size_t len = 5 << 20;
  char *input = calloc(1, len);
  struct tm_error err = {0};
  struct tm_buf out = TM_BUF_INIT(8 << 20);
  struct tm_child child = {.input = input, .input_len = len, .output = &out};
  (void)state;
  assert_non_null(input);
  script("#!/bin/sh\ncat\n");
  assert_int_equal(tm_child_must(name, &child, &err), 0);
  assert_true(out.len == len && memcmp(out.ptr, input, len) == 0);
  tm_buf_reset(&out);
  script("#!/bin/sh\necho enough\n"); /* and nothing of the input is read */
  assert_int_equal(tm_child_must(name, &child, &err), -EIO);
  assert_non_null(strstr(err.text, "before it had read everything"));
  tm_buf_release(&out);
  free(input);
}

static void it_is_bounded(void **state)
{
  struct tm_error err = {0};
  struct tm_buf out = TM_BUF_INIT(1000);
  struct tm_child child = {.output = &out, .timeout_s = 0.3};
  int status = 0;
  (void)state;
  script("#!/bin/sh\nexec sleep 60\n");
  double before = tm_monotonic();
  assert_int_equal(tm_child_run(name, &child, &status, &err), -ETIMEDOUT);
  assert_true(tm_monotonic() - before < 30);
  script("#!/bin/sh\nexec cat /dev/zero\n");
  child.timeout_s = 30;
  assert_int_equal(tm_child_run(name, &child, &status, &err), -EFBIG);
  script("#!/bin/sh\nkill -9 $$\n");
  assert_int_equal(tm_child_run(name, &child, &status, &err), 0);
  assert_int_equal(status, 128 + 9);
  assert_int_equal(tm_child_run("no-such-program", &child, &status, &err), -ENOENT);
  assert_non_null(strstr(err.text, "no-such-program"));
  tm_buf_release(&out);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(it_is_told_and_heard, remove_script),
      cmocka_unit_test_teardown(much_goes_both_ways_at_once, remove_script),
      cmocka_unit_test_teardown(it_is_bounded, remove_script),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests_name("child", tests, NULL, NULL);
}
