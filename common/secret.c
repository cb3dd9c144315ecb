/* SPDX-License-Identifier: MIT */
#include "common/secret.h"

#include "common/file.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_SECRET_BYTES = 4096 };

static int check_owner(const char *path, const struct stat *st, struct tm_error *err)
{
  if ((st->st_mode & (S_IWGRP | S_IRWXO)) != 0)
    return tm_fail(err, -EPERM, "%s: holds secrets and its mode is %04o: make it 0600 or 0640",
                   path, (unsigned)(st->st_mode & 07777));
  if (st->st_uid != 0 && st->st_uid != geteuid())
    return tm_fail(err, -EPERM, "%s: holds secrets and belongs neither to root nor to this user",
                   path);
  return 0;
}

int tm_secret_read_file(const char *path, struct tm_buf *b, struct tm_error *err)
{
  struct stat st;
  int fd = tm_file_open(path, &st, err);
  if (fd < 0)
    return fd;
  int rc = check_owner(path, &st, err);
  if (rc == 0)
    rc = tm_file_read_fd(fd, path, b, err);
  close(fd);
  return rc;
}

int tm_secret_read(const char *path, struct tm_buf *b, struct tm_error *err)
{
  struct tm_buf text = TM_BUF_INIT(MAX_SECRET_BYTES);
  int rc = tm_secret_read_file(path, &text, err);
  size_t len = rc == 0 ? strcspn(text.ptr, "\r\n") : 0;
  if (rc == 0 && len == 0)
    rc = tm_fail(err, -EINVAL, "%s: the first line is empty", path);
  int added = rc == 0 ? tm_buf_add(b, text.ptr, len) : 0;
  if (added < 0)
    rc = tm_fail(err, added, "%s: %s", path,
                 added == -EFBIG ? "larger than is accepted here" : strerror(-added));
  if (text.ptr != NULL)
    explicit_bzero(text.ptr, text.len);
  tm_buf_release(&text);
  return rc;
}
