/* SPDX-License-Identifier: MIT */
#ifndef TM_TESTS_FUZZ_SERVER_H
#define TM_TESTS_FUZZ_SERVER_H

#include "common/http.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/*
 * A server whose answers are the input of a fuzz target. They stand one behind the other, with a
 * line "--" between:
 *
 *     200 /redfish/v1/Systems       the status, and what the question must hold: its address or
 * body > Location: /somewhere        headers
 *     {"Members":[...]}             the body
 *
 * A question gets the first answer that fits and was not given yet, else the last that fits; where
 * none does, nobody answers. A target that uses it says "wraps: tm_http_do" at its head.
 */
enum { FUZZ_ANSWERS = 256, FUZZ_QUESTIONS = 20000 };

struct fuzz_answer {
  const char *key, *headers, *body;
  size_t key_len, headers_len, body_len;
  long status;
  bool given;
};

static struct {
  struct fuzz_answer list[FUZZ_ANSWERS];
  size_t len, questions;
} fuzz_server;

static inline const char *fuzz_line_end(const char *p, const char *end)
{
  const char *stop = memchr(p, '\n', (size_t)(end - p));
  return stop != NULL ? stop : end;
}

static inline void fuzz_server_add(const char *p, const char *end)
{
  struct fuzz_answer *a = &fuzz_server.list[fuzz_server.len];
  const char *stop = fuzz_line_end(p, end);
  *a = (struct fuzz_answer){0};
  for (; p < stop && *p >= '0' && *p <= '9' && a->status < 1000; p++)
    a->status = a->status * 10 + (*p - '0');
  if (a->status < 100)
    return;
  a->key = p + (p < stop);
  a->key_len = (size_t)(stop - a->key);
  p = stop + (stop < end);
  a->headers = p;
  while (end - p > 2 && p[0] == '>' && p[1] == ' ')
    p = fuzz_line_end(p, end) + (fuzz_line_end(p, end) < end);
  a->headers_len = (size_t)(p - a->headers);
  a->body = p;
  a->body_len = (size_t)(end - p);
  fuzz_server.len++;
}

static inline void fuzz_server_start(const uint8_t *data, size_t size)
{
  const char *p = (const char *)data, *end = p + size;
  fuzz_server.len = fuzz_server.questions = 0;
  while (p < end && fuzz_server.len < FUZZ_ANSWERS) {
    const char *stop = memmem(p, (size_t)(end - p), "\n--\n", 4);
    fuzz_server_add(p, stop != NULL ? stop : end);
    p = stop != NULL ? stop + 4 : end;
  }
}

/* The answer to a question of two parts; NULL for none. */
static inline struct fuzz_answer *fuzz_server_ask(const char *where, const char *what, size_t len)
{
  struct fuzz_answer *fits = NULL;
  if (++fuzz_server.questions > FUZZ_QUESTIONS)
    abort(); /* who goes on asking so long never ends */
  for (size_t i = 0; i < fuzz_server.len; i++) {
    struct fuzz_answer *a = &fuzz_server.list[i];
    if ((where == NULL || memmem(where, strlen(where), a->key, a->key_len) == NULL) &&
        (what == NULL || memmem(what, len, a->key, a->key_len) == NULL))
      continue;
    fits = a;
    if (!a->given)
      break;
  }
  if (fits != NULL)
    fits->given = true;
  return fits;
}

int __wrap_tm_http_do(struct tm_http *http, const struct tm_http_request *request,
                      struct tm_http_reply *reply, struct tm_error *err);

/* "> Name: value" a line, as libcurl hands them over. */
static inline int fuzz_server_headers(struct tm_buf *out, const struct fuzz_answer *a)
{
  const char *p = a->headers, *end = p + a->headers_len;
  int rc = tm_buf_printf(out, "HTTP/1.1 %ld Said\r\n", a->status);
  while (rc == 0 && p < end) {
    const char *stop = fuzz_line_end(p, end);
    rc = tm_buf_add(out, p + 2, (size_t)(stop - p - 2));
    if (rc == 0)
      rc = tm_buf_puts(out, "\r\n");
    p = stop + (stop < end);
  }
  return rc;
}

int __wrap_tm_http_do(struct tm_http *http, const struct tm_http_request *request,
                      struct tm_http_reply *reply, struct tm_error *err)
{
  struct fuzz_answer *a = fuzz_server_ask(request->url, request->body, request->body_len);
  (void)http;
  tm_http_reply_release(reply);
  *reply = (struct tm_http_reply){.body = TM_BUF_INIT(1 << 20),
                                  .headers = TM_BUF_INIT(TM_HTTP_HEADERS_MAX)};
  if (a == NULL)
    return tm_fail(err, -ECONNREFUSED, "nobody answers");
  reply->status = a->status;
  reply->headers_end = true;
  int rc = fuzz_server_headers(&reply->headers, a);
  if (rc == 0 && a->body_len > 0)
    rc = tm_buf_add(&reply->body, a->body, a->body_len);
  return rc < 0 ? tm_fail(err, rc, "the answer is too large") : 0;
}

#endif
