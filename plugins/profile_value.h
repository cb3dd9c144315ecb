/* SPDX-License-Identifier: MIT */
#ifndef TM_PROFILE_VALUE_H
#define TM_PROFILE_VALUE_H

#include "plugins/profile.h"

/* One number or text of a profile, looked up in the rows; profile_read.c puts them together. */
struct profile_source {
  struct snmp_rows *rows;
  /* The objects that gave the last value, for --explain; "" when that is not wanted. */
  bool explain;
  char from[256];
};

/* The index of the row of a table that is being read; id NULL: none, the device itself. */
struct profile_index {
  const uint32_t *id;
  size_t len;
};

/* The index as text ("1.3"), which is the device's own number for what stands in the row; of a long
 * one, such as a name, the end. */
void profile_id_of(struct profile_index at, char out[READING_ID]);

/* The first alternative that is known, or NAN. */
double profile_number_of(struct profile_source *s, const struct profile_numbers *n,
                         struct profile_index at);
/* The value as it stands, -2 and -3 included, of the first alternative that is there; else NAN. */
double profile_code_of(struct profile_source *s, const struct profile_numbers *n,
                       struct profile_index at);
/* What the number is the sum of, cell by cell: for a counter, how each of them wraps. */
int profile_counters_of(struct profile_source *s, const struct profile_numbers *n,
                        struct reading *r);
/* The first alternative that says something; "" else. */
void profile_text_of(struct profile_source *s, const struct profile_texts *t,
                     struct profile_index at, char *out, size_t size);
/* Whether a value passes one condition. */
bool profile_value_passes(const struct profile_test *t, const struct snmp_value *v);
/* True when every condition holds. */
bool profile_tests_hold(struct profile_source *s, const struct profile_tests *t,
                        struct profile_index at);

#endif
