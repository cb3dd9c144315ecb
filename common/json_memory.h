/* SPDX-License-Identifier: MIT */
#ifndef TM_JSON_MEMORY_H
#define TM_JSON_MEMORY_H

#include <stdbool.h>

/*
 * Jansson tells nobody when it had no memory for a member: json_object_set_new() drops the value,
 * and a document goes out that lacks it. In the programs, once there was none, there is none any
 * more for Jansson in that thread: whatever is made or written of JSON from then on fails, which
 * every caller looks at.
 */

/* For the whole process, before the first use of Jansson. Not within collectd, whose other plugins
 * use Jansson too. */
void tm_json_guard_memory(void);

/* True when there was no memory in this thread, so that what it holds may lack something. */
bool tm_json_starved(void);
/* The same by somebody else than Jansson: what was made of it must not go out either. */
void tm_json_starve(void);

/* Begins anew in this thread: a server's next request has nothing of the last one's. */
void tm_json_forgive(void);

#endif
