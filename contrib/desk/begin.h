/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_BEGIN_H
#define TM_DESK_BEGIN_H

#include "common/options.h"
#include "contrib/desk/conf.h"
#include "contrib/desk/store/store.h"

/* What every command does first: loads the configuration that --config names, and sets the zone.
 * EX_OK, or the exit status when it was said what is wrong. */
int desk_begin(struct desk_conf *conf, const struct tm_args *args);

/* The store that it names, for a command's few pieces of work. */
int desk_store(struct store **store, const struct desk_conf *conf, struct tm_error *err);

#endif
