/* SPDX-License-Identifier: MIT */
/* covers: analyzer/registration.c analyzer/inventory.c */
/* A registration, and an inventory file, of any bytes. */
#include "analyzer/inventory.h"
#include "analyzer/registration.h"
#include "common/json.h"
#include "tests/lib/fuzz_folder.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void refused(void *user, const char *text)
{
  (void)user;
  assert(strstr(text, ".json") != NULL); /* every refusal names its file */
}

/* The folder beside which another one for the same device may lie, and what the plugins found. */
static void in_a_folder(const uint8_t *data, size_t size)
{
  static const char other[] =
      "{\"schema\":\"tidemark.registration/1\",\"kind\":\"disk_array\",\"vendor\":\"V\","
      "\"model\":\"M\",\"serial\":\"SN-1\",\"host\":\"gw\",\"device\":\"array-01\","
      "\"software\":[{\"name\":\"driver\"},{\"name\":\"firmware\",\"version\":\"0.9\"}]}";
  struct registrations all = {0};
  struct tm_error err = {0};
  static int made;
  if (!made) {
    fuzz_dir("products");
    fuzz_dir("products/more");
    fuzz_dir("inventory");
    fuzz_dir("inventory/gw");
    fuzz_file("products/more/other.json", other, sizeof(other) - 1);
  }
  made = 1;
  char path[PATH_MAX];
  fuzz_file("products/input.json", data, size);
  fuzz_file("inventory/gw/array-01.json", data, size);
  int rc = registrations_load(&all, fuzz_path(path, "products"), refused, NULL, &err);
  assert(rc == 0 && all.n >= 1);
  const struct registration *by_serial = registration_find(&all, "gw", "array-01", "SN-1");
  assert(by_serial == NULL || by_serial->serial == NULL || strcmp(by_serial->serial, "SN-1") == 0);
  json_t *found = inventory_read(fuzz_folder(), "gw", "array-01", &err);
  assert(inventory_has(fuzz_folder(), "gw") && !inventory_has(fuzz_folder(), "other/host"));
  json_decref(inventory_product(registration_find(&all, "gw", "array-01", NULL), found));
  json_decref(inventory_product(NULL, found));
  json_decref(found);
  registrations_release(&all);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct registration *r = NULL;
  struct tm_error err = {0};
  json_t *found = tm_json_parse((const char *)data, size, "input", &err);
  registration_parse(&r, (const char *)data, size, "input", &err);
  json_decref(inventory_product(r, json_is_object(found) ? found : NULL));
  json_decref(found);
  registration_free(r);
  in_a_folder(data, size);
  return 0;
}
