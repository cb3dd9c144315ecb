/* SPDX-License-Identifier: MIT */
#include "exporters/load.h"

#include "common/json.h"

#include <errno.h>
#include <stdlib.h>

const char *item_text(const struct spool_item *item, const char *key)
{
  const char *text = tm_json_get_string(item->head, key);
  return text != NULL ? text : "";
}

int load_init(struct load *l, size_t cap)
{
  *l = (struct load){.cap = cap};
  l->entries = calloc(cap, sizeof(*l->entries));
  l->items = calloc(cap, sizeof(*l->items));
  l->told = calloc(cap, sizeof(*l->told));
  l->hashes = calloc(cap, sizeof(*l->hashes));
  return l->entries != NULL && l->items != NULL && l->told != NULL && l->hashes != NULL ? 0
                                                                                        : -ENOMEM;
}

void load_clear(struct load *l)
{
  for (size_t i = 0; i < l->n; i++)
    spool_item_release(&l->items[i]);
  l->n = 0;
  l->bytes = 0;
}

void load_release(struct load *l)
{
  load_clear(l);
  free(l->entries);
  free(l->items);
  free(l->told);
  free(l->hashes);
}

void load_add(struct load *l, const struct spool_entry *entry, struct spool_item *item)
{
  size_t i = l->n++;
  l->entries[i] = *entry;
  l->items[i] = *item;
  l->bytes += item->body_len;
  tm_sha256_hex(l->hashes[i], item->body, item->body_len);
  l->told[i] = (struct target_item){.key = l->entries[i].key,
                                    .kind = item_text(item, "type"),
                                    .device = item_text(item, "device"),
                                    .sha256 = l->hashes[i],
                                    .body = item->body,
                                    .body_len = item->body_len};
}
