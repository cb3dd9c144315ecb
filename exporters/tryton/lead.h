/* SPDX-License-Identifier: MIT */
#ifndef TM_TRYTON_LEAD_H
#define TM_TRYTON_LEAD_H

#include "exporters/tryton/sales.h"

/* What a recommendation becomes: the values of an opportunity, its note and its attachments. */
struct lead {
  const char *key; /* borrowed */
  char *note;      /* reasons and evidence, for people */
  json_t *values;  /* of the record */
};

/* Looks up customer and products, and makes the values. Errors and warnings as sales_offer();
 * release it in either case. */
int lead_make(struct lead *lead, struct sales *s, const json_t *summary,
              const json_t *recommendation, json_t *warnings, struct tm_error *err);
void lead_release(struct lead *lead);
/* The values, for one create or write; a new reference. */
json_t *lead_values(const struct lead *lead);

/*
 * Puts a note, or a file, to an opportunity: once. One that is there is brought up to date, if that
 * is allowed (`rewrite`), and left as it is otherwise.
 */
int lead_attach_note(struct sales *s, json_int_t id, const char *text, bool rewrite,
                     struct tm_error *err);
int lead_attach_file(struct sales *s, json_int_t id, const struct sales_file *file, bool rewrite,
                     struct tm_error *err);

#endif
