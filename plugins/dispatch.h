/* SPDX-License-Identifier: MIT */
#ifndef TM_DISPATCH_H
#define TM_DISPATCH_H

#include "plugins/reading.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/*
 * From a reading to collectd's values, by one table for all kinds of devices (dispatch.c): which
 * field goes out as which type and type instance. Nothing is dispatched for what a device does not
 * tell; what it told before and does not tell now goes out as unknown.
 */
struct dispatch_told; /* an identifier that was dispatched */

struct dispatch {
  const char *host;   /* NULL: the host that collectd reports */
  const char *plugin; /* "disk_array" */
  const char *device; /* the plugin instance */
  struct dispatch_told *told;
  size_t told_len;
  size_t likely; /* where to look first */
  unsigned cycle;
  json_t *shared; /* names that several of its parts had, see part_name.h */
};

/* The values of one reading; NULL: the device did not answer. One thread at a time for a device. */
void dispatch_reading(struct dispatch *d, const struct reading *r);
/* The count (or NAN) of the unit interval of t seconds that ended at `border`. From any thread. */
void dispatch_count(const struct dispatch *d, enum reading_kind kind, int64_t border, int64_t t,
                    double count);
void dispatch_release(struct dispatch *d);

#endif
