/* SPDX-License-Identifier: MIT */
/* What the vendor delivered with a device, and what was found on it. */
#include "analyzer/inventory.h"
#include "analyzer/registration.h"
#include "common/file.h"
#include "common/json.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/lib/test_folder.h"

#define HEAD "{\"schema\":\"tidemark.registration/1\",\"kind\":\"disk_array\",\n"

static void every_refusal_names_the_line(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    const char *wanted;
  } cases[] = {
      {"{\"kind\":\"printer\"}", "r:1: \"schema\" is missing"},
      {HEAD "\"serial\":\"S\",\n\"modell\":\"x\"}",
       "r:3: unknown member \"modell\"; is \"model\" meant?"},
      {HEAD "\"device\":\"a\"}", "r:1: neither \"serial\" nor \"host\" and \"device\""},
      {HEAD "\"serial\":\"S\",\n\n\"sold_on\":\"last year\"}", "r:4: \"sold_on\" is not a date"},
      {HEAD "\"serial\":\"S\",\"price\":\n7}", "r:3: \"price\" is not an object"},
      {HEAD "\"serial\":\"S\",\"cache_bytes\":\n-1}", "r:3: \"cache_bytes\" is -1"},
      {HEAD "\"serial\":\"S\",\"software\":[\n{\"version\":\"1\"}]}", "r:3: \"name\" is missing"},
      {HEAD "\"serial\":\"S\",\"software\":[{\"name\":\"x\"},\n7]}",
       "r:3: an entry of \"software\" is not an object"},
      {"{\"schema\":\"tidemark.registration/1\",\n\"kind\":\"disc\",\"serial\":\"S\"}",
       "r:2: \"kind\" is \"disc\""},
      {HEAD "\"serial\":\"\"}", "r:2: \"serial\" is empty"},
      {"{", "r:1: not valid JSON"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct registration *r = NULL;
    struct tm_error err = {0};
    int rc = registration_parse(&r, cases[i].text, strlen(cases[i].text), "r", &err);
    if (rc != -EBADMSG || strncmp(err.text, cases[i].wanted, strlen(cases[i].wanted)) != 0)
      fail_msg("%d \"%s\", wanted \"%s\"", rc, err.text, cases[i].wanted);
    assert_null(r);
  }
}

/* Words are counted in characters, as in registration.schema.json; names of hosts and devices, of
 * which files are named, in bytes. */
