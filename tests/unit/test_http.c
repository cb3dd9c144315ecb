/* SPDX-License-Identifier: MIT */
/* The limits of HTTP requests, against a real server on a socket that answers by a script. */
#include "common/http.h"

#include "common/clock.h"
#include "common/version.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* One connection after the other; every request on it is kept and gets the next of the answers. */
struct server {
  int listener;
  pthread_t thread;
  const char *const *answers; /* ends with NULL; the last is repeated */
  int drip_ms;                /* pause after each byte of the answer */
  size_t pad;                 /* bytes of 'x' after the answer */
  char url[64];
  char requests[8][4096];
  int requests_len;
  int connections;
};

static void send_all(int fd, const char *data, size_t len, int drip_ms)
{
  while (len > 0) {
    ssize_t n = send(fd, data, drip_ms > 0 ? 1 : len, MSG_NOSIGNAL);
    if (n <= 0)
      return;
    data += n;
    len -= (size_t)n;
    if (drip_ms > 0)
      usleep((useconds_t)drip_ms * 1000);
  }
}

/* Reads head and body; false at the end of the connection. */
static bool read_request(int fd, char *request, size_t size)
{
  size_t len = 0;
  for (;;) {
    ssize_t n = read(fd, request + len, size - 1 - len);
    if (n <= 0)
      return false;
    len += (size_t)n;
    request[len] = '\0';
    char *end = strstr(request, "\r\n\r\n");
    if (end == NULL)
      continue;
    const char *length = strstr(request, "Content-Length: ");
    size_t body = length != NULL ? (size_t)atol(length + 16) : 0;
    if (len >= (size_t)(end + 4 - request) + body)
      return true;
  }
}

static void serve(struct server *s, int fd)
{
  char request[4096];
  char x[4096];
  memset(x, 'x', sizeof(x));
  while (read_request(fd, request, sizeof(request))) {
    int i = s->requests_len++;
    memcpy(s->requests[i % 8], request, sizeof(request));
    while (i > 0 && s->answers[i] == NULL)
      i--;
    send_all(fd, s->answers[i], strlen(s->answers[i]), s->drip_ms);
    for (size_t left = s->pad; left > 0;) {
      size_t n = left < sizeof(x) ? left : sizeof(x);
      send_all(fd, x, n, 0);
      left -= n;
    }
    if (strstr(s->answers[i], "Connection: close") != NULL)
      return;
  }
}

static void *run(void *arg)
{
  struct server *s = arg;
  for (;;) {
    int fd = accept(s->listener, NULL, NULL);
    if (fd < 0)
      return NULL;
    s->connections++;
    serve(s, fd);
    close(fd);
  }
}

static void start(struct server *s, const char *const *answers)
{
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof(a);
  s->answers = answers;
  s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_int_equal(bind(s->listener, (struct sockaddr *)&a, sizeof(a)), 0);
  assert_int_equal(listen(s->listener, 8), 0);
  assert_int_equal(getsockname(s->listener, (struct sockaddr *)&a, &len), 0);
  snprintf(s->url, sizeof(s->url), "http://127.0.0.1:%d/base/", ntohs(a.sin_port));
  assert_int_equal(pthread_create(&s->thread, NULL, run, s), 0);
}

static void stop(struct server *s)
{
  shutdown(s->listener, SHUT_RDWR);
  pthread_join(s->thread, NULL);
  close(s->listener);
}

static const char *const ok[] = {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"
                                 "Date: Fri, 20 Nov 2026 00:05:00 GMT\r\n"
                                 "retry-after:  120 \r\nEmpty:\r\n\r\nhello",
                                 NULL};

