/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_ALARM_H
#define TM_DESK_ALARM_H

#include "contrib/desk/store/db.h"

/*
 * What an administrator must hear of: once for each kind and subject, with how often and when last.
 * kind is a literal ("foreign", "advice", ...); customer and site may be NULL.
 */
int alarm_raise(struct db *db, const char *kind, const char *subject, const char *customer,
                const char *site, const char *text, int64_t now, struct tm_error *err);

#endif
