/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_ERASE_H
#define TM_DESK_ERASE_H

#include "contrib/desk/intake/event.h"

/*
 * Erasing on a customer's wish: what was sent of a device, of a site's devices, or everything of a
 * customer, with all that was made of it. A receipt remains, which does not say whose it was.
 */

/* A site asks, by a signed document; the desk's own work does it soon after. */
int erase_ask(struct db *db, const struct credential *from, const struct event *e, int64_t now,
              struct tm_error *err);

#endif