static void a_get_tells_status_headers_and_body(void **state)
{
  (void)state;
  struct server s = {0};
  struct tm_http *h = NULL;
  struct tm_http_reply r = {0};
  struct tm_error err = {0};
  char value[64];
  start(&s, ok);
  assert_int_equal(tm_http_new(&h, s.url, NULL, &err), 0);
  static const char *const headers[] = {"X-Test: yes", NULL};
  struct tm_http_request q = {.url = "../a?b=1", .headers = headers};
  assert_int_equal(tm_http_do(h, &q, &r, &err), 0);
  assert_int_equal(r.status, 200);
  assert_string_equal(r.body.ptr, "hello");
  assert_int_equal(tm_http_date(&r), 1795133100);
  assert_int_equal(tm_http_retry_after(&r, 0), 120);
  assert_string_equal(tm_http_header(&r, "CONTENT-LENGTH", value, sizeof(value)), "5");
  assert_string_equal(tm_http_header(&r, "empty", value, sizeof(value)), "");
  assert_null(tm_http_header(&r, "Content", value, sizeof(value)));
  assert_null(tm_http_header(&r, "Date", value, 5));
  /* The same connection serves the next request. */
  assert_int_equal(tm_http_do(h, &(struct tm_http_request){0}, &r, &err), 0);
  tm_http_reply_release(&r);
  tm_http_free(h);
  stop(&s);
  assert_int_equal(s.connections, 1);
  assert_int_equal(strncmp(s.requests[0], "GET /a?b=1 HTTP/1.1\r\n", 21), 0);
  assert_non_null(strstr(s.requests[0], "\r\nX-Test: yes\r\n"));
  assert_non_null(strstr(s.requests[0], "\r\nUser-Agent: tidemark/" TM_VERSION "\r\n"));
  assert_null(strstr(s.requests[0], "Authorization"));
  assert_int_equal(strncmp(s.requests[1], "GET /base/ HTTP/1.1\r\n", 21), 0);
}

static void a_post_sends_its_body_and_password(void **state)
{
  (void)state;
  struct server s = {0};
  struct tm_http *h = NULL;
  struct tm_http_reply r = {0};
  static const char *const created[] = {"HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\n"
                                        "HTTP/1.1 201 Created\r\nX-Auth-Token: t\r\n"
                                        "Content-Length: 0\r\n\r\n",
                                        "HTTP/1.1 204 No Content\r\n\r\n", NULL};
  start(&s, created);
  struct tm_http_options o = {.user = "u", .password = "p:w"};
  assert_int_equal(tm_http_new(&h, s.url, &o, NULL), 0);
  static const char *const headers[] = {"Content-Type: application/json", NULL};
  struct tm_http_request post = {
      .method = "POST", .url = "x", .headers = headers, .body = "{\"a\":1}", .body_len = 7};
  char value[8];
  assert_int_equal(tm_http_do(h, &post, &r, NULL), 0);
  assert_int_equal(r.status, 201);
  assert_null(r.body.ptr);
  assert_string_equal(tm_http_header(&r, "x-auth-token", value, sizeof(value)), "t");
  assert_null(tm_http_header(&r, "X-Early", value, sizeof(value)));
  struct tm_http_request delete = {.method = "DELETE", .url = "x"};
  assert_int_equal(tm_http_do(h, &delete, &r, NULL), 0);
  assert_int_equal(r.status, 204);
  tm_http_reply_release(&r);
  tm_http_free(h);
  stop(&s);
  assert_int_equal(strncmp(s.requests[0], "POST /base/x HTTP/1.1\r\n", 23), 0);
  assert_non_null(strstr(s.requests[0], "\r\nAuthorization: Basic dTpwOnc=\r\n"));
  assert_non_null(strstr(s.requests[0], "\r\n\r\n{\"a\":1}"));
  assert_null(strstr(s.requests[0], "Expect"));
  assert_int_equal(strncmp(s.requests[1], "DELETE /base/x HTTP/1.1\r\n", 25), 0);
  assert_null(strstr(s.requests[1], "{"));
}

