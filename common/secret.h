/* SPDX-License-Identifier: MIT */
#ifndef TM_SECRET_H
#define TM_SECRET_H

#include "common/buf.h"
#include "common/error.h"

/*
 * Reads a secret: the file's first line, without the newline, at least one byte, appended to b.
 * Refused when others than its owner may write it or any but owner and group may read it (-EPERM).
 */
int tm_secret_read(const char *path, struct tm_buf *b, struct tm_error *err);

#endif
