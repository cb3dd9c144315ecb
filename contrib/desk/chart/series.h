/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_SERIES_H
#define TM_DESK_SERIES_H

#include <jansson.h>

/*
 * What the chart of one device shows, as a document: the script of the page fetches it, and the
 * server's own drawing (drawing.h) is made of it, so that both say the same.
 *
 *   {"schema": "tidemark.series/1", "device": "C-1001/array-01", "generated_at": TIME,
 *    "timezone": "Asia/Tokyo", "unit": "bytes" | "slots" | null, "today": DATE,
 *    "used": [[DATE, NUMBER|null], …],          one a day, a gap is null
 *    "capacity": [[DATE, NUMBER], …],           from that date on
 *    "forecast": [[DATE, LOW, MIDDLE, HIGH], …],
 *    "fill": {"low": DATE, "mid": DATE, "high": DATE},     each may be absent
 *    "order_by": DATE,
 *    "maxima": {"interval_s": 300, "unit": "writes", "days": [[DATE, NUMBER|null], …],
 *               "peak": {"date": DATE, "value": NUMBER, "at": TIME}},
 *    "events": [{"date": DATE, "mark": "A", "text": "…", "what": "…"}, …]}
 *
 * A member of which nothing is known is absent. Dates are the site's days.
 *
 * The forecast is the fan whose edges and middle reach the capacity on the 0.1, 0.5 and 0.9 dates
 * of the summary, as in every other picture of Tidemark: the picture says what the dates say.
 */
#define SERIES_MAX_EVENTS 12

struct series_input {
  const json_t *summary; /* the newest */
  const json_t *days;    /* its merged history[], oldest first */
  const char *timezone;  /* of the site; NULL: not known */
  const char *today;     /* DATE: where history ends and forecast begins */
  const char *order_by;  /* DATE of what is advised; NULL: nothing is */
  const json_t
      *changes; /* [{"date","text","what"}]: events that the days do not show; may be NULL */
};

/* A new reference; NULL when memory is out. Expansions and gaps of three days and more become
 * events by themselves; of too many the newest stay. */
json_t *series_document(const struct series_input *in);

#endif
