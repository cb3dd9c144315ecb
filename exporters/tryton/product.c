/* SPDX-License-Identifier: MIT */
#include "exporters/tryton/product.h"

#include "exporters/tryton/value.h"

int product_find(struct tryton_rpc *rpc, json_t *cache, const char *sku, struct product *p,
                 struct tm_error *err)
{
  json_t *found = NULL;
  const json_t *had = json_object_get(cache, sku);
  int rc = 0;
  if (had == NULL) {
    rc = tryton_find(rpc, "product.product", json_pack("[[s,s,s]]", "code", "=", sku), 2,
                     json_pack("[s]", "default_uom"), NULL, &found, err);
    if (rc < 0)
      return rc;
    const json_t *one = json_array_get(found, 0);
    json_object_set_new(cache, sku,
                        json_pack("{s:I,s:I,s:i}", "id", tryton_id(one, "id"), "unit",
                                  tryton_id(one, "default_uom"), "matches",
                                  (int)json_array_size(found)));
    had = json_object_get(cache, sku);
    json_decref(found);
  }
  p->matches = (int)tryton_id(had, "matches");
  p->id = p->matches == 1 ? tryton_id(had, "id") : -1;
  p->unit = tryton_id(had, "unit");
  return rc;
}
