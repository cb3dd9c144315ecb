/* SPDX-License-Identifier: MIT */
#ifndef TM_FORECAST_JSON_H
#define TM_FORECAST_JSON_H

#include "analyzer/forecast/forecast.h"
#include "common/json_out.h"

/* The line that `tidemark-analyze forecast` prints for one series, without its newline. What is not
 * known is null. The errors are o->rc's. */
void forecast_json_line(struct json_out *o, const char *name, const struct forecast_result *r,
                        const struct forecast_params *p);

#endif
