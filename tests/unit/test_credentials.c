/* SPDX-License-Identifier: MIT */
/* The credentials file: who finds what, what is refused, and that no secret is told in a message.
 */
#include "plugins/credentials.h"

#include "common/file.h"
#include "plugins/source/snmp.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/lib/test_folder.h"

static char path[64];

static int load(const char *text, mode_t mode, struct credentials **c, struct tm_error *err)
{
  *err = (struct tm_error){0};
  assert_int_equal(tm_file_write(path, text, strlen(text), mode, NULL), 0);
  return credentials_load(c, path, err);
}

static void the_nearest_entry_is_found(void **state)
{
  (void)state;
  struct credentials *c = NULL;
  struct tm_error err;
  assert_int_equal(
      load("# comment\n"
           "device \"10.1.*\" { community = \"pattern\" }\n"
           "device \"10.1.2.3\" { community = \"host\" }\n"
           "device \"10.1.2.3:1161\" { community = \"port\" }\n"
           "device \"Array.example\" {\n  user = \"u\"  password = \"p # \\\"q\\\"\"\n"
           "  login = \"basic\"  plain = true }\n"
           "device \"v3\" { user = \"n\" auth = \"sha-256\" auth_password = \"12345678\"\n"
           "  privacy = \"AES\" context = \"x\" }\n",
           0640, &c, &err),
      0);
  assert_string_equal(credentials_find(c, "10.1.2.3", 1161)->community, "port");
  assert_string_equal(credentials_find(c, "10.1.2.3", 161)->community, "host");
  assert_string_equal(credentials_find(c, "10.1.2.4", 161)->community, "pattern");
  assert_null(credentials_find(c, "10.2.2.4", 161));
  assert_null(credentials_find(NULL, "10.2.2.4", 161));
  const struct credential *a = credentials_find(c, "array.EXAMPLE", 443);
  assert_non_null(a);
  assert_string_equal(a->password, "p # \"q\"");
  assert_string_equal(a->login, "basic");
  assert_true(a->plain);
  assert_null(a->community);
  const struct credential *v3 = credentials_find(c, "v3", 161);
  assert_string_equal(v3->auth_password, "12345678");
  assert_string_equal(v3->context, "x");
  assert_false(v3->plain);
  credentials_free(c);
}

static void what_cannot_be_read_is_named_without_the_secret(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    const char *want; /* part of the message */
  } cases[] = {
      {"device \"a\" { pasword = \"hunter2\" }",
       ":1: unknown key 'pasword': did you mean 'password'?"},
      {"\ndevise \"a\" { password = \"hunter2\" }",
       ":2: unknown key 'devise': did you mean 'device'?"},
      {"device \"a\" { password = open hunter2 }", ":1: unknown key"},
      {"device \"a\" { password = \"hunter2\"\n", "the closing brace of a device is missing"},
      {"device \"a\" { password = \"hunter2\n", "cannot be read"},
      {"device \"a\" { plain = hunter2 }", ":1: cannot be read"},
      {"device \"a\" { password = \"hunter2\" }\ndevice \"a\" { }",
       ":2: a device that stands here"},
      {"device \"a\" { password = \"${HOME}hunter2\" }", "holds '${'"},
      {"device \"a\" { password = \"hunter2\" auth = \"SHA-255\" auth_password = \"hunter2222\" }",
       ":1: device \"a\": auth is none that is known: did you mean 'SHA-256'?"},
      {"\n\ndevice \"a\" { auth = \"SHA\" auth_password = \"hunter2222\" privacy = \"AES-255\" }",
       ":3: device \"a\": privacy is none that is known: did you mean 'AES-25"},
      {"device \"a\" { auth = \"SHA\" auth_password = \"hunter2\" }",
       "auth_password has 7 characters: 8 to"},
      {"device \"a\" { auth = \"SHA\" }", "auth without auth_password"},
      {"device \"a\" { privacy = \"AES\" privacy_password = \"hunter2222\" }",
       "privacy without auth"},
      {"device \"a\" { login = \"hunter2\" }", "login is none that is known"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct credentials *c = NULL;
    struct tm_error err;
    if (load(cases[i].text, 0600, &c, &err) != -EBADMSG)
      fail_msg("%s: was accepted", cases[i].text);
    if (strstr(err.text, cases[i].want) == NULL)
      fail_msg("%s: want '%s', got '%s'", cases[i].text, cases[i].want, err.text);
    assert_non_null(strstr(err.text, path));
    assert_null(strstr(err.text, "hunter"));
    assert_null(c);
  }
}

