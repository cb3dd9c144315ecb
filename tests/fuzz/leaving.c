/* SPDX-License-Identifier: MIT */
/* covers: exporters/filter.c exporters/schema.c */
/* What may leave of a document that was agreed to in part: the first byte says for which purposes,
 * the second how names leave. Nothing leaves that no purpose opens, and what leaves is of the
 * schema: it passes once more as it is. */
#include "common/json.h"
#include "exporters/filter.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every second field of those that a purpose opens, as an object with their paths. */
static json_t *half_of(const struct schema *schema, unsigned purpose)
{
  json_t *all = schema_fields(schema, purpose), *agreed = json_object(), *path;
  size_t i;
  json_array_foreach(all, i, path)
  {
    if (i % 2 == 0)
      json_object_set_new(agreed, json_string_value(path), json_true());
  }
  json_decref(all);
  return agreed;
}

static void pass(const struct filter *f, const struct schema *schema, const json_t *document)
{
  struct tm_error err = {0};
  json_t *out = NULL, *again = NULL;
  int rc = filter_apply(f, schema, document, &out, &err);
  assert(rc == 0 || err.text[0] != '\0');
  if (rc == 0 && out != NULL) {
    assert(f->purposes != 0);
    /* Where a half was agreed to, what the frame wants may be missing. */
    if (f->names_clear && f->agreed[0] == NULL) {
      const struct filter once_more = {
          .purposes = (1U << TM_PURPOSES) - 1, .key = f->key, .names_clear = true};
      assert(filter_apply(&once_more, schema, out, &again, &err) == 0 && json_equal(out, again));
    }
  }
  json_decref(again);
  json_decref(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static struct schema schemas[2];
  static const struct tm_secret key = {.key = "0123456789abcdef0123456789abcdef", .len = 32};
  struct tm_error err = {0};
  if (size < 2)
    return 0;
  if (schemas[0].document == NULL) {
    assert(schema_load(&schemas[0], SCHEMA_SUMMARY, &err) == 0);
    schema_release(&schemas[0]);
    assert(schema_load(&schemas[0], SCHEMA_SUMMARY, &err) == 0 &&
           schema_load(&schemas[1], SCHEMA_HISTORY, &err) == 0);
  }
  const struct schema *schema = &schemas[data[1] / 8 % 2];
  json_t *document = tm_json_parse((const char *)data + 2, size - 2, "document", NULL);
  json_t *agreed[TM_PURPOSES] = {NULL};
  struct filter f = {.purposes = data[0] % (1U << TM_PURPOSES),
                     .key = &key,
                     .names_clear = data[1] & 1,
                     .left_out = data[1] & 2 ? json_array() : NULL};
  for (unsigned i = 0; i < TM_PURPOSES && (data[1] & 4) != 0; i++)
    f.agreed[i] = agreed[i] = half_of(schema, 1U << i);
  if (document != NULL)
    pass(&f, schema, document);
  for (unsigned i = 0; i < TM_PURPOSES; i++)
    json_decref(agreed[i]);
  json_decref(f.left_out);
  json_decref(document);
  return 0;
}
