/* SPDX-License-Identifier: MIT */
#ifndef TM_REDFISH_STORE_H
#define TM_REDFISH_STORE_H

#include "plugins/source/redfish_tree.h"

/* The making of one pool, volume or drive, and their lists: for redfish_tree.c and redfish_drive.c.
 */

/* What all three have in common. 0, -ENOMEM, or -EINVAL when the document is not an object. */
int redfish_store_init(struct redfish_store *s, const struct redfish_found *f);
void redfish_store_release(struct redfish_store *s);

/* Takes over what s holds; what is in the list already is left out. 0, -ENOMEM or -EFBIG. */
int redfish_stores_add(struct redfish_stores *stores, size_t max, struct redfish_store *s);
void redfish_stores_release(struct redfish_stores *stores);

#endif
