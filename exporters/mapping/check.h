/* SPDX-License-Identifier: MIT */
#ifndef TM_MAPPING_CHECK_H
#define TM_MAPPING_CHECK_H

/* Between the files of the mapping. Nobody else includes this. */

#include "common/json_check.h"
#include "exporters/mapping/mapping.h"
#include "exporters/schema.h"

enum { MAPPING_MAX_TOKEN = 256 };

/* What is being checked. */
struct mapping_check {
  const struct tm_json_file *f;
  const struct schema_node *summary, *advice; /* the nodes of a summary and of a recommendation */
  const struct schema_node *item;             /* within $each; NULL outside */
  const json_t *lookups;
  bool has_record; /* of what was found something is known here */
};

/* Where a value stands, for messages. */
struct mapping_place {
  const json_t *container;
  const char *key;
  size_t index; /* in an array: key is NULL */
};

/* "FILE:LINE: 'VALUE': WHAT", with the nearest name unless near is NULL. */
int mapping_refuse(const struct mapping_check *c, const struct mapping_place *at,
                   struct tm_error *err, const char *what, const char *value, const char *near);
/* The field that a pointer leads to; 0 and *node (unless NULL), or the refusal. */
int mapping_find_field(const struct mapping_check *c, const struct mapping_place *at,
                       const char *pointer, const struct schema_node **node, struct tm_error *err);
/* The template that is a member of an object; 0 where there is none. */
int mapping_check_member(const struct mapping_check *c, const json_t *owner, const char *key,
                         int depth, struct tm_error *err);

#endif
