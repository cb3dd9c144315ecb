/* SPDX-License-Identifier: MIT */
#ifndef TM_HTTP_H
#define TM_HTTP_H

#include "common/buf.h"
#include "common/error.h"
#include "common/tls.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * HTTP requests by libcurl with every limit set: https only (plain http for loopback addresses, or
 * where the caller allows it), certificates verified, TLS 1.2 at least, no redirects, no cookies,
 * no netrc, no proxy from the environment, no compression, bounded time, body and headers.
 *
 * One struct tm_http is one destination (scheme, host and port) and keeps its connection open from
 * request to request. A request whose URL leads elsewhere is refused before anything is sent, so
 * that credentials stay with the host that they were meant for. One thread at a time.
 */
struct tm_http_options {
  long connect_timeout_ms; /* 0: 5000 */
  long timeout_ms;         /* for the whole of one request; 0: 30000 */
  size_t max_body_bytes;   /* of the answer; 0: 1 MiB */
  bool allow_plain;        /* http:// to any address */
  struct tm_tls tls;
  const char *proxy; /* URL; NULL: none */
  const char *user;  /* Basic; NULL: none */
  const char *password;
};

struct tm_http_request {
  const char *method;         /* NULL: GET */
  const char *url;            /* absolute, or relative to the base URL; NULL: the base URL */
  const char *const *headers; /* "Name: value", ends with NULL; NULL: none */
  const void *body;           /* NULL: none */
  size_t body_len;
  long timeout_ms; /* 0: the destination's */
  /* On a connection of its own. On a kept one libcurl sends a request again by itself when the
   * connection ends before an answer: the server may well have obeyed the first one. */
  bool once;
};

#define TM_HTTP_HEADERS_MAX 65536

struct tm_http_reply {
  long status;
  struct tm_buf body;    /* NUL-terminated; ptr is NULL when it is empty */
  struct tm_buf headers; /* of the last answer, a line each; use tm_http_header() */
  bool headers_end;      /* the empty line behind them was seen */
  bool starved;          /* there was no memory for a piece of it */
};

struct tm_http;

/*
 * A new destination. base_url is absolute and holds no user name or password. The strings of
 * options are copied; options may be NULL. -EINVAL for an URL that is not allowed, -ENOMEM, or as
 * tm_tls_apply() says.
 */
int tm_http_new(struct tm_http **http, const char *base_url, const struct tm_http_options *options,
                struct tm_error *err);
void tm_http_free(struct tm_http *http);

/*
 * Makes one request. 0 once a whole answer has come, whatever its status: see
 * tm_http_require_success(). Else a negative errno with "URL: why": -EXDEV (leads to another
 * origin), -ETIMEDOUT, -ECONNREFUSED, -EHOSTUNREACH (no such host), -EACCES (its certificate is not
 * accepted), -EFBIG (answer too large), -EINVAL (a header with a line break), -EIO (else). The URL
 * is told without its query. reply is overwritten: initialise it by {0} and release it in the end.
 */
int tm_http_do(struct tm_http *http, const struct tm_http_request *request,
               struct tm_http_reply *reply, struct tm_error *err);
void tm_http_reply_release(struct tm_http_reply *reply);

/* 0 for a status of 200..299, else -EIO (401 and 403: -EACCES, 404: -ENOENT) with
 * "URL: answered 503". */
int tm_http_require_success(const struct tm_http *http, const struct tm_http_reply *reply,
                            struct tm_error *err);

/* Copies the value of a header of the answer (any case; the first of several). Returns value, or
 * NULL when it is absent or longer than size - 1. */
char *tm_http_header(const struct tm_http_reply *reply, const char *name, char *value, size_t size);
/* The server's Date; INT64_MIN when it is absent or unreadable. */
int64_t tm_http_date(const struct tm_http_reply *reply);
/* Retry-After in seconds from now (never negative), -1 when it is absent or unreadable. */
int64_t tm_http_retry_after(const struct tm_http_reply *reply, int64_t now);

/* True for an absolute URL whose host is this machine: localhost, 127.0.0.0/8 or [::1]. */
bool tm_http_is_loopback(const char *url);

/* The absolute form of a link, dot segments removed, without fragment; -EXDEV for another origin,
 * -EINVAL for no URL. *out is the caller's, by free(). */
int tm_http_resolve(const struct tm_http *http, const char *link, char **out, struct tm_error *err);

#endif
