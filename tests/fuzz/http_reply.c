/* SPDX-License-Identifier: MIT */
/* covers: common/http.c common/http_url.c */
/* A server that answers with any bytes, and the links that stand in its documents: a line that is
 * taken for a link, and then what comes by the connection. */
#include "common/http.h"
#include "tests/lib/fuzz_listen.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
  int listener;
  char url[64];
  pthread_mutex_t lock; /* of the answer: who has gone away may not have been served yet */
  char answer[65536];
  size_t len;
} server = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void prepare(const uint8_t *answer, size_t len)
{
  pthread_mutex_lock(&server.lock);
  memcpy(server.answer, answer, len);
  server.len = len;
  pthread_mutex_unlock(&server.lock);
}

/* Reads the head of one request, answers, and goes away. */
static void *serve(void *arg)
{
  static char answer[65536];
  char got[4096];
  size_t len;
  (void)arg;
  for (;;) {
    int fd = fuzz_accept(server.listener);
    bool asked = recv(fd, got, sizeof(got), 0) > 0;
    pthread_mutex_lock(&server.lock);
    len = server.len;
    memcpy(answer, server.answer, len);
    pthread_mutex_unlock(&server.lock);
    if (asked)
      send(fd, answer, len, MSG_NOSIGNAL);
    shutdown(fd, SHUT_WR);
    while (recv(fd, got, sizeof(got), 0) > 0)
      ;
    close(fd);
  }
  return NULL;
}

static void start(void)
{
  int port = fuzz_listen(&server.listener, serve);
  snprintf(server.url, sizeof(server.url), "http://127.0.0.1:%d/base/", port);
}

/* A link leads to the same server, or nowhere. */
static void use_link(struct tm_http *http, const char *link)
{
  struct tm_error err = {0};
  char *url = NULL;
  int rc = tm_http_resolve(http, link, &url, &err);
  assert(rc == 0 || (rc == err.code && err.text[0] != '\0'));
  assert(rc < 0 || strncmp(url, server.url, strlen(server.url) - strlen("base/")) == 0);
  free(url);
}

/* A URL of a configuration; a password in it is not told. */
static void use_base(const char *url)
{
  struct tm_error err = {0};
  struct tm_http *http = NULL;
  const struct tm_http_options options = {
      .allow_plain = strlen(url) % 2 == 0, .user = "u", .password = "p"};
  int rc = tm_http_new(&http, url, &options, &err);
  assert(rc == 0 || err.text[0] != '\0');
  assert(strncmp(url, "https://u:s3kr3tWord@", 21) != 0 || strstr(err.text, "s3kr3tWord") == NULL);
  tm_http_is_loopback(url);
  tm_http_free(http);
}

static void look_at(const struct tm_http *http, const struct tm_http_reply *reply)
{
  static const char *const names[] = {"Retry-After", "Date", "Location", "X-Auth-Token", "no-such"};
  struct tm_error err = {0};
  char value[64];
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
    if (tm_http_header(reply, names[i], value, sizeof(value)) != NULL)
      assert(strlen(value) < sizeof(value) && strpbrk(value, "\r\n") == NULL);
  assert(tm_http_retry_after(reply, 1795133100) >= -1);
  tm_http_date(reply);
  int rc = tm_http_require_success(http, reply, &err);
  assert((rc == 0) == (reply->status >= 200 && reply->status < 300));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  const uint8_t *stop = size > 0 && size < 65536 ? memchr(data, '\n', size) : NULL;
  struct tm_http *http = NULL;
  struct tm_http_reply reply = {0};
  struct tm_error err = {0};
  if (stop == NULL)
    return 0;
  if (server.listener == 0)
    start();
  char *link = strndup((const char *)data, (size_t)(stop - data));
  const struct tm_http_options options = {.timeout_ms = 5000, .max_body_bytes = 4096};
  static const char *const headers[] = {"Accept: application/json", NULL};
  if (link == NULL || tm_http_new(&http, server.url, &options, &err) < 0)
    abort();
  use_link(http, link);
  use_base(link);
  prepare(stop + 1, size - (size_t)(stop - data) - 1);
  const struct tm_http_request request = {.method = size % 3 == 0   ? "HEAD"
                                                    : size % 3 == 1 ? "POST"
                                                                    : NULL,
                                          .body = size % 3 == 1 ? "{}" : NULL,
                                          .body_len = size % 3 == 1 ? 2 : 0,
                                          .headers = headers,
                                          .once = size % 2 == 0};
  int rc = tm_http_do(http, &request, &reply, &err);
  assert(rc == 0 || (rc == err.code && err.text[0] != '\0'));
  assert(rc < 0 || reply.body.len <= 4096);
  if (rc == 0)
    look_at(http, &reply);
  tm_http_reply_release(&reply);
  tm_http_free(http);
  free(link);
  return 0;
}
