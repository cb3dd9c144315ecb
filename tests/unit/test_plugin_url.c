/* SPDX-License-Identifier: MIT */
/* URLs of devices, and the settings they become. */
#include "plugins/ask.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void urls_are_split_and_decoded(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    int rc;
    const char *scheme;
    const char *user;
    const char *host;
    unsigned port;
    const char *path;
  } rows[] = {
      {"block:", 0, "block", "", "", 0, ""},
      {"block:md0", 0, "block", "", "", 0, "md0"},
      {"snmp://public@10.0.0.1:1161", 0, "snmp", "public", "10.0.0.1", 1161, ""},
      {"SNMP1://p%40b@[fe80::1]:161", 0, "snmp1", "p@b", "fe80::1", 161, ""},
      {"snmp://a@b@h", 0, "snmp", "a@b", "h", 0, ""},
      {"ipp://h/ipp/print%201", 0, "ipp", "", "h", 0, "/ipp/print 1"},
      {"redfishs://[::1]/", 0, "redfishs", "", "::1", 0, "/"},
      {"", -EINVAL, NULL, NULL, NULL, 0, NULL},
      {"host", -EINVAL, NULL, NULL, NULL, 0, NULL},
      {"1x://h", -EINVAL, NULL, NULL, NULL, 0, NULL},
      {"snmp://", -EINVAL, NULL, NULL, NULL, 0, NULL},
      {"snmp://h:0", -EINVAL, NULL, NULL, NULL, 0, NULL},
      {"snmp://h:65536", -EINVAL, NULL, NULL, NULL, 0, NULL},
      {"snmp://h:", -EINVAL, NULL, NULL, NULL, 0, NULL},
      {"snmp://[::1", -EINVAL, NULL, NULL, NULL, 0, NULL},
      {"snmp://[::1]x", -EINVAL, NULL, NULL, NULL, 0, NULL},
      {"snmp://h%0a", -EINVAL, NULL, NULL, NULL, 0, NULL},
      {"snmp://h%4", -EINVAL, NULL, NULL, NULL, 0, NULL},
      {"averyveryverylongscheme://h", -EINVAL, NULL, NULL, NULL, 0, NULL},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    struct ask_url u = {.port = 7};
    struct tm_error err = {0};
    assert_int_equal(ask_url_parse(rows[i].text, &u, &err), rows[i].rc);
    if (rows[i].rc < 0) {
      assert_int_equal(u.port, 7);
      assert_int_equal(err.code, -EINVAL);
      continue;
    }
    assert_string_equal(u.scheme, rows[i].scheme);
    assert_string_equal(u.user, rows[i].user);
    assert_string_equal(u.host, rows[i].host);
    assert_int_equal(u.port, rows[i].port);
    assert_string_equal(u.path, rows[i].path);
  }
}

static void a_secret_in_a_url_is_not_repeated(void **state)
{
  (void)state;
  struct ask_url u;
  struct tm_error err = {0};
  assert_int_equal(ask_url_parse("snmp://hushhush@h:x", &u, &err), -EINVAL);
  assert_null(strstr(err.text, "hush"));
}

static void settings_ignore_case_and_are_replaced(void **state)
{
  (void)state;
  struct ask_settings s = {0};
  struct ask_settings defaults = {0};
  assert_int_equal(ask_settings_set(&s, "Address", "a"), 0);
  assert_int_equal(ask_settings_set(&s, "address", "b"), 0);
  assert_null(s.first->next);
  assert_string_equal(ask_settings_get(&s, "ADDRESS"), "b");
  assert_int_equal(ask_settings_set(&defaults, "Address", "c"), 0);
  assert_int_equal(ask_settings_set(&defaults, "ProcPath", "/p"), 0);
  assert_int_equal(ask_settings_inherit(&s, &defaults), 0);
  assert_string_equal(ask_settings_get(&s, "Address"), "b");
  assert_string_equal(ask_settings_get(&s, "ProcPath"), "/p");
  assert_null(ask_settings_get(&s, "Port"));
  ask_settings_release(&s);
  ask_settings_release(&defaults);
}

int main(void)
{
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test(urls_are_split_and_decoded),
      cmocka_unit_test(a_secret_in_a_url_is_not_repeated),
      cmocka_unit_test(settings_ignore_case_and_are_replaced),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
