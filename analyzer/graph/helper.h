/* SPDX-License-Identifier: MIT */
#ifndef TM_GRAPH_HELPER_H
#define TM_GRAPH_HELPER_H

#include "common/buf.h"
#include "common/error.h"

/*
 * Runs tidemark-graph, which stands beside this program or in TM_LIBEXECDIR: the document on its
 * standard input, the picture appended to `picture`. Its own messages go to standard error. 0, or
 * -EIO when it failed, -ENOENT when it is not installed.
 */
int graph_helper_run(const struct tm_buf *document, struct tm_buf *picture, struct tm_error *err);

#endif
