/* SPDX-License-Identifier: MIT */
#ifndef TM_WITHDRAW_H
#define TM_WITHDRAW_H

#include "common/conf.h"
#include "common/error.h"

#include <stddef.h>

/*
 * After a purpose was switched off: moves all unsent items that were made for what is no longer on
 * to dead/. Waits for a process that is filling the spool. *moved counts them.
 */
int withdraw_items(const struct tm_conf *conf, size_t *moved, struct tm_error *err);

#endif
