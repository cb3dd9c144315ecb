/* SPDX-License-Identifier: MIT */
/* The listener with handlers of the test's own: events, the end, more work than workers. */
#include "common/clock.h"
#include "common/file.h"
#include "contrib/desk/http/server.h"
#include "contrib/desk/http/topics.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static struct house {
  struct workers *workers;
  struct topics *topics;
  struct server *server;
  int port;
  pthread_mutex_t gate; /* held: "/slow" waits */
} house;

static int get_events(const struct request *r, struct response *to, struct tm_error *err)
{
  (void)r;
  (void)err;
  return respond_events(to, "topic/1");
}

static int get_slow(const struct request *r, struct response *to, struct tm_error *err)
{
  (void)r;
  (void)err;
  pthread_mutex_lock(&house.gate);
  pthread_mutex_unlock(&house.gate);
  to->status = 200;
  return tm_buf_puts(&to->body, "slow but here");
}

static int post_echo(const struct request *r, struct response *to, struct tm_error *err)
{
  (void)err;
  to->status = 200;
  return tm_buf_add(&to->body, r->body, r->body_len);
}

static const struct route routes[] = {
    {"GET", "/events", ROLE_NONE, 0, "", get_events},
    {"GET", "/slow", ROLE_NONE, 0, "", get_slow},
    {"POST", "/echo", ROLE_NONE, 1 << 20, "", post_echo},
    {0},
};
static const struct route *const tables[] = {routes, NULL};

static void answer(struct exchange *x)
{
  struct tm_error err;
  if (x->refused != 0 || x->found != 200)
    x->response.status = x->refused != 0 ? x->refused : x->found;
  else
    x->request.route->handle(&x->request, &x->response, &err);
  x->visitor.user_id = 7;
}

static int set_up(void **state)
{
  (void)state;
  struct tm_error err = {0};
  pthread_mutex_init(&house.gate, NULL);
  house.topics = topics_new(100, server_wake);
  assert_int_equal(workers_new(&house.workers, 2, 8, &err), 0);
  struct server_settings settings = {.listen = "127.0.0.1:0",
                                     .threads = 2,
                                     .connections = 200,
                                     .connections_per_address = 100,
                                     .body_bytes = 1 << 20,
                                     .request_s = 5,
                                     .workers = house.workers,
                                     .topics = house.topics,
                                     .routes = tables,
                                     .answer = answer};
  assert_int_equal(server_start(&house.server, &settings, &err), 0);
  house.port = atoi(strrchr(server_url(house.server), ':') + 1);
  return 0;
}

static int tear_down(void **state)
{
  (void)state;
  topics_close(house.topics);
  server_drain(house.server, 5);
  workers_free(house.workers);
  server_free(house.server);
  topics_free(house.topics);
  return 0;
}

/* Waits until so many whole requests, and so many bytes of bodies, have come in. */
static bool has_come(uint64_t requests, size_t body_bytes)
{
  struct server_counts c;
  double until = tm_monotonic() + 30;
  do {
    usleep(10000);
    server_count(house.server, &c);
  } while ((c.requests < requests || c.body_bytes < body_bytes) && tm_monotonic() < until);
  return c.requests >= requests && c.body_bytes >= body_bytes;
}

static int call(const char *text)
{
  struct sockaddr_in to = {.sin_family = AF_INET,
                           .sin_port = htons((uint16_t)house.port),
                           .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
  assert_int_equal(write(fd, text, strlen(text)), strlen(text));
  return fd;
}

/* Reads until the text is there, the end, or a few seconds. */
static bool hears(int fd, const char *text, char *all, size_t size)
{
  size_t len = strlen(all);
  double until = tm_monotonic() + 10;
  while (strstr(all, text) == NULL && tm_monotonic() < until && len + 1 < size) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    if (poll(&p, 1, 100) <= 0)
      continue;
    ssize_t n = read(fd, all + len, size - 1 - len);
    if (n <= 0)
      break;
    len += (size_t)n;
    all[len] = '\0';
  }
  return strstr(all, text) != NULL;
}

