/* SPDX-License-Identifier: MIT */
#ifndef TM_BORDER_H
#define TM_BORDER_H

#include "common/error.h"

#include <stdint.h>

/*
 * A thread that wakes at every multiple of t seconds of the wall clock and calls at(border, user).
 * It follows the clock when that is set: a border that was passed over is not made up for, and
 * after a step back the same border can come again. All signals are blocked in it. It runs at
 * the lowest real-time priority where that is permitted.
 */
struct border;

/* 0, or a negative errno. */
int border_start(struct border **out, int64_t t, void (*at)(int64_t border, void *user), void *user,
                 struct tm_error *err);
/* Waits for a running call; NULL is fine. */
void border_stop(struct border *b);

#endif
