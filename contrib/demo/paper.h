/* SPDX-License-Identifier: MIT */
#ifndef TM_DEMO_PAPER_H
#define TM_DEMO_PAPER_H

#include "common/error.h"
#include "contrib/demo/fleet.h"

#include <stdint.h>

/*
 * The papers of a site beside its RRDs: DIR/tidemark.conf, DIR/products.d/HOST/NAME.json (what the
 * vendor delivered), DIR/secret (signs what goes to the demonstration's drop folder).
 * catalogue: its path, NULL for none. first: the first second of the history.
 */
int paper_write(const char *dir, const struct site *site, const char *catalogue, int64_t first,
                struct tm_error *err);

#endif
