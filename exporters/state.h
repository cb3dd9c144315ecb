/* SPDX-License-Identifier: MIT */
#ifndef TM_STATE_H
#define TM_STATE_H

#include "common/error.h"

#include <jansson.h>
#include <stdbool.h>

/*
 * Small notes of the exporter, STATE/export/NAME.json, each a JSON object. None of them says what
 * is in the spool; without them an item may be sent once more than needed, and that is all.
 */

/* A new reference; an empty object when the note is not there, or is none. NULL with err filled
 * when it cannot be read now: whoever went on as if there were none would write that down. */
json_t *state_read(const char *state_dir, const char *name, struct tm_error *err);
/* Atomically, making the folder where it is missing. 0 or a negative errno. */
int state_write(const char *state_dir, const char *name, const json_t *note, struct tm_error *err);

/* Appends one line to STATE/NAME, on the disk when it returns where sync says so. */
int state_append(const char *state_dir, const char *name, const json_t *entry, bool sync,
                 struct tm_error *err);
/* The same to STATE/history.ndjson, the record of what was sent. */
int state_log(const char *state_dir, const json_t *entry, struct tm_error *err);

#endif
