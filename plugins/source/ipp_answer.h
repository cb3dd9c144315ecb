/* SPDX-License-Identifier: MIT */
#ifndef TM_IPP_ANSWER_H
#define TM_IPP_ANSWER_H

#include "common/buf.h"
#include "common/error.h"
#include "plugins/reading.h"

#include <stdbool.h>
#include <stddef.h>

/* The IPP messages of a Get-Printer-Attributes, apart from the network: libcups reads and writes
 * them, and nothing reaches it that was not measured before. */

/* The request, appended to b. version is 20 or 11. counters: only what counts pages. 0, -ENOMEM. */
int ipp_make_request(struct tm_buf *b, const char *printer_uri, int version, bool counters);

/*
 * True when the bytes are a well-formed IPP message: lengths within the message, groups and
 * attributes in order, collections nested no deeper than 8 and closed, at most 20,000 values,
 * an end. libcups reads collections by recursion without a limit.
 */
bool ipp_message_is_sound(const void *data, size_t len);

/*
 * Reads an answer into r (kind printer). Values of wrong types, out of range or marked unknown are
 * left unknown; arrays that should be parallel need not be of one length.
 * 0; -EBADMSG (no IPP message); -EPROTONOSUPPORT (the printer wants another version: ask by 11);
 * -ENOENT, -EACCES or -EIO for a status that tells of a failure. name stands in messages.
 */
int ipp_read_answer(const void *data, size_t len, const char *name, struct reading *r,
                    struct tm_error *err);
/* The same, but only the data items of these names (ends with NULL) are added to r; one that the
 * printer does not tell is not-offered. */
int ipp_read_items(const void *data, size_t len, const char *name, const char *const *items,
                   struct reading *r, struct tm_error *err);

#endif
