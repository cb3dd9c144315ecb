/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_CRM_H
#define TM_DESK_CRM_H

#include "contrib/desk/conf.h"
#include "contrib/desk/store/store.h"

#include <jansson.h>

/*
 * What the CRM (Tryton, where desk.conf has it) is told of customers: changes of what is
 * registered, and that what came from us is to be taken away. It is written down in the transaction
 * of the thing itself, and done later, again and again until it is done.
 */

/* Wants a job, where there is a CRM: "change" with [{"field", "old", "new"}], or "erase" with the
 * head of the keys of what is to go, ["C-1001/"]. */
int crm_want(struct db *db, const char *customer, const char *what, const json_t *arg, int64_t now,
             struct tm_error *err);

/* Does what is due at `now`. 0 also where the CRM could not be reached: that is noted with the job.
 */
int crm_due(struct store *store, const struct desk_conf *conf, int64_t now, struct tm_error *err);

#endif
