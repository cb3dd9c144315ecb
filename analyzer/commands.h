/* SPDX-License-Identifier: MIT */
#ifndef TM_COMMANDS_H
#define TM_COMMANDS_H

#include "analyzer/source/source.h"
#include "common/conf.h"
#include "common/options.h"

/* The commands of tidemark-analyze, one a file. Each returns the exit status (sysexits.h) and has
 * said on standard error what went wrong. */
int cmd_run(const struct tm_args *args);
int cmd_forecast(const struct tm_args *args);
int cmd_check(const struct tm_args *args);
int cmd_score(const struct tm_args *args);
int cmd_graph(const struct tm_args *args);
int cmd_recommend(const struct tm_args *args);
int cmd_demand(const struct tm_args *args);

/*
 * What every command begins with: the configuration that --config names, or the installed one, or
 * the defaults where there is none; its time zone becomes the process's. 0, or EX_CONFIG after
 * saying why. The caller releases conf in both cases.
 */
int command_load_conf(const struct tm_args *args, struct tm_conf *conf);

/* Where the histories come from: --source, or --data, or else the configuration's folder of RRDs.
 * Fills type, path and flush, which are borrowed. 0, or EX_USAGE after saying why. */
int command_source(const struct tm_args *args, const struct tm_conf *conf,
                   struct source_options *options);

/* The exit status for what a catalogue or a shop map was read with: one that is wrong is a wrong
 * configuration. */
int command_file_status(int rc);

/* The time that --as-of names; INT64_MIN where it was not given. 0, or EX_USAGE after saying why.
 */
int command_as_of(const struct tm_args *args, int64_t *as_of);

#endif
