/* SPDX-License-Identifier: MIT */
#ifndef TM_MERGE_H
#define TM_MERGE_H

#include <jansson.h>
#include <stddef.h>

/*
 * The days that a receiver has of one device: a site sends its history once and after that, with
 * each summary, the days since. Two years of them are what the rules can use.
 */
#define MERGE_KEEP_DAYS 731

/*
 * `kept` and `sent`, two lists as a summary's history[] has them, as one: oldest first, one entry a
 * date, the newest `keep` of them. Of two entries of a date the one that covers more of the day
 * stands, and otherwise the one that was sent: the last day of a document was not over yet. What is
 * no object, or has no date, is left out. A list may be NULL. A new reference, whose entries are
 * shared with the lists; NULL when memory is out.
 */
json_t *merge_history(const json_t *kept, const json_t *sent, size_t keep);

#endif
