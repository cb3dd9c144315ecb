/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_PACK_H
#define TM_DESK_PACK_H

#include "common/buf.h"
#include "common/error.h"

/*
 * How the bytes that sites sent lie in the table summaries, as its column `encoding` says:
 *
 *   zstd-1    Zstandard, with dictionary-1.txt known to both ends: a summary is mostly the names of
 *             its members, so that this needs half of the room and a quarter of the time of a
 *             deflating that begins with nothing
 *   deflate   zlib: as earlier versions wrote it
 *   plain     what does not get smaller
 *
 * A dictionary that was released is never changed, for what is kept cannot be read without it: a
 * better one is dictionary-2.txt. Each thread keeps its working memory.
 */
#define PACK_ZSTD  "zstd-1"
#define PACK_PLAIN "plain"

/* Packs as zstd-1 into out, which is empty. Leaves it empty where that does not pay, or there is no
 * memory. */
void pack_bytes(struct tm_buf *out, const void *data, size_t len);

/* The `size` bytes that were packed, into out, which is empty. -EIO with err when they are damaged,
 * -EPROTO for an encoding that a later version wrote, -ENOMEM. */
int pack_read(struct tm_buf *out, const char *encoding, const void *data, size_t len, size_t size,
              struct tm_error *err);

#endif
