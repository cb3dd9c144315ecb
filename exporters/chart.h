/* SPDX-License-Identifier: MIT */
#ifndef TM_EXPORT_CHART_H
#define TM_EXPORT_CHART_H

#include "common/buf.h"
#include "common/error.h"

#include <stddef.h>

/*
 * The evidence chart of a summary: used capacity, capacity, the range of the forecast and the
 * interval maxima as a PNG, drawn by tidemark-graph of what the document says and nothing else.
 * document is a summary or history document, bare or in its event (spool.h: the body of an item).
 *
 * 0, -ENODATA when there is nothing to draw (another kind of document, no value that is known), or
 * what tm_child_must() says: a document can be sent without its chart.
 */
int chart_draw(struct tm_buf *png, const char *document, size_t len, struct tm_error *err);

#define CHART_MAX (4u << 20) /* bytes of a picture */

#endif
