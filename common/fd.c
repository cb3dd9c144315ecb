/* SPDX-License-Identifier: MIT */
#include "common/fd.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

static int put_all(int fd, const char *data, size_t len, bool is_socket)
{
  while (len > 0) {
    ssize_t n = is_socket ? send(fd, data, len, MSG_NOSIGNAL) : write(fd, data, len);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return n < 0 ? -errno : -EIO; /* it takes nothing, and would for ever */
    data += n;
    len -= (size_t)n;
  }
  return 0;
}

int tm_write_all(int fd, const void *data, size_t len)
{
  return put_all(fd, data, len, false);
}

int tm_send_all(int fd, const void *data, size_t len)
{
  return put_all(fd, data, len, true);
}