static void a_status_that_is_no_success_is_told(void **state)
{
  (void)state;
  struct server s = {0};
  struct tm_http *h = NULL;
  struct tm_http_reply r = {0};
  struct tm_error err = {0};
  static const char *const answers[] = {
      "HTTP/1.1 302 Found\r\nLocation: /secret\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 503 No\r\nContent-Length: 0\r\nRetry-After: Fri, 20 Nov 2026 00:05:00 GMT\r\n\r\n",
      NULL};
  static const int codes[] = {-EIO, -EACCES, -ENOENT, -EIO};
  start(&s, answers);
  assert_int_equal(tm_http_new(&h, s.url, NULL, &err), 0);
  for (int i = 0; i < 4; i++) {
    struct tm_http_request q = {.url = "p?token=secret"};
    assert_int_equal(tm_http_do(h, &q, &r, &err), 0);
    assert_int_equal(tm_http_require_success(h, &r, &err), codes[i]);
    assert_null(strstr(err.text, "secret"));
  }
  assert_non_null(strstr(err.text, "/base/p: answered 503"));
  assert_int_equal(tm_http_retry_after(&r, 1795133100 - 30), 30);
  assert_int_equal(tm_http_retry_after(&r, 1795133100 + 30), 0);
  tm_http_reply_release(&r);
  tm_http_free(h);
  stop(&s);
  assert_int_equal(s.requests_len, 4); /* the redirect was not followed */
}

static void an_answer_that_is_too_large_is_refused(void **state)
{
  (void)state;
  static const char *const declared[] = {"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n",
                                         NULL};
  static const char *const endless[] = {"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", NULL};
  static const char *const header[] = {"HTTP/1.1 200 OK\r\nConnection: close\r\nX: ", NULL};
  static char lines[200000] = "HTTP/1.1 200 OK\r\nConnection: close\r\n";
  for (size_t n = strlen(lines); n + 8 < sizeof(lines); n += 7)
    memcpy(lines + n, "A: bc\r\n", 8);
  static const char *const many[] = {lines, NULL};
  static const struct {
    const char *const *answers;
    size_t pad;
  } cases[] = {{declared, 0}, {endless, 1 << 20}, {header, 1 << 20}, {many, 0}};
  for (size_t i = 0; i < 4; i++) {
    struct server s = {.pad = cases[i].pad};
    struct tm_http *h = NULL;
    struct tm_http_reply r = {0};
    struct tm_error err = {0};
    start(&s, cases[i].answers);
    struct tm_http_options o = {.max_body_bytes = 1000, .timeout_ms = 10000};
    assert_int_equal(tm_http_new(&h, s.url, &o, &err), 0);
    assert_int_equal(tm_http_do(h, &(struct tm_http_request){0}, &r, &err), -EFBIG);
    assert_true(r.body.len <= 1000 && r.headers.len <= TM_HTTP_HEADERS_MAX);
    tm_http_reply_release(&r);
    tm_http_free(h);
    stop(&s);
  }
}

static void a_slow_answer_ends_at_the_deadline(void **state)
{
  (void)state;
  struct server s = {.drip_ms = 50};
  struct tm_http *h = NULL;
  struct tm_http_reply r = {0};
  struct tm_error err = {0};
  start(&s, ok);
  struct tm_http_options o = {.timeout_ms = 20000};
  assert_int_equal(tm_http_new(&h, s.url, &o, &err), 0);
  double before = tm_monotonic();
  struct tm_http_request q = {.timeout_ms = 400};
  assert_int_equal(tm_http_do(h, &q, &r, &err), -ETIMEDOUT);
  assert_true(tm_monotonic() - before < 3);
  tm_http_reply_release(&r);
  tm_http_free(h);
  stop(&s);
}

static void a_server_that_is_not_there_is_told(void **state)
{
  (void)state;
  struct server s = {0};
  struct tm_http *h = NULL;
  struct tm_http_reply r = {0};
  struct tm_error err = {0};
  start(&s, ok);
  stop(&s);
  assert_int_equal(tm_http_new(&h, s.url, NULL, &err), 0);
  assert_int_equal(tm_http_do(h, &(struct tm_http_request){0}, &r, &err), -ECONNREFUSED);
  assert_non_null(strstr(err.text, s.url));
  tm_http_reply_release(&r);
  tm_http_free(h);
}

