/* SPDX-License-Identifier: MIT */
#ifndef TM_LOCK_H
#define TM_LOCK_H

#include "common/error.h"

#include <stdint.h>
#include <sys/types.h>

/*
 * Locks between processes: a file that is made where it is missing, and stays. The lock goes with
 * the descriptor, so also with a process that dies; one that it forked keeps it.
 */
#define TM_LOCK_FOREVER (-1)

/*
 * Waits at most so many seconds, or for ever. The descriptor, which the caller closes; -EBUSY with
 * "PATH: another process is at it" when the time is over; another negative errno.
 */
int tm_lock_take(const char *path, mode_t mode, int64_t wait_s, struct tm_error *err);

#endif
