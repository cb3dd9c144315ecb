/* SPDX-License-Identifier: MIT */
/* covers: plugins/wire.c plugins/reading.c */
/* A reading as the helper process sends it, which talks with hostile devices and is not trusted:
 * what is taken of it goes back, and is told to people, as the same. */
#include "common/json.h"
#include "plugins/wire.h"

#include <assert.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct reading r, again;
  json_t *o = tm_json_parse((const char *)data, size, "reply", NULL);
  if (o != NULL && wire_to_reading(o, &r) == 0) {
    json_t *sent = wire_from_reading(&r);
    json_t *told = reading_to_json(&r);
    assert(sent != NULL && told != NULL);
    assert(wire_to_reading(sent, &again) == 0);
    json_t *sent_again = wire_from_reading(&again);
    json_object_del(sent, "error"); /* a reason that is none gets words of our own */
    json_object_del(sent_again, "error");
    assert(json_equal(sent, sent_again));
    json_decref(sent_again);
    json_decref(sent);
    json_decref(told);
    reading_release(&again);
    reading_release(&r);
  }
  json_decref(o);
  return 0;
}
