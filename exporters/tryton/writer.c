/* SPDX-License-Identifier: MIT */
#include "exporters/tryton/writer.h"

#include "common/file.h"
#include "common/sign.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

enum { STEP_MS = 50 };

static int wait_for(int fd, int64_t limit_s)
{
  const struct timespec step = {.tv_nsec = STEP_MS * 1000000L};
  for (int64_t waited = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; waited += STEP_MS) {
    if (errno != EWOULDBLOCK && errno != EINTR)
      return -errno;
    if (waited >= limit_s * 1000)
      return -EBUSY;
    nanosleep(&step, NULL);
  }
  return 0;
}

static int take_lock(struct writer *w, struct tm_error *err)
{
  char folder[PATH_MAX], path[PATH_MAX], hash[TM_SHA256_HEX];
  tm_sha256_hex(hash, w->target->url, strlen(w->target->url));
  int n = snprintf(folder, sizeof(folder), "%s/export", w->target->state_dir);
  if (n < 0 || n >= (int)sizeof(folder) ||
      snprintf(path, sizeof(path), "%s/export/tryton-%.16s.lock", w->target->state_dir, hash) >=
          (int)sizeof(path))
    return tm_fail(err, -ENAMETOOLONG, "%s: the path is too long", w->target->state_dir);
  int rc = tm_dir_make(folder, 0750, err);
  if (rc < 0)
    return rc;
  w->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
  if (w->lock < 0)
    return tm_fail(err, -errno, "%s: %s", path, strerror(errno));
  rc = wait_for(w->lock, w->target->timeout_s);
  if (rc == -EBUSY)
    return tm_fail(err, rc, "%s: another process is writing to this ERP", path);
  return rc < 0 ? tm_fail(err, rc, "%s: %s", path, strerror(-rc)) : 0;
}

int writer_open(struct writer *w, const struct tm_conf_target *target, struct tm_error *err)
{
  struct tryton_options options = {.url = target->url,
                                   .user = target->user,
                                   .password_file = target->password_file,
                                   .tls = target->tls,
                                   .timeout_s = target->timeout_s};
  *w = (struct writer){.target = target, .lock = -1};
  snprintf(w->note, sizeof(w->note), "%s.opportunities", target->name);
  int rc = tryton_rpc_new(&w->rpc, &options, err);
  if (rc == 0)
    rc = take_lock(w, err);
  if (rc < 0)
    writer_close(w);
  return rc;
}

void writer_close(struct writer *w)
{
  tryton_rpc_free(w->rpc);
  if (w->lock >= 0)
    close(w->lock);
  *w = (struct writer){.lock = -1};
}
