/* SPDX-License-Identifier: MIT */
#ifndef TM_SECRET_H
#define TM_SECRET_H

#include "common/buf.h"
#include "common/error.h"

/*
 * Appends a file of secrets to b. Refused (-EPERM) where any but its owner may write it, any but
 * owner and group may read it, or it belongs to neither root nor this user. These are read off the
 * open file: a name could be exchanged in between. The caller wipes b (explicit_bzero).
 */
int tm_secret_read_file(const char *path, struct tm_buf *b, struct tm_error *err);
/* The same of its first line alone, without the newline; an empty one is refused (-EINVAL). */
int tm_secret_read(const char *path, struct tm_buf *b, struct tm_error *err);

#endif
