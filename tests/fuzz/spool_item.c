/* SPDX-License-Identifier: MIT */
/* A file of the spool that somebody else wrote. The checksum is made right, to get beyond it. */
#include "exporters/spool.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void parse(const void *data, size_t size, bool with_sum)
{
  struct spool_item item = {.file = TM_BUF_INIT(SPOOL_ITEM_MAX)};
  struct tm_error err = {0};
  char hash[TM_SHA256_HEX];
  if (with_sum)
    tm_buf_printf(&item.file, "tidemark-spool/1 %s\n", tm_sha256_hex(hash, data, size));
  if (tm_buf_add(&item.file, data, size) == 0) {
    int rc = spool_item_parse(&item, "fuzz", NULL, &err);
    assert(rc == 0 || err.code == rc);
    if (rc == 0)
      assert(item.body + item.body_len == item.file.ptr + item.file.len);
  }
  spool_item_release(&item);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  parse(data, size, false);
  parse(data, size, true);
  return 0;
}
