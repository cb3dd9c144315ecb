/* SPDX-License-Identifier: MIT */
#ifndef TM_CONSENT_CMD_H
#define TM_CONSENT_CMD_H

#include "common/options.h"

/* The commands by which a site agrees to what may leave it, from their options. Each returns the
 * exit status. */
int cmd_enrol(const struct tm_args *args);
int cmd_enable(const struct tm_args *args);
int cmd_disable(const struct tm_args *args);

#endif
