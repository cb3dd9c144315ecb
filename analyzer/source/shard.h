/* SPDX-License-Identifier: MIT */
#ifndef TM_SHARD_H
#define TM_SHARD_H

#include <stdbool.h>

/* True when the device HOST/FOLDER belongs to share `shard` of `shards` (0 or 1: all of them). The
 * same everywhere, whatever the source, so that shares of several machines fit together. */
bool shard_holds(unsigned shard, unsigned shards, const char *host, const char *folder);

#endif
