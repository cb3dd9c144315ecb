/* SPDX-License-Identifier: MIT */
#include "contrib/desk/http/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HOST                                                                                       \
  {                                                                                                \
    "Host", "desk.example.com"                                                                     \
  }

static void heads_are_taken_or_refused(void **state)
{
  (void)state;
  static const struct {
    const char *version, *method, *target;
    struct header headers[4];
    int status;
  } cases[] = {
      {"HTTP/1.1", "GET", "/", {HOST}, 0},
      {"HTTP/1.0", "GET", "/", {{0}}, 0},
      {"HTTP/1.1", "GET", "/devices/a%2Fb?q=%E3%81%82+b", {HOST}, 0},
      {"HTTP/1.1", "POST", "/x", {HOST, {"Content-Length", "12"}}, 0},
      {"HTTP/1.1", "POST", "/x", {HOST, {"Transfer-Encoding", "Chunked"}}, 0},
      {"HTTP/1.1", "POST", "/x", {HOST, {"Expect", "100-continue"}}, 0},
      {"HTTP/2.0", "GET", "/", {HOST}, 505},
      {"HTTP/1.1", "G T", "/", {HOST}, 400},
      {"HTTP/1.1", "", "/", {HOST}, 400},
      /* the length of the body */
      {"HTTP/1.1",
       "POST",
       "/",
       {HOST, {"Content-Length", "3"}, {"Transfer-Encoding", "chunked"}},
       400},
      {"HTTP/1.1", "POST", "/", {HOST, {"Content-Length", "3"}, {"content-length", "3"}}, 400},
      {"HTTP/1.1",
       "POST",
       "/",
       {HOST, {"Transfer-Encoding", "chunked"}, {"Transfer-Encoding", "chunked"}},
       400},
      {"HTTP/1.1", "POST", "/", {HOST, {"Content-Length", "+3"}}, 400},
      {"HTTP/1.1", "POST", "/", {HOST, {"Content-Length", "-3"}}, 400},
      {"HTTP/1.1", "POST", "/", {HOST, {"Content-Length", "0x3"}}, 400},
      {"HTTP/1.1", "POST", "/", {HOST, {"Content-Length", "3, 3"}}, 400},
      {"HTTP/1.1", "POST", "/", {HOST, {"Content-Length", ""}}, 400},
      {"HTTP/1.1", "POST", "/", {HOST, {"Content-Length", "1234567890123"}}, 400},
      {"HTTP/1.1", "POST", "/", {HOST, {"Content-Length ", "3"}}, 400},
      {"HTTP/1.1", "POST", "/", {HOST, {"Transfer-Encoding", "gzip, chunked"}}, 400},
      {"HTTP/1.1", "POST", "/", {HOST, {"Transfer-Encoding", "\vchunked"}}, 400},
      {"HTTP/1.1", "POST", "/", {HOST, {"Transfer-Encoding", "identity"}}, 400},
      {"HTTP/1.0", "POST", "/", {HOST, {"Transfer-Encoding", "chunked"}}, 400},
      /* who is asked */
      {"HTTP/1.1", "GET", "/", {{0}}, 400},
      {"HTTP/1.1", "GET", "/", {HOST, HOST}, 400},
      {"HTTP/1.1", "GET", "/", {{"Host", "a b"}}, 400},
      {"HTTP/1.1", "GET", "/", {{"Host", "a/b"}}, 400},
      {"HTTP/1.1", "GET", "/", {{"Host", ""}}, 400},
      /* what the desk does not do */
      {"HTTP/1.1", "GET", "/", {HOST, {"Upgrade", "h2c"}}, 400},
      {"HTTP/1.1", "GET", "/", {HOST, {"Connection", "keep-alive, Upgrade"}}, 400},
      {"HTTP/1.1", "POST", "/", {HOST, {"Trailer", "X"}}, 400},
      {"HTTP/1.1", "POST", "/", {HOST, {"Expect", "200-ok"}}, 417},
      /* strings */
      {"HTTP/1.1", "GET", "/", {HOST, {"X", "a\x01"}}, 400},
      {"HTTP/1.1", "GET", "/", {HOST, {"X", "a\xff"}}, 400},
      {"HTTP/1.1", "GET", "/", {HOST, {"X", "\xc3\xa9"}}, 0},
      {"HTTP/1.1", "GET", "/", {HOST, {"X Y", "a"}}, 400},
      {"HTTP/1.1", "GET", "http://desk.example.com/", {HOST}, 400},
      {"HTTP/1.1", "GET", "*", {HOST}, 400},
      {"HTTP/1.1", "GET", "/\xc3\xa9", {HOST}, 400},
      {"HTTP/1.1", "GET", "/a b", {HOST}, 400},
      {"HTTP/1.1", "GET", "/%00", {HOST}, 400},
      {"HTTP/1.1", "GET", "/%0a", {HOST}, 400},
      {"HTTP/1.1", "GET", "/%ff", {HOST}, 400},
      {"HTTP/1.1", "GET", "/%c0%af", {HOST}, 400},
      {"HTTP/1.1", "GET", "/%", {HOST}, 400},
      {"HTTP/1.1", "GET", "/%4", {HOST}, 400},
      {"HTTP/1.1", "GET", "/%4g", {HOST}, 400},
      {"HTTP/1.1", "GET", "/%41", {HOST}, 0},
      {"HTTP/1.1", "GET", "/../etc/passwd", {HOST}, 400},
      {"HTTP/1.1", "GET", "/a/..", {HOST}, 400},
      {"HTTP/1.1", "GET", "/a/%2e%2e/b", {HOST}, 400},
      {"HTTP/1.1", "GET", "/a/.%2E/b", {HOST}, 400},
      {"HTTP/1.1", "GET", "/static/..%2f..%2fetc", {HOST}, 400},
      {"HTTP/1.1", "GET", "/a%2f..", {HOST}, 400},
      {"HTTP/1.1", "GET", "/a%5c..", {HOST}, 400},
      {"HTTP/1.1", "GET", "/./a", {HOST}, 400},
      {"HTTP/1.1", "GET", "//evil.example/", {HOST}, 400},
      {"HTTP/1.1", "GET", "/a//b", {HOST}, 400},
      {"HTTP/1.1", "GET", "/a/", {HOST}, 0},
      {"HTTP/1.1", "GET", "/a..b/..c", {HOST}, 0},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct guard_head head = {cases[i].method, cases[i].target, cases[i].version, cases[i].headers,
                              0};
    while (head.headers_len < 4 && cases[i].headers[head.headers_len].name != NULL)
      head.headers_len++;
    struct guard_body body = {0};
    const char *why = NULL;
    int status = guard_check(&head, &body, &why);
    if (status != cases[i].status || (status != 0) != (why != NULL))
      fail_msg("case %zu, %s %s: got %d (%s), want %d", i, cases[i].method, cases[i].target, status,
               why != NULL ? why : "", cases[i].status);
  }
}

