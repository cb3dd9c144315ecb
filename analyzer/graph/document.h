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
 * marks between them and the words above.
 *
 * The forecast is drawn as the fan whose edges and middle reach the limit on the 0.1, 0.5 and 0.9
 * dates of the first-passage distribution, so that the picture says what the dates say. The axis
 * ends after the most likely date, unless that lies farther ahead than a year and than twice the
 * history.
 *
 * r: NULL without a forecast. format: "png" or "svg". *document is a new reference. 0, -ENODATA
 * when nothing is known of the device, or -ENOMEM.
 */
int graph_document(json_t **document, const struct tm_conf *conf, const struct series *s,
                   const struct forecast_result *r, const char *format, unsigned width,
                   struct tm_error *err);

#endif
