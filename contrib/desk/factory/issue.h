/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_ISSUE_H
#define TM_DESK_ISSUE_H

#include "contrib/desk/store/store.h"
#include "contrib/desk/work/lease.h"

#include <jansson.h>
#include <stdint.h>

/*
 * Demand for the factory: analyzer/demand over what the desk advises today to all customers that
 * agreed to the purposes sales or factory (of those that agreed to factory alone, over what their
 * sites advise). Kept as numbered issues, of which the newest counts; made anew each day, and when
 * advice or catalogue have changed. One desk at a time makes it.
 */
enum { ISSUE_WEEKS = 26, ISSUES_KEPT = 400 };

struct issuer {
  struct store *store;
  struct lease lease;
  double next; /* monotonic: not before */
};
void issuer_init(struct issuer *i, struct store *store);
/* Makes one when it is due; 1 made, 0 not. Cheap when there is nothing to do. */
int issuer_work(struct issuer *i, int64_t now, struct tm_error *err);

struct issue {
  int64_t number, made_at;
  json_t *document; /* contrib/schema/demand.schema.json */
};
/* number 0: the newest. -ENOENT where there is none. Release the document. */
int issue_read(struct db *db, int64_t number, struct issue *out, struct tm_error *err);

#endif
