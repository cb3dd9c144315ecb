/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_PRODUCTS_H
#define TM_DESK_PRODUCTS_H

#include "contrib/desk/store/store.h"

#include <jansson.h>

/*
 * What today's catalogue says of a product, with stock and dates: what its page shows, and what a
 * letter to staff says of it. The parsed catalogue is kept between two questions.
 */
struct products;

struct products *products_new(void); /* NULL: out of memory */
void products_free(struct products *p);

/*
 * {"sku", "name", "type", "type_word", "kind", "price" {amount, currency}, "lead_time_days",
 * "lead_on" (day, of what is ordered today), "replaced_by", "stock" [{"shop", "name", "quantity"}]
 * of the shops that hand over, "in_stock" (pieces in all of them; absent where no table of stock
 * names the SKU), "spec" [{"name", "value"}]}; what is not known is absent. Reserved pieces are not
 * in stock. New reference. -ENOENT for an SKU that the catalogue does not have.
 */
int product_read(struct products *p, struct db *db, const char *sku, int64_t today,
                 json_t **product, struct tm_error *err);

/* At most limit rows {"sku", "name", "type", "type_word", "kind", "price"} by SKU, after one
 * (NULL: from the start). New reference. */
int products_list(struct db *db, const char *after, int limit, json_t **rows, struct tm_error *err);

#endif
