/* SPDX-License-Identifier: MIT */
/* covers: plugins/source/block_mounts.c plugins/source/block_diskstats.c
 * plugins/source/block_thin.c plugins/url.c */
/* wraps: open ioctl block_attribute */
/* The kernel's texts and answers that the block source parses, and the URLs of devices: the first
 * byte says which. */
#include "plugins/ask.h"
#include "plugins/source/block_parts.h"

#include "tests/lib/fuzz_folder.h"

#include <errno.h>
#include <linux/dm-ioctl.h>
#include <stdarg.h>
#include <sys/ioctl.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* --- the device mapper's answer ------------------------------------------------------------- */

static const char *answer;
static size_t answer_len;

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_ioctl(int fd, unsigned long what, ...);
void __wrap_block_attribute(const struct block_paths *paths, const char *name, const char *file,
                            char *out, size_t size);

int __wrap_open(const char *path, int flags, ...)
{
  va_list ap;
  va_start(ap, flags);
  mode_t mode = (flags & O_CREAT) != 0 ? va_arg(ap, mode_t) : 0;
  va_end(ap);
  if (strcmp(path, "/dev/mapper/control") == 0)
    path = "/dev/null";
  return __real_open(path, flags, mode);
}

/* The input is what the kernel writes behind the head of the question. */
int __wrap_ioctl(int fd, unsigned long what, ...)
{
  va_list ap;
  va_start(ap, what);
  struct dm_ioctl *io = va_arg(ap, struct dm_ioctl *);
  va_end(ap);
  (void)fd;
  if (what != DM_TABLE_STATUS || answer_len < 8)
    return errno = EPERM, -1;
  io->flags = answer[0] == 'f' ? DM_BUFFER_FULL_FLAG : 0;
  io->target_count = (uint32_t)(unsigned char)answer[1];
  uint16_t start;
  memcpy(&start, answer + 2, sizeof(start));
  size_t room = io->data_size - sizeof(*io);
  memcpy((char *)io + sizeof(*io), answer + 4, answer_len - 4 < room ? answer_len - 4 : room);
  io->data_start = (uint32_t)sizeof(*io) + start;
  return 0;
}

void __wrap_block_attribute(const struct block_paths *paths, const char *name, const char *file,
                            char *out, size_t size)
{
  (void)paths;
  (void)name;
  snprintf(out, size, "%s", strcmp(file, "dm/uuid") == 0 && answer_len > 0 ? "LVM-x-tpool" : "");
}

static void use_pool(const char *data, size_t size)
{
  const struct block_paths paths = {"/proc", "/sys", ""};
  struct tm_error err = {0};
  double fraction = 0;
  answer = data;
  answer_len = size;
  int rc = block_thin_fraction(&paths, "dm-0", &fraction, &err);
  if (rc == 0 ? !(fraction >= 0 && fraction <= 1) : err.text[0] == '\0')
    abort();
  answer_len = 0;
}

/* --- texts ---------------------------------------------------------------------------------- */

static struct block_paths own_paths(void)
{
  static int made;
  if (!made)
    fuzz_dir("self");
  made = 1;
  return (struct block_paths){fuzz_folder(), "/nonexistent", ""};
}

static void use_mounts(const char *text)
{
  struct block_mounts mounts = {0};
  const struct block_paths paths = own_paths();
  fuzz_file("self/mountinfo", text, strlen(text));
  if (block_mounts_read(&mounts, &paths, NULL) < 0)
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
  const struct block_paths paths = own_paths();
  fuzz_file("diskstats", text, strlen(text));
  if (block_disks_read(&disks, &paths, NULL) < 0)
    return;
  for (size_t i = 0; i < disks.len && i < 64; i++) {
    const struct block_disk *d = &disks.list[i];
    block_is_physical(&paths, &disks, d->name);
    if (block_disks_find(&disks, d->name) == NULL ||
        block_disks_at(&disks, d->major, d->minor) == NULL)
      abort();
  }
  if (block_disks_find(&disks, "no such disk") != NULL)
    abort();
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
  case 'p':
    use_pool((const char *)data + 1, size - 1);
    break;
  default:
    if (ask_url_parse(text, &url, NULL) == 0 && !ask_url_looks_like(text))
      abort();
  }
  free(text);
  return 0;
}
