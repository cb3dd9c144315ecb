/* SPDX-License-Identifier: MIT */
#ifndef TM_PROMETHEUS_MEASURE_H
#define TM_PROMETHEUS_MEASURE_H

#include "analyzer/source/prometheus.h"

/* The samples around the newest one, at or before wanted->until: those of the last hour, or else of
 * the last day that has any. Empty when there are none. For prometheus_device.c and
 * prometheus_measure.c. */
int prom_newest(const struct prom_query *q, const struct prom_wanted *wanted, struct prom_matrix *m,
                struct tm_error *err);

/* What is measured of a device. */
struct prom_measure {
  const struct rrd_role *role; /* NULL: nothing */
  int64_t newest;              /* of its samples; INT64_MIN */
  int64_t interval_s;          /* the unit interval; 1 for rates */
  bool at_border;              /* the samples stand at the borders of unit intervals */
};

/* Finds the first measure of the recipe that has samples. */
int prom_measure_find(struct prom_job *job, const struct prom_device *d,
                      const struct prom_wanted *wanted, struct prom_measure *m,
                      struct tm_error *err);

/* Its maxima of the days up to the one that holds the moment before observed_at. */
int prom_measure_load(struct prom_job *job, const struct prom_device *d,
                      const struct prom_measure *m, int64_t observed_at, struct maxima *out,
                      struct tm_error *err);

#endif
