/* SPDX-License-Identifier: MIT */
#ifndef TM_COMMANDS_H
#define TM_COMMANDS_H

#include "common/options.h"

/* The commands of tidemark-analyze, one a file. Each returns the exit status (sysexits.h) and has
 * said on standard error what went wrong. */
int cmd_run(const struct tm_args *args);

#endif
