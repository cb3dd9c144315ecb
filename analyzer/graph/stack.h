/* SPDX-License-Identifier: MIT */
#ifndef TM_GRAPH_STACK_H
#define TM_GRAPH_STACK_H

#include "analyzer/graph/draw.h"
#include "common/buf.h"

/*
 * Puts pictures of one format one above the other and appends the result to out. Empty ones are
 * passed over; -ENODATA when all are. title: for those who cannot see it (svg), plain text.
 */
int stack_png(struct tm_buf *out, const struct picture *pictures, size_t n, struct tm_error *err);
int stack_svg(struct tm_buf *out, const struct picture *pictures, size_t n, const char *title,
              struct tm_error *err);

#endif
