/* SPDX-License-Identifier: MIT */
#ifndef TM_JSON_SCHEMA_H
#define TM_JSON_SCHEMA_H

#include "common/error.h"

#include <jansson.h>
#include <stddef.h>

/*
 * Checks a document against a JSON Schema (2020-12), as far as the schemas of contrib/schema go:
 * type const enum, minimum maximum exclusiveMinimum, minLength maxLength pattern (POSIX extended),
 * items minItems maxItems, properties patternProperties propertyNames required
 * additionalProperties, allOf anyOf oneOf if/then/else, and $ref to "#/$defs/...". `format`, x-...
 * and what only describes are passed over; a schema with another keyword does not load, rather than
 * being half obeyed.
 *
 * A loaded schema is not changed by checking: threads share it.
 */
struct json_schema;

/* name stands in messages. -EINVAL with "NAME: what" for a schema that cannot be obeyed. */
int json_schema_new(struct json_schema **schema, const char *text, size_t len, const char *name,
                    struct tm_error *err);
void json_schema_free(struct json_schema *schema); /* NULL is fine */

enum {
  /* Members that the schema does not know are passed over instead of refused: for what comes from
   * programs that may be newer. */
  JSON_SCHEMA_UNKNOWN_PASS = 1,
};

struct json_fault {
  char field[200]; /* "status.used_bytes", "history[3].date"; "" is the document itself */
  char why[200];   /* "missing", "a number is wanted" */
};

/* 0, or -EBADMSG with the first fault that was found. Without a schema, for which there was no
 * memory, the thread counts as starved (json_memory.h). */
int json_schema_check(const struct json_schema *schema, const json_t *value, unsigned flags,
                      struct json_fault *fault);

#endif
