/* SPDX-License-Identifier: MIT */
#include "exporters/tell.h"

#include "common/buf.h"
#include "common/json.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MAX_DOCUMENT = 64 << 20 };

static int write_all(const char *data, size_t len, struct tm_error *err)
{
  while (len > 0) {
    ssize_t written = write(STDOUT_FILENO, data, len);
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      return tm_fail(err, -errno, "standard output: cannot write: %s", strerror(errno));
    data += written;
    len -= (size_t)written;
  }
  return 0;
}

int tell_line(struct tm_error *err, const char *fmt, ...)
{
  char line[512];
  va_list ap;
  va_start(ap, fmt);
  int n = vsnprintf(line, sizeof(line) - 1, fmt, ap);
  va_end(ap);
  size_t len = n < 0 ? 0 : (size_t)n < sizeof(line) - 1 ? (size_t)n : sizeof(line) - 2;
  line[len++] = '\n';
  return write_all(line, len, err);
}

int tell_json(const json_t *document, struct tm_error *err)
{
  struct tm_buf b = TM_BUF_INIT(MAX_DOCUMENT);
  int rc = tm_json_append(&b, document);
  if (rc == 0)
    rc = tm_buf_puts(&b, "\n");
  rc = rc == 0 ? write_all(b.ptr, b.len, err) : tm_fail(err, rc, "a document: %s", strerror(-rc));
  tm_buf_release(&b);
  return rc;
}
