/* SPDX-License-Identifier: MIT */
#ifndef TM_INTERVAL_H
#define TM_INTERVAL_H

#include "plugins/reading.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Counts what a device has completed in each unit interval [k*t, (k+1)*t). Nothing here knows a
 * clock, a thread or collectd: samples come in with their times.
 *
 * The counters are read AT each border; a border sample that is later than the bound makes both
 * adjoining counts unknown, so the error of a known count is at most rate x bound. Ordinary samples
 * in between let a wrap be told from a reset. A count is known when its interval was watched from
 * border to border and no counter was reset, came or went in it; else it is NAN, never a part.
 */
struct interval_sample {
  const struct reading_counter *counters;
  size_t len;
  double asked_at; /* wall clock: the counters are of a moment between these two */
  double answered_at;
  double steady_at; /* a clock that is never set, at answered_at */
};

struct interval {
  int64_t t;
  int64_t start; /* the border that the open interval began with; INT64_MIN: none is open */
  double start_steady;
  bool broken;    /* something in it cannot be counted */
  uint64_t count; /* completed since start, up to the newest accepted sample */
  double newest;  /* when that was answered */
  struct reading_counter *counters;
  size_t len;
};

/* t is whole seconds, at least 1. */
void interval_init(struct interval *iv, int64_t t);
void interval_release(struct interval *iv);

/* min(1 s, t/100): how late a border sample may be. */
double interval_bound(int64_t t);

/* An ordinary sample. Those that overlap another one, or a border, are passed over. */
void interval_add(struct interval *iv, const struct interval_sample *sample);

/*
 * The sample of this border (a multiple of t), NULL when the device did not answer. Returns the
 * count of the interval that ends there, or NAN.
 */
double interval_border(struct interval *iv, int64_t border, const struct interval_sample *sample);

/*
 * What one counter has counted from older to newer. False when that cannot be known: it was reset.
 * A counter that fell has wrapped when its width and epoch say so; without them only when the step
 * over the end of 32 or 64 bits is a small one, because a reset may not become a giant count.
 */
bool interval_step(const struct reading_counter *older, const struct reading_counter *newer,
                   uint64_t *step);

#endif
