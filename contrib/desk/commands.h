/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_COMMANDS_H
#define TM_DESK_COMMANDS_H

#include "common/options.h"
#include "contrib/desk/conf.h"
#include "contrib/desk/desk.h"

/* The commands of tidemark-desk, one a file; those of a few lines are in main.c. Each returns the
 * exit status (sysexits.h) and has said on standard error what went wrong. */
int run_claims(const struct tm_args *args);
int run_import(const struct tm_args *args);
int run_intake(const struct tm_args *args);
int run_site(const struct tm_args *args);
int run_user(const struct tm_args *args);
int run_webhook(const struct tm_args *args);

/* What every command does first: loads the configuration that --config names, and sets the zone.
 * EX_OK, and desk_conf_release() in the end, or the exit status when it was said what is wrong. */
int desk_begin(struct desk_conf *conf, const struct tm_args *args);

/*
 * What all commands but serve are: the configuration is loaded, its store opened, the work done
 * (desk has conf, store and now; pages where desk_load_pages() was asked for), and all of it put
 * away again. The work returns the exit status, or a negative errno with the reason in err, which
 * is said here. Returns the exit status.
 */
typedef int desk_command(struct desk *desk, void *what, struct tm_error *err);
int desk_run(const struct tm_args *args, desk_command *work, void *what);

/* The same for a command of exactly one operand, which is what the work gets; else `wanted` is said
 * and EX_USAGE returned. */
int desk_run_on(const struct tm_args *args, desk_command *work, const char *wanted);

/* What a command's first operand may be: the head of an element of the command's own table. */
struct desk_action {
  const char *name;
  store_work *work;
  size_t operands; /* the action's own name not counted */
};
/* The element of a table of n, `each` bytes long, that the operands name; NULL after `wanted` was
 * said. */
const void *desk_action_of(const struct tm_args *args, const void *table, size_t n, size_t each,
                           const char *wanted);

#endif
