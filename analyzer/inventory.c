/* SPDX-License-Identifier: MIT */
#include "analyzer/inventory.h"

#include "common/file.h"
#include "common/inventory_file.h"
#include "common/json.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

bool inventory_has(const char *state_dir, const char *host)
{
  char path[PATH_MAX];
  return tm_inventory_path(path, state_dir, host, NULL, NULL) == 0 && tm_path_is_there(path);
}

json_t *inventory_read(const char *state_dir, const char *host, const char *device,
                       struct tm_error *err)
{
  char path[PATH_MAX];
  struct tm_error why = {0};
  if (tm_inventory_path(path, state_dir, host, device, err) < 0)
    return NULL;
  json_t *found = tm_json_read(path, TM_INVENTORY_MAX_BYTES, &why);
  if (found != NULL && !json_is_object(found)) {
    json_decref(found);
    found = NULL;
    tm_fail(&why, -EBADMSG, "%s:1: not a JSON object", path);
  }
  if (found == NULL && why.code != -ENOENT && err != NULL)
    *err = why;
  return found;
}

static bool is_same(const char *a, const char *b)
{
  return a != NULL && b != NULL && strcmp(a, b) == 0;
}

/* When the firmware became this one: the inventory's own note of the change, else the day on which
 * it was written. */
static const char *changed_on(const json_t *inventory, const char *version)
{
  const json_t *changes = json_object_get(inventory, "changes");
  for (size_t i = json_array_size(changes); i-- > 0;) {
    const json_t *c = json_array_get(changes, i);
    if (is_same(tm_json_get_string(c, "what"), "firmware") &&
        is_same(tm_json_get_string(c, "to"), version))
      return tm_json_get_string(c, "on");
  }
  return tm_json_get_string(inventory, "since");
}

static json_t *software_entry(const char *found, const char *paper, const json_t *inventory)
{
  json_t *entry = json_pack("{s:s, s:s}", "name", "firmware", "version", found);
  const char *since = changed_on(inventory, found);
  if (paper != NULL && strcmp(paper, found) != 0) {
    json_object_set_new(entry, "registered", json_string(paper));
    if (since != NULL)
      json_object_set_new(entry, "since",
                          json_stringn(since, strlen(since) < 10 ? strlen(since) : 10));
  }
  return entry;
}

/* Puts the firmware that runs into software[], in the place of the registered one. */
static void put_firmware(json_t *product, const json_t *inventory)
{
  const char *found = tm_json_get_string(inventory, "firmware");
  json_t *list = json_array();
  const json_t *papers = json_object_get(product, "software");
  bool put = false;
  for (size_t i = 0; i < json_array_size(papers); i++) {
    json_t *entry = json_array_get(papers, i);
    if (found != NULL && is_same(tm_json_get_string(entry, "name"), "firmware")) {
      if (!put)
        json_array_append_new(
            list, software_entry(found, tm_json_get_string(entry, "version"), inventory));
      put = true;
    } else {
      json_array_append(list, entry);
    }
  }
  if (found != NULL && !put)
    json_array_append_new(list, software_entry(found, NULL, inventory));
  json_object_set_new(product, "software", list);
}

json_t *inventory_product(const struct registration *r, const json_t *inventory)
{
  static const char *const filled[] = {"kind", "vendor", "model", "serial", NULL};
  if (r == NULL && inventory == NULL)
    return NULL;
  json_t *product = r != NULL ? json_copy(r->product) : json_object();
  for (size_t i = 0; filled[i] != NULL; i++) {
    json_t *found = json_object_get(inventory, filled[i]);
    if (json_is_string(found) && !json_is_string(json_object_get(product, filled[i])))
      json_object_set(product, filled[i], found);
  }
  put_firmware(product, inventory);
  return product;
}
