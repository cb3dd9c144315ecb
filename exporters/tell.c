/* SPDX-License-Identifier: MIT */
#include "exporters/tell.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int tell_line(struct tm_error *err, const char *fmt, ...)
{
  char line[512];
  va_list ap;
  va_start(ap, fmt);
  int n = vsnprintf(line, sizeof(line) - 1, fmt, ap);
  va_end(ap);
  size_t len = n < 0 ? 0 : (size_t)n < sizeof(line) - 1 ? (size_t)n : sizeof(line) - 2;
  line[len++] = '\n';
  for (const char *p = line; len > 0;) {
    ssize_t written = write(STDOUT_FILENO, p, len);
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      return tm_fail(err, -errno, "standard output: cannot write: %s", strerror(errno));
    p += written;
    len -= (size_t)written;
  }
  return 0;
}
