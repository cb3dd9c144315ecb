/* SPDX-License-Identifier: MIT */
#ifndef TM_SOURCE_BLOCK_H
#define TM_SOURCE_BLOCK_H

#include "plugins/ask.h"

/*
 * This host's own kernel as a device: `block:` is the host with all its file systems and physical
 * disks; `block:md0`, `block:sda`, `block:loop0` is that array or disk alone. Everything is read
 * from /proc and /sys (ProcPath, SysPath) and by statvfs of local file systems; no disk is
 * opened, nothing is started, nothing needs a privilege but how full a thin pool is, which the
 * kernel tells to root alone. `block:st0` is a tape drive, as a media library of one.
 */
extern const struct ask_source source_block;

#endif
