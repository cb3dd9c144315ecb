/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_BEGIN_H
#define TM_DESK_BEGIN_H

#include "common/options.h"
#include "contrib/desk/conf.h"

/* What every command does first: loads the configuration that --config names, and sets the zone.
 * EX_OK, or the exit status when it was said what is wrong. */
int desk_begin(struct desk_conf *conf, const struct tm_args *args);

#endif