static void urls_are_checked(void **state)
{
  (void)state;
  static const struct {
    const char *url;
    bool allow_plain;
    int rc;
  } cases[] = {
      {"https://example.com", false, 0},
      {"http://example.com", false, -EINVAL},
      {"http://example.com", true, 0},
      {"http://localhost:1", false, 0},
      {"http://127.255.0.1/", false, 0},
      {"http://[::1]:80/x", false, 0},
      {"http://127.0.0.1.example.com/", false, -EINVAL},
      {"http://localhost.example.com/", false, -EINVAL},
      {"ftp://127.0.0.1/", true, -EINVAL},
      {"file:///etc/passwd", true, -EINVAL},
      {"https://user:secret@example.com/", false, -EINVAL},
      {"https://user@example.com/", false, -EINVAL},
      {"example.com", false, -EINVAL},
      {"", false, -EINVAL},
      {"https://", false, -EINVAL},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct tm_http *h = NULL;
    struct tm_error err = {0};
    struct tm_http_options o = {.allow_plain = cases[i].allow_plain};
    int rc = tm_http_new(&h, cases[i].url, &o, &err);
    if (rc != cases[i].rc)
      fail_msg("%s: want %d, got %d (%s)", cases[i].url, cases[i].rc, rc, err.text);
    assert_null(strstr(err.text, "secret"));
    tm_http_free(h);
  }
}

static void links_stay_within_the_origin(void **state)
{
  (void)state;
  static const struct {
    const char *link;
    const char *want; /* NULL: another origin */
  } cases[] = {
      {"/redfish/v1/", "https://array.example:8443/redfish/v1/"},
      {"b/../c#x", "https://array.example:8443/a/c"},
      {"?q=1", "https://array.example:8443/a/?q=1"},
      {"https://ARRAY.example:8443/z", "https://ARRAY.example:8443/z"},
      {"/two words", "https://array.example:8443/two%20words"},
      {"//evil.example/x", NULL},
      {"https://array.example/x", NULL},
      {"http://array.example:8443/x", NULL},
      {"https://array.example.evil.example:8443/", NULL},
  };
  struct tm_http *h = NULL;
  struct tm_error err = {0};
  assert_int_equal(tm_http_new(&h, "https://array.example:8443/a/", NULL, &err), 0);
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    char *out = NULL;
    int rc = tm_http_resolve(h, cases[i].link, &out, &err);
    assert_int_equal(rc, cases[i].want != NULL ? 0 : -EXDEV);
    if (rc == 0)
      assert_string_equal(out, cases[i].want);
    free(out);
  }
  char *out = NULL;
  assert_int_equal(tm_http_resolve(h, "https://u:p@array.example:8443/", &out, &err), -EINVAL);
  struct tm_http_reply r = {0};
  struct tm_http_request away = {.url = "https://evil.example/"};
  assert_int_equal(tm_http_do(h, &away, &r, &err), -EXDEV);
  static const char *const split[] = {"X: a\r\nY: b", NULL};
  struct tm_http_request two = {.headers = split};
  assert_int_equal(tm_http_do(h, &two, &r, &err), -EINVAL);
  tm_http_free(h);
}

int main(void)
{
  cmocka_set_message_output(CM_OUTPUT_TAP);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_get_tells_status_headers_and_body),
      cmocka_unit_test(a_post_sends_its_body_and_password),
      cmocka_unit_test(a_status_that_is_no_success_is_told),
      cmocka_unit_test(an_answer_that_is_too_large_is_refused),
      cmocka_unit_test(a_slow_answer_ends_at_the_deadline),
      cmocka_unit_test(a_server_that_is_not_there_is_told),
      cmocka_unit_test(urls_are_checked),
      cmocka_unit_test(links_stay_within_the_origin),
  };
  return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
