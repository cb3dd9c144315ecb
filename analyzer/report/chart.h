/* SPDX-License-Identifier: MIT */
#ifndef TM_CHART_H
#define TM_CHART_H

#include <jansson.h>
#include <stdio.h>

/*
 * Writes a device's chart as inline SVG, drawn from its summary: used capacity by day, the capacity
 * line, the range of the forecast up to the day on which it fills, and the interval maxima below.
 * Colours come from the page's style by class (chart-used, chart-capacity, chart-range,
 * chart-middle, chart-max, chart-axis); nothing that a device or customer named is written but
 * through chart_put_text.
 */
void chart_write(FILE *out, const json_t *summary);

/* Writes text so that it is text in HTML, SVG and in a quoted attribute. */
void chart_put_text(FILE *out, const char *text);

#endif
