/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_CLAIM_TAKE_H
#define TM_DESK_CLAIM_TAKE_H

#include "common/options.h"

/* The command `claims DIR|-`: claims that came by file or by mail. */
int run_claims(const struct tm_args *args);

#endif
