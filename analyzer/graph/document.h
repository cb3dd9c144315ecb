/* SPDX-License-Identifier: MIT */
#ifndef TM_GRAPH_DOCUMENT_H
#define TM_GRAPH_DOCUMENT_H

#include "analyzer/forecast/forecast.h"
#include "analyzer/series.h"
#include "common/conf.h"
#include "common/error.h"

#include <jansson.h>

/*
 * The picture of one device as a document (graph/plot.h): history, forecast, daily maxima, the
 * marks between them and the words above. The axis ends after the most likely fill date.
 */
#define GRAPH_QUANTILES 3
extern const double graph_quantile[GRAPH_QUANTILES]; /* of the forecast's band: 0.1 0.5 0.9 */

struct graph_axis {
  int64_t from, to;
  size_t steps; /* of the forecast that reach to the end */
};

/* from the first row to after the fill date of a forecast that was made without values (NULL:
 * none). 0, or -ENODATA when nothing is known of the device. */
int graph_axis_find(struct graph_axis *axis, const struct series *s,
                    const struct forecast_result *r, struct tm_error *err);

/* True when the verdict has something to say of what lies ahead. */
bool graph_has_forecast(const struct forecast_result *r);

/* r: with the values of axis->steps, or NULL. format: "png" or "svg". A new reference, or NULL
 * without memory. */
json_t *graph_document(const struct tm_conf *conf, const struct series *s,
                       const struct forecast_result *r, const struct graph_axis *axis,
                       const char *format, unsigned width);

#endif
