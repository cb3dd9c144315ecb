/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_USERS_H
#define TM_DESK_USERS_H

#include "common/options.h"

/* The command `user`. Returns the exit status. */
int run_user(const struct tm_args *args);

#endif
