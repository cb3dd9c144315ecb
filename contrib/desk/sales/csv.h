/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_CSV_H
#define TM_DESK_CSV_H

#include "common/buf.h"

#include <jansson.h>

/*
 * Tables as CSV (RFC 4180, UTF-8, CRLF) for spreadsheets. A cell that a spreadsheet would take as a
 * formula (it begins with = + - @, a tab or a line end) gets a leading apostrophe, unless it is a
 * number of ours.
 */
struct csv_column {
  const char *head;
  const char *path; /* of the member: "price.amount"; NULL ends the list */
};

/* A line for each element of rows, and before the first the head where out is empty: a long table
 * comes in pieces. -ENOMEM or -EFBIG. */
int csv_table(struct tm_buf *out, const struct csv_column *columns, const json_t *rows);

#endif
