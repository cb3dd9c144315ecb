/* SPDX-License-Identifier: MIT */
#ifndef TM_CHECK_CMD_H
#define TM_CHECK_CMD_H

#include "common/options.h"

/* Whether the configuration, its secrets and its mapping files can be used, or with operands these
 * mapping files alone. Connects nowhere. Returns the exit status. */
int cmd_check(const struct tm_args *args);

#endif
