/* SPDX-License-Identifier: MIT */
#ifndef TM_ACCEPTED_H
#define TM_ACCEPTED_H

#include "common/error.h"

#include <jansson.h>
#include <stddef.h>

/*
 * What a vendor has received: of each device the newest summary with all its days, one line of JSON
 * in STATE/accepted/CUSTOMER/SITE/HASH.json, where HASH is the SHA-256 of "HOST\nDEVICE\n". So
 * all of them, one behind the other, are NDJSON for the analyzer.
 */

/* 1: stored as the newest; 0: there was a newer one, which has got its days. A history document
 * gives its days; -EAGAIN when its summary is not there yet. The document is sound and names its
 * device; customer and site are safe names, and stand for those of the document. */
int accepted_put(const char *state_dir, const char *customer, const char *site,
                 const json_t *document, struct tm_error *err);

/* Forgets a site (host NULL), or one device of it. *n counts summaries. */
int accepted_forget(const char *state_dir, const char *customer, const char *site, const char *host,
                    const char *device, size_t *n, struct tm_error *err);

/* The paths of all of them, sorted, NULL-terminated; NULL where nothing was ever received. Free it
 * by accepted_list_free(). 0 or a negative errno. */
int accepted_list(const char *state_dir, char ***paths, struct tm_error *err);
void accepted_list_free(char **paths);

#endif
