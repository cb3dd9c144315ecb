/* SPDX-License-Identifier: MIT */
/* covers: exporters/mapping/mapping.c exporters/mapping/template.c exporters/mapping/format.c
 * exporters/mapping/render.c exporters/mapping/requests.c */
/* A mapping file, and what it makes of an opportunity: what was checked can be filled. */
#include "exporters/mapping/requests.h"

#include "tests/lib/fuzz_folder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char event[] =
    "{\"data\":{\"schema\":\"tidemark.summary/1\",\"customer\":{\"id\":\"C-1\",\"name\":\"\xe5\xa4"
    "\xa7\"},\"product\":{\"device\":\"a/..\"},\"recommendations\":[{\"key\":\"C-1/a\",\"action\":"
    "\"grow\",\"lines\":[{\"sku\":\"S\",\"quantity\":2}],\"price\":{\"amount\":\"1\",\"currency\":"
    "\"JPY\"},\"order_by\":\"2027-01-11\",\"confidence\":0.8}]}}";

static int fill(void *arg, struct mapping_scope *scope, struct tm_error *err)
{
  static const char *const steps[] = {"find", "create", "update", "upsert"};
  const struct mapping *m = arg;
  for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
    struct tm_buf path = TM_BUF_INIT(10000);
    struct tm_buf body = TM_BUF_INIT(1 << 20);
    const json_t *request = json_object_get(m->root, steps[i]);
    if (request != NULL)
      mapping_request(&path, &body, request, scope, err);
    tm_buf_release(&path);
    tm_buf_release(&body);
  }
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct mapping m;
  struct tm_error err = {0};
  char path[PATH_MAX];
  fuzz_file("mapping.json", data, size);
  fuzz_path(path, "mapping.json");
  if (mapping_load(&m, path, &err) == 0) {
    const struct tm_conf_target target = {.name = "crm", .url = "https://crm/x", .mapping = path};
    mapping_each(&m, event, sizeof(event) - 1, fill, &m, &err);
    mapping_preview(&target, event, sizeof(event) - 1, &err);
  }
  mapping_release(&m);
  return 0;
}
