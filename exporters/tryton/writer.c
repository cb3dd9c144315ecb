/* SPDX-License-Identifier: MIT */
#include "exporters/tryton/writer.h"

#include "common/file.h"
#include "common/lock.h"
#include "common/sign.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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
  w->lock = tm_lock_take(path, 0640, w->target->timeout_s, err);
  if (w->lock == -EBUSY)
    return tm_fail(err, -EBUSY, "%s: another process is writing to this ERP", path);
  return w->lock < 0 ? w->lock : 0;
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
