/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_SERVE_H
#define TM_DESK_SERVE_H

#include "contrib/desk/conf.h"

/* Opens everything, listens, says so on standard output, and serves until SIGTERM or SIGINT; then
 * the requests that are here are answered. Returns the exit status. */
int serve(const struct desk_conf *conf);

#endif
