/* SPDX-License-Identifier: MIT */
/* covers: plugins/source/redfish_value.c plugins/source/redfish_store.c
 * plugins/source/redfish_drive.c */
/* Documents of a Redfish service: a line each, the first byte says what it is taken for. */
#include "common/json.h"
#include "plugins/source/redfish_tree.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void add(struct redfish_tree *t, const char *line, size_t len)
{
  char path[64];
  json_t *doc = tm_json_parse(line + 1, len - 1, "document", NULL);
  if (doc == NULL)
    return;
  snprintf(path, sizeof(path), "/redfish/v1/Storage/%c/%zu", line[0], len % 7);
  struct redfish_found f = {.path = path, .storage = "s", .doc = doc};
  if (line[0] == 'P')
    redfish_tree_add_pool(t, &f);
  else if (line[0] == 'V')
    redfish_tree_add_volume(t, &f);
  else if (line[0] == 'D')
    redfish_tree_add_drive(t, &f);
  else if (line[0] == 'M') { /* a drive whose Metrics are the same document */
    f.metrics = doc;
    f.metrics_path = "/redfish/v1/Metrics";
    redfish_tree_add_drive(t, &f);
  } else if (line[0] == 'K')
    redfish_tree_add_counters(t, &f);
  else if (line[0] == 'S')
    redfish_tree_add_storage(t, doc);
  else if (line[0] == 'C')
    redfish_tree_add_system(t, doc);
  else
    redfish_tree_add_root(t, doc);
  json_decref(doc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct redfish_tree t = {0};
  struct reading r;
  const char *p = (const char *)data;
  const char *end = p + size;
  while (p < end) {
    const char *stop = memchr(p, '\n', (size_t)(end - p));
    size_t len = (size_t)((stop != NULL ? stop : end) - p);
    if (len > 0)
      add(&t, p, len);
    p += len + 1;
  }
  reading_init(&r, READING_DISK_ARRAY);
  if (redfish_tree_tell(&t, size % 2 == 0, &r) == 0) {
    json_t *o = reading_to_json(&r);
    if (o == NULL)
      abort();
    json_decref(o);
  }
  reading_release(&r);
  redfish_tree_release(&t);
  return 0;
}
