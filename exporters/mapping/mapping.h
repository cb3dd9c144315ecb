/* SPDX-License-Identifier: MIT */
#ifndef TM_MAPPING_H
#define TM_MAPPING_H

#include "common/buf.h"
#include "common/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * A mapping file: how a recommendation becomes a record of somebody's CRM, as data
 * (contrib/schema/mapping.schema.json; contrib/mapping has some). It names requests, made of
 * templates over one opportunity:
 *
 *   find, create, update   look for the record by its key; make it where there is none; change it
 *                          where `if` allows it, so that what a person has changed stays
 *   upsert                 one request, where the CRM does both by itself
 *   lookups                numbers that the CRM has for things, such as its customer
 *
 * A template is JSON in which an object with one member "$..." stands for a value:
 *   {"$from": "/customer/id"}   of the opportunity by JSON pointer; with format, map, max, else,
 *                               required
 *   {"$key": true}              the record's key
 *   {"$join": [...]}            texts, one after the other
 *   {"$each": "/lines", "item": {...}}   an array; pointers "./sku" are then of the element
 *   {"$record": "/id"}          of what find has found
 *   {"$lookup": "partner"}      of a lookup
 * A member whose value is absent is left out.
 */
struct mapping {
  char *path;
  json_t *root;
};

/* Reads and checks the file. Refusals read "FILE:LINE: what", with the nearest known name. Also
 * every pointer must be of a field that an opportunity may have. */
int mapping_load(struct mapping *m, const char *path, struct tm_error *err);
void mapping_release(struct mapping *m);

/* The opportunity of one recommendation: its members, and customer, product, status, forecast,
 * period, consent and generated_at of the summary. A new reference. */
json_t *mapping_opportunity(const json_t *summary, const json_t *recommendation);

/* What templates are filled with. */
struct mapping_scope {
  const json_t *opportunity;
  const json_t *item;    /* of $each; NULL outside */
  json_t *key;           /* text, or NULL while it is not made */
  const json_t *record;  /* that was found; NULL: none */
  const json_t *lookups; /* name -> value; NULL: none */
  bool dry;              /* what only an answer could tell is shown by its name */
};

/* The value of a template: *out is a new reference, NULL where it is absent. -EBADMSG with the
 * pointer where what is required is missing or not of the format. */
int mapping_render(json_t **out, const json_t *template, const struct mapping_scope *scope,
                   struct tm_error *err);
/* A path with its placeholders {key}, {/pointer}, {record:/pointer} and {lookup:NAME}, each
 * percent-encoded. */
int mapping_render_path(struct tm_buf *out, const char *path, const struct mapping_scope *scope,
                        struct tm_error *err);

/* A value by JSON pointer (RFC 6901); NULL. Borrowed. */
const json_t *mapping_point(const json_t *root, const char *pointer);

extern const char *const mapping_formats[]; /* names, NULL at the end */
/* A value in a format. *out is a new reference. -EBADMSG when it does not fit. */
int mapping_format(json_t **out, const char *format, const json_t *value, struct tm_error *err);

#endif
