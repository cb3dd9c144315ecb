/* SPDX-License-Identifier: MIT */
#ifndef TM_BUF_H
#define TM_BUF_H

#include <stddef.h>

/* Growable byte buffer, always NUL-terminated; refuses to grow past max bytes. */
struct tm_buf {
  char *ptr; /* NULL while empty */
  size_t len;
  size_t cap;
  size_t max;
};

#define TM_BUF_INIT(limit)                                                                         \
  {                                                                                                \
    .max = (limit)                                                                                 \
  }

/* Room for n more bytes and a NUL behind them. 0, or -ENOMEM / -EFBIG with the buffer unchanged. */
int tm_buf_reserve(struct tm_buf *b, size_t n);
/* Appends n bytes. 0, or -ENOMEM / -EFBIG with the buffer unchanged. */
int tm_buf_add(struct tm_buf *b, const void *data, size_t n);
/* Appends a string, or formatted text. The same results. */
int tm_buf_puts(struct tm_buf *b, const char *text);
int tm_buf_printf(struct tm_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Appends a string as it stands in a URL or form: one segment of a path, or a value. The same
 * results; where memory is short a part of it may be there. */
int tm_buf_percent(struct tm_buf *b, const char *text);
/* Forgets the content and keeps the memory. */
void tm_buf_reset(struct tm_buf *b);
/* The caller frees; b is empty after. NULL when it was empty. */
char *tm_buf_take(struct tm_buf *b);
/* Back to the INIT state; harmless twice. */
void tm_buf_release(struct tm_buf *b);

#endif
