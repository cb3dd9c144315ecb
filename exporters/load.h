/* SPDX-License-Identifier: MIT */
#ifndef TM_LOAD_H
#define TM_LOAD_H

#include "exporters/spool.h"
#include "exporters/target.h"

#include <stddef.h>

/* One request: items that were read, and what the target is told of them. */
struct load {
  struct spool_entry *entries; /* as many as items */
  struct spool_item *items;
  struct target_item *told;
  char (*hashes)[TM_SHA256_HEX];
  size_t n, cap;
  size_t bytes;
};

/* Room for cap items. 0 or -ENOMEM; release it in either case. */
int load_init(struct load *l, size_t cap);
/* Takes the item over. There must be room. */
void load_add(struct load *l, const struct spool_entry *entry, struct spool_item *item);
/* Releases the items and keeps the room. */
void load_clear(struct load *l);
void load_release(struct load *l);

/* A text of the item's head, "" where there is none. Borrowed. */
const char *item_text(const struct spool_item *item, const char *key);

#endif
