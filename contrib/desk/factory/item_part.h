/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_ITEM_PART_H
#define TM_DESK_ITEM_PART_H

#include "contrib/desk/store/db.h"

#include <jansson.h>
#include <stdbool.h>

/*
 * What an item's page says of the factory, as it is at this moment:
 *   {"supply": [{"shop", "name", "free" ("4 + 1"), "on" (day), "in", "against", "from", "wished"}],
 *    "inquiries": rows of factory/inquiry_model.h, the newest first}
 * supply: the customer's shop first, then the soonest; absent where an ERP must be asked. A new
 * reference in *out, or NULL for no item; what was there before is released.
 */
int item_part_read(struct db *db, const json_t *item, bool own, int64_t today, json_t **out,
                   struct tm_error *err);

#endif
