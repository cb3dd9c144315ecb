/* SPDX-License-Identifier: MIT */
/* A registration, and an inventory file, of any bytes. */
#include "analyzer/registration.h"
#include "common/json.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct registration *r = NULL;
  struct tm_error err = {0};
  json_t *found = tm_json_parse((const char *)data, size, "input", &err);
  registration_parse(&r, (const char *)data, size, "input", &err);
  json_decref(registration_product(r, json_is_object(found) ? found : NULL));
  json_decref(found);
  registration_free(r);
  return 0;
}
