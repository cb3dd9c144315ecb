/* SPDX-License-Identifier: MIT */
#ifndef TM_DISPATCH_H
#define TM_DISPATCH_H

#include "plugins/reading.h"

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
};

/* The values of one reading; NULL: the device did not answer. One thread at a time for a device. */
void dispatch_reading(struct dispatch *d, const struct reading *r);
/* The count (or NAN) of the unit interval of t seconds that ended at `border`. From any thread. */
void dispatch_count(const struct dispatch *d, enum reading_kind kind, int64_t border, int64_t t,
                    double count);
void dispatch_release(struct dispatch *d);

#define DISPATCH_NAME 128 /* collectd's DATA_MAX_NAME_LEN */

/*
 * The type instance of one of several parts: '/' becomes '_' ("/" alone "root"), what is too long
 * is cut and then ends with a checksum of the whole. `out` has DISPATCH_NAME bytes.
 */
void dispatch_instance(char out[DISPATCH_NAME], const char *name, const char *suffix);

#endif
