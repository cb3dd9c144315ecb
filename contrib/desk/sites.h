/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_SITES_H
#define TM_DESK_SITES_H

#include "common/options.h"

/* The command `site`. Returns the exit status. */
int run_site(const struct tm_args *args);

#endif
