/* SPDX-License-Identifier: MIT */
#ifndef TM_STATE_H
#define TM_STATE_H

#include "common/error.h"

#include <jansson.h>

/*
 * Small notes of the exporter, STATE/export/NAME.json, each a JSON object. None of them says what
 * is in the spool; without them an item may be sent once more than needed, and that is all.
 */

/* A new reference; an empty object when the note is not there or not readable. NULL: no memory. */
json_t *state_read(const char *state_dir, const char *name);
int state_write(const char *state_dir, const char *name, const json_t *note, struct tm_error *err);

/* Appends one line to STATE/history.ndjson, the record of what was sent. */
int state_log(const char *state_dir, const json_t *entry, struct tm_error *err);

#endif
