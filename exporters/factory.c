/* SPDX-License-Identifier: MIT */
#include "exporters/factory.h"

#include <errno.h>
#include <string.h>
#include <sysexits.h>

static const struct tm_conf_target *find(const struct tm_conf *conf, const char *name,
                                         struct tm_error *err)
{
  const struct tm_conf_target *found = NULL;
  for (size_t i = 0; i < conf->targets_len; i++) {
    const struct tm_conf_target *t = &conf->targets[i];
    if (t->type != TM_TARGET_TRYTON || (t->purposes & TM_PURPOSE_FACTORY) == 0 ||
        (name != NULL && strcmp(name, t->name) != 0))
      continue;
    if (found != NULL) {
      tm_fail(err, -EINVAL,
              "%s: several targets are of type tryton with the purpose factory: name "
              "one by --target",
              conf->path);
      return NULL;
    }
    found = t;
  }
  if (found == NULL)
    tm_fail(err, -EINVAL, "%s: no target%s%s is of type tryton with the purpose factory",
            conf->path, name != NULL ? " named " : "", name != NULL ? name : "");
  return found;
}

int factory_open(struct factory *f, const struct tm_conf *conf, const char *name,
                 struct tm_error *err)
{
  *f = (struct factory){.target = find(conf, name, err), .writer = {.lock = -1}};
  return f->target != NULL ? writer_open(&f->writer, f->target, err) : -EINVAL;
}

void factory_close(struct factory *f)
{
  writer_close(&f->writer);
}

int factory_status(int code)
{
  switch (code) {
  case 0:
    return EX_OK;
  case -EINVAL:
    return EX_CONFIG;
  case -EBADMSG:
    return EX_DATAERR;
  case -ENODATA: /* not now */
  case -EBUSY:
    return EX_TEMPFAIL;
  case -EPERM: /* a password file that others can read */
  case -ENOMEM:
  case -ENOSPC:
  case -EROFS:
    return tm_exit_status(code);
  default:
    return EX_UNAVAILABLE;
  }
}
