/* SPDX-License-Identifier: MIT */
#ifndef TM_REFUSALS_H
#define TM_REFUSALS_H

#include "analyzer/series.h"
#include "common/error.h"

/* What a source refused while it looked for devices. Starts as {0}. */
struct refusals {
  struct series_refusal *item; /* owns its texts */
  size_t n, cap;
};

/* Adds a text, with what a hostile name might hold masked. 0 or -ENOMEM. */
int refusals_add(struct refusals *r, const char *text, struct tm_error *err);
void refusals_release(struct refusals *r);

#endif
