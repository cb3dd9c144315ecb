/* SPDX-License-Identifier: MIT */
#ifndef TM_REDFISH_VALUE_H
#define TM_REDFISH_VALUE_H

#include "plugins/reading.h"

#include <jansson.h>

/* Texts, numbers and links of Redfish documents. What is not told, or of another type, is "" or
 * NAN; doc may be NULL. */

/* Cleaned, and empty for words that say nothing ("N/A", "Unknown"). */
void redfish_get_text(char out[READING_NAME], const json_t *doc, const char *key);
/* A number that cannot be negative. */
double redfish_get_count(const json_t *doc, const char *key);
/* The same, where 0 means that it is not told here. */
double redfish_get_size(const json_t *doc, const char *key);

/* The path of a link ("https://host/redfish/v1/A/#/B/0" -> "/redfish/v1/A"), to compare by. The
 * caller frees; NULL when out of memory. */
char *redfish_path(const char *link);
/* What follows the last slash of a path. Borrowed. */
const char *redfish_last_segment(const char *path);

#endif
