/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_SCHEMAS_H
#define TM_DESK_SCHEMAS_H

#include "common/json_schema.h"

/*
 * The schemas of contrib/schema that the desk checks what comes by, as they were when the program
 * was built. Each is loaded once, by whoever asks first; borrowed, and never changed.
 */
enum schema_of {
  SCHEMA_OF_SUMMARY,
  SCHEMA_OF_HISTORY,
  SCHEMA_OF_ITEM_VALUES,
  SCHEMA_OF_DELETE_REQUEST,
  SCHEMA_OF_INQUIRY,
  SCHEMA_OF_ANSWER,
  SCHEMA_OF_CLAIM,
  SCHEMA_OF_REQUEST,
  SCHEMA_OF_SHOPS,
  SCHEMAS_OF,
};

/* NULL where there is no memory for it, which json_schema_check() knows. A schema that does not
 * load for another reason ends the program, which no test lets happen. */
const struct json_schema *schema_of(enum schema_of which);

#endif
