/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_CLAIM_WORDS_H
#define TM_DESK_CLAIM_WORDS_H

#include <jansson.h>
#include <stddef.h>

/* Numbers and states of a claim as people read them. */

/* "1,284,300", "1.08", "−620": a whole number as it is, else two figures behind the point, or as
 * many as a small one needs. Returns out. */
char *claim_number_text(char *out, size_t size, double value);
/* Of any value of a data item: a number, a text, true or false. "" for null. A site's text has 200
 * characters at most (item-values.schema.json): in CLAIM_VALUE_TEXT bytes none is cut. */
enum { CLAIM_VALUE_TEXT = 200 * 4 + 1 };
char *claim_value_text(char *out, size_t size, const json_t *value);

/* "Collecting", ... and the class of its label. */
const char *claim_state_word(const char *state);
const char *claim_state_class(const char *state);
const char *claim_via_word(const char *via);
/* Of the record: "Came in", "Items were asked for", ... or the state that it became. */
const char *claim_event_words(const char *what, const char *to_state);

/*
 * How a number lies among its peers, as the shapes of one line (viewBox 0 0 176 20):
 * {"label", "peers": [{"cx"}], "band": {"x", "width"}, "mean", "mark": {"path", "class"}}. The
 * peers fill the line; what lies outside of them stands at its end. peers: n > 0 of them.
 */
struct compare_numbers;
json_t *claim_strip(const struct compare_numbers *c, const double *peers, double claimed);

#endif
