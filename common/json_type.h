/* SPDX-License-Identifier: MIT */
#ifndef TM_JSON_TYPE_H
#define TM_JSON_TYPE_H

#include <jansson.h>
#include <stdbool.h>

/* What a value is, in the words of JSON Schema: a bit each, so that a set of them is a number. */
enum {
  TM_TYPE_OBJECT = 1,
  TM_TYPE_ARRAY = 2,
  TM_TYPE_STRING = 4,
  TM_TYPE_FRACTION = 8,
  TM_TYPE_INTEGER = 16, /* 1.0 is one too */
  TM_TYPE_BOOLEAN = 32,
  TM_TYPE_NULL = 64,
  TM_TYPE_NUMBER = TM_TYPE_FRACTION | TM_TYPE_INTEGER,
  TM_TYPE_ANY = 127,
};

/* The one bit of a value. */
unsigned tm_json_type(const json_t *value);
/* The set that a name of JSON Schema stands for ("number": two bits); 0 for another name or NULL.
 */
unsigned tm_json_type_named(const char *name);

/* Whether an array holds an equal value. */
bool tm_json_is_listed(const json_t *list, const json_t *value);

#endif
