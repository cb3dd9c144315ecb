/* SPDX-License-Identifier: MIT */
#ifndef TM_TELL_H
#define TM_TELL_H

#include "common/error.h"

#include <jansson.h>

/*
 * One line on standard output by one write, newline added: for lines that are promises, several
 * threads, and readers that go away. Not to be mixed with unflushed stdio output.
 * 0, or a negative errno with "standard output: why".
 */
int tell_line(struct tm_error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same for a document, as compact JSON, however long it is. */
int tell_json(const json_t *document, struct tm_error *err);

#endif
