/* SPDX-License-Identifier: MIT */
#ifndef TM_INQUIRY_H
#define TM_INQUIRY_H

#include "common/error.h"

#include <jansson.h>
#include <stdint.h>

/*
 * Inquiries for stock and date (contrib/schema/inquiry.schema.json) with what became of them, each
 * one file STATE/inquiries/ID.json:
 *   {"inquiry":{…}, "answer":{…}, "refused":"why", "reservation":{"until":DATE,"shipments":[…]},
 *    "late":true}
 * An inquiry is there before anybody is asked; without "answer" it is open.
 */

/* Whether a document is an inquiry, or an answer, in every member that is used here. -EBADMSG. */
int inquiry_check(const json_t *inquiry, struct tm_error *err);
int inquiry_check_answer(const json_t *answer, struct tm_error *err);

/* The record of an id, a new reference; NULL where there is none. An id that is none has none. 0,
 * or a negative errno where it cannot be read: it may be there. */
int inquiry_read(const char *state_dir, const char *id, json_t **record, struct tm_error *err);
/* Durable when it returns 0. */
int inquiry_write(const char *state_dir, const json_t *record, struct tm_error *err);
/* The id of a record; borrowed. */
const char *inquiry_id(const json_t *record);

/* All of them by id; a negative return of the function ends it and is returned. 0 when the folder
 * is not there. One that cannot be read is told and passed over, and makes it fail in the end. */
typedef int inquiry_function(void *arg, json_t *record, struct tm_error *err);
int inquiry_each(const char *state_dir, inquiry_function *function, void *arg,
                 struct tm_error *err);

/* One at a time changes them: held until the descriptor is closed. */
int inquiry_lock(const char *state_dir, struct tm_error *err);

/*
 * Stores an answer that came from elsewhere. 0: stored; 1: it, or a newer one, is there already.
 * "late" is set in the record when the inquiry was closed before. -ENOENT for an id that nobody
 * asked under: the answer is then kept in STATE/inquiries/strange/.
 */
int inquiry_take_answer(const char *state_dir, const json_t *answer, struct tm_error *err);

#endif
