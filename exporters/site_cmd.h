/* SPDX-License-Identifier: MIT */
#ifndef TM_SITE_CMD_H
#define TM_SITE_CMD_H

#include "common/options.h"

/* The commands about what leaves and what has left, from their options. Each returns the exit
 * status. */
int cmd_queue(const struct tm_args *args);
int cmd_preview(const struct tm_args *args);
int cmd_push(const struct tm_args *args);
int cmd_status(const struct tm_args *args);
int cmd_history(const struct tm_args *args);
int cmd_show(const struct tm_args *args);
int cmd_requeue(const struct tm_args *args);
int cmd_purge(const struct tm_args *args);
int cmd_requests(const struct tm_args *args);
int cmd_export_all(const struct tm_args *args);
int cmd_delete_request(const struct tm_args *args);

#endif
