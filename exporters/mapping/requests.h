/* SPDX-License-Identifier: MIT */
#ifndef TM_MAPPING_REQUESTS_H
#define TM_MAPPING_REQUESTS_H

#include "common/conf.h"
#include "common/error.h"
#include "exporters/mapping/mapping.h"

#include <jansson.h>
#include <stddef.h>

/* The recommendations of an item, as a mapping sees them. */

/* Hands over the scope of each recommendation of an event's summary: opportunity and key. Stops at
 * the first negative return and returns it. -EBADMSG for another kind of document. */
int mapping_each(const struct mapping *m, const char *event, size_t len,
                 int (*take)(void *arg, struct mapping_scope *scope, struct tm_error *err),
                 void *arg, struct tm_error *err);

/* The bytes of a request: its path, appended, and its body, appended where it has one. */
int mapping_request(struct tm_buf *path, struct tm_buf *body, const json_t *request,
                    const struct mapping_scope *scope, struct tm_error *err);

/* Prints the requests that an event would lead to, byte for byte, each after a line of comment with
 * its method and URL. What only an answer could tell stands there as <record ...>, <lookup ...>. */
int mapping_preview(const struct tm_conf_target *target, const char *event, size_t len,
                    struct tm_error *err);

#endif
