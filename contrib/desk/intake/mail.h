/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_INTAKE_MAIL_H
#define TM_DESK_INTAKE_MAIL_H

#include "common/buf.h"
#include "common/error.h"

#include <stddef.h>

/*
 * The attachments of a mail (RFC 5322, MIME): enough to find files in it, whoever wrote it. Parts
 * within parts are looked into, to MAIL_DEPTH.
 */
enum { MAIL_DEPTH = 8, MAIL_PARTS = 64, MAIL_NAME = 200 };

struct mail_file {
  char name[MAIL_NAME]; /* its file name, without folders */
  struct tm_buf data;   /* decoded */
};

struct mail_files {
  struct mail_file list[MAIL_PARTS];
  size_t len;
};

/* 0, -EBADMSG when it is no such mail, -E2BIG for too many parts, -ENOMEM. Release in either case.
 */
int mail_read(struct mail_files *files, const char *mail, size_t len, struct tm_error *err);
void mail_release(struct mail_files *files);

#endif
