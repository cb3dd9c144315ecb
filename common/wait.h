/* SPDX-License-Identifier: MIT */
#ifndef TM_WAIT_H
#define TM_WAIT_H

#include <pthread.h>
#include <time.h>

/*
 * Waiting for a condition no longer than a time that the setting of the clock neither shortens nor
 * makes endless. tm_cond_init() first, then pthread_cond_timedwait() until what tm_cond_until()
 * said before the loop.
 */
void tm_cond_init(pthread_cond_t *cond);
/* So many seconds from now. */
struct timespec tm_cond_until(double seconds);

#endif
