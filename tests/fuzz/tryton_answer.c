/* SPDX-License-Identifier: MIT */
/* covers: exporters/tryton/answer.c exporters/tryton/value.c */
/* A Tryton server's answer. The first byte chooses the status; the rest is its body. */
#include "exporters/tryton/answer.h"
#include "exporters/tryton/value.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever it is, it may be asked for anything. */
static void read_as_anything(json_t *v)
{
  static const char *const keys[] = {"id", "state", "write_uid", "", NULL};
  const char *key;
  json_t *inner;
  size_t i;
  double days = tryton_days(v);
  assert(isnan(days) || json_is_object(v));
  int64_t day = tryton_day_of(v), t = tryton_time_of(v);
  assert((day == INT64_MIN) == (t == INT64_MIN));
  for (i = 0; keys[i] != NULL; i++) {
    tryton_id(v, keys[i]);
    tryton_text(v, keys[i]);
  }
  json_object_foreach(v, key, inner) read_as_anything(inner);
  json_array_foreach(v, i, inner) read_as_anything(inner);
  /* A text that comes back as an amount has the currency's digits or is none. */
  json_decref(tryton_date(json_string_value(v)));
  json_decref(tryton_bytes(json_string_value(v), json_string_length(v)));
  if (json_is_integer(v) && llabs(json_integer_value(v)) < 100000000000) {
    json_t *when = tryton_datetime(json_integer_value(v));
    assert(json_is_null(when) || tryton_time_of(when) == json_integer_value(v));
    json_decref(when);
    json_decref(tryton_day(json_integer_value(v) / 86400));
  }
  json_t *amount = tryton_decimal(json_string_value(v), 2);
  const char *text = json_string_value(json_object_get(amount, "decimal"));
  assert(json_is_null(amount) || (strlen(text) > 3 && text[strlen(text) - 3] == '.'));
  json_decref(amount);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static const long statuses[] = {200, 204, 302, 400, 403, 404, 408, 410, 429, 500, 503, 600};
  static const int codes[] = {-EBADMSG, -ESTALE, -EAGAIN, -EBUSY, -EACCES,
                              -EPERM,   -ENOENT, -EPROTO, 0};
  struct tm_error err = {0};
  json_t *result = NULL;
  if (size == 0)
    return 0;
  long status = statuses[data[0] % (sizeof(statuses) / sizeof(statuses[0]))];
  int rc = tryton_judge("model.x.y", status, size > 1 ? (const char *)data + 1 : NULL, size - 1,
                        &result, &err);
  assert((rc == 0) == (result != NULL));
  assert(rc == 0 || (err.code == rc && strncmp(err.text, "model.x.y: ", 11) == 0));
  assert(rc == 0 ? status < 300 : 1);
  size_t i = 0;
  while (codes[i] != rc && codes[i] != 0)
    i++;
  assert(codes[i] == rc);
  if (result != NULL)
    read_as_anything(result);
  json_decref(result);
  return 0;
}
