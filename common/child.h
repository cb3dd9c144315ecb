/* SPDX-License-Identifier: MIT */
#ifndef TM_CHILD_H
#define TM_CHILD_H

#include "common/buf.h"
#include "common/error.h"

#include <limits.h>
#include <stddef.h>

/*
 * Programs of Tidemark's that another one runs: libraries that do not belong into the one that
 * asks (librrd, net-snmp) live in the other. Bytes go to its standard input, its standard output
 * comes back, its messages go to standard error. Safe from several threads, and without a shell.
 */

/* Where such a program stands: beside the running one, as in the build folder, else in
 * TM_LIBEXECDIR, else in TM_BINDIR. 0, or a negative errno where it cannot be run. */
int tm_child_find(const char *name, char path[PATH_MAX], struct tm_error *err);

struct tm_child {
  const char *const *arguments; /* behind the name, ends with NULL; NULL: none */
  const void *input;            /* may be NULL */
  size_t input_len;
  struct tm_buf *output; /* appended to */
  double timeout_s;      /* then it is killed; 0: no limit */
};

/*
 * Runs it to its end. *status is its exit status (128 + N for signal N), which may be anything. 0,
 * or -ENOENT and the like (cannot be run), -ETIMEDOUT, -EFBIG (more than output may hold), -EIO
 * (all was well with it, and it had not read all of its input).
 */
int tm_child_run(const char *name, const struct tm_child *child, int *status, struct tm_error *err);

/* The same for one that must succeed: another status than 0 is -EIO. */
int tm_child_must(const char *name, const struct tm_child *child, struct tm_error *err);

#endif
