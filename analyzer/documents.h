/* SPDX-License-Identifier: MIT */
#ifndef TM_DOCUMENTS_H
#define TM_DOCUMENTS_H

#include "common/error.h"

#include <jansson.h>
#include <stddef.h>

/*
 * Summaries as a stream: one JSON document a line (NDJSON), from files or standard input. A line
 * that cannot be read costs that line only.
 */
#define DOCUMENTS_MAX_LINE ((size_t)4 << 20)

/*
 * Called for each document; line has len bytes without the newline. 0, or a negative errno with err
 * filled: -EBADMSG refuses this document and goes on, any other one ends the reading.
 */
typedef int documents_each(void *user, const json_t *document, const char *line, size_t len,
                           struct tm_error *err);

struct documents_count {
  size_t read;    /* handed over and taken */
  size_t refused; /* said on standard error as "FILE:LINE: what" */
  size_t missing; /* files that could not be opened, said on standard error, */
  size_t denied;  /* and these of them for want of a permission */
};

/*
 * Reads every file of paths (NULL-terminated; "-" is standard input, an empty list too). Lines that
 * are empty are passed over, longer ones than DOCUMENTS_MAX_LINE refused. 0, or what `each` ended
 * with.
 */
int documents_read(char *const *paths, documents_each *each, void *user,
                   struct documents_count *count, struct tm_error *err);
/* The exit status that fits: 66 nothing found, 65 something refused, 0. */
int documents_status(const struct documents_count *count);

#endif
