/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_INTAKING_H
#define TM_DESK_INTAKING_H

#include "common/options.h"

/* The command `intake`. Returns the exit status. */
int run_intake(const struct tm_args *args);

#endif
