/* SPDX-License-Identifier: MIT */
/* A request for data items, as a receiver could send it. */
#include "common/json.h"
#include "exporters/requests.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  json_t *request = tm_json_parse((const char *)data, size, "fuzz", NULL);
  if (request != NULL && requests_is_sound(request)) {
    const char *id = tm_json_get_string(request, "id");
    assert(requests_is_id(id) && strchr(id, '/') == NULL && id[0] != '.');
    assert(json_array_size(json_object_get(request, "items")) <= REQUESTS_ITEMS);
  }
  json_decref(request);
  return 0;
}
