/* SPDX-License-Identifier: MIT */
/* Values as other systems write them, and templates that are filled. */
#include "exporters/mapping/mapping.h"

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
  json_t *json = json_loads(text, JSON_DECODE_ANY, &e);
  if (json == NULL)
    fail_msg("%s: %s", text, e.text);
  return json;
}

static void expect(const char *what, int rc, json_t *got, const char *wanted)
{
  char *text = got != NULL ? json_dumps(got, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
  if (wanted == NULL ? rc != -EBADMSG : rc != 0 || text == NULL || strcmp(text, wanted) != 0)
    fail_msg("%s: %d %s, want %s", what, rc, text != NULL ? text : "nothing",
             wanted != NULL ? wanted : "a refusal");
  free(text);
  json_decref(got);
}

static void values_are_written_as_others_want_them(void **state)
{
  static const struct {
    const char *format, *value, *wanted; /* NULL: refused */
  } cases[] = {
      {"date", "\"2027-01-11T23:59:59Z\"", "\"2027-01-11\""},
      {"date", "\"2027-01-11\"", "\"2027-01-11\""},
      {"date", "\"soon\"", NULL},
      {"date", "17", NULL},
      {"datetime", "\"2027-01-11\"", "\"2027-01-11T00:00:00Z\""},
      {"epoch-ms", "\"1970-01-02\"", "86400000"},
      {"number", "\"13200000\"", "13200000"},
      {"number", "\"12.5\"", "12.5"},
      {"number", "\"1e999\"", NULL},
      {"number", "\"12 JPY\"", NULL},
      {"percent", "0.8", "80"},
      {"percent", "0.12345", "12.35"},
      {"percent", "\"x\"", NULL},
      {"minor", "{\"amount\":\"1234.50\",\"currency\":\"EUR\"}", "123450"},
      {"minor", "{\"amount\":\"0.29\",\"currency\":\"USD\"}", "29"},
      {"minor", "{\"amount\":\"960000\",\"currency\":\"JPY\"}", "960000"},
      {"minor", "{\"amount\":\"1.5\",\"currency\":\"KWD\"}", "1500"},
      {"minor", "{\"amount\":\"99999999999999999999\",\"currency\":\"EUR\"}", NULL},
      {"minor", "{\"amount\":\"1\"}", NULL},
      {"minor", "\"1\"", NULL},
      {"text", "12", "\"12\""},
      {"text", "true", "\"true\""},
      {"colons", "\"a/b/c\"", "\"a:b:c\""},
      {"digest", "\"abc\"", "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\""},
      {"html", "\"<b>&\\\"\\n\"", "\"&lt;b&gt;&amp;&quot;<br>\""},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    json_t *value = parse(cases[i].value);
    json_t *got = NULL;
    int rc = mapping_format(&got, cases[i].format, value, NULL);
    expect(cases[i].value, rc, got, cases[i].wanted);
    json_decref(value);
  }
}

static void templates_are_filled(void **state)
{
  static const struct {
    const char *template, *wanted; /* NULL: refused; "": absent */
  } cases[] = {
      {"7", "7"},
      {"{\"a\":{\"$from\":\"/none\"},\"b\":1}", "{\"b\":1}"},
      {"[{\"$from\":\"/none\"}]", NULL},
      {"{\"$from\":\"/none\",\"required\":true}", NULL},
      {"{\"$from\":\"/none\",\"else\":{\"$from\":\"/n\"}}", "4"},
      {"{\"$from\":\"/null\",\"else\":\"x\"}", "\"x\""},
      {"{\"$from\":\"/a~1b/~0\"}", "\"odd\""},
      {"{\"$from\":\"/list/1/s\"}", "\"two\""},
      {"{\"$from\":\"/list/x\",\"else\":0}", "0"},
      {"{\"$from\":\"/word\",\"map\":{\"grow\":5},\"else\":0}", "5"},
      {"{\"$from\":\"/n\",\"format\":\"date\"}", NULL},
      {"{\"$from\":\"/long\",\"max\":3}", "\"\xe5\xa4\xa7\xe9\x98\xaa\xe3\x81\xae\""},
      {"{\"$join\":[\"a-\",{\"$from\":\"/n\"},{\"$from\":\"/none\"},\"-\",{\"$key\":true}],"
       "\"max\":7}",
       "\"a-4-K/1\""},
      {"{\"$each\":\"/list\",\"item\":{\"x\":{\"$from\":\"./s\"},\"n\":{\"$from\":\"/n\"}}}",
       "[{\"x\":\"one\",\"n\":4},{\"x\":\"two\",\"n\":4}]"},
      {"{\"$each\":\"/none\",\"item\":1}", "[]"},
      {"{\"$lookup\":\"partner\"}", "7"},
      {"{\"$record\":\"/id\",\"required\":true}", NULL},
  };
  json_t *opportunity =
      parse("{\"n\":4,\"null\":null,\"a/b\":{\"~\":\"odd\"},\"word\":\"grow\","
            "\"list\":[{\"s\":\"one\"},{\"s\":\"two\"}],"
            "\"long\":\"\xe5\xa4\xa7\xe9\x98\xaa\xe3\x81\xae\xe9\x85\x8d\xe5\x88\x97\"}");
  json_t *lookups = parse("{\"partner\":7}");
  struct mapping_scope scope = {
      .opportunity = opportunity, .key = json_string("K/1"), .lookups = lookups};
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    json_t *template = parse(cases[i].template);
    json_t *got = NULL;
    struct tm_error err = {0};
    int rc = mapping_render(&got, template, &scope, &err);
    expect(cases[i].template, rc, got, cases[i].wanted);
    json_decref(template);
  }
  json_decref(scope.key);
  json_decref(opportunity);
  json_decref(lookups);
}

static void a_path_stays_within_its_segments(void **state)
{
  static const struct {
    const char *name, *path, *wanted; /* NULL: refused */
  } cases[] = {
      {"a b/c?d#e%\xc3\xa9", "/x/{/name}?q={/name}",
       "/x/a%20b%2Fc%3Fd%23e%25%C3%A9?q=a%20b%2Fc%3Fd"
       "%23e%25%C3%A9"},
      {"..", "/x/{/name}", NULL},
      {".", "/x/{/name}/y", NULL},
      {"..x", "/x/{/name}", "/x/..x"},
      {"", "/x/{/name}", NULL},
      {"n", "/{key}/{/none}", NULL},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    json_t *opportunity = json_pack("{s:s}", "name", cases[i].name);
    struct mapping_scope scope = {.opportunity = opportunity, .key = json_string("k")};
    struct tm_buf out = TM_BUF_INIT(1000);
    struct tm_error err = {0};
    int rc = mapping_render_path(&out, cases[i].path, &scope, &err);
    if (cases[i].wanted == NULL)
      assert_int_equal(rc, -EBADMSG);
    else
      assert_string_equal(out.ptr, cases[i].wanted);
    tm_buf_release(&out);
    json_decref(scope.key);
    json_decref(opportunity);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(values_are_written_as_others_want_them),
      cmocka_unit_test(templates_are_filled),
      cmocka_unit_test(a_path_stays_within_its_segments),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests_name("mapping", tests, NULL, NULL);
}
