/* SPDX-License-Identifier: MIT */
#include "common/sign.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void sha256_is_that_of_the_standard(void **state)
{
  (void)state;
  char hex[TM_SHA256_HEX];
  assert_string_equal(tm_sha256_hex(hex, "abc", 3),
                      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  struct tm_digest d;
  tm_digest_init(&d);
  tm_digest_line(&d, "ab");
  tm_digest_line(&d, "c");
  char parts[TM_SHA256_HEX];
  tm_digest_hex(&d, parts);
  assert_string_equal(parts, tm_sha256_hex(hex, "ab\nc\n", 5));
}

/* The example of the specification of Standard Webhooks. */
static void signatures_are_those_of_standard_webhooks(void **state)
{
  (void)state;
  struct tm_secret s;
  struct tm_error err = {0};
  static const char body[] = "{\"test\": 2432232314}";
  const char *id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
  assert_int_equal(tm_secret_parse(&s, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", &err), 0);
  char signature[TM_SIGNATURE_SIZE];
  assert_string_equal(tm_sign(signature, &s, id, 1614265330, body, strlen(body)),
                      "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  assert_true(tm_sign_verify(signature, &s, id, 1614265330, body, strlen(body)));
  assert_true(tm_sign_verify("v1,AAAA v1a,xyz v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", &s,
                             id, 1614265330, body, strlen(body)));
  assert_false(tm_sign_verify(signature, &s, id, 1614265331, body, strlen(body)));
  assert_false(tm_sign_verify(signature, &s, "msg_x", 1614265330, body, strlen(body)));
  assert_false(tm_sign_verify(signature, &s, id, 1614265330, body, strlen(body) - 1));
  assert_false(tm_sign_verify("", &s, id, 1614265330, body, strlen(body)));
  assert_false(tm_sign_verify("v1,g0hM9SsE", &s, id, 1614265330, body, strlen(body)));
}

static void what_is_no_secret_is_refused(void **state)
{
  (void)state;
  static const char *const bad[] = {"",
                                    "whsec_",
                                    "whsec_abc",
                                    "whsec_MfKQ9r8GKYqrTwjU",
                                    "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS!",
                                    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw "};
  struct tm_secret s;
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    struct tm_error err = {0};
    if (tm_secret_parse(&s, bad[i], &err) != -EINVAL)
      fail_msg("%s", bad[i]);
    assert_null(strstr(err.text, "MfKQ"));
  }
  char fresh[TM_SECRET_TEXT], other[TM_SECRET_TEXT];
  tm_secret_make(fresh);
  tm_secret_make(other);
  assert_int_equal(tm_secret_parse(&s, fresh, NULL), 0);
  assert_int_equal(s.len, 32);
  assert_string_not_equal(fresh, other);
}

int main(void)
{
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test(sha256_is_that_of_the_standard),
      cmocka_unit_test(signatures_are_those_of_standard_webhooks),
      cmocka_unit_test(what_is_no_secret_is_refused),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
