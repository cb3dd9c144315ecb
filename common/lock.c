/* SPDX-License-Identifier: MIT */
#include "common/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

enum { STEP_MS = 50 };

/* flock() has no limit of its own. */
static int wait_for(int fd, int64_t wait_s)
{
  const struct timespec step = {.tv_nsec = STEP_MS * 1000000L};
  const int how = wait_s == TM_LOCK_FOREVER ? LOCK_EX : LOCK_EX | LOCK_NB;
  for (int64_t waited_ms = 0; flock(fd, how) < 0; waited_ms += STEP_MS) {
    if (errno != EWOULDBLOCK && errno != EINTR)
      return -errno;
    if (wait_s == TM_LOCK_FOREVER)
      continue;
    if (waited_ms >= wait_s * 1000)
      return -EBUSY;
    nanosleep(&step, NULL);
  }
  return 0;
}

int tm_lock_take(const char *path, mode_t mode, int64_t wait_s, struct tm_error *err)
{
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, mode);
  if (fd < 0)
    return tm_fail(err, -errno, "%s: %s", path, strerror(errno));
  int rc = wait_for(fd, wait_s);
  if (rc == 0)
    return fd;
  close(fd);
  return tm_fail(err, rc, "%s: %s", path,
                 rc == -EBUSY ? "another process is at it" : strerror(-rc));
}
