/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_DOCUMENT_H
#define TM_DESK_DOCUMENT_H

#include "common/buf.h"
#include "common/sign.h"
#include "contrib/desk/store/db.h"

/*
 * A row of the table summaries: what a site sent, byte for byte.
 */
struct document {
  int64_t id, device_id, period_from, period_to, generated_at, arrived_at; /* from: INT64_MIN */
  char kind[16];                                                           /* summary, history */
  char event[TM_SHA256_HEX];                                               /* its key */
  char sha256[TM_SHA256_HEX]; /* of the whole event: as the receipt told it */
  struct tm_buf bytes;        /* the event, whose hash that is */
  size_t data_at, data_len;   /* the document within it */
};

/* -ENOENT where there is none in the scope. Release it in the end. */
int document_read(struct db *db, int64_t id, struct document *out, struct tm_error *err);
/* The newest summary of a device. */
int document_newest(struct db *db, int64_t device_id, struct document *out, struct tm_error *err);
void document_release(struct document *d);
/* Parsed. New reference; NULL with err. */
json_t *document_json(const struct document *d, struct tm_error *err);

#endif
