/* SPDX-License-Identifier: MIT */
#ifndef TM_POST_H
#define TM_POST_H

#include "common/conf.h"
#include "common/error.h"
#include "exporters/spool.h"

#include <jansson.h>
#include <stdint.h>

/*
 * One document that a person sends by a command, rather than the schedule: sealed, put into the
 * target's spool before what waits there, and told as "queued KEY TARGET".
 */
struct post {
  const char *kind;   /* "item-values": the event's type is tidemark.KIND.v1 */
  const char *device; /* "HOST/DEVICE" in clear; "" when it is about none */
  unsigned purposes;  /* that must still be on when it is sent */
  json_t *document;   /* borrowed */
  int64_t now_ms;
};

/* key gets the document's key. What was posted before in the same words is not posted again. */
int post_document(const struct tm_conf *conf, const struct tm_conf_target *target,
                  const struct post *post, char key[SPOOL_KEY_SIZE], struct tm_error *err);

#endif
