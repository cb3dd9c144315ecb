/* SPDX-License-Identifier: MIT */
#ifndef TM_BEGIN_H
#define TM_BEGIN_H

#include "common/conf.h"
#include "common/options.h"

/*
 * What every command that reads the configuration begins with: loads it, sets the zone of the
 * site's days, becomes the owner of the state folder, and checks --target. EX_OK, or the exit
 * status, told; then there is nothing to release.
 */
int begin_command(struct tm_conf *conf, const struct tm_args *args);

/* The same for a command that needs no more of it: begins, runs, releases the configuration.
 * Returns the exit status. */
typedef int begin_run(const struct tm_conf *conf, const struct tm_args *args);
int begin_and_run(const struct tm_args *args, begin_run *run);

/* Whether --by, where it is given, names somebody as documents can tell it: not empty, and at most
 * 200 characters. EX_OK, or EX_USAGE, told. */
int begin_check_by(const struct tm_args *args);

#endif
