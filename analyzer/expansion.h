/* SPDX-License-Identifier: MIT */
#ifndef TM_EXPANSION_H
#define TM_EXPANSION_H

#include <stddef.h>
#include <stdint.h>

/*
 * Since when the device has had the capacity that holds today: the end of the last row at another
 * one, so that coarse rows and fine rows of the same change come to the same day. time is the END
 * of each row. INT64_MIN when no change is within the rows. A change counts from 2 % on; one or two
 * rows at another capacity (a failed reading, a pool that was away) are no change, and a row
 * between both capacities is the mean over the change itself. NAN rows are unknown.
 */
int64_t expansion_last(const int64_t *time, const double *capacity, size_t n);

#endif
