/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_ASSETS_H
#define TM_DESK_ASSETS_H

#include "common/error.h"

#include <jansson.h>
#include <stddef.h>

/*
 * Files that pages refer to: our own of static/, and those of Debian's Bootstrap and dygraphs that
 * we use. All are read at start, and nothing else can be asked for. An address carries the first
 * figures of the content's hash ("/static/style.css?v=1f3a..."), so that browsers may keep it.
 */
struct assets;

struct asset {
  char path[96]; /* "/static/style.css" */
  const char *type;
  char etag[20]; /* with its quotes */
  char *data;
  size_t len;
};

/* ours: the folder of static/; javascript: "/usr/share/javascript". */
int assets_load(struct assets **a, const char *ours, const char *javascript, struct tm_error *err);
void assets_free(struct assets *a);

const struct asset *asset_find(const struct assets *a, const char *path);
/* {"style": "/static/style.css?v=...", ...} by name without folder and ending. Borrowed. */
json_t *assets_model(const struct assets *a);

#endif