static bool ends(int fd)
{
  char rest[4096];
  double until = tm_monotonic() + 10;
  while (tm_monotonic() < until) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    if (poll(&p, 1, 100) > 0 && read(fd, rest, sizeof(rest)) <= 0)
      return true;
  }
  return false;
}

static bool comes_true(size_t (*what)(struct topics *), size_t want)
{
  double until = tm_monotonic() + 10;
  while (what(house.topics) != want && tm_monotonic() < until)
    usleep(10000);
  return what(house.topics) == want;
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"

static void events_arrive_as_they_are_published(void **state)
{
  (void)state;
  char all[8192] = "";
  int fd = call(GET("/events"));
  assert_true(hears(fd, "retry: 3000", all, sizeof(all)));
  assert_non_null(strstr(all, "Content-Type: text/event-stream"));
  assert_int_equal(topics_publish(house.topics, "topic/2", "answer", "{}"), 0);
  assert_int_equal(topics_publish(house.topics, "topic/1", "answer", "{\"a\":1}"), 1);
  assert_true(hears(fd, "event: answer\ndata: {\"a\":1}\n\n", all, sizeof(all)));
  assert_int_equal(topics_publish(house.topics, "topic/1", "answer", "{\"a\":2}"), 1);
  assert_true(hears(fd, "data: {\"a\":2}\n\n", all, sizeof(all)));
  topics_beat(house.topics, tm_monotonic() + STREAM_HEARTBEAT_S + 1);
  assert_true(hears(fd, ":\n\n", all, sizeof(all)));
  topics_beat(house.topics, tm_monotonic() + STREAM_LIFE_S + 1);
  assert_true(ends(fd));
  close(fd);
  assert_true(comes_true(topics_open, 0));
}

static void streams_of_one_person_are_few_and_end_with_the_session(void **state)
{
  (void)state;
  int fds[STREAMS_PER_USER];
  for (int i = 0; i < STREAMS_PER_USER; i++) {
    char all[4096] = "";
    fds[i] = call(GET("/events"));
    assert_true(hears(fds[i], "retry:", all, sizeof(all)));
  }
  char all[4096] = "";
  int fd = call(GET("/events"));
  assert_true(hears(fd, "retry:", all, sizeof(all)));
  assert_true(ends(fds[0]));
  assert_true(comes_true(topics_open, STREAMS_PER_USER));
  close(fds[0]);
  fds[0] = fd;
  topics_end(house.topics, 8);
  assert_int_equal(topics_open(house.topics), STREAMS_PER_USER);
  topics_end(house.topics, 7);
  for (int i = 0; i < STREAMS_PER_USER; i++) {
    assert_true(ends(fds[i]));
    close(fds[i]);
  }
  assert_true(comes_true(topics_open, 0));
}

static void who_leaves_a_stream_is_noticed(void **state)
{
  (void)state;
  char all[4096] = "";
  int fd = call(GET("/events"));
  assert_true(hears(fd, "retry:", all, sizeof(all)));
  close(fd);
  double until = tm_monotonic() + 10;
  while (topics_open(house.topics) > 0 && tm_monotonic() < until) {
    topics_publish(house.topics, "topic/1", "x", "y");
    usleep(10000);
  }
  assert_int_equal(topics_open(house.topics), 0);
}

/* From several threads at once, to several streams, while they come and go. */
static void *publish(void *arg)
{
  (void)arg;
  for (int i = 0; i < 2000; i++)
    topics_publish(house.topics, "topic/1", "n", "some text of a line");
  return NULL;
}

static void publishing_from_threads_is_safe(void **state)
{
  (void)state;
  pthread_t threads[4];
  for (int i = 0; i < 4; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, publish, NULL), 0);
  for (int i = 0; i < 60; i++) {
    char all[2048] = "";
    int fd = call(GET("/events"));
    hears(fd, "HTTP/1.1", all, sizeof(all));
    close(fd);
  }
  for (int i = 0; i < 4; i++)
    pthread_join(threads[i], NULL);
  who_leaves_a_stream_is_noticed(state);
}

