/* SPDX-License-Identifier: MIT */
#ifndef TM_INPUT_H
#define TM_INPUT_H

#include "common/conf.h"
#include "common/error.h"

#include <jansson.h>
#include <stddef.h>

/*
 * Summaries from files: one JSON object a line (NDJSON), or one object in the whole file, as people
 * write it; a CloudEvent is taken for what is in it. A line that is none is refused by "FILE:LINE:
 * why" and the others go on.
 */
struct input_counts {
  size_t read;    /* objects that were handed over */
  size_t refused; /* lines that were none, and objects that the handler refused */
  size_t missing; /* files that could not be opened */
  int why;        /* the first of them could not: a negative errno */
};

/* Handles one object; where is "FILE:LINE". A negative return is a refusal that was not told yet:
 * its reason is in err. -ECANCELED ends the reading: it was told. */
typedef int input_handler(void *arg, const json_t *object, const char *where, struct tm_error *err);

/*
 * Reads the files (NULL-terminated; "-" is standard input; of a folder its *.json; an empty list:
 * what a vendor has received, accepted.h, else what the analyzer wrote last,
 * STATE/summaries.ndjson). Refusals are told on standard error. 0 or -ECANCELED.
 */
int input_read(const struct tm_conf *conf, char *const *files, input_handler *handler, void *arg,
               struct input_counts *counts);

/* The exit status that fits: EX_NOINPUT, EX_DATAERR or EX_OK. */
int input_status(const struct input_counts *counts);

#endif
