/* SPDX-License-Identifier: MIT */
#ifndef TM_ANSWER_H
#define TM_ANSWER_H

#include "exporters/target.h"

/*
 * What a receiver's answer means for the items that were sent. The answer to a push is
 *   200 {"results":[{"id":KEY,"status":"accepted|duplicate|refused","sha256":…,"field":…,
 *        "error":…}], "requests":[…]}
 * signed with the site's secret, under the webhook-id of the request. An answer without a body
 * accepts all of them. What an unsigned answer requests is not heard.
 */
struct answer {
  long status;
  const char *body; /* may be NULL */
  size_t body_len;
  int64_t date;                           /* the server's, or INT64_MIN */
  int64_t retry_after_s;                  /* or -1 */
  const char *id, *timestamp, *signature; /* headers, or NULL */
};

/* Fills the items' results and the outcome. request_id is the webhook-id that was sent. */
void answer_judge(const struct answer *a, const char *request_id, const struct tm_secret *secret,
                  int64_t now, struct target_item *items, size_t n, struct target_outcome *out);

#endif
