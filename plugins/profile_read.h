/* SPDX-License-Identifier: MIT */
#ifndef TM_PROFILE_READ_H
#define TM_PROFILE_READ_H

#include "plugins/profile.h"

/*
 * From the objects that an agent answered to a reading, as the profile says. Nothing is asked and
 * no clock is read here; what is not there, or makes no sense, stays unknown. r must be
 * initialised and is of the profile's kind afterwards; rows are sorted on the way.
 *
 * explain: NULL, or an object that gets which SNMP object gave each value.
 * items: NULL, or the NULL-terminated names of the data items that are wanted; one that the
 * profile does not name, or the device does not answer, is told as not offered.
 * 0, or -ENOMEM.
 */
int profile_read(const struct profile *p, struct snmp_rows *rows, json_t *explain,
                 const char *const *items, struct reading *r);

/* What counts at borders alone, r->counters: of transfers, or of pages_total (printer). */
int profile_read_counters(const struct profile *p, struct snmp_rows *rows, struct reading *r);

#endif
