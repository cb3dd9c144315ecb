/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_TEMPLATE_H
#define TM_DESK_TEMPLATE_H

#include "common/buf.h"
#include "common/error.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The one way in which data becomes HTML or mail. A small Mustache without its raw form:
 *
 *   {{name}} {{a.b}} {{.}}      the value, escaped for HTML text and quoted attributes alike;
 *                               nothing where it is absent or null
 *   {{name|format}}             a format first, see below; "unknown" where it is absent or null
 *   {{#name}}...{{/name}}       for each element of an array; once for an object, string or true
 *   {{^name}}...{{/name}}       when it is absent, null, false or empty
 *   {{>part}}                   another template of the same kind, with the same values
 *   {{! remark}}
 *
 * Names are looked up outwards, as Mustache does. A tag other than a value that stands alone in its
 * line takes the line with it.
 *
 * Formats: bytes "97.6 TiB", tib "97.6" (the unit stands beside it), count "48,210", money
 * ({"amount": "1200000", "currency": "JPY"}) "¥ 1,200,000", share (0.81) "81 %", day (days since
 * 1970, or "2026-11-20") and date (seconds, or RFC 3339; the local date) "2026-11-20", time
 * "2026-11-20 09:05 JST", iso "2026-11-20T09:05:00+09:00" (for datetime=""), ago "2 hours ago", in
 * "in 13 days" (a time in seconds or a date as text), url (percent-encodes one path segment or
 * query value). In a *.txt template nothing is escaped, and control bytes of a value become blanks.
 *
 * Checked when the templates are loaded, at start, with FILE:LINE: unknown formats, sections that
 * are not closed or that begin and end in different places of a tag, missing parts, a value outside
 * text and double-quoted attribute values, attributes without double quotes, style and on...
 * attributes, <style> and <script> with a content. A value at the head of an attribute that is
 * followed (href, src, action, formaction, data-series, data-poll, data-events) becomes "#" unless
 * it is a path of this desk, a fragment, a query, or http(s), mailto or tel. There is no form that
 * prints unescaped.
 */
struct templates;

/* Loads every *.html and *.txt (mail) below a folder; names are paths below it. */
int templates_load(struct templates **t, const char *folder, struct tm_error *err);
void templates_free(struct templates *t);

/* The same from memory, one after the other, then templates_link() once; for tests. text is copied.
 */
struct templates *templates_new(void);
int templates_add(struct templates *t, const char *name, const char *text, size_t len,
                  struct tm_error *err);
int templates_link(struct templates *t, struct tm_error *err);

struct template_clock {
  int64_t now;
  const char *zone; /* the name that stands beside times; NULL: what the system calls it, "JST" */
};

/* Renders "sales.html" with a model (borrowed), appending to out. -ENOENT for an unknown name,
 * -EFBIG when out's limit is reached; out is then as it was. */
int template_render(const struct templates *t, const char *name, const json_t *model,
                    const struct template_clock *clock, struct tm_buf *out, struct tm_error *err);

#endif
