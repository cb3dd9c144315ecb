/* SPDX-License-Identifier: MIT */
/* What was posted, as fields: a form, or the members of a JSON object. */
#include "contrib/desk/http/exchange.h"

#include "common/json_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct exchange *post(const char *type, const char *body, int *status)
{
  struct exchange *x = exchange_new();
  assert_non_null(x);
  x->request.path = "/api/v1/items/1/comments";
  x->headers[x->headers_len++] = (struct header){"Content-Type", type};
  x->body.max = 1 << 20;
  assert_int_equal(tm_buf_puts(&x->body, body), 0);
  *status = exchange_decode(x, NULL);
  return x;
}

static void members_of_an_object_are_fields(void **state)
{
  (void)state;
  static const char body[] =
      "{\"text\":\"two\\nlines, \xe6\x9d\xb1\",\"version\":7,\"price\":12.5,\"to_customer\":true,"
      "\"quiet\":false,\"until\":null,\"sku\":[\"A\",\"B\"],\"line\":{\"sku\":\"C\"},\"none\":[]}";
  int status;
  struct exchange *x = post("application/json; charset=utf-8", body, &status);
  const struct request *r = &x->request;
  assert_int_equal(status, 0);
  assert_string_equal(request_field(r, "text"), "two\nlines, \xe6\x9d\xb1");
  assert_string_equal(request_field(r, "version"), "7");
  assert_string_equal(request_field(r, "price"), "12.5");
  assert_string_equal(request_field(r, "to_customer"), "1");
  assert_null(request_field(r, "quiet"));
  assert_null(request_field(r, "until"));
  assert_null(request_field(r, "none"));
  assert_string_equal(request_field_nth(r, "sku", 0), "A");
  assert_string_equal(request_field_nth(r, "sku", 1), "B");
  assert_null(request_field_nth(r, "sku", 2));
  assert_string_equal(request_field(r, "line"), "{\"sku\":\"C\"}");
  exchange_free(x);
}

/* A request that lacked memory is answered; the next one in its thread lacks none. */
static void who_comes_after_a_lack_of_memory_has_some(void **state)
{
  (void)state;
  int status;
  tm_json_starve();
  struct exchange *x = post("application/json", "{\"a\":\"b\"}", &status);
  assert_int_equal(status, 0);
  assert_string_equal(request_field(&x->request, "a"), "b");
  x->starved = true;
  assert_int_equal(exchange_decode(x, NULL), 503);
  exchange_free(x);
}

static void what_is_no_clean_json_is_refused(void **state)
{
  (void)state;
  static const struct {
    const char *type, *body;
    int status;
  } cases[] = {
      {"application/json", "{\"a\":", 400},
      {"application/json", "{\"a\":1,\"a\":2}", 400},
      {"application/json", "{\"a\":\"x\\u0000y\"}", 400},
      {"application/json", "{\"a\":\"x\\u001by\"}", 400},
      {"application/json", "{\"a\\nb\":\"x\"}", 400},
      {"application/json", "{\"a\":\"\xff\"}", 400},
      {"application/json", "[1]", 0},                 /* no fields, but JSON */
      {"application/cloudevents+json", "{\"a\":", 0}, /* not for us to read */
      {"application/jsonx", "{\"a\":", 0},
      {"application/x-www-form-urlencoded", "a=%1b", 400},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    int status;
    struct exchange *x = post(cases[i].type, cases[i].body, &status);
    if (status != cases[i].status)
      fail_msg("%s %s: %d", cases[i].type, cases[i].body, status);
    assert_null(request_field(&x->request, "zzz"));
    exchange_free(x);
  }
}

static void too_many_members_are_refused(void **state)
{
  (void)state;
  struct tm_buf body = TM_BUF_INIT(1 << 20);
  int status;
  tm_buf_puts(&body, "{\"a\":[");
  for (int i = 0; i < 2000; i++)
    tm_buf_printf(&body, "%s%d", i > 0 ? "," : "", i);
  tm_buf_puts(&body, "]}");
  struct exchange *x = post("application/json", body.ptr, &status);
  assert_int_equal(status, 400);
  exchange_free(x);
  tm_buf_release(&body);
}

int main(void)
{
  tm_json_guard_memory();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(members_of_an_object_are_fields),
      cmocka_unit_test(who_comes_after_a_lack_of_memory_has_some),
      cmocka_unit_test(what_is_no_clean_json_is_refused),
      cmocka_unit_test(too_many_members_are_refused),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests_name("desk_exchange", tests, NULL, NULL);
}
