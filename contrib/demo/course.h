/* SPDX-License-Identifier: MIT */
#ifndef TM_DEMO_COURSE_H
#define TM_DEMO_COURSE_H

#include "contrib/demo/fleet.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The course of one device, unit interval by unit interval. Everything follows from the device's
 * name and the number of the interval, never from a clock or a random source: the same end gives
 * the same history, and another end gives the same story on other dates (but for the weekdays).
 */

#define UNIT_S       300 /* the unit interval t of the fleet, and the read interval of its collectd */
#define MAX_SERIES   20
#define MAX_VALUES   3 /* data sources of one series */
#define MAX_SUPPLIES 4
#define MAX_TRAYS    2

/* One file that collectd would write for this kind of device. */
struct series {
  const char *type, *instance; /* instance NULL: none */
  unsigned n_values;
  bool at_border; /* read at the border of the unit interval, not in the course of it */
};

struct course {
  const struct device *device;
  uint64_t seed;
  uint64_t step;
  int64_t day_end; /* of the local day that is under way */
  int64_t day_begin;
  int weekday; /* 0 is Sunday */
  uint64_t day;
  double used, capacity, pending; /* bytes; pending flows in (or out) over the next hours */
  double total[2];                /* counters: transfers, or received and sent bytes */
  double pages, color_pages;
  double supply[MAX_SUPPLIES], tray[MAX_TRAYS];
};

/* The collectd folder of the device: "disk_array-array-01". */
void course_folder(const struct device *d, char *out, size_t size);
/* The files of the device, MAX_SERIES at most. Returns how many. */
size_t course_series(const struct device *d, struct series out[MAX_SERIES]);

void course_init(struct course *c, const struct device *d);
/*
 * Moves on to the border `t` (local time is the process's zone) and fills values[series][source]:
 * as they are at the border, or `phase` (0..1) of the way through the interval.
 */
void course_step(struct course *c, int64_t t, double phase, double values[MAX_SERIES][MAX_VALUES]);

#endif
