/* SPDX-License-Identifier: MIT */
#include "exporters/tell.h"

#include "common/buf.h"
#include "common/fd.h"
#include "common/json.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MAX_DOCUMENT = 64 << 20 };

static int print(const char *data, size_t len, struct tm_error *err)
{
  int rc = tm_write_all(STDOUT_FILENO, data, len);
  return rc < 0 ? tm_fail(err, rc, "standard output: cannot write: %s", strerror(-rc)) : 0;
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
  return print(line, len, err);
}

int tell_json(const json_t *document, struct tm_error *err)
{
  struct tm_buf b = TM_BUF_INIT(MAX_DOCUMENT);
  int rc = tm_json_append(&b, document);
  if (rc == 0)
    rc = tm_buf_puts(&b, "\n");
  rc = rc == 0 ? print(b.ptr, b.len, err) : tm_fail(err, rc, "a document: %s", strerror(-rc));
  tm_buf_release(&b);
  return rc;
}
