/* SPDX-License-Identifier: MIT */
#ifndef TM_GRAPH_PLOT_H
#define TM_GRAPH_PLOT_H

#include "common/error.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What a picture shows: the document that `tidemark-analyze graph` writes and tidemark-graph
 * reads. Unknown numbers are null, unknown times are left out.
 *
 *   {"schema": "tidemark.graph/1",
 *    "format": "png" | "svg", "width": 900,          pixels of the plotting area, 300..4000
 *    "title": "…", "subtitle": "…",                   plain text, any characters
 *    "timezone": "Asia/Tokyo",                        whose days the axis shows; left out: the
 * system's "unit": "bytes",                                 of used and capacity, or "slots", …
 *    "from": TIME, "to": TIME,                        the axis, epoch seconds, from 1990 on
 *    "rows": [[TIME, USED, CAPACITY], …],             ascending; TIME is the end of the row
 *    "forecast": [[TIME, LOW, MIDDLE, HIGH], …],      ascending; may be left out
 *    "full": TIME,                                    the most likely date; may be left out
 *    "full_state": "late" | "soon" | "calm",
 *    "maxima": {"label": "…", "days": [[START, END, MAX], …]},    may be left out
 *    "events": [{"time": TIME, "text": "…"}, …]}      marks, such as an expansion
 */
#define PLOT_SCHEMA     "tidemark.graph/1"
#define PLOT_NONE       INT64_MIN
#define PLOT_MAX_ROWS   20000
#define PLOT_MAX_EVENTS 12
#define PLOT_TEXT       256

enum plot_format { PLOT_PNG, PLOT_SVG };
enum plot_state { PLOT_CALM, PLOT_SOON, PLOT_LATE };

struct plot_row {
  int64_t time;
  double used, capacity;
};
struct plot_band {
  int64_t time;
  double low, middle, high;
};
struct plot_day {
  int64_t start, end;
  double max;
};
struct plot_event {
  int64_t time;
  char text[PLOT_TEXT];
};

struct plot {
  enum plot_format format;
  unsigned width;
  char title[PLOT_TEXT], subtitle[PLOT_TEXT], timezone[PLOT_TEXT], unit[32];
  char maxima_label[PLOT_TEXT];
  int64_t from, to;
  int64_t full; /* PLOT_NONE */
  enum plot_state full_state;
  struct plot_row *rows;
  size_t n_rows;
  struct plot_band *band;
  size_t n_band;
  struct plot_day *days;
  size_t n_days;
  struct plot_event events[PLOT_MAX_EVENTS];
  size_t n_events;
};

/* Fills *p from the document; the caller releases. 0, -EINVAL (with the member's name) or -ENOMEM.
 */
int plot_read(struct plot *p, const json_t *document, struct tm_error *err);
void plot_release(struct plot *p);

/* The value of a row's column at a time, straight between two rows that are both known and NAN
 * elsewhere; capacity as it was in the row that holds the time, and the last known one as far as
 * the forecast goes. */
double plot_used_at(const struct plot *p, int64_t t, size_t *hint);
double plot_capacity_at(const struct plot *p, int64_t t, size_t *hint);
/* The forecast at a time; all NAN outside. */
struct plot_band plot_band_at(const struct plot *p, int64_t t, size_t *hint);
/* The largest of the days that touch (t - span_s, t]; NAN without any. */
double plot_max_at(const struct plot *p, int64_t t, int64_t span_s, size_t *hint);

#endif
