/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_WEBHOOKS_H
#define TM_DESK_WEBHOOKS_H

#include "common/options.h"

/* The command `webhook`. */
int run_webhook(const struct tm_args *args);

#endif
