/* SPDX-License-Identifier: MIT */
/* covers: exporters/target/mapped.c */
/* wraps: tm_http_do */
/* A CRM that answers whatever it likes, by the three mappings that are shipped: the first byte says
 * which. What becomes of the item is told, and a refusal has a reason. */
#include "exporters/target.h"
#include "tests/lib/fuzz_folder.h"
#include "tests/lib/fuzz_server.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char event[] =
    "{\"data\":{\"schema\":\"tidemark.summary/1\",\"generated_at\":\"2026-11-20T00:05:00Z\","
    "\"customer\":{\"id\":\"C-1001\",\"name\":\"Minato\",\"site\":\"osaka-1\"},"
    "\"product\":{\"device\":\"array-01\",\"model\":\"TA-200\",\"serial\":\"S1\"},"
    "\"recommendations\":[{\"key\":\"C-1001/a/grow\",\"action\":\"grow\",\"reason\":\"full soon\","
    "\"lines\":[{\"sku\":\"SHELF-20T\",\"quantity\":2,\"price\":{\"amount\":\"10\",\"currency\":"
    "\"EUR\"}}],\"price\":{\"amount\":\"20\",\"currency\":\"EUR\"},\"order_by\":\"2027-01-11\","
    "\"confidence\":0.8},{\"key\":\"C-1001/a/service\",\"action\":\"service\",\"lines\":[],"
    "\"confidence\":0.5}]}}";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static const char *const mappings[] = {"contrib/mapping/odoo.json",
                                         "contrib/mapping/hubspot.json",
                                         "contrib/mapping/salesforce.json"};
  static char token[PATH_MAX];
  static void *opened[3]; /* a mapping is read once */
  struct tm_error err = {0};
  if (size == 0)
    return 0;
  if (token[0] == '\0')
    fuzz_file("token", "secret\n", 7);
  fuzz_path(token, "token");
  size_t which = data[0] % 3;
  static struct tm_conf_target conf = {
      .name = "crm", .url = "http://127.0.0.1:1/", .token_file = token, .timeout_s = 5};
  conf.mapping = mappings[which];
  if (opened[which] == NULL && target_mapped_ops.open(&opened[which], &conf, &err) < 0) {
    fprintf(stderr, "%s\n", err.text);
    abort();
  }
  struct target_item items[2] = {{.key = "k1",
                                  .kind = "summary",
                                  .device = "gw/array-01",
                                  .body = event,
                                  .body_len = sizeof(event) - 1}};
  items[1] = items[0];
  struct target_outcome out;
  fuzz_server_start(data + 1, size - 1);
  target_mapped_ops.send(opened[which], items, 2, 1795133100, &out);
  for (int i = 0; i < 2; i++)
    assert(items[i].result == TARGET_ACCEPTED || items[i].reason[0] != '\0');
  assert(out.health == TARGET_UP || out.error.code != 0);
  assert(out.retry_after_s >= -1);
  return 0;
}
