/* SPDX-License-Identifier: MIT */
/* covers: exporters/answer.c */
/* A receiver's answer. The first byte chooses the status and whether the answer is signed; the rest
 * is its body. */
#include "exporters/answer.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define KEY_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define KEY_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static const long statuses[] = {200, 202, 302, 400, 401, 404, 409, 422, 429, 500, 503};
  const int64_t now = 1790000000;
  struct tm_secret secret = {.key = "0123456789abcdef0123456789abcdef", .len = 32};
  struct target_item items[2] = {{.key = KEY_A, .sha256 = KEY_A}, {.key = KEY_B, .sha256 = KEY_B}};
  struct target_outcome out;
  char signature[TM_SIGNATURE_SIZE];
  if (size == 0)
    return 0;
  const char *body = (const char *)data + 1;
  struct answer a = {.status = statuses[(data[0] & 15) % (sizeof(statuses) / sizeof(statuses[0]))],
                     .body = body,
                     .body_len = size - 1,
                     .date = data[0] & 16 ? now - 4000 : INT64_MIN,
                     .retry_after_s = data[0] & 32 ? INT32_MAX : -1};
  if (data[0] & 64) {
    a.id = KEY_A;
    a.timestamp = "1790000000";
    a.signature = tm_sign(signature, &secret, KEY_A, now, body, a.body_len);
  }
  size_t n = data[0] & 128 ? 2 : 1;
  answer_judge(&a, KEY_A, &secret, now, items, n, &out);
  for (size_t i = 0; i < n; i++) {
    assert(items[i].result <= TARGET_REFUSED);
    assert(items[i].result == TARGET_ACCEPTED || items[i].reason[0] != '\0');
    assert(strlen(items[i].reason) < sizeof(items[i].reason));
    /* Only a receiver that took it makes an item leave the line for good. */
    assert(items[i].result != TARGET_ACCEPTED || a.status == 200 || a.status == 202 ||
           a.status == 409);
  }
  assert(out.retry_after_s <= 86400);
  assert(out.requests == NULL || a.signature != NULL);
  json_decref(out.requests);
  return 0;
}
