/* SPDX-License-Identifier: MIT */
#ifndef TM_RRD_RECORD_H
#define TM_RRD_RECORD_H

#include <stddef.h>
#include <stdint.h>

/*
 * What stands in a lane's ring, between rrd_send.c and rrd_receive.c: records one behind the other,
 * each in one piece, at multiples of 16 bytes. Where one does not fit before the end of the ring,
 * the rest is filled with RRD_RECORD_WRAP. Sizes are in bytes, times in seconds since 1970.
 */
#define RRD_RECORD_UNIT 16   /* bytes of a unit's name, with NUL */
#define RRD_RECORD_TEXT 1024 /* at most, of a refusal */

enum rrd_record_kind { RRD_RECORD_WRAP = 1, RRD_RECORD_REFUSAL, RRD_RECORD_SERIES, RRD_RECORD_END };

struct rrd_record {
  uint32_t size; /* with this head, a multiple of 16 */
  uint32_t kind;
  uint64_t device;
};

struct rrd_refusal_record {
  struct rrd_record head;
  uint32_t k;
  uint32_t len;
  char text[];
};

/* Followed by used[n], capacity[n], the days, the levels. */
struct rrd_series_record {
  struct rrd_record head;
  uint32_t n;
  uint32_t n_days;
  uint32_t n_levels;
  uint32_t source;
  int64_t first; /* time of row 0; the others follow by step, but for the last one */
  int64_t step;
  int64_t last;
  int64_t observed_at;
  int64_t read_at;
  int64_t interval_s;
  double used_now;
  double capacity_now;
  char unit[RRD_RECORD_UNIT];
  char measure[RRD_RECORD_UNIT];
};

struct rrd_level_record {
  double now;
  uint32_t name_len; /* without NUL; the name follows, padded to 8 */
  uint32_t followed; /* n values follow */
};

/* The size of a name within a record. */
static inline size_t rrd_record_padded(size_t n)
{
  return (n + 7) / 8 * 8;
}

#endif
