/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_DRAWING_H
#define TM_DESK_DRAWING_H

#include "common/error.h"

#include <jansson.h>

/*
 * The server's own drawing of a tidemark.series/1 document: the model of pages/chart.html,
 * all coordinates as text, so that the template writes nothing but attribute values. It is the
 * chart without script, on paper, and when the route of the series fails.
 *
 * Members: viewbox, label (a sentence for those who cannot see it), ticks[{y, text_y, text,
 * base}], used[points], capacity, fan, middle, range{x1, x2, y, mid, text_y}, order_by{x, text_x,
 * text}, marks[{x, box_x, box_w, text}], bars, peak, bar_ticks[], months[{x, text}], events[], clip
 * {y, height}, mark_bottom. What there is nothing of is absent; null when there is nothing to draw
 * at all.
 */
json_t *drawing_model(const json_t *series);

#endif
