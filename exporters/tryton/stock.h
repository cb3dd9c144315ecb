/* SPDX-License-Identifier: MIT */
#ifndef TM_TRYTON_STOCK_H
#define TM_TRYTON_STOCK_H

#include "common/error.h"
#include "common/handover.h"
#include "exporters/tryton/rpc.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Tryton's warehouses, stock and lead times, as common/handover.h wants them. A warehouse from
 * which others get their goods, and that gets none from them, is a factory's: it is supplied, and
 * does not hand over. Where no transfers are known, each warehouse is supplied by itself.
 */
struct stock_place {
  json_int_t warehouse, storage, output;
  char *code, *name; /* code may be NULL */
  bool is_supplied;  /* new goods come here from outside */
};

struct stock {
  struct tryton_rpc *rpc; /* borrowed */
  json_t *products;       /* SKUs that were looked up */
  struct stock_place *places;
  struct handover_shop *shops; /* of the same numbers; stock and supply are those of the last SKU */
  size_t len;
  struct handover_transfer *transfers;
  size_t transfers_len;
};

/* factory: code or name of the warehouse that is supplied; NULL: by the rule above. Errors as
 * tryton_call(), -EBADMSG for a factory that is not there; release it in either case. */
int stock_load(struct stock *s, struct tryton_rpc *rpc, const char *factory, struct tm_error *err);
void stock_release(struct stock *s);

/* The warehouse of that code or name; what it was called by is what all of them are called by from
 * now on. -EBADMSG with the nearest one in err. */
int stock_shop(struct stock *s, const char *name, size_t *shop, struct tm_error *err);
/* The one factory; -EBADMSG where there is none, or several. */
int stock_factory(const struct stock *s, size_t *shop, struct tm_error *err);

/* Stock that nobody has reserved, and lead times, of one SKU. What g points to is s's, until the
 * next call. -EBADMSG for a SKU that Tryton does not know, or knows twice. */
int stock_goods(struct stock *s, const char *sku, struct handover_goods *g, struct tm_error *err);

#endif
