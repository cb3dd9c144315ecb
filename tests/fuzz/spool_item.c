/* SPDX-License-Identifier: MIT */
/* covers: exporters/spool_item.c */
/* A file of the spool that somebody else wrote. The checksum is made right, to get beyond it. */
#include "exporters/spool.h"

#include "tests/lib/fuzz_folder.h"

#include <assert.h>

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

/* As it lies in the spool, under a name. */
static void read_file(const void *data, size_t size)
{
  const struct spool s = {.dir = (char *)fuzz_folder()};
  const struct spool_entry entry = {.name = "item", .key = "fuzz"};
  struct spool_item item;
  struct tm_error err = {0};
  static int made;
  if (!made)
    fuzz_dir("new");
  made = 1;
  fuzz_file("new/item", data, size);
  int rc = spool_read(&s, SPOOL_NEW, &entry, &item, &err);
  assert(rc == 0 || err.text[0] != '\0');
  if (rc == 0)
    spool_item_release(&item);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  read_file(data, size);
  parse(data, size, false);
  parse(data, size, true);
  return 0;
}
