/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_REPLY_H
#define TM_DESK_REPLY_H

#include "common/error.h"
#include "common/handover.h"

#include <jansson.h>
#include <stdint.h>

/*
 * The answer to an inquiry, made of the goods' figures, line by line: the same words from whichever
 * back end the figures come.
 */
struct reply {
  int64_t today, latest; /* latest: days until all lines are there, at the shop of `lines` */
  json_t *lines, *from;
};

void reply_init(struct reply *r, int64_t today);
/* One line of the inquiry; wished is a shop of g. -EBADMSG when nothing says when it can be had. */
int reply_add(struct reply *r, const char *sku, uint64_t pieces, const struct handover_goods *g,
              size_t wished, struct tm_error *err);
/* The document (contrib/schema/answer.schema.json) and where the goods come from; new references.
 * -ENOMEM. */
int reply_take(struct reply *r, const char *inquiry, const char *by, int64_t now, json_t **answer,
               json_t **from, struct tm_error *err);
void reply_release(struct reply *r);

#endif
