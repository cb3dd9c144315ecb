/* SPDX-License-Identifier: MIT */
#include "contrib/desk/commands.h"

#include "common/clock.h"
#include "common/log.h"
#include "contrib/desk/import/import.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static int say_faults(const struct faults *faults, const char *path)
{
  size_t shown = faults->n < FAULTS_SHOWN ? faults->n : FAULTS_SHOWN;
  for (size_t i = 0; i < shown; i++)
    tm_log_error("%s", faults->shown[i].text);
  if (faults->n > shown)
    tm_log_error("%s: and %zu more", path, faults->n - shown);
  tm_log_error("%s: nothing of it was taken", path);
  return EX_DATAERR;
}

static int say_result(const char *kind, const char *path, const struct import_result *result)
{
  if (result->same)
    printf("%s: that is today's catalogue already\n", path);
  else
    printf("%s: %zu %s\n", path, result->rows,
           strcmp(kind, "catalogue") == 0 ? "articles" : "rows");
  return EX_OK;
}

struct importing {
  const char *kind, *path;
};

static int take_in(struct desk *desk, void *what, struct tm_error *err)
{
  static struct faults faults; /* some 10 kB, once */
  const struct importing *i = what;
  struct import_result result;
  int rc =
      import_file(desk->store, i->kind, i->path, tm_now(), "command line", &result, &faults, err);
  if (rc == 0)
    return say_result(i->kind, i->path, &result);
  if (rc == -EBADMSG && faults.n > 0)
    return say_faults(&faults, i->path);
  if (rc != -EINVAL)
    return rc;
  tm_log_error("%s", err->text);
  return EX_USAGE;
}

int run_import(const struct tm_args *args)
{
  if (args->operands_len != 2) {
    tm_log_error("%s and a file are wanted", import_kinds());
    return EX_USAGE;
  }
  struct importing i = {.kind = args->operands[0], .path = args->operands[1]};
  return desk_run(args, take_in, &i);
}
