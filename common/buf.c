/* SPDX-License-Identifier: MIT */
#include "common/buf.h"

#include "common/json_memory.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int tm_buf_reserve(struct tm_buf *b, size_t n)
{
  if (b->len > b->max || n > b->max - b->len)
    return -EFBIG;
  size_t need = b->len + n + 1;
  if (need <= b->cap)
    return 0;
  size_t cap = b->cap < 256 ? 256 : 2 * b->cap;
  if (cap < need)
    cap = need;
  char *p = realloc(b->ptr, cap);
  if (p == NULL) {
    tm_json_starve(); /* not every text that lacks a piece is looked at */
    return -ENOMEM;
  }
  b->ptr = p;
  b->cap = cap;
  return 0;
}

int tm_buf_add(struct tm_buf *b, const void *data, size_t n)
{
  int rc = tm_buf_reserve(b, n);
  if (rc < 0)
    return rc;
  if (n > 0)
    memcpy(b->ptr + b->len, data, n);
  b->len += n;
  b->ptr[b->len] = '\0';
  return 0;
}

int tm_buf_puts(struct tm_buf *b, const char *text)
{
  return tm_buf_add(b, text, strlen(text));
}

int tm_buf_printf(struct tm_buf *b, const char *fmt, ...)
{
  va_list ap;
  va_start(ap, fmt);
  int n = vsnprintf(NULL, 0, fmt, ap);
  va_end(ap);
  if (n < 0)
    return -EINVAL;
  int rc = tm_buf_reserve(b, (size_t)n);
  if (rc < 0)
    return rc;
  va_start(ap, fmt);
  vsnprintf(b->ptr + b->len, (size_t)n + 1, fmt, ap);
  va_end(ap);
  b->len += (size_t)n;
  return 0;
}

int tm_buf_percent(struct tm_buf *b, const char *text)
{
  static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  int rc = 0;
  while (*text != '\0' && rc == 0) {
    size_t n = strspn(text, plain);
    rc = n > 0 ? tm_buf_add(b, text, n) : tm_buf_printf(b, "%%%02X", (unsigned char)*text);
    text += n > 0 ? n : 1;
  }
  return rc;
}

void tm_buf_reset(struct tm_buf *b)
{
  b->len = 0;
  if (b->ptr != NULL)
    b->ptr[0] = '\0';
}

char *tm_buf_take(struct tm_buf *b)
{
  char *p = b->ptr;
  b->ptr = NULL;
  b->len = b->cap = 0;
  return p;
}

void tm_buf_release(struct tm_buf *b)
{
  free(tm_buf_take(b));
}
