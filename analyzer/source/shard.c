/* SPDX-License-Identifier: MIT */
#include "analyzer/source/shard.h"

#include <stdint.h>

/* FNV-1a over "HOST/FOLDER". */
static uint64_t hash(const char *host, const char *folder)
{
  uint64_t h = 0xcbf29ce484222325U;
  for (int part = 0; part < 2; part++) {
    for (const char *p = part == 0 ? host : folder; *p != '\0'; p++)
      h = (h ^ (unsigned char)*p) * 0x100000001b3U;
    if (part == 0)
      h = (h ^ '/') * 0x100000001b3U;
  }
  return h ^ h >> 32;
}

bool shard_holds(unsigned shard, unsigned shards, const char *host, const char *folder)
{
  return shards <= 1 || hash(host, folder) % shards == shard;
}