static void more_than_can_wait_is_told_to_come_again(void **state)
{
  (void)state;
  int fds[14], busy = 0, served = 0;
  pthread_mutex_lock(&house.gate);
  for (int i = 0; i < 14; i++) {
    fds[i] = call(GET("/slow"));
    /* Two are worked on, eight wait. */
    assert_true(has_come((uint64_t)i + 1, 0));
    for (int k = 0; k < 1000 && i < 2 && workers_waiting(house.workers) > 0; k++)
      usleep(10000);
  }
  pthread_mutex_unlock(&house.gate);
  for (int i = 0; i < 14; i++) {
    char all[4096] = "";
    assert_true(hears(fds[i], "\r\n\r\n", all, sizeof(all)));
    busy += strstr(all, "503") != NULL && strstr(all, "Retry-After: 1") != NULL;
    served += strstr(all, "200 OK") != NULL;
    close(fds[i]);
  }
  assert_int_equal(busy, 4);
  assert_int_equal(served, 10);
}

static void too_much_received_at_once_is_told_to_come_again(void **state)
{
  (void)state;
  static char half[700000];
  char all[4096] = "", other[4096] = "";
  const char *head = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 700001\r\n\r\n";
  memset(half, 'a', sizeof(half));
  int first = call(head), second = call(head);
  assert_int_equal(write(first, half, sizeof(half)), sizeof(half));
  assert_true(has_come(0, sizeof(half)));
  assert_int_equal(write(second, half, sizeof(half)), sizeof(half));
  assert_int_equal(write(second, "b", 1), 1);
  assert_true(hears(second, "503", other, sizeof(other)));
  assert_int_equal(write(first, "b", 1), 1);
  assert_true(hears(first, "200 OK", all, sizeof(all)));
  close(first);
  close(second);
}

static void a_stream_that_comes_while_the_desk_ends_ends_too(void **state)
{
  (void)state;
  topics_close(house.topics);
  int fd = call(GET("/events"));
  assert_true(ends(fd));
  close(fd);
}

static void *end_house(void *state)
{
  tear_down(state);
  return NULL;
}

static void the_end_waits_for_what_is_under_way(void **state)
{
  char all[4096] = "";
  pthread_mutex_lock(&house.gate);
  int fd = call(GET("/slow"));
  int stream = call(GET("/events"));
  assert_true(has_come(2, 0) && comes_true(topics_open, 1));
  pthread_t ender;
  assert_int_equal(pthread_create(&ender, NULL, end_house, state), 0);
  usleep(300000);
  pthread_mutex_unlock(&house.gate);
  assert_true(hears(fd, "slow but here", all, sizeof(all)));
  pthread_join(ender, NULL);
  assert_true(ends(stream));
  close(fd);
  close(stream);
}

int main(void)
{
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(events_arrive_as_they_are_published, set_up, tear_down),
      cmocka_unit_test_setup_teardown(streams_of_one_person_are_few_and_end_with_the_session,
                                      set_up, tear_down),
      cmocka_unit_test_setup_teardown(who_leaves_a_stream_is_noticed, set_up, tear_down),
      cmocka_unit_test_setup_teardown(publishing_from_threads_is_safe, set_up, tear_down),
      cmocka_unit_test_setup_teardown(more_than_can_wait_is_told_to_come_again, set_up, tear_down),
      cmocka_unit_test_setup_teardown(too_much_received_at_once_is_told_to_come_again, set_up,
                                      tear_down),
      cmocka_unit_test_setup_teardown(a_stream_that_comes_while_the_desk_ends_ends_too, set_up,
                                      tear_down),
      cmocka_unit_test_setup(the_end_waits_for_what_is_under_way, set_up),
  };
  signal(SIGPIPE, SIG_IGN);
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests_name("desk_server", tests, NULL, NULL);
}
