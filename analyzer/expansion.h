/* SPDX-License-Identifier: MIT */
#ifndef TM_EXPANSION_H
#define TM_EXPANSION_H

#include <stddef.h>
#include <stdint.h>

/*
 * The time of the first row at the capacity that holds today: when the device was last expanded or
 * shrunk. INT64_MIN when no change is within the rows. A change counts from 2 % on; up to two rows
 * at another capacity (a failed reading, a pool that was away) are no change. NAN rows are unknown.
 */
int64_t expansion_last(const int64_t *time, const double *capacity, size_t n);

#endif