static void words_are_counted_in_characters_and_names_of_files_in_bytes(void **state)
{
  (void)state;
  static const struct {
    const char *key;
    size_t fits; /* characters of three bytes each */
  } cases[] = {
      {"serial", 200}, {"name", 200}, {"configuration", 500}, {"device", 85}, {"host", 85}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    for (size_t n = cases[i].fits; n <= cases[i].fits + 1; n++) {
      char value[2000] = "", text[3000], wanted[100] = "";
      struct registration *r = NULL;
      struct tm_error err = {0};
      for (size_t k = 0; k < n; k++)
        strcat(value, "\xe5\x99\xa8");
      snprintf(text, sizeof(text), HEAD "%s\"%s\":\"%s\"}",
               strcmp(cases[i].key, "serial") == 0 ? "" : "\"serial\":\"S\",\n", cases[i].key,
               value);
      int rc = registration_parse(&r, text, strlen(text), "r", &err);
      if (n > cases[i].fits)
        snprintf(wanted, sizeof(wanted), "r:%d: \"%s\" is too long",
                 strcmp(cases[i].key, "serial") == 0 ? 2 : 3, cases[i].key);
      assert_string_equal(err.text, wanted);
      assert_int_equal(rc, n > cases[i].fits ? -EBADMSG : 0);
      registration_free(r);
    }
}

static void put_file(const char *name, const char *text)
{
  char path[256];
  snprintf(path, sizeof(path), "%s/%s", test_folder, name);
  char *slash = strrchr(path, '/');
  *slash = '\0';
  assert_int_equal(tm_dir_make(path, 0755, NULL), 0);
  *slash = '/';
  assert_int_equal(tm_file_write(path, text, strlen(text), 0644, NULL), 0);
}

static char refusals[2000];

static void note_refusal(void *user, const char *text)
{
  (void)user;
  size_t len = strlen(refusals);
  snprintf(refusals + len, sizeof(refusals) - len, "%s\n", text);
}

static const char *model_at(const struct registrations *r, const char *host, const char *device,
                            const char *serial)
{
  const struct registration *found = registration_find(r, host, device, serial);
  return found != NULL ? tm_json_get_string(found->product, "model") : "none";
}

static void a_device_is_found_by_serial_else_by_host_and_name(void **state)
{
  (void)state;
  struct registrations r = {0};
  struct tm_error err = {0};
  put_file("p/a.json", HEAD "\"serial\":\"S1\",\"model\":\"by-serial\"}");
  put_file("p/h/b.json", HEAD "\"host\":\"h\",\"device\":\"b\",\"model\":\"by-name\"}");
  put_file("p/h/c.json",
           HEAD "\"serial\":\"S3\",\"host\":\"h\",\"device\":\"c\",\"model\":\"by-both\"}");
  put_file("p/h/z.json", HEAD "\"serial\":\"S3\",\"model\":\"double\"}");
  put_file("p/wrong.json", HEAD "\"serial\":7}");
  put_file("p/notes.txt", "not a registration");
  put_file("p/1/2/3/4/5/deep.json", HEAD "\"serial\":\"S5\"}");
  char dir[256];
  snprintf(dir, sizeof(dir), "%s/p", test_folder);
  assert_int_equal(registrations_load(&r, dir, note_refusal, NULL, &err), 0);
  assert_int_equal(r.n, 3);
  assert_non_null(strstr(refusals, "/p/wrong.json:2: \"serial\" is not a string\n"));
  assert_non_null(strstr(refusals, "/p/h/z.json:1: serial S3 has a registration already, in "));
  assert_non_null(strstr(refusals, "/p/1/2/3/4/5: is deeper than 4 folders\n"));
  assert_string_equal(model_at(&r, "x", "y", "S1"), "by-serial");
  assert_string_equal(model_at(&r, "h", "b", NULL), "by-name");
  assert_string_equal(model_at(&r, "h", "b", "S9"), "by-name");
  assert_string_equal(model_at(&r, "h", "c", NULL), "by-both");
  assert_string_equal(model_at(&r, "elsewhere", "x", "S3"), "by-both");
  /* Another machine stands where c stood. */
  assert_string_equal(model_at(&r, "h", "c", "S4"), "none");
  assert_string_equal(model_at(&r, "h", "d", NULL), "none");
  registrations_release(&r);
  snprintf(dir, sizeof(dir), "%s/absent", test_folder);
  assert_int_equal(registrations_load(&r, dir, note_refusal, NULL, &err), -ENOENT);
}

static json_t *product_of(const char *paper, const char *found)
{
  struct registration *r = NULL;
  struct tm_error err = {0};
  if (paper != NULL && registration_parse(&r, paper, strlen(paper), "r", &err) != 0)
    fail_msg("%s", err.text);
  json_t *inventory = found != NULL ? json_loads(found, 0, NULL) : NULL;
  json_t *product = inventory_product(r, inventory);
  json_decref(inventory);
  registration_free(r);
  return product;
}

static void what_is_registered_comes_out_the_same(void **state)
{
  (void)state;
  json_t *p = product_of(
      HEAD "\"serial\":\"S\",\"device\":\"a\",\"host\":\"h\",\"sold_on\":\"2025-04-01\","
           "\"price\":{\"amount\":\"1200000\",\"currency\":\"JPY\"},\"capacity_bytes_sold\":1000,"
           "\"cache_bytes\":64,\"configuration\":\"2 x SHELF-20T\","
           "\"software\":[{\"name\":\"firmware\",\"version\":\"4.3.0\"}]}",
      NULL);
  assert_null(json_object_get(p, "schema"));
  assert_null(json_object_get(p, "host"));
  assert_string_equal(tm_json_get_string(p, "sold_on"), "2025-04-01");
  assert_string_equal(tm_json_get_string(json_object_get(p, "price"), "amount"), "1200000");
  assert_true(tm_json_get_number(p, "cache_bytes") == 64);
  json_decref(p);
  /* What the paper does not say is absent, not null or 0. */
  p = product_of(HEAD "\"serial\":\"S\"}", NULL);
  assert_null(json_object_get(p, "price"));
  assert_null(json_object_get(p, "cache_bytes"));
  json_decref(p);
  assert_null(inventory_product(NULL, NULL));
}

static void the_firmware_that_was_found_wins_and_the_change_is_kept(void **state)
{
  (void)state;
  static const char paper[] = HEAD
      "\"serial\":\"S\",\"model\":\"DS-200\",\"software\":["
      "{\"name\":\"driver\",\"version\":\"1\"},{\"name\":\"firmware\",\"version\":\"4.3.0\"}]}";
  json_t *p = product_of(paper, "{\"model\":\"other\",\"vendor\":\"V\",\"serial\":\"T\","
                                "\"firmware\":\"4.4.2\",\"since\":\"2026-06-21T09:00:00Z\"}");
  const json_t *list = json_object_get(p, "software");
  const json_t *entry = json_array_get(list, 1);
  assert_int_equal(json_array_size(list), 2);
  assert_string_equal(tm_json_get_string(entry, "version"), "4.4.2");
  assert_string_equal(tm_json_get_string(entry, "registered"), "4.3.0");
  assert_string_equal(tm_json_get_string(entry, "since"), "2026-06-21");
  assert_string_equal(tm_json_get_string(p, "model"), "DS-200");
  assert_string_equal(tm_json_get_string(p, "serial"), "S");
  assert_string_equal(tm_json_get_string(p, "vendor"), "V");
  json_decref(p);
  /* A later change of something else does not move the firmware's date. */
  p = product_of(paper, "{\"firmware\":\"4.4.2\",\"since\":\"2026-10-01T00:00:00Z\",\"changes\":["
                        "{\"on\":\"2026-06-21\",\"what\":\"firmware\",\"to\":\"4.4.2\"},"
                        "{\"on\":\"2026-10-01\",\"what\":\"capacity_bytes\",\"to\":9}]}");
  entry = json_array_get(json_object_get(p, "software"), 1);
  assert_string_equal(tm_json_get_string(entry, "since"), "2026-06-21");
  json_decref(p);
  /* The same version is no change; one that the paper does not name is no change either. */
  p = product_of(paper, "{\"firmware\":\"4.3.0\",\"since\":\"2026-06-21T09:00:00Z\"}");
  entry = json_array_get(json_object_get(p, "software"), 1);
  assert_null(json_object_get(entry, "registered"));
  json_decref(p);
  p = product_of(NULL, "{\"kind\":\"printer\",\"firmware\":\"2.8\",\"model\":null}");
  assert_string_equal(
      tm_json_get_string(json_array_get(json_object_get(p, "software"), 0), "version"), "2.8");
  assert_null(json_object_get(p, "model"));
  json_decref(p);
}

static void the_inventory_lies_where_the_plugins_write_it(void **state)
{
  (void)state;
  struct tm_error err = {0};
  put_file("inventory/h/_a_b.json", "{\"firmware\":\"1\"}");
  put_file("inventory/h/bad.json", "[1]");
  json_t *found = inventory_read(test_folder, "h", ".a/b", &err);
  assert_string_equal(tm_json_get_string(found, "firmware"), "1");
  json_decref(found);
  /* A device of thousands of volumes has a large one. */
  char *large = malloc(400000);
  assert_non_null(large);
  memset(large, ' ', 400000);
  memcpy(large, "{", 1);
  memcpy(large + 399998, "}", 2);
  put_file("inventory/h/large.json", large);
  free(large);
  found = inventory_read(test_folder, "h", "large", &err);
  assert_non_null(found);
  json_decref(found);
  assert_null(inventory_read(test_folder, "h", "none", &err));
  assert_int_equal(err.code, 0);
  assert_null(inventory_read(test_folder, "h", "bad", &err));
  assert_int_equal(err.code, -EBADMSG);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_refusal_names_the_line),
      cmocka_unit_test(words_are_counted_in_characters_and_names_of_files_in_bytes),
      cmocka_unit_test(a_device_is_found_by_serial_else_by_host_and_name),
      cmocka_unit_test(what_is_registered_comes_out_the_same),
      cmocka_unit_test(the_firmware_that_was_found_wins_and_the_change_is_kept),
      cmocka_unit_test(the_inventory_lies_where_the_plugins_write_it),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, test_folder_make, test_folder_remove);
}
