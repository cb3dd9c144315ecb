/* SPDX-License-Identifier: MIT */
#ifndef TM_FILTER_H
#define TM_FILTER_H

#include "common/conf.h"
#include "common/error.h"
#include "common/sign.h"
#include "exporters/schema.h"

/*
 * Makes the document that may leave out of the one that is there: the schema is the list of what is
 * allowed, and a field passes when one of its purposes is on and was agreed to with this field in
 * sight. Everything else is absent, neither null nor 0.
 */
struct filter {
  unsigned purposes; /* that are on for this target and device */
  /* What was agreed to, by number of the purpose: an object whose keys are the paths of
   * schema_fields(); NULL: every field of the purpose. */
  const json_t *agreed[TM_PURPOSES];
  const struct tm_secret *key; /* of the pseudonyms */
  bool names_clear;
  json_t *left_out; /* NULL, or an array that gets "PATH: why" of what does not pass */
};

/*
 * *out is a new document in the order of the schema, or NULL when nothing but the frame (fields
 * that leave with every purpose) would be left. -EBADMSG with "PATH: what" where a value is not
 * what the schema wants, or a required one is missing.
 */
int filter_apply(const struct filter *f, const struct schema *schema, const json_t *document,
                 json_t **out, struct tm_error *err);

#define FILTER_PSEUDONYM_SIZE 32
/* "p-" and 24 hexadecimal digits that only this site can lead back. */
void filter_pseudonym(char out[FILTER_PSEUDONYM_SIZE], const struct tm_secret *key,
                      const char *label, const char *text);

#endif
