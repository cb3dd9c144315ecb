/* SPDX-License-Identifier: MIT */
#include "exporters/consent.h"
#include "exporters/schema.h"

#include "common/file.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static char dir[64];

static int make_dir(void **state)
{
  snprintf(dir, sizeof(dir), "/tmp/test_consent.XXXXXX");
  *state = NULL;
  return mkdtemp(dir) == NULL;
}

static int remove_dir(void **state)
{
  char command[128];
  (void)state;
  snprintf(command, sizeof(command), "rm -rf '%s'", dir);
  return system(command);
}

/* Switches on for these fields, and returns how many of them were new. */
static size_t enable(unsigned purpose, const char *device, const char *field)
{
  json_t *grown = NULL;
  json_t *fields = json_pack("[s,s]", "product.model", field);
  struct consent_change change = {.purpose = (enum tm_purpose)purpose,
                                  .device = device,
                                  .by = "Hanako",
                                  .fields = fields,
                                  .now = 1790000000};
  assert_int_equal(consent_enable(dir, &change, &grown, NULL), 0);
  size_t n = json_array_size(grown);
  json_decref(grown);
  json_decref(fields);
  return n;
}

static void disable(unsigned purpose, const char *device)
{
  struct consent_change change = {
      .purpose = (enum tm_purpose)purpose, .device = device, .now = 1790000001};
  assert_int_equal(consent_disable(dir, &change, NULL), 0);
}

static unsigned on(const char *host, const char *device)
{
  struct consent c;
  assert_int_equal(consent_load(&c, dir, NULL), 0);
  unsigned purposes = consent_purposes(&c, host, device);
  consent_release(&c);
  return purposes;
}

static void everything_is_off_at_first(void **state)
{
  (void)state;
  struct consent c;
  assert_int_equal(on("h", "a"), 0);
  assert_int_equal(consent_load(&c, dir, NULL), 0);
  assert_false(consent_any(&c, 15));
  assert_null(consent_fields(&c, TM_PURPOSE_SALES, "h", "a"));
  consent_release(&c);
}

static void a_device_can_differ_from_the_others(void **state)
{
  (void)state;
  enable(TM_PURPOSE_SALES, NULL, "product.price");
  assert_int_equal(on("h", "a"), TM_PURPOSE_SALES);
  disable(TM_PURPOSE_SALES, "a");
  assert_int_equal(on("h", "a"), 0);
  assert_int_equal(on("h", "b"), TM_PURPOSE_SALES);
  enable(TM_PURPOSE_SALES, "h2/a", "product.price"); /* the full name outranks the short one */
  assert_int_equal(on("h2", "a"), TM_PURPOSE_SALES);
  enable(TM_PURPOSE_SERVICE, "c", "product.serial");
  assert_int_equal(on("h", "c"), TM_PURPOSE_SALES | TM_PURPOSE_SERVICE);
  assert_int_equal(on("h", "b"), TM_PURPOSE_SALES);
  disable(TM_PURPOSE_SALES, NULL); /* for all: single devices too */
  assert_int_equal(on("h2", "a"), 0);
  assert_int_equal(on("h", "c"), TM_PURPOSE_SERVICE);
}

static void only_what_is_new_is_shown_when_asked_anew(void **state)
{
  (void)state;
  assert_int_equal(enable(TM_PURPOSE_SALES, NULL, "product.price"), 2);
  assert_int_equal(enable(TM_PURPOSE_SALES, NULL, "product.price"), 0);
  assert_int_equal(enable(TM_PURPOSE_SALES, NULL, "product.colour"), 1);
  struct consent c;
  assert_int_equal(consent_load(&c, dir, NULL), 0);
  json_t *fields = consent_fields(&c, TM_PURPOSE_SALES, "h", "a");
  assert_non_null(json_object_get(fields, "product.colour"));
  assert_null(json_object_get(fields, "product.price"));
  json_decref(fields);
  json_t *statement = consent_statement(&c, TM_PURPOSE_SALES, "h", "a");
  char *text = json_dumps(statement, JSON_COMPACT);
  assert_string_equal(text, "{\"sales\":{\"by\":\"Hanako\",\"on\":\"2026-09-21T14:13:20Z\"}}");
  free(text);
  json_decref(statement);
  consent_release(&c);
}

static void what_another_process_changes_is_seen(void **state)
{
  (void)state;
  struct consent c;
  enable(TM_PURPOSE_SALES, NULL, "x");
  assert_int_equal(consent_load(&c, dir, NULL), 0);
  assert_int_equal(consent_refresh(&c, NULL), 0);
  assert_true(consent_any(&c, TM_PURPOSE_SALES));
  disable(TM_PURPOSE_SALES, NULL);
  assert_int_equal(consent_refresh(&c, NULL), 0);
  assert_false(consent_any(&c, TM_PURPOSE_SALES));
  consent_release(&c);
}

