/* SPDX-License-Identifier: MIT */
#ifndef TM_SHOPS_H
#define TM_SHOPS_H

#include "common/error.h"

#include <jansson.h>
#include <stddef.h>

/*
 * Where a customer's goods are handed over, as one JSON file (contrib/schema/shops.schema.json):
 *   {"schema":"tidemark.shops/1","otherwise":"Osaka",
 *    "shops":{"C-1001":"Osaka","C-1001/kobe-2":"Kobe"}}
 * A site of a customer may have a shop of its own.
 */
struct shops {
  json_t *document; /* NULL: no map */
};

/* 0, or -EBADMSG with "FILE:LINE: what", or what reading gives. */
int shops_load(struct shops *s, const char *path, struct tm_error *err);
/* The same for bytes in memory; name stands in messages. */
int shops_parse(struct shops *s, const char *data, size_t len, const char *name,
                struct tm_error *err);
void shops_release(struct shops *s);
/* The shop of a summary's customer: its site's, its own, the one for all others, or NULL. */
const char *shops_of(const struct shops *s, const json_t *summary);

#endif
