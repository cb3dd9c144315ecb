/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_TEMPLATE_H
#define TM_DESK_TEMPLATE_H

#include "common/buf.h"
#include "common/error.h"

#include <jansson.h>

/*
 * The one way in which data becomes HTML or mail. A small Mustache without its raw form:
 *
 *   {{name}} {{a.b}} {{.}}      the value, escaped for HTML text and quoted attributes alike
 *   {{name|format}}             a format first: bytes count money share date day time ago in url
 *                               (percent-encodes one path segment or query value); `text` in a mail
 *                               template is the plain value without control bytes
 *   {{#name}}...{{/name}}       for each element of an array; once for an object, string or true
 *   {{^name}}...{{/name}}       when it is absent, null, false or empty
 *   {{>part}}                   another template, with the same values
 *   {{! remark}}
 *
 * Names are looked up outwards, as Mustache does. An unknown format, an unclosed section, a missing
 * part or a placeholder outside text and double-quoted attribute values is an error when the
 * templates are loaded, at start, with FILE:LINE. There is no form that prints unescaped.
 */
struct templates;

/* Loads every *.html and *.txt (mail) below a folder. */
int templates_load(struct templates **t, const char *folder, struct tm_error *err);
void templates_free(struct templates *t);

struct template_clock {
  int64_t now;
  const char *zone; /* the name that stands beside times, "JST" */
};

/* Renders "sales.html" with a model (borrowed), appending to out. -ENOENT for an unknown name,
 * -EFBIG when out's limit is reached. */
int template_render(const struct templates *t, const char *name, const json_t *model,
                    const struct template_clock *clock, struct tm_buf *out, struct tm_error *err);

#endif
