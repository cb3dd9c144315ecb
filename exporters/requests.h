/* SPDX-License-Identifier: MIT */
#ifndef TM_REQUESTS_H
#define TM_REQUESTS_H

#include "common/conf.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * What service asks for: data items of a device (contrib/schema/request.schema.json), each request
 * one file STATE/requests/ID.json. They come with signed answers only. Nothing is asked of a device
 * and nothing is told before somebody at the site says so; a refusal is an answer too.
 */

#define REQUESTS_ITEMS 100 /* most items of one request */

/* [A-Za-z0-9_-], 1 to 64: it becomes a file's name, and nothing of a path can be in it. */
bool requests_is_id(const char *id);
bool requests_is_sound(const json_t *request);

/* Keeps those requests that are sound and new; says so on standard error. */
void requests_store(const struct tm_conf *conf, const struct tm_conf_target *target,
                    const json_t *requests);

/* Lists them on standard output. Returns the exit status, as all of these do. */
int requests_list(const struct tm_conf *conf, bool as_json, int64_t now);
/* Queues the refusal of a request, with the reason in the administrator's words. */
int requests_refuse(const struct tm_conf *conf, const char *id, const char *why, int64_t now_ms);
/*
 * Queues the answer: file ("-" for standard input) is what `tidemark-probe --items` printed. Of it
 * the items that were asked for are taken, nothing else. The purpose of the request must be on for
 * the device.
 */
int requests_answer(const struct tm_conf *conf, const char *id, const char *file, int64_t now_ms);

#endif
