/* SPDX-License-Identifier: MIT */
#include "contrib/desk/http/dispatch.h"
#include "contrib/desk/people/buckets.h"
#include "contrib/desk/people/password.h"
#include "contrib/desk/people/secret.h"
#include "contrib/desk/people/visitor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

static void passwords_that_everybody_tries_are_refused(void **state)
{
  (void)state;
  static const struct {
    const char *password;
    bool good;
  } cases[] = {
      {"", false},
      {"1234567", false},
      {"kd83mxq", false},
      {"kd83mxqz", true},
      {"\u3042\u3044\u3046\u3048\u304a\u304b\u304d", false}, /* seven characters of 21 bytes */
      {"\u3042\u3044\u3046\u3048\u304a\u304b\u304d\u304f", true},
      {"password", false},
      {"Password", false},
      {"password2026!", false},
      {"P4ssw0rd", false},
      {"p@$$w0rd1!", false},
      {"qwertyuiop", false},
      {"1q2w3e4r", false},
      {"Summer2026", false},
      {"Summer in Osaka", true},
      {"aaaaaaaaaaaa", false},
      {"abcdefghij", false},
      {"98765432", false},
      {"mori@vendor.example", false},
      {"mori1234", false},
      {"Keiko Mori", false},
      {"mori likes long walks", true},
      {"glad heron vast oak", true},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    const char *fault = password_fault(cases[i].password, "mori@vendor.example", "Keiko Mori");
    if ((fault == NULL) != cases[i].good)
      fail_msg("%s: %s", cases[i].password, fault != NULL ? fault : "taken");
  }
  char longest[PASSWORD_MAX + 2];
  for (size_t i = 0; i < sizeof(longest) - 1; i++)
    longest[i] = (char)('a' + i * 7 % 23);
  longest[sizeof(longest) - 1] = '\0';
  assert_non_null(password_fault(longest, "a@b", "A"));
  longest[PASSWORD_MAX] = '\0';
  assert_null(password_fault(longest, "a@b", "A"));
}

static void a_password_is_known_again(void **state)
{
  (void)state;
  struct tm_error err = {0};
  char hash[PASSWORD_HASH];
  bool right, stale;
  struct people *p = people_new();
  assert_non_null(p);
  assert_int_equal(password_make(p, "glad heron vast oak", hash, &err), 0);
  assert_int_equal(password_check(p, hash, "glad heron vast oak", &right, &stale, &err), 0);
  assert_true(right);
  assert_false(stale);
  assert_int_equal(password_check(p, hash, "glad heron vast oat", &right, &stale, &err), 0);
  assert_false(right);
  assert_int_equal(password_check(p, NULL, "glad heron vast oak", &right, &stale, &err), 0);
  assert_false(right);
  /* One that was made with less is made anew. */
  assert_int_equal(crypto_pwhash_str(hash, "x", 1, crypto_pwhash_OPSLIMIT_MIN, 1 << 20), 0);
  assert_int_equal(password_check(p, hash, "x", &right, &stale, &err), 0);
  assert_true(right);
  assert_true(stale);
  people_free(p);
}

static void who_saw_whom_is_noted_once_an_hour(void **state)
{
  (void)state;
  struct people *p = people_new();
  assert_true(people_sees(p, 1, "C-1", 3600));
  assert_false(people_sees(p, 1, "C-1", 7199));
  assert_true(people_sees(p, 1, "C-1", 7200));
  assert_true(people_sees(p, 1, "C-2", 7200));
  assert_true(people_sees(p, 2, "C-1", 7200));
  people_free(p);
}

static void no_more_than_two_hash_at_once_and_few_wait(void **state)
{
  (void)state;
  struct people *p = people_new();
  assert_true(people_hash_begin(p));
  assert_true(people_hash_begin(p));
  people_hash_end(p);
  assert_true(people_hash_begin(p));
  people_hash_end(p);
  people_hash_end(p);
  people_free(p);
}

static void buckets_fill_again(void **state)
{
  (void)state;
  struct bucket b = {"account", "x", 10, 900};
  assert_true(bucket_level(&b, 0, 1000, 1000) == 0);
  assert_true(bucket_level(&b, 0, 1000, 1090) == 1);
  assert_true(bucket_level(&b, 0, 1000, 1900) == 10);
  assert_true(bucket_level(&b, 4, 1000, 100000) == 10);
  assert_true(bucket_level(&b, 4, 1000, 500) == 4); /* the clock was set back */
}

static void secrets_are_random_and_their_forms_differ(void **state)
{
  (void)state;
  char a[SECRET_SIZE], b[SECRET_SIZE], hash[TM_SHA256_HEX], csrf[TM_SHA256_HEX],
      other[TM_SHA256_HEX];
  secret_make(a, "");
  secret_make(b, TOKEN_PREFIX);
  assert_int_equal(strlen(a), 43);
  assert_int_equal(strlen(b), 47);
  assert_memory_equal(b, "tmd_", 4);
  assert_string_not_equal(a, b + 4);
  secret_hash(hash, a);
  secret_csrf(csrf, a);
  assert_int_equal(strlen(csrf), 64);
  assert_string_not_equal(hash, csrf);
  assert_string_equal(csrf, secret_csrf(other, a));
  assert_string_not_equal(csrf, secret_csrf(other, b));
}

static void a_form_comes_from_our_own_page_or_not(void **state)
{
  (void)state;
  static const struct {
    const char *site, *origin, *host, *own;
    bool want;
  } cases[] = {
      {NULL, NULL, "desk:80", NULL, true},
      {"same-origin", NULL, "desk:80", NULL, true},
      {"none", NULL, "desk:80", NULL, true},
      {"cross-site", NULL, "desk:80", NULL, false},
      {"same-site", NULL, "desk:80", NULL, false},
      {"nonsense", NULL, "desk:80", NULL, false},
      {"same-origin", "http://desk:80", "desk:80", NULL, true},
      {"cross-site", "http://desk:80", "desk:80", NULL, false},
      {NULL, "http://evil", "desk:80", NULL, false},
      {NULL, "null", "desk:80", NULL, false},
      {NULL, "", "desk:80", NULL, false},
      {NULL, "http://desk:80.evil", "desk:80", NULL, false},
      {NULL, "https://desk.example", "10.0.0.1:8080", "https://desk.example", true},
      {NULL, "https://desk.example.evil", "10.0.0.1:8080", "https://desk.example", false},
      {NULL, "http://desk", NULL, NULL, false},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    if (dispatch_is_own(cases[i].site, cases[i].origin, cases[i].host, cases[i].own) !=
        cases[i].want)
      fail_msg("case %zu", i);
  }
}

int main(void)
{
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test(passwords_that_everybody_tries_are_refused),
      cmocka_unit_test(a_password_is_known_again),
      cmocka_unit_test(who_saw_whom_is_noted_once_an_hour),
      cmocka_unit_test(no_more_than_two_hash_at_once_and_few_wait),
      cmocka_unit_test(buckets_fill_again),
      cmocka_unit_test(secrets_are_random_and_their_forms_differ),
      cmocka_unit_test(a_form_comes_from_our_own_page_or_not),
  };
  if (sodium_init() < 0)
    return 1;
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests_name("desk_people", tests, NULL, NULL);
}