static void the_body_is_told(void **state)
{
  (void)state;
  struct header headers[] = {HOST, {"content-LENGTH", "000000000042"}};
  struct guard_head head = {"POST", "/x", "HTTP/1.1", headers, 2};
  struct guard_body body = {0};
  const char *why;
  assert_int_equal(guard_check(&head, &body, &why), 0);
  assert_int_equal(body.length, 42);
  assert_false(body.chunked);
  headers[1] = (struct header){"Transfer-Encoding", "chunked"};
  assert_int_equal(guard_check(&head, &body, &why), 0);
  assert_true(body.chunked);
  assert_int_equal(body.length, 0);
}

static void too_much_is_refused(void **state)
{
  (void)state;
  static struct header many[GUARD_HEADERS + 1];
  static char long_value[GUARD_HEADERS_BYTES + 1], long_target[GUARD_TARGET + 2];
  struct guard_body body;
  const char *why;
  for (size_t i = 0; i <= GUARD_HEADERS; i++)
    many[i] = (struct header){"X", "y"};
  many[0] = (struct header)HOST;
  struct guard_head head = {"GET", "/", "HTTP/1.1", many, GUARD_HEADERS};
  assert_int_equal(guard_check(&head, &body, &why), 0);
  head.headers_len++;
  assert_int_equal(guard_check(&head, &body, &why), 431);
  memset(long_value, 'a', sizeof(long_value) - 1);
  many[1].value = long_value;
  head.headers_len = 2;
  assert_int_equal(guard_check(&head, &body, &why), 431);
  memset(long_target, 'a', sizeof(long_target) - 1);
  long_target[0] = '/';
  head = (struct guard_head){"GET", long_target, "HTTP/1.1", many, 1};
  assert_int_equal(guard_check(&head, &body, &why), 414);
  long_target[GUARD_TARGET] = '\0';
  assert_int_equal(guard_check(&head, &body, &why), 0);
}

