/* SPDX-License-Identifier: MIT */
#ifndef TM_GRAPH_LABEL_H
#define TM_GRAPH_LABEL_H

#include <stddef.h>

/*
 * Text from outside (names of devices, customers, models) for a COMMENT or a legend of rrdgraph.
 * There ':' ends the text, a backslash is a command (and cannot be escaped), and with Pango's
 * markup '<' and '&' are commands too. '%' is plain there; no text of ours goes to PRINT or GPRINT,
 * where it would be a format. Control bytes and invalid UTF-8 are cleaned (tm_text_clean).
 *
 * The result shows at most `columns` columns of the text ('…' where it was cut). Returns out.
 * out is at most size bytes, and is cut at a whole character or escape when that is too small.
 */
char *label_escape(char *out, size_t size, const char *text, size_t columns);

#define LABEL_SIZE 512

#endif
