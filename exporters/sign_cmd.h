/* SPDX-License-Identifier: MIT */
#ifndef TM_SIGN_CMD_H
#define TM_SIGN_CMD_H

#include "common/options.h"

/*
 * One document signed, checked, and its key computed as the protocol (contrib/doc/protocol.md) has
 * it: for whoever writes a receiver, or looks into a drop folder. No configuration is read. FILE is
 * an event, a batch of events, or any bytes whose id is given. Each returns the exit status.
 */
int cmd_sign(const struct tm_args *args);
int cmd_verify(const struct tm_args *args);
int cmd_key(const struct tm_args *args);

#endif
