/* SPDX-License-Identifier: MIT */
#include "contrib/desk/intaking.h"

#include "common/file.h"
#include "common/buf.h"
#include "common/clock.h"
#include "common/log.h"
#include "contrib/desk/begin.h"
#include "contrib/desk/intake/drop.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

enum { MAIL_BYTES = 64 << 20 };

static int take(struct store *store, const char *from, struct drop_counts *counts,
                struct tm_error *err)
{
  struct tm_buf mail = TM_BUF_INIT(MAIL_BYTES);
  if (strcmp(from, "-") != 0)
    return drop_folder(store, from, tm_now(), stdout, counts, err);
  int rc = tm_file_read_input(&mail, err);
  if (rc == 0)
    rc =
        drop_mail(store, mail.ptr != NULL ? mail.ptr : "", mail.len, tm_now(), stdout, counts, err);
  tm_buf_release(&mail);
  return rc;
}

int run_intake(const struct tm_args *args)
{
  struct desk_conf conf;
  struct tm_error err = {0};
  struct store *store = NULL;
  struct drop_counts counts = {0};
  if (args->operands_len != 1) {
    tm_log_error("a folder, or - for a mail on standard input, is wanted");
    return EX_USAGE;
  }
  int status = desk_begin(&conf, args);
  if (status != EX_OK)
    return status;
  int rc = desk_store(&store, &conf, &err);
  if (rc == 0)
    rc = take(store, args->operands[0], &counts, &err);
  if (rc < 0)
    tm_log_error("%s", err.text);
  store_close(store);
  desk_conf_release(&conf);
  if (rc < 0)
    return tm_exit_status(rc);
  return counts.refused > 0                        ? EX_DATAERR
         : counts.accepted + counts.duplicate == 0 ? EX_NOINPUT
                                                   : EX_OK;
}
