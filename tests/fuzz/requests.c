/* SPDX-License-Identifier: MIT */
/* covers: exporters/requests.c */
/* A request for data items, as a receiver could send it. */
#include "common/json.h"
#include "exporters/requests.h"
#include "tests/lib/fuzz_folder.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  const struct tm_conf conf = {.state_dir = fuzz_folder()};
  const struct tm_conf_target target = {.name = "main"};
  char path[PATH_MAX], name[100];
  json_t *request = tm_json_parse((const char *)data, size, "fuzz", NULL);
  if (request != NULL && requests_is_sound(request)) {
    const char *id = tm_json_get_string(request, "id");
    assert(requests_is_id(id) && strchr(id, '/') == NULL && id[0] != '.');
    assert(json_array_size(json_object_get(request, "items")) <= REQUESTS_ITEMS);
    json_t *twice = json_pack("[O,O,{}]", request, request);
    snprintf(name, sizeof(name), "requests/%s.json", id);
    assert(requests_store(&conf, &target, twice) == 1);
    assert(unlink(fuzz_path(path, name)) == 0);
    json_decref(twice);
  }
  json_decref(request);
  return 0;
}