/* A library that was built without a cipher is said so by where it is wanted, not by a time-out. */
static void what_the_library_lacks_is_named_with_its_place(void **state)
{
  (void)state;
  static const struct credential known[] = {{.auth = "SHA-512", .privacy = "aes-256"},
                                            {.auth = "sha", .privacy = "AES-192-C"},
                                            {.auth = "MD5"},
                                            {.user = "nobody"}};
  struct credential lacking = {.name = "a", .file = "/f", .line = 7, .auth = "SHA"};
  struct tm_error err = {0};
  for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
    assert_int_equal(snmp_v3_check_user(&known[i], &err), 0);
  lacking.privacy = "AES-1024";
  assert_int_equal(snmp_v3_check_user(&lacking, &err), -EINVAL);
  assert_string_equal(err.text, "/f:7: device \"a\": this system's libnetsnmp has no AES-1024");
  lacking = (struct credential){.name = "a", .file = "/f", .line = 7, .auth = "SHA-1024"};
  assert_int_equal(snmp_v3_check_user(&lacking, &err), -EINVAL);
  assert_string_equal(err.text, "/f:7: device \"a\": this system's libnetsnmp has no SHA-1024");
}

static void a_file_that_others_may_read_or_write_is_refused(void **state)
{
  (void)state;
  static const mode_t bad[] = {0644, 0660, 0604, 0666, 0602};
  static const mode_t good[] = {0600, 0640, 0400, 0440};
  struct credentials *c = NULL;
  struct tm_error err;
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    assert_int_equal(load("", bad[i], &c, &err), -EPERM);
    assert_non_null(strstr(err.text, "0600 or 0640"));
  }
  for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
    assert_int_equal(load("", good[i], &c, &err), 0);
    credentials_free(c);
    c = NULL;
  }
  if (geteuid() == 0) {
    assert_int_equal(load("", 0600, &c, &err), 0);
    credentials_free(c);
    c = NULL;
    assert_int_equal(chown(path, 65534, 65534), 0);
    assert_int_equal(credentials_load(&c, path, &err), -EPERM);
    assert_int_equal(chown(path, 0, 0), 0);
  }
}

static void a_bare_name_is_looked_for_in_systemds_folder(void **state)
{
  (void)state;
  struct credentials *c = NULL;
  struct tm_error err;
  assert_int_equal(load("device \"h\" { community = \"c\" }", 0400, &c, &err), 0);
  credentials_free(c);
  c = NULL;
  setenv("CREDENTIALS_DIRECTORY", test_folder, 1);
  assert_int_equal(credentials_load(&c, "credentials", &err), 0);
  assert_non_null(credentials_find(c, "h", 1));
  credentials_free(c);
  c = NULL;
  assert_int_equal(credentials_load(&c, "absent", &err), -ENOENT);
  assert_int_equal(credentials_load(&c, "./credentials", &err), -ENOENT);
  unsetenv("CREDENTIALS_DIRECTORY");
  assert_int_equal(credentials_load(&c, "credentials", &err), -ENOENT);
}

static int make_folder(void **state)
{
  int rc = test_folder_make(state);
  snprintf(path, sizeof(path), "%s/credentials", test_folder);
  return rc;
}

int main(void)
{
  cmocka_set_message_output(CM_OUTPUT_TAP);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_nearest_entry_is_found),
      cmocka_unit_test(what_cannot_be_read_is_named_without_the_secret),
      cmocka_unit_test(what_the_library_lacks_is_named_with_its_place),
      cmocka_unit_test(a_file_that_others_may_read_or_write_is_refused),
      cmocka_unit_test(a_bare_name_is_looked_for_in_systemds_folder),
  };
  return cmocka_run_group_tests_name("credentials", tests, make_folder, test_folder_remove);
}