static void a_damaged_record_opens_nothing(void **state)
{
  (void)state;
  static const char *const bad[] = {
      "",
      "x",
      "[]",
      "{}",
      "{\"schema\":\"tidemark.consent/1\"}",
      "{\"schema\":\"tidemark.consent/2\",\"purposes\":{}}",
      "{\"schema\":\"tidemark.consent/1\",\"purposes\":{\"sails\":{}}}",
      "{\"schema\":\"tidemark.consent/1\",\"purposes\":{\"sales\":{\"all\":{\"on\":true}}}}",
      "{\"schema\":\"tidemark.consent/1\",\"purposes\":{\"sales\":{\"all\":{\"on\":1}}}}",
      "{\"schema\":\"tidemark.consent/1\",\"purposes\":{\"sales\":{\"devices\":[]}}}",
  };
  char path[128];
  snprintf(path, sizeof(path), "%s/consent.json", dir);
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    struct consent c;
    struct tm_error err = {0};
    assert_int_equal(tm_file_write(path, bad[i], strlen(bad[i]), 0640, NULL), 0);
    if (consent_load(&c, dir, &err) >= 0 || err.text[0] == '\0')
      fail_msg("accepted: %s", bad[i]);
  }
}

static void the_key_of_pseudonyms_is_made_once_and_kept(void **state)
{
  (void)state;
  struct tm_secret a, b;
  struct stat st;
  char path[128];
  assert_int_equal(consent_pseudonym_key(&a, dir, NULL), 0);
  assert_int_equal(consent_pseudonym_key(&b, dir, NULL), 0);
  assert_int_equal(a.len, b.len);
  assert_memory_equal(a.key, b.key, a.len);
  snprintf(path, sizeof(path), "%s/pseudonym.key", dir);
  assert_int_equal(stat(path, &st), 0);
  assert_int_equal(st.st_mode & 07777, 0600);
}

/* The table of the design: which fields each purpose opens. */
static void purposes_open_the_fields_of_the_schema(void **state)
{
  (void)state;
  static const struct {
    const char *path;
    unsigned purposes;
  } wanted[] = {
      {"product.model", TM_PURPOSE_SALES | TM_PURPOSE_SERVICE},
      {"product.price.amount", TM_PURPOSE_SALES},
      {"product.serial", TM_PURPOSE_SALES | TM_PURPOSE_SERVICE}, /* the one as a pseudonym */
      {"status.used_bytes", TM_PURPOSE_SALES | TM_PURPOSE_SERVICE},
      {"history[].used_bytes", TM_PURPOSE_SALES | TM_PURPOSE_SERVICE},
      {"forecast.growth_bytes_per_day", TM_PURPOSE_SALES | TM_PURPOSE_SERVICE},
      {"forecast.fill.*", TM_PURPOSE_SALES | TM_PURPOSE_FACTORY},
      {"recommendations[].reason", TM_PURPOSE_SALES},
      {"recommendations[].order_by", TM_PURPOSE_SALES | TM_PURPOSE_FACTORY},
      {"recommendations[].lines[].sku", TM_PURPOSE_SALES | TM_PURPOSE_FACTORY},
      {"recommendations[].lines[].quantity", TM_PURPOSE_SALES | TM_PURPOSE_FACTORY},
      {"recommendations[].lines[].price.amount", TM_PURPOSE_SALES},
      {"customer.id", 15},
  };
  struct schema s;
  struct tm_error err = {0};
  int rc = schema_load(&s, SCHEMA_SUMMARY, &err);
  assert_string_equal(err.text, "");
  assert_int_equal(rc, 0);
  for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
    unsigned found = 0;
    for (unsigned p = 1; p <= 8; p <<= 1) {
      json_t *fields = schema_fields(&s, p);
      size_t j;
      json_t *field;
      json_array_foreach(fields, j, field)
      {
        if (strcmp(json_string_value(field), wanted[i].path) == 0)
          found |= p;
      }
      json_decref(fields);
    }
    if (found != wanted[i].purposes)
      fail_msg("%s: want %u, got %u", wanted[i].path, wanted[i].purposes, found);
  }
  schema_release(&s);
}

int main(void)
{
#define FRESH(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)
  static const struct CMUnitTest tests[] = {
      FRESH(everything_is_off_at_first),
      FRESH(a_device_can_differ_from_the_others),
      FRESH(only_what_is_new_is_shown_when_asked_anew),
      FRESH(what_another_process_changes_is_seen),
      FRESH(a_damaged_record_opens_nothing),
      FRESH(the_key_of_pseudonyms_is_made_once_and_kept),
      cmocka_unit_test(purposes_open_the_fields_of_the_schema),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
