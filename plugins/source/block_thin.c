/* SPDX-License-Identifier: MIT */
/* How full a thin pool is. The kernel tells it only by an ioctl, and only to root. */
#include "plugins/source/block_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define CONTROL "/dev/mapper/control"

enum { ANSWER_BYTES = 16384 };

int block_thin_parse(const char *status, double *fraction)
{
  /* transaction used/total metadata blocks used/total data blocks ... (thin-provisioning.rst);
   * "Fail" or "Error" when the pool is broken */
  uint64_t used = 0;
  uint64_t total = 0;
  char text[256];
  char *words[3];
  snprintf(text, sizeof(text), "%s", status);
  if (block_words(text, words, 3) < 3)
    return -EIO;
  char *slash = strchr(words[2], '/');
  if (slash == NULL)
    return -EIO;
  *slash = '\0';
  if (!block_number(words[2], UINT64_MAX, &used) || !block_number(slash + 1, UINT64_MAX, &total))
    return -EIO;
  if (total == 0 || used > total)
    return -ERANGE;
  *fraction = (double)used / (double)total;
  return 0;
}

/* The status text of the pool's target, within the answer. NULL when it is no such answer. */
static const char *status_of(const struct dm_ioctl *io)
{
  const char *answer = (const char *)io;
  const struct dm_target_spec *target = NULL;
  size_t at = io->data_start;
  if ((io->flags & DM_BUFFER_FULL_FLAG) != 0 || io->target_count < 1 ||
      at % _Alignof(struct dm_target_spec) != 0 || at + sizeof(*target) >= ANSWER_BYTES)
    return NULL;
  target = (const struct dm_target_spec *)(const void *)(answer + at);
  const char *text = answer + at + sizeof(*target);
  size_t room = ANSWER_BYTES - at - sizeof(*target);
  if (strncmp(target->target_type, "thin-pool", sizeof(target->target_type)) != 0 ||
      memchr(text, '\0', room) == NULL)
    return NULL;
  return text;
}

/* The question, and room for the answer; the caller frees. */
static struct dm_ioctl *make_question(const char *uuid)
{
  struct dm_ioctl *io = calloc(1, ANSWER_BYTES);
  if (io == NULL)
    return NULL;
  io->version[0] = DM_VERSION_MAJOR;
  io->data_size = ANSWER_BYTES;
  io->data_start = sizeof(*io);
  /* Without this flag the pool would write its metadata out for being asked. */
  io->flags = DM_NOFLUSH_FLAG;
  snprintf(io->uuid, sizeof(io->uuid), "%s", uuid);
  return io;
}

static int ask_control(const char *name, const char *uuid, double *fraction, struct tm_error *err)
{
  int fd = open(CONTROL, O_RDWR | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0)
    return tm_fail(err, -errno, "%s: how full it is cannot be read: %s: %s", name, CONTROL,
                   strerror(errno));
  struct dm_ioctl *io = make_question(uuid);
  int rc = 0;
  if (io == NULL) {
    rc = tm_fail(err, -ENOMEM, "out of memory");
  } else if (ioctl(fd, DM_TABLE_STATUS, io) < 0) {
    rc = tm_fail(err, -errno, "%s: how full it is cannot be read: %s", name, strerror(errno));
  } else {
    const char *status = status_of(io);
    rc = status != NULL ? block_thin_parse(status, fraction) : -EPROTO;
    if (rc < 0)
      tm_fail(err, rc, "%s: the pool tells '%.64s'", name, status != NULL ? status : "nothing");
  }
  free(io);
  close(fd);
  return rc;
}

int block_thin_fraction(const struct block_paths *paths, const char *name, double *fraction,
                        struct tm_error *err)
{
  char uuid[DM_UUID_LEN];
  block_attribute(paths, name, "dm/uuid", uuid, sizeof(uuid));
  if (uuid[0] == '\0')
    return tm_fail(err, -ENODEV, "%s: is no mapped device", name);
  /* A tree that is seen elsewhere is of another kernel than the one that can be asked. */
  if (strcmp(paths->sys, "/sys") != 0)
    return tm_fail(err, -EPERM, "%s: how full it is cannot be read from here", name);
  return ask_control(name, uuid, fraction, err);
}
