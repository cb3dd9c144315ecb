/* SPDX-License-Identifier: MIT */
/* covers: common/pattern.c common/json_schema.c common/json_schema_check.c common/json.c */
/* A schema, a NUL and a document; without a NUL a document against every schema that the desk
 * checks by. What is refused is told with a place in the document. */
#include "common/json.h"
#include "contrib/desk/intake/schemas.h"
#include "tests/lib/fuzz_folder.h"

#include <assert.h>
#include <errno.h>
#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct json_schema *schema, const json_t *document)
{
  struct json_fault fault = {0};
  for (unsigned flags = 0; flags <= JSON_SCHEMA_UNKNOWN_PASS; flags++) {
    int rc = json_schema_check(schema, document, flags, &fault);
    assert(rc == 0 || (rc == -EBADMSG && fault.why[0] != '\0'));
    assert(memchr(fault.field, '\0', sizeof(fault.field)) != NULL);
  }
}

/* What was read can be told again, with 15 figures; that is then the same however often it is told.
 */
static void tell(const json_t *document)
{
  struct tm_buf text[2] = {TM_BUF_INIT(4 << 20), TM_BUF_INIT(4 << 20)};
  if (tm_json_append(&text[0], document) == 0) {
    json_t *again = tm_json_parse(text[0].ptr, text[0].len, "again", NULL);
    assert(again != NULL && tm_json_append(&text[1], again) == 0);
    assert(text[0].len == text[1].len && memcmp(text[0].ptr, text[1].ptr, text[0].len) == 0);
    json_decref(again);
  }
  tm_buf_release(&text[0]);
  tm_buf_release(&text[1]);
}

/* Members as others ask for them. */
static void ask(const json_t *document)
{
  const char *key;
  json_t *v;
  int64_t t = 0;
  json_object_foreach((json_t *)document, key, v)
  {
    assert((tm_json_get_string(document, key) != NULL) == json_is_string(v));
    double number = tm_json_get_number(document, key);
    assert(json_is_number(v) == !isnan(number));
    json_decref(tm_json_number(number));
    json_decref(tm_json_text(tm_json_get_string(document, key)));
    assert(tm_json_get_bool(document, key, true) == !json_is_false(v));
    if (tm_json_get_time(document, key, &t))
      assert(tm_json_time_or(document, key, INT64_MIN) == t);
    json_decref(tm_json_time(t));
    ask(v);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct tm_error err = {0};
  struct json_schema *own = NULL;
  const char *text = (const char *)data;
  size_t len = size > 0 ? strnlen(text, size) : 0;
  const char *rest = len < size ? text + len + 1 : text;
  json_t *document = tm_json_parse(rest, size - (size_t)(rest - text), "document", &err);
  if (len < size && json_schema_new(&own, text, len, "schema", &err) == 0)
    check(own, document != NULL ? document : json_null());
  else
    assert(len == size || err.text[0] != '\0');
  json_schema_free(own);
  if (document != NULL && len == size) {
    tell(document);
    ask(document);
    char path[PATH_MAX];
    fuzz_file("document.json", data, size);
    json_t *again = tm_json_read(fuzz_path(path, "document.json"), 1 << 20, &err);
    assert(json_equal(again, document));
    json_decref(again);
    for (int i = 0; i < SCHEMAS_OF; i++)
      check(schema_of((enum schema_of)i), document);
  }
  json_decref(document);
  return 0;
}
