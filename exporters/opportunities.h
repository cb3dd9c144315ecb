/* SPDX-License-Identifier: MIT */
#ifndef TM_OPPORTUNITIES_H
#define TM_OPPORTUNITIES_H

#include "common/conf.h"

#include <stdbool.h>

/* What became of the recommendations that were offered to an ERP, as it was read back last: one
 * line each, by target and key. Returns the exit status. */
int opportunities_list(const struct tm_conf *conf, const char *target, bool as_json);

/*
 * Prints summaries (files as input_read() takes them), one a line, without the recommendations that
 * were won, lost, cancelled or deleted: what is still wanted, for whoever adds up demand. What was
 * won is in the ERP as a sale already. Returns the exit status.
 */
int opportunities_open(const struct tm_conf *conf, const char *target, char *const *files);

#endif
