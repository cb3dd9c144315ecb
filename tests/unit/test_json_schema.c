/* SPDX-License-Identifier: MIT */
#include "common/json_schema.h"

#include "common/buf.h"
#include "common/file.h"
#include "common/json.h"

#include <errno.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct json_schema *load(const char *path)
{
  struct tm_buf b = TM_BUF_INIT(1 << 20);
  struct tm_error err = {0};
  struct json_schema *s = NULL;
  if (tm_file_read(path, &b, &err) < 0 || json_schema_new(&s, b.ptr, b.len, path, &err) < 0)
    fail_msg("%s", err.text);
  tm_buf_release(&b);
  return s;
}

static void every_schema_of_the_chain_loads_and_takes_its_sample(void **state)
{
  (void)state;
  glob_t found;
  assert_int_equal(glob("contrib/schema/*.schema.json", 0, NULL, &found), 0);
  assert_true(found.gl_pathc > 15);
  for (size_t i = 0; i < found.gl_pathc; i++) {
    char sample[200];
    const char *name = strrchr(found.gl_pathv[i], '/') + 1;
    snprintf(sample, sizeof(sample), "contrib/schema/samples/%.*s.json",
             (int)(strlen(name) - strlen(".schema.json")), name);
    struct json_schema *s = load(found.gl_pathv[i]);
    struct json_fault fault = {0};
    json_t *document = tm_json_read(sample, 1 << 20, NULL);
    assert_non_null(document);
    if (json_schema_check(s, document, 0, &fault) != 0)
      fail_msg("%s: %s: %s", sample, fault.field, fault.why);
    json_object_set_new(document, "planted", json_true());
    assert_int_equal(json_schema_check(s, document, 0, &fault), -EBADMSG);
    assert_string_equal(fault.field, "planted");
    assert_int_equal(json_schema_check(s, document, JSON_SCHEMA_UNKNOWN_PASS, &fault), 0);
    json_decref(document);
    json_schema_free(s);
  }
  globfree(&found);
}

static const struct {
  const char *schema, *value, *field, *why; /* field NULL: it fits */
} rows[] = {
    {"{\"type\":\"string\"}", "\"a\"", NULL, NULL},
    {"{\"type\":\"string\"}", "1", "", "text is wanted"},
    {"{\"type\":[\"number\",\"null\"]}", "null", NULL, NULL},
    {"{\"type\":[\"number\",\"null\"]}", "1.5", NULL, NULL},
    {"{\"type\":\"integer\"}", "1.0", NULL, NULL},
    {"{\"type\":\"integer\"}", "1.5", "", "a whole number is wanted"},
    {"{\"type\":\"number\"}", "true", "", "a number is wanted"},
    {"{\"minimum\":0,\"maximum\":10}", "10", NULL, NULL},
    {"{\"minimum\":0,\"maximum\":10}", "-1", "", "less than 0"},
    {"{\"minimum\":0,\"maximum\":10}", "10.5", "", "more than 10"},
    {"{\"exclusiveMinimum\":0}", "0", "", "not more than 0"},
    {"{\"minimum\":5}", "\"text\"", NULL, NULL},
    {"{\"maxLength\":2}", "\"\xc3\xa9\xc3\xa9\"", NULL, NULL},
    {"{\"maxLength\":2}", "\"abc\"", "", "longer than 2 characters"},
    {"{\"minLength\":1}", "\"\"", "", "empty"},
    {"{\"pattern\":\"^[0-9]{4}$\"}", "\"2026\"", NULL, NULL},
    {"{\"pattern\":\"^[0-9]{4}$\"}", "\"x2026\"", "", "not of the form"},
    {"{\"enum\":[\"a\",null]}", "null", NULL, NULL},
    {"{\"enum\":[\"a\",null]}", "\"b\"", "", "none of the values"},
    {"{\"const\":\"x/1\"}", "\"x/2\"", "", "'x/1' is wanted"},
    {"{\"items\":{\"type\":\"number\"},\"maxItems\":2}", "[1,\"a\"]", "[1]", "a number is wanted"},
    {"{\"items\":{\"type\":\"number\"},\"maxItems\":2}", "[1,2,3]", "", "more than 2"},
    {"{\"minItems\":1}", "[]", "", "fewer than 1"},
    {"{\"properties\":{\"a\":{\"properties\":{\"b\":{\"items\":{\"required\":[\"c\"]}}}}}}",
     "{\"a\":{\"b\":[{\"c\":1},{}]}}", "a.b[1].c", "missing"},
    {"{\"properties\":{\"a\":{}},\"additionalProperties\":false}", "{\"a\":1,\"b\":2}", "b",
     "not known"},
    {"{\"additionalProperties\":{\"type\":\"string\"}}", "{\"a\":1}", "a", "text is wanted"},
    {"{\"patternProperties\":{\"^x\":{\"type\":\"string\"}},\"additionalProperties\":false}",
     "{\"xa\":\"b\"}", NULL, NULL},
    {"{\"patternProperties\":{\"^x\":{\"type\":\"string\"}},\"additionalProperties\":false}",
     "{\"xa\":1}", "xa", "text is wanted"},
    {"{\"propertyNames\":{\"maxLength\":1}}", "{\"ab\":1}", "ab", "longer than 1"},
    {"{\"$ref\":\"#/$defs/n\",\"$defs\":{\"n\":{\"items\":{\"$ref\":\"#/$defs/n\"},\"type\":"
     "\"array\"}}}",
     "[[],[[1]]]", "[1][0][0]", "a list is wanted"},
    {"{\"anyOf\":[{\"type\":\"string\"},{\"minimum\":5}]}", "6", NULL, NULL},
    {"{\"anyOf\":[{\"type\":\"string\"},{\"minimum\":5}]}", "4", "", "none of the forms"},
    {"{\"properties\":{\"a\":false,\"b\":true}}", "{\"b\":1,\"a\":1}", "a", "not allowed here"},
    {"{\"oneOf\":[{\"minimum\":1},{\"minimum\":5}]}", "6", "", "several of the forms"},
    {"{\"allOf\":[{\"minimum\":1},{\"maximum\":5}]}", "6", "", "more than 5"},
    {"{\"if\":{\"required\":[\"a\"]},\"then\":{\"required\":[\"b\"]},\"else\":{\"required\":[\"c\"]"
     "}}",
     "{\"a\":1}", "b", "missing"},
    {"{\"if\":{\"required\":[\"a\"]},\"then\":{\"required\":[\"b\"]},\"else\":{\"required\":[\"c\"]"
     "}}",
     "{}", "c", "missing"},
};

