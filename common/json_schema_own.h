/* SPDX-License-Identifier: MIT */
#ifndef TM_JSON_SCHEMA_OWN_H
#define TM_JSON_SCHEMA_OWN_H

#include "common/json_schema.h"
#include "common/json_type.h"
#include "common/pattern.h"

#include <stdbool.h>

/* A schema as json_schema.c reads it, and json_schema_check.c walks along it. */
struct schema_list {
  struct schema_part **nodes;
  size_t len;
};

struct schema_member {
  const char *name;
  struct schema_part *node; /* NULL: only required */
  bool required;
};

struct schema_pattern {
  struct tm_pattern *name;
  struct schema_part *node;
};

struct schema_part {
  unsigned types;                   /* a set of TM_TYPE_... */
  const json_t *constant, *allowed; /* borrowed from the document */
  double minimum, maximum, above;
  size_t min_length, max_length, min_items, max_items;
  bool closed;
  struct tm_pattern *pattern; /* NULL: none */
  struct schema_part *ref, *items, *names, *others, *condition, *then, *otherwise;
  struct schema_member *members;
  size_t members_len;
  struct schema_pattern *patterns;
  size_t patterns_len;
  struct schema_list all, any, one;
};

struct json_schema {
  json_t *document; /* owns all names */
  struct schema_part *root;
  struct {
    const char *name;
    struct schema_part *node;
  } * defs;
  size_t defs_len;
};

#endif
