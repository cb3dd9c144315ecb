/* SPDX-License-Identifier: MIT */
#include "contrib/desk/importing.h"

#include "common/clock.h"
#include "common/log.h"
#include "contrib/desk/begin.h"
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

int run_import(const struct tm_args *args)
{
  struct desk_conf conf;
  struct tm_error err = {0};
  struct store *store = NULL;
  struct import_result result;
  static struct faults faults; /* some 10 kB, once */
  if (args->operands_len != 2) {
    tm_log_error("%s and a file are wanted", import_kinds());
    return EX_USAGE;
  }
  const char *kind = args->operands[0], *path = args->operands[1];
  int status = desk_begin(&conf, args);
  if (status != EX_OK)
    return status;
  int rc = desk_store(&store, &conf, &err);
  if (rc == 0)
    rc = import_file(store, kind, path, tm_now(), "command line", &result, &faults, &err);
  if (rc == 0)
    status = say_result(kind, path, &result);
  else if (rc == -EBADMSG && faults.n > 0)
    status = say_faults(&faults, path);
  else {
    tm_log_error("%s", err.text);
    status = rc == -EINVAL ? EX_USAGE : tm_exit_status(rc);
  }
  store_close(store);
  desk_conf_release(&conf);
  return status;
}
