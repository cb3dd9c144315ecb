/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_WORDS_H
#define TM_DESK_WORDS_H

#include <jansson.h>
#include <stdint.h>

/*
 * What people read instead of codes. All of it is made here and nowhere else, so that pages, mails
 * and the API call a thing by one name.
 */

/* "disk array", "tape library", …; the code itself where it is not known, "device" for NULL. */
const char *words_kind(const char *kind);
/* "Grow" … */
const char *words_action(const char *action);
/* "New", "Contacted" … */
const char *words_state(const char *state);
/* The class of the label that shows a state: "tag-accent", "tag-good", "". */
const char *words_state_class(const char *state);

/* All codes with their names and which is chosen, for a select: [{"value","text","chosen"}]. */
json_t *words_kinds(const char *chosen);
json_t *words_actions(const char *chosen);
json_t *words_states(const char *chosen);

/*
 * How a day stands to today, both in days since 1970: {"class": "late", "sign": "▲",
 * "text": "3 days late"}, "soon" ◆ within 14 days, else "" and "in 28 days". null for no day
 * (INT64_MIN).
 */
json_t *words_when(int64_t day, int64_t today);

/* "4 × SHELF-20T, 1 × FW-DS200-4.4.2" of a recommendation's or inquiry's lines. New reference. */
json_t *words_lines(const json_t *lines);

#endif
