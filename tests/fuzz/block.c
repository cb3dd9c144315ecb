/* SPDX-License-Identifier: MIT */
/* The kernel's texts that the block source parses, and the URLs of devices: the first byte says
 * which. */
#include "plugins/ask.h"
#include "plugins/source/block_parts.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use_mounts(const char *text)
{
  struct block_mounts mounts = {0};
  if (block_mounts_parse(&mounts, text) < 0)
    return;
  for (size_t i = 0; i < mounts.len; i++) {
    if (block_mount_is_capacity(&mounts.list[i]) &&
        block_mount_may_hang(&mounts, &mounts.list[i]) && mounts.list[i].point[0] != '/')
      abort();
  }
  block_mounts_release(&mounts);
}

static void use_disks(const char *text)
{
  struct block_disks disks = {0};
  struct block_paths nowhere = {"/nonexistent", "/nonexistent", ""};
  if (block_disks_parse(&disks, text) < 0)
    return;
  for (size_t i = 0; i < disks.len && i < 64; i++)
    block_is_physical(&nowhere, &disks, disks.list[i].name);
  block_disks_release(&disks);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  if (size == 0)
    return 0;
  char *text = strndup((const char *)data + 1, size - 1);
  struct ask_url url;
  double fraction = 0;
  if (text == NULL)
    return 0;
  switch (data[0]) {
  case 'm':
    use_mounts(text);
    break;
  case 'd':
    use_disks(text);
    break;
  case 't':
    if (block_thin_parse(text, &fraction) == 0 && !(fraction >= 0 && fraction <= 1))
      abort();
    break;
  default:
    ask_url_parse(text, &url, NULL);
  }
  free(text);
  return 0;
}
