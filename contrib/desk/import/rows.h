/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_ROWS_H
#define TM_DESK_ROWS_H

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * A table that somebody made: CSV with the names of its columns in the first line, or JSON, an
 * array of objects (or an object with one array in it). Every cell knows its line.
 */
enum { ROWS_COLUMNS = 32, ROWS_BYTES = 64 << 20, ROWS_MAX = 2000000 };

struct row {
  size_t line;               /* of the file, from 1 */
  char *cells[ROWS_COLUMNS]; /* in the order of the names asked for; NULL: empty or absent */
};

struct rows {
  char *name; /* of the file, as it stands in messages */
  struct row *list;
  size_t len;
};

/* What is wrong with a file: several lines at once, so that they can be mended at once. */
enum { FAULTS_SHOWN = 20 };
struct faults {
  size_t n;
  struct tm_error shown[FAULTS_SHOWN];
};
/* "NAME:LINE: what". Returns -EBADMSG. */
int faults_add(struct faults *f, const struct rows *rows, size_t line, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/*
 * Reads the columns of a NULL-terminated list of names. A column that is not in it is a fault that
 * names the nearest one. Lists in JSON become text with ';' between. 0, -EBADMSG with faults, or
 * what reading the file gives, in err. Release in either case.
 */
int rows_read(struct rows *rows, const char *path, const char *const *names, struct faults *faults,
              struct tm_error *err);
void rows_release(struct rows *rows);

#endif