static void fields_are_decoded(void **state)
{
  (void)state;
  char out[64];
  assert_true(guard_decode("a+b%2B%e3%81%82", 15, true, false, out));
  assert_string_equal(out, "a b+\u3042");
  assert_true(guard_decode("a+b", 3, false, false, out));
  assert_string_equal(out, "a+b");
  assert_false(guard_decode("a%0Ab", 5, true, false, out));
  assert_true(guard_decode("a%0D%0Ab", 8, true, true, out));
  assert_string_equal(out, "a\r\nb");
  assert_false(guard_decode("a%1b", 4, true, true, out));
  assert_false(guard_decode("a%4", 3, true, true, out));
}

static void only_a_trusted_proxy_speaks_for_another(void **state)
{
  (void)state;
  static const struct {
    const char *peer, *forwarded, *want;
  } cases[] = {
      {"127.0.0.1", NULL, "127.0.0.1"},
      {"127.0.0.1", "203.0.113.9", "203.0.113.9"},
      {"127.0.0.1", "198.51.100.1, 203.0.113.9", "203.0.113.9"},
      {"127.0.0.1", "198.51.100.1,203.0.113.9, 10.1.2.3", "203.0.113.9"},
      {"127.0.0.1", "10.1.2.3", "10.1.2.3"},
      {"127.0.0.1", "2001:db8::7", "2001:db8::7"},
      {"127.0.0.1", "nonsense", "127.0.0.1"},
      {"127.0.0.1", "", "127.0.0.1"},
      {"203.0.113.9", "1.2.3.4", "203.0.113.9"},
      {"11.0.0.1", "1.2.3.4", "11.0.0.1"},
      {"fd00::1", "1.2.3.4", "1.2.3.4"},
  };
  struct guard_net nets[3], net;
  assert_true(guard_net_parse("127.0.0.1", &nets[0]));
  assert_true(guard_net_parse("10.0.0.0/8", &nets[1]));
  assert_true(guard_net_parse("fd00::/15", &nets[2]));
  assert_false(guard_net_parse("10.0.0.0/33", &net));
  assert_false(guard_net_parse("desk.example.com", &net));
  assert_false(guard_net_parse("", &net));
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    char out[GUARD_ADDRESS];
    assert_true(guard_net_parse(cases[i].peer, &net));
    guard_visitor(nets, 3, net.address, cases[i].forwarded, out);
    assert_string_equal(out, cases[i].want);
  }
}

int main(void)
{
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test(heads_are_taken_or_refused),
      cmocka_unit_test(the_body_is_told),
      cmocka_unit_test(too_much_is_refused),
      cmocka_unit_test(fields_are_decoded),
      cmocka_unit_test(only_a_trusted_proxy_speaks_for_another),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests_name("desk_guard", tests, NULL, NULL);
}
