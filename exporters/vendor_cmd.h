/* SPDX-License-Identifier: MIT */
#ifndef TM_VENDOR_CMD_H
#define TM_VENDOR_CMD_H

#include "common/options.h"

/* The commands of role vendor, from their options. Each returns the exit status. */
int cmd_receive(const struct tm_args *args);
int cmd_inquire(const struct tm_args *args);
int cmd_demand(const struct tm_args *args);
int cmd_opportunities(const struct tm_args *args);

#endif
