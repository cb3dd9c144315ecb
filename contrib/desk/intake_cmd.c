/* SPDX-License-Identifier: MIT */
#include "contrib/desk/commands.h"

#include "common/file.h"
#include "common/buf.h"
#include "common/clock.h"
#include "contrib/desk/intake/drop.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

enum { MAIL_BYTES = 64 << 20 };

static int take_from(struct store *store, const char *from, struct drop_counts *counts,
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

static int take_in(struct desk *desk, void *from, struct tm_error *err)
{
  struct drop_counts counts = {0};
  int rc = take_from(desk->store, from, &counts, err);
  if (rc < 0)
    return rc;
  return counts.refused > 0                        ? EX_DATAERR
         : counts.accepted + counts.duplicate == 0 ? EX_NOINPUT
                                                   : EX_OK;
}

int run_intake(const struct tm_args *args)
{
  return desk_run_on(args, take_in, "a folder, or - for a mail on standard input, is wanted");
}
