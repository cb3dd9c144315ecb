/* SPDX-License-Identifier: MIT */
#ifndef TM_TESTS_SHELL_H
#define TM_TESTS_SHELL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* A line for the shell, which must succeed: unit tests of what real programs wrote. */
static inline void run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static inline void run(const char *fmt, ...)
{
  char command[8192];
  va_list ap;
  va_start(ap, fmt);
  int n = vsnprintf(command, sizeof(command), fmt, ap);
  va_end(ap);
  assert_true(n > 0 && (size_t)n < sizeof(command));
  int status = system(command);
  if (status != 0)
    fail_msg("%s: status %d", command, status);
}

#endif
