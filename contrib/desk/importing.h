/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_IMPORTING_H
#define TM_DESK_IMPORTING_H

#include "common/options.h"

/* The command `import`. Returns the exit status. */
int run_import(const struct tm_args *args);

#endif
