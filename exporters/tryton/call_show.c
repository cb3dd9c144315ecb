/* SPDX-License-Identifier: MIT */
#include "exporters/tryton/call_show.h"

#include "common/buf.h"
#include "common/json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

bool tryton_call_reads(const char *method)
{
  static const char end[] = ".search_read";
  size_t n = strlen(method);
  return n >= sizeof(end) && strcmp(method + n - (sizeof(end) - 1), end) == 0;
}

/* Replaces the contents of files: they are as long as they are dull. */
static void shorten(json_t *value)
{
  const char *key;
  json_t *one;
  size_t i;
  const char *base64 = tm_json_get_string(value, "base64");
  if (base64 != NULL) {
    json_object_set_new(value, "base64", json_sprintf("(%zu characters)", strlen(base64)));
    return;
  }
  json_array_foreach(value, i, one)
  {
    shorten(one);
  }
  json_object_foreach(value, key, one)
  {
    shorten(one);
  }
}

int tryton_call_show(const char *method, const json_t *params, json_t **result,
                     struct tm_error *err)
{
  json_t *copy = json_deep_copy(params);
  shorten(copy);
  struct tm_buf text = TM_BUF_INIT(TRYTON_MAX_REQUEST);
  int rc = tm_json_append(&text, copy);
  if (rc < 0)
    tm_fail(err, rc, "%s: %s", method, rc == -ENOMEM ? "out of memory" : "too large to be shown");
  else
    printf("%s %s\n", method, text.ptr);
  tm_buf_release(&text);
  json_decref(copy);
  *result = json_pack("[i]", 0);
  return rc;
}
