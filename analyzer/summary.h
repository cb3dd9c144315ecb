/* SPDX-License-Identifier: MIT */
#ifndef TM_SUMMARY_H
#define TM_SUMMARY_H

#include "analyzer/forecast/forecast.h"
#include "analyzer/series.h"
#include "common/buf.h"
#include "common/conf.h"

#include <jansson.h>
#include <stdint.h>

/*
 * The summary: what is known of one device, as one JSON document (contrib/schema,
 * tidemark.summary/1). Here it is written by the ten thousand, so straight into a buffer; whoever
 * reads it uses Jansson.
 */
struct summary {
  const struct tm_conf *conf;             /* customer, site, host */
  const struct series *series;            /* history, maxima, status */
  const struct forecast_result *forecast; /* NULL: none was asked for */
  const char *record;                     /* track record in words; "" or NULL: none yet */
  const json_t *product;                  /* registration merged with inventory; NULL: none */
  int64_t generated_at;
  bool brief;            /* capacity and maxima only: without means and percentiles, and without
                            what they that look back over a short time cannot know */
  unsigned history_days; /* the newest days that go into history[] */
};

/*
 * Appends the document without its recommendations and its last brace, so that the rules can read
 * it before it is closed by summary_close. 0, -ENOMEM or -EFBIG.
 */
int summary_write(struct tm_buf *out, const struct summary *s);
/* Appends the recommendations (an array; NULL for none) and the last brace. */
int summary_close(struct tm_buf *out, const json_t *recommendations);

#endif
