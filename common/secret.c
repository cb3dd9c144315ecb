/* SPDX-License-Identifier: MIT */
#include "common/secret.h"

#include "common/file.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_SECRET_BYTES = 4096 };

int tm_secret_read(const char *path, struct tm_buf *b, struct tm_error *err)
{
  struct stat st;
  int fd = tm_file_open(path, &st, err);
  if (fd < 0)
    return fd;
  close(fd);
  if ((st.st_mode & (S_IWGRP | S_IRWXO)) != 0)
    return tm_fail(err, -EPERM, "%s: others can read or change it (mode %04o); chmod 0640 or 0600",
                   path, st.st_mode & 07777);
  struct tm_buf text = TM_BUF_INIT(MAX_SECRET_BYTES);
  int rc = tm_file_read(path, &text, err);
  size_t len = rc == 0 ? strcspn(text.ptr, "\r\n") : 0;
  if (rc == 0 && len == 0)
    rc = tm_fail(err, -EINVAL, "%s: the first line is empty", path);
  if (rc == 0 && tm_buf_add(b, text.ptr, len) < 0)
    rc = tm_fail(err, -EFBIG, "%s: larger than is accepted here", path);
  if (text.ptr != NULL)
    explicit_bzero(text.ptr, text.len);
  tm_buf_release(&text);
  return rc;
}
