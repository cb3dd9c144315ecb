/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_INQUIRY_MODEL_H
#define TM_DESK_INQUIRY_MODEL_H

#include <jansson.h>
#include <stdint.h>

/*
 * A row of factory/inquiry.h with what people read beside it: lines_text, answer_text, state_text
 * and state_tag, state_sub, waiting, needs_person, and what may be done with it. In place.
 */
void inquiry_decorate(json_t *row, int64_t today);

/* The answer in a sentence: "Osaka is 3 days too late; Nagoya can hand over on 2026-11-27." of
 * offer_shops(). New reference; null for none. */
json_t *inquiry_verdict(const json_t *shops);

/* Asked, answered, reserved, picked up: [{"text","class","current","at","by","sub"}]. */
json_t *inquiry_steps(const json_t *row);

#endif
