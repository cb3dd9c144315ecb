/* SPDX-License-Identifier: MIT */
#include "common/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void addresses_are_hidden(void **state)
{
  static const char *const rows[][2] = {
      {"192.168.1.20", "(address)"},
      {"Ready 10.0.0.1.", "Ready (address)."},
      {"http://192.168.3.179:631/ipp", "http://(address):631/ipp"},
      {"eth0 (fe80::fad0:27ff:fe29:f16f)", "eth0 ((address))"},
      {"[2001:db8::1]/64", "[(address)]/64"},
      {"2001:db8:0:1:2:3:4:5", "(address)"},
      {"::1", "(address)"},
      {"00:17:c8:b9:02:de, 00-17-C8-B9-02-DE", "(address), (address)"},
      {"a=1.2.3.4 b=5.6.7.8", "a=(address) b=(address)"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    char got[128];
    tm_address_hide(got, sizeof(got), rows[i][0]);
    assert_string_equal(got, rows[i][1]);
  }
}

static void what_is_no_address_is_kept(void **state)
{
  static const char *const rows[] = {
      "",
      "Ethernet 1000BASE-T",
      "12:34:56",
      "2026-11-20T01:12:00Z",
      "V61.17.17Z",
      "3.1.7",
      "1.2.3.4.5",
      "1.2.3.400",
      "face",
      "Tray 1: A4",
      "EPSON29F16F",
      "Wi-Fi, 2.4 GHz: ok",
      "00:17:c8:b9:02",
  };
  (void)state;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    char got[128];
    tm_address_hide(got, sizeof(got), rows[i]);
    assert_string_equal(got, rows[i]);
  }
}

static void nothing_is_written_past_the_end(void **state)
{
  char got[8] = "xxxxxxx";
  (void)state;
  tm_address_hide(got, 5, "abc 10.0.0.1");
  assert_string_equal(got, "abc ");
  assert_int_equal(got[5], 'x');
  tm_address_hide(got, 1, "abc");
  assert_string_equal(got, "");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(addresses_are_hidden),
      cmocka_unit_test(what_is_no_address_is_kept),
      cmocka_unit_test(nothing_is_written_past_the_end),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
