/* SPDX-License-Identifier: MIT */
#ifndef TM_SERIES_H
#define TM_SERIES_H

#include "analyzer/maxima.h"

#include <stddef.h>
#include <stdint.h>

/*
 * The history of one device, whichever source it came from. Unknown is NAN, and INT64_MIN for a
 * time. Everything is borrowed from the source and valid until its job asks for the next device.
 *
 * As input of the forecast:
 *   struct forecast_series f = {.time = s.time, .used = s.used, .capacity = s.capacity, .n = s.n};
 */
enum series_kind {
  SERIES_DISK_ARRAY,
  SERIES_MEDIA_LIBRARY,
  SERIES_PRINTER,
  SERIES_COMPUTER, /* file systems, disks, load and processors of stock collectd */
  SERIES_NETWORK   /* interfaces */
};
/* "disk_array", "media_library", "printer", "computer", "network". */
const char *series_kind_name(enum series_kind kind);

/* A counter or level beside the main numbers: "supply_level-black", "page_count-total",
 * "slots-used", "capacity-pool1_used". */
struct series_level {
  const char *name;
  double now;           /* the newest known value */
  const double *values; /* one a row of the series' time; NULL when it is not followed */
};

/* A file that was not used, by name: "PATH: why". */
struct series_refusal {
  const char *text;
};

struct series {
  size_t index; /* of the device in its source */
  const char *host;
  const char *device; /* the instance ("array-01"), or collectd's folder ("df-root") */
  const char *folder; /* collectd's folder ("disk_array-array-01"); NULL where there is none */
  enum series_kind kind;

  /* What fills up. Rows ascend by time, at most SERIES_MAX_ROWS, evenly spaced by step_s but for
   * the last, which is the newest reading. They reach back as far as anything is known. */
  const char *unit; /* "bytes" or "slots"; NULL where the device has no capacity */
  size_t n;
  int64_t step_s;
  const int64_t *time;    /* the end of the row */
  const double *used;     /* mean over the row */
  const double *capacity; /* the same; NAN where unknown */

  int64_t observed_at; /* of the newest reading of any of the device's files */
  int64_t read_at;     /* of the newest known reading of used (or else of capacity); INT64_MIN */
  double used_now;     /* the newest known reading */
  double capacity_now;

  struct maxima
      maxima; /* of transfers, pages, ... by local day, with used and capacity of the day */

  const struct series_level *levels;
  size_t n_levels;
  const struct series_refusal *refused;
  size_t n_refused;
};
#define SERIES_MAX_ROWS 4096

#endif
