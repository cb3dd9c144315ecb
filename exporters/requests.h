/* SPDX-License-Identifier: MIT */
#ifndef TM_REQUESTS_H
#define TM_REQUESTS_H

#include "common/conf.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * What service asks for: data items of a device (contrib/schema/request.schema.json), each request
 * one file STATE/requests/ID.json. They come with signed answers only. A request is decided by what
 * the site has agreed to: the purpose is on for the device, then it is asked and the items are
 * told; or it is off, and that is the answer. Where a target has requests = "show", a person
 * decides.
 */

#define REQUESTS_ITEMS 100 /* most items of one request */

/* [A-Za-z0-9_-], 1 to 64: it becomes a file's name, and nothing of a path can be in it. */
bool requests_is_id(const char *id);
/* Whether a request has all members that are used here, each as it must be. */
bool requests_is_sound(const json_t *request);

/* Keeps those requests that are sound and new; says so on standard error. Returns how many. */
size_t requests_store(const struct tm_conf *conf, const struct tm_conf_target *target,
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

/* Queues the answer after asking the device by tidemark-probe, as its plugin asks it. */
int requests_ask(const struct tm_conf *conf, const char *id, int64_t now_ms);

/*
 * Decides those that wait for this target, unless a person does that. A device that does not answer
 * is asked again at the next calls, three times in all; then 'unavailable' is the answer. Returns
 * how many were decided: their answers wait in the spool. Troubles are told on standard error.
 */
size_t requests_run(const struct tm_conf *conf, const struct tm_conf_target *target,
                    int64_t now_ms);

#endif
