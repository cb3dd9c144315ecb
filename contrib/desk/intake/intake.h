/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_INTAKE_H
#define TM_DESK_INTAKE_H

#include "common/buf.h"
#include "contrib/desk/intake/credential.h"

/*
 * The receiving end of contrib/doc/protocol.md, whatever way a push came: HTTP, or a file with its
 * signature beside it.
 */
struct intake_message {
  const char *id, *timestamp, *signature; /* the three headers, NULL when absent */
  const char *body;
  size_t len;
  bool batch; /* a JSON array of events */
};

struct intake_counts {
  size_t accepted, duplicate, refused, foreign;
};

enum { INTAKE_SKEW_S = 300 };

/* Whether the site's secret signed this. 0; -ETIME when the timestamp is more than INTAKE_SKEW_S
 * off (skew_checked); -EACCES when it is not signed, or not so. */
int intake_verify(const struct intake_message *m, const struct credential *from, int64_t now,
                  bool skew_checked, struct tm_error *err);

/*
 * Takes what was verified: splits, checks and keeps it, durably. receipt becomes the answer's body
 * (contrib/schema/receipt.schema.json). -EBADMSG when the body is no batch at all, -E2BIG for too
 * many events; other errors are the store's, and then nothing was kept. Without a body (len 0) only
 * what is asked of the site is told.
 */
int intake_take(struct store *store, const struct credential *from, const struct intake_message *m,
                int64_t now, struct tm_buf *receipt, struct intake_counts *counts,
                struct tm_error *err);

#endif
