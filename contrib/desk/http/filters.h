/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_FILTERS_H
#define TM_DESK_FILTERS_H

#include "contrib/desk/http/request.h"

/*
 * What the selects of forms and lists offer, as the parts `filters` and `field` of pages/ want it,
 * and how a list's next page is asked for.
 */

/* Adds {"value", "text", "chosen"} to a list of options. chosen: the value that is; NULL: none is.
 */
void filter_option(json_t *options, const char *value, const char *text, const char *chosen);
/* The options of all rows {value, text}; the row after the last has no value. New reference. */
json_t *filter_options(const char *const (*rows)[2], const char *chosen);

/* The query of this page again: [{"name", "value"}] of those parameters (NULL after the last) that
 * it has, and `place` = next where there is a next page: next is a string, else there is none. New
 * reference. */
json_t *filter_again(const struct request *r, const char *const *names, const char *place,
                     const json_t *next);

#endif
