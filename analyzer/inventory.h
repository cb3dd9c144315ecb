/* SPDX-License-Identifier: MIT */
#ifndef TM_ANALYZER_INVENTORY_H
#define TM_ANALYZER_INVENTORY_H

#include "analyzer/registration.h"
#include "common/error.h"

#include <jansson.h>
#include <stdbool.h>

/*
 * What the plugins found about a device: the inventory file that they keep of it. It is put over
 * what the vendor said of the device when it was sold: a device knows its firmware better than its
 * paper does.
 */

/* Whether the plugins have left anything about this host's devices. */
bool inventory_has(const char *state_dir, const char *host);
/* STATEDIR/inventory/HOST/DEVICE.json. A new reference; NULL when there is
 * no such file (err untouched) or it cannot be read (err filled). */
json_t *inventory_read(const char *state_dir, const char *host, const char *device,
                       struct tm_error *err);

/*
 * The product of a summary: the registration, with what was found put over it. Vendor, model and
 * serial number are taken from the device where the paper is silent. The firmware that was found
 * wins; where it differs from the paper, its entry in software[] keeps both:
 * {"name":"firmware","version":FOUND,"registered":PAPER,"since":DATE}. Either may be NULL. A new
 * reference; NULL when both are, or memory is out.
 */
json_t *inventory_product(const struct registration *r, const json_t *inventory);

#endif
