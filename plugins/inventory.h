/* SPDX-License-Identifier: MIT */
#ifndef TM_INVENTORY_H
#define TM_INVENTORY_H

#include "common/error.h"
#include "plugins/reading.h"

/*
 * STATEDIR/inventory/HOST/NAME.json: what a device is (kind, vendor, model, serial, firmware,
 * capacity, parts) and how it is asked, as opposed to how it is doing. It is rewritten atomically,
 * and only when something in it has changed (a capacity by 1/1000 or more); `since` is when that
 * was, and `changes` says what of its identity and capacity became what, and when: the last
 * hundred.
 */

/*
 * 0 (written, or unchanged), or a negative errno. What the device did not tell this time stays as
 * the file has it. `mark` is the caller's memory of what was written last (0 at first): with it an
 * unchanged device costs no look at the disk.
 */
struct inventory_device {
  const char *state_dir;
  const char *host, *name;
  json_t *asked; /* how it is asked (ask.h), borrowed; NULL: not told */
};
int inventory_update(uint64_t *mark, const struct inventory_device *device, const struct reading *r,
                     struct tm_error *err);

#endif
