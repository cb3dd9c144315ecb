/* SPDX-License-Identifier: MIT */
/* All of it goes out, however little the other end takes at a time. */
#include "common/fd.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static char sent[1 << 20], came[1 << 20];

static void *take_slowly(void *arg)
{
  const int *fd = arg;
  size_t len = 0;
  for (ssize_t n; (n = read(*fd, came + len, 7000)) > 0;)
    len += (size_t)n;
  return len == sizeof(came) ? came : NULL;
}

static void pass(int out, int in, int (*put)(int fd, const void *data, size_t len))
{
  pthread_t taker;
  void *all = NULL;
  memset(came, 0, sizeof(came));
  for (size_t i = 0; i < sizeof(sent); i++)
    sent[i] = (char)(i * 31 + i / 257);
  assert_int_equal(pthread_create(&taker, NULL, take_slowly, &in), 0);
  assert_int_equal(put(out, sent, sizeof(sent)), 0);
  close(out);
  assert_int_equal(pthread_join(taker, &all), 0);
  assert_non_null(all);
  assert_memory_equal(sent, came, sizeof(sent));
  close(in);
}

static void more_than_fits_goes_through(void **state)
{
  (void)state;
  int fd[2];
  assert_int_equal(pipe(fd), 0);
  pass(fd[1], fd[0], tm_write_all);
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
  pass(fd[1], fd[0], tm_send_all);
}

static void nobody_at_the_other_end_is_an_error(void **state)
{
  (void)state;
  int fd[2];
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
  close(fd[0]);
  assert_int_equal(tm_send_all(fd[1], "x", 1), -EPIPE); /* and no signal has ended this test */
  close(fd[1]);
  assert_int_equal(tm_send_all(fd[1], "x", 1), -EBADF);
  assert_int_equal(tm_write_all(fd[1], "x", 1), -EBADF);
  assert_int_equal(tm_write_all(fd[1], "", 0), 0);
}

int main(void)
{
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test(more_than_fits_goes_through),
      cmocka_unit_test(nobody_at_the_other_end_is_an_error),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
