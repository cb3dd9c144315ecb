/* SPDX-License-Identifier: MIT */
#ifndef TM_INVENTORY_FILE_H
#define TM_INVENTORY_FILE_H

#include "common/error.h"

#include <limits.h>
#include <stddef.h>

/*
 * The files in which the plugins keep what a device is, and in which the analyzer looks for it:
 * STATEDIR/inventory/HOST/DEVICE.json. In names '/' and a dot in front, which would lead out of the
 * folder or hide the file, become '_'; more than 255 bytes of a name do not count.
 */
#define TM_INVENTORY_MAX_BYTES ((size_t)8 << 20)

/* The path of a device's file, or of a host's folder (device NULL). 0 or -ENAMETOOLONG. */
int tm_inventory_path(char path[PATH_MAX], const char *state_dir, const char *host,
                      const char *device, struct tm_error *err);

#endif
