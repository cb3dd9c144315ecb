/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_AXIS_H
#define TM_DESK_AXIS_H

/* Where the labels of an axis stand, and their unit. */

/* 1, 2 or 5 times a power of ten, so that about `wanted` of them reach `top` (more than 0). */
double axis_step(double top, double wanted);

/* How much of the data's unit one step's number stands for, and the label's unit: bytes are shown
 * in the largest unit of which the axis has two, pieces without a word. unit may be NULL; *name is
 * a literal or unit itself. */
double axis_unit(const char *unit, double top, const char **name);

#endif
