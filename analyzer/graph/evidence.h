/* SPDX-License-Identifier: MIT */
#ifndef TM_GRAPH_EVIDENCE_H
#define TM_GRAPH_EVIDENCE_H

#include "common/error.h"

#include <jansson.h>
#include <stdbool.h>

/*
 * The picture of a summary, for whoever has nothing but that: the receiver of a mail, a CRM. It is
 * drawn of what the document says, so that nothing can stand in it that was not agreed to; days are
 * those of the document's dates.
 */

/* A summary or history document, bare or as the data of an event. */
bool evidence_is_summary(const json_t *document);

/* The document to be drawn (graph/plot.h), as PNG. *out is a new reference. 0, -ENODATA when the
 * summary holds nothing that could be drawn, -ENOMEM. */
int evidence_document(json_t **out, const json_t *document, struct tm_error *err);

#endif
