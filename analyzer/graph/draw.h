/* SPDX-License-Identifier: MIT */
#ifndef TM_GRAPH_DRAW_H
#define TM_GRAPH_DRAW_H

#include "analyzer/graph/plot.h"
#include "common/error.h"

#include <stddef.h>

/* A finished picture in memory; the caller frees bytes. */
struct picture {
  unsigned char *bytes;
  size_t len;
};

/*
 * The two panels, drawn by librrd: used, capacity and forecast; below it the daily maxima. A panel
 * without data stays empty (bytes NULL). librrd reads RRD files only, so the series are written
 * into files of our own in the working directory first, one row a pixel.
 */
int draw_capacity(struct picture *out, const struct plot *p, struct tm_error *err);
int draw_maxima(struct picture *out, const struct plot *p, struct tm_error *err);

#endif
