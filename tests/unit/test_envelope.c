/* SPDX-License-Identifier: MIT */
#include "exporters/envelope.h"
#include "exporters/filter.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static json_t *parse(const char *text)
{
  json_error_t e;
  json_t *json = json_loads(text, 0, &e);
  if (json == NULL)
    fail_msg("%s", e.text);
  return json;
}

static json_t *document(const char *more)
{
  json_t *d =
      parse("{\"schema\":\"tidemark.summary/1\",\"generated_at\":\"2026-11-20T00:05:00Z\","
            "\"period\":{\"from\":\"2026-11-13T15:00:00Z\",\"to\":\"2026-11-20T00:05:00Z\"},"
            "\"customer\":{\"id\":\"C-1\",\"site\":\"s\",\"host\":\"h\"},"
            "\"product\":{\"device\":\"d\"}}");
  json_t *extra = parse(more);
  json_object_update(d, extra);
  json_decref(extra);
  return d;
}

static void key_of(char key[TM_SHA256_HEX], const char *more, const char *target)
{
  struct envelope e;
  json_t *d = document(more);
  assert_int_equal(envelope_seal(&e, d, "summary", target, NULL), 0);
  memcpy(key, e.key, TM_SHA256_HEX);
  envelope_release(&e);
  json_decref(d);
}

/* A stranger's program must come to the same: these lines are hashed, each with its newline. */
static void the_key_is_that_of_its_rule(void **state)
{
  (void)state;
  static const char body[] =
      "{\"schema\":\"tidemark.summary/1\",\"period\":{\"from\":\"2026-11-13T15:00:00Z\","
      "\"to\":\"2026-11-20T00:05:00Z\"},\"customer\":{\"id\":\"C-1\",\"site\":\"s\","
      "\"host\":\"h\"},\"product\":{\"device\":\"d\"}}";
  char lines[1024], hash[TM_SHA256_HEX], want[TM_SHA256_HEX], key[TM_SHA256_HEX];
  int n = snprintf(lines, sizeof(lines),
                   "C-1\ns\nh\nd\nsummary\n2026-11-13T15:00:00Z/2026-11-20T00:05:00Z\n"
                   "tidemark.summary/1\ncrm\n%s\n",
                   tm_sha256_hex(hash, body, strlen(body)));
  tm_sha256_hex(want, lines, (size_t)n);
  key_of(key, "{}", "crm");
  assert_string_equal(key, want);
  assert_string_equal(key, "1c24488339fd293798ccdcdee2dda71ee55b05a903734993a44c769025906115");
}

static void same_content_same_key_other_content_other_key(void **state)
{
  (void)state;
  static const char *const others[] = {
      "{\"period\":{\"from\":\"2026-11-13T15:00:00Z\",\"to\":\"2026-11-21T00:05:00Z\"}}",
      "{\"customer\":{\"id\":\"C-2\",\"site\":\"s\",\"host\":\"h\"}}",
      "{\"customer\":{\"id\":\"C-1\",\"site\":\"s\",\"host\":\"h2\"}}",
      "{\"product\":{\"device\":\"d\",\"model\":\"m\"}}",
      "{\"status\":{\"used_bytes\":1}}",
  };
  char key[TM_SHA256_HEX], other[TM_SHA256_HEX];
  key_of(key, "{}", "crm");
  key_of(other, "{\"generated_at\":\"2027-01-01T00:00:00Z\",\"id\":\"x\"}", "crm");
  assert_string_equal(key, other); /* neither id nor the time of making counts */
  key_of(other, "{}", "erp");
  assert_string_not_equal(key, other);
  for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
    key_of(other, others[i], "crm");
    if (strcmp(key, other) == 0)
      fail_msg("%s", others[i]);
  }
}

static void the_event_holds_the_document_and_its_id(void **state)
{
  (void)state;
  struct envelope e;
  json_t *d = document("{\"id\":\"\"}");
  assert_int_equal(envelope_seal(&e, d, "summary", "crm", NULL), 0);
  json_t *event = parse(e.body.ptr);
  assert_string_equal(json_string_value(json_object_get(event, "id")), e.key);
  assert_string_equal(json_string_value(json_object_get(event, "source")),
                      "/customers/C-1/sites/s");
  assert_string_equal(json_string_value(json_object_get(event, "type")), "tidemark.summary.v1");
  assert_string_equal(json_string_value(json_object_get(event, "time")), "2026-11-20T00:05:00Z");
  assert_true(json_equal(json_object_get(event, "data"), d));
  assert_string_equal(json_string_value(json_object_get(d, "id")), e.key);
  char hash[TM_SHA256_HEX];
  assert_string_equal(tm_sha256_hex(hash, e.body.ptr, e.body.len), e.sha256);
  json_decref(event);
  envelope_release(&e);
  json_decref(d);
}

