/* SPDX-License-Identifier: MIT */
#ifndef TM_HELPER_H
#define TM_HELPER_H

#include "common/error.h"

#include <limits.h>

/* Where a helper program stands: beside the running program, as in the build folder, else in
 * TM_LIBEXECDIR. 0, or a negative errno where it cannot be run. */
int helper_find(const char *name, char path[PATH_MAX], struct tm_error *err);

#endif
