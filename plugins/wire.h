/* SPDX-License-Identifier: MIT */
#ifndef TM_WIRE_H
#define TM_WIRE_H

#include "plugins/reading.h"

#include <jansson.h>

/*
 * A reading with nothing left out, for the way between the helper and the plugin (reading_to_json
 * is for people and leaves out what only the plugin needs). What is unknown is absent.
 */

/* A new reference; NULL when out of memory. */
json_t *wire_from_reading(const struct reading *r);
/* Fills r, which it initialises. Members of wrong types stay unknown: the helper talks with hostile
 * devices, so that it is not trusted either. 0; -EBADMSG (no kind), -ENOMEM, with r empty. */
int wire_to_reading(const json_t *o, struct reading *r);

#endif