/* --- the filter ----------------------------------------------------------------------------- */

static const char *const SUMMARY =
    "{\"schema\":\"tidemark.summary/1\","
    "\"id\":\"0000000000000000000000000000000000000000000000000000000000000000\","
    "\"generated_at\":\"2026-11-20T00:05:00Z\",\"period\":{\"from\":null,\"to\":\"2026-11-20T00:05:"
    "00Z\"},"
    "\"customer\":{\"id\":\"C-1\",\"name\":null,\"site\":\"s\",\"host\":\"h\"},"
    "\"product\":{\"device\":\"d\",\"kind\":\"printer\",\"model\":\"M\",\"serial\":\"S-1\"},"
    "\"status\":{\"observed_at\":null,\"capacity_bytes\":null,\"used_bytes\":7,\"transfers\":null}"
    "}";

static int filter(const char *text, unsigned purposes, json_t **out, struct tm_error *err)
{
  struct schema s;
  struct tm_secret key = {.key = "0123456789abcdef0123456789abcdef", .len = 32};
  struct filter f = {.purposes = purposes, .key = &key, .names_clear = true};
  json_t *d = parse(text);
  assert_int_equal(schema_load(&s, SCHEMA_SUMMARY, NULL), 0);
  int rc = filter_apply(&f, &s, d, out, err);
  schema_release(&s);
  json_decref(d);
  return rc;
}

static void absent_is_absent_and_unknown_stays_null(void **state)
{
  (void)state;
  json_t *out = NULL;
  assert_int_equal(filter(SUMMARY, TM_PURPOSE_SALES, &out, NULL), 0);
  const json_t *product = json_object_get(out, "product");
  const json_t *status = json_object_get(out, "status");
  assert_null(json_object_get(product, "price"));
  assert_true(json_is_null(json_object_get(status, "capacity_bytes")));
  assert_true(json_is_null(json_object_get(status, "transfers")));
  const char *serial = json_string_value(json_object_get(product, "serial"));
  assert_int_equal(strlen(serial), 26);
  assert_memory_equal(serial, "p-", 2);
  json_decref(out);
  assert_int_equal(filter(SUMMARY, TM_PURPOSE_FACTORY, &out, NULL), 0);
  assert_null(out); /* nothing but the frame would be left */
  assert_int_equal(filter(SUMMARY, 0, &out, NULL), 0);
  assert_null(out);
}

/* Replaces the first occurrence and expects this refusal. */
static void expect_refusal(const char *was, const char *is, const char *message)
{
  char text[2048];
  struct tm_error err = {0};
  json_t *out = NULL;
  const char *at = strstr(SUMMARY, was);
  assert_non_null(at);
  snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - SUMMARY), SUMMARY, is, at + strlen(was));
  assert_int_equal(filter(text, TM_PURPOSE_SALES, &out, &err), -EBADMSG);
  assert_string_equal(err.text, message);
  assert_null(out);
}

static void what_is_not_of_the_schema_is_refused_by_name(void **state)
{
  (void)state;
  expect_refusal("\"used_bytes\":7,", "", "status.used_bytes: missing");
  expect_refusal("\"used_bytes\":7", "\"used_bytes\":\"7\"",
                 "status.used_bytes: of a type that is not allowed");
  expect_refusal("\"printer\"", "\"toaster\"",
                 "product.kind: not one of the values that are allowed");
  expect_refusal("\"model\":\"M\"", "\"model\":\"a\\nb\"",
                 "product.model: holds control characters");
  expect_refusal("\"2026-11-20T00:05:00Z\",\"period", "\"yesterday\",\"period",
                 "generated_at: not of the form that is allowed");
  expect_refusal("tidemark.summary/1", "tidemark.summary/2",
                 "schema: not the value that is allowed");
  expect_refusal("\"product\":{", "\"product\":7,\"x\":{",
                 "product: of a type that is not allowed");
}

int main(void)
{
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_key_is_that_of_its_rule),
      cmocka_unit_test(same_content_same_key_other_content_other_key),
      cmocka_unit_test(the_event_holds_the_document_and_its_id),
      cmocka_unit_test(absent_is_absent_and_unknown_stays_null),
      cmocka_unit_test(what_is_not_of_the_schema_is_refused_by_name),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
