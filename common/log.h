/* SPDX-License-Identifier: MIT */
#ifndef TM_LOG_H
#define TM_LOG_H

#include "common/error.h"

#include <stdbool.h>

/*
 * Messages of the programs (not of the plugins, which have collectd's log): one line on standard
 * error, "program: what: why", control bytes masked. Safe from several threads: one write each.
 */
void tm_log_program(const char *name);
void tm_log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void tm_log_warning(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The end of a command: says err, and gives the status that fits (tm_exit_status), where rc is
 * negative; EX_OK elsewhere. */
int tm_log_status(int rc, const struct tm_error *err);

/* True when colour is wanted on this descriptor: a terminal, TERM not "dumb", NO_COLOR not set. */
bool tm_color_wanted(int fd);
/* Columns of the terminal on this descriptor (COLUMNS outranks it); 0 when it is none. */
unsigned tm_terminal_columns(int fd);

#endif
