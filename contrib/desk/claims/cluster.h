/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_CLAIM_CLUSTER_H
#define TM_DESK_CLAIM_CLUSTER_H

#include "contrib/desk/desk.h"

/*
 * Complaints of one kind on one model that come often: what one device's owner complains of may be
 * one device's fault, what three complain of within 90 days is likely the model's.
 */
enum { CLUSTER_LEAST = 3, CLUSTER_DAYS = 90 };

/* How many there are in the days until `at`, a claim of that time among them. */
int cluster_count(struct db *db, const char *model, const char *type, int64_t at, int64_t *n,
                  struct tm_error *err);

/* After a claim came, or its device was found: writes to mail.quality of desk.conf(5), where that
 * is given, when it makes a cluster, once until CLUSTER_DAYS without such a claim have passed. */
int cluster_tell(struct db *db, const struct desk *desk, int64_t claim, int64_t now,
                 struct tm_error *err);

#endif
