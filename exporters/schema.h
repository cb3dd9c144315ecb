/* SPDX-License-Identifier: MIT */
#ifndef TM_SCHEMA_H
#define TM_SCHEMA_H

#include "common/error.h"
#include "common/json_type.h"
#include "common/pattern.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * The schemas of contrib/schema as they were when the program was built: what a document may hold,
 * and for which purposes each field may leave (x-purposes). They are compiled into the program, so
 * that no file on a machine can widen what is sent from it.
 *
 * Only what those schemas use is understood: type, const, enum, maxLength, pattern, minimum,
 * maximum, maxItems, items, properties, patternProperties, required, and additionalProperties
 * false; a schema with anything else does not load, rather than being half obeyed.
 */
enum schema_document { SCHEMA_SUMMARY, SCHEMA_HISTORY };

struct schema_node {
  const char *name;           /* of the property; NULL for the root and for items */
  unsigned types;             /* a set of TM_TYPE_... */
  unsigned purposes;          /* for which it is sent as it is */
  unsigned pseudonym;         /* for which a pseudonym is sent instead */
  bool is_name, is_name_path; /* replaced where the site asks for it */
  bool required;              /* by the object that holds it */
  const json_t *constant;     /* const or NULL; borrowed from the document, as is allowed */
  const json_t *allowed;      /* enum or NULL */
  size_t max_length;          /* characters; SIZE_MAX: no limit */
  size_t max_items;
  double minimum, maximum;
  struct tm_pattern *pattern;  /* NULL: none */
  struct schema_node *items;   /* of an array */
  struct schema_node *members; /* of an object, in the order of the schema */
  size_t members_len;
  struct tm_pattern *by_pattern_key; /* the name of members that are not listed, ... */
  struct schema_node *by_pattern;    /* ... and what they are; NULL: none */
};

struct schema {
  json_t *document; /* owns all names */
  struct schema_node root;
};

/* 0, or -EINVAL for a schema that cannot be obeyed, or -ENOMEM; then there is nothing to release.
 */
int schema_load(struct schema *s, enum schema_document which, struct tm_error *err);
void schema_release(struct schema *s);

/*
 * The paths of all fields that a purpose opens ("product.serial", "history[].used_bytes",
 * "forecast.fill.*"), as a sorted array of strings: what a person agrees to by it.
 */
json_t *schema_fields(const struct schema *s, unsigned purpose);

#define SCHEMA_PATH_SIZE 256

#endif