static void faults_are_named_with_their_place(void **state)
{
  (void)state;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    struct json_schema *s = NULL;
    struct tm_error err = {0};
    struct json_fault fault = {0};
    if (json_schema_new(&s, rows[i].schema, strlen(rows[i].schema), "s", &err) < 0)
      fail_msg("row %zu: %s", i, err.text);
    json_t *v = json_loads(rows[i].value, JSON_DECODE_ANY, NULL);
    assert_non_null(v);
    int rc = json_schema_check(s, v, 0, &fault);
    if ((rc == 0) != (rows[i].field == NULL) ||
        (rc != 0 &&
         (strcmp(fault.field, rows[i].field) != 0 || strstr(fault.why, rows[i].why) == NULL)))
      fail_msg("row %zu: %d '%s': %s", i, rc, fault.field, fault.why);
    json_decref(v);
    json_schema_free(s);
  }
}

static void a_schema_that_cannot_be_obeyed_does_not_load(void **state)
{
  (void)state;
  static const char *const bad[] = {"{\"contains\":{}}",
                                    "{\"type\":\"text\"}",
                                    "{\"pattern\":\"(\"}",
                                    "{\"$ref\":\"other.json\"}",
                                    "{\"$ref\":\"#/$defs/none\",\"$defs\":{}}",
                                    "{\"maxLength\":-1}",
                                    "{\"items\":3}",
                                    "{\"properties\":{\"a\":{\"uniqueItems\":true}}}",
                                    "{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{\"anyOf\":"
                                    "[{\"$ref\":\"#/$defs/a\"}]}}}",
                                    "[]"};
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    struct json_schema *s = NULL;
    struct tm_error err = {0};
    assert_int_equal(json_schema_new(&s, bad[i], strlen(bad[i]), "s", &err), -EINVAL);
    assert_true(strncmp(err.text, "s: ", 3) == 0);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_schema_of_the_chain_loads_and_takes_its_sample),
      cmocka_unit_test(faults_are_named_with_their_place),
      cmocka_unit_test(a_schema_that_cannot_be_obeyed_does_not_load),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
