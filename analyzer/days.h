/* SPDX-License-Identifier: MIT */
#ifndef TM_DAYS_H
#define TM_DAYS_H

#include "common/clock.h"

#include <stddef.h>
#include <stdint.h>

/*
 * Local days of the site, remembered: asking libc for each day of each device would cost more than
 * reading the device's files. One thread, one table. Days that are far from those asked for before
 * are simply looked up anew.
 */
#define DAYS_MAX 4096

struct days {
  size_t low; /* border[low..high] are consecutive local midnights */
  size_t high;
  int64_t border[2 * DAYS_MAX + 1];
};

/* Empties the table (100 kB and more: allocate it). */
void days_init(struct days *d);

/* The n days (1..1024) of which the last holds t: n + 1 borders, ascending. Valid until the
 * next call. */
const int64_t *days_until(struct days *d, int64_t t, size_t n);

#endif
