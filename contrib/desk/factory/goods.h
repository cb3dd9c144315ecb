/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_GOODS_H
#define TM_DESK_GOODS_H

#include "common/handover.h"
#include "contrib/desk/store/db.h"

/*
 * The desk's own stock and lead times of one SKU, as common/handover.h wants them: what is on each
 * shop's shelf less what is kept for somebody. Of several lead times the one of this SKU counts
 * before that of all, and then the one of this shop before that of any. Where none says how long
 * the supplier takes, the catalogue's lead time holds for the factories, or, where there are none,
 * for every shop.
 */
struct goods {
  char **names; /* codes of the shops, which the shops' names point to */
  char **titles;
  uint64_t *there;  /* pieces on the shelf */
  uint64_t *kept;   /* ... that are kept for somebody */
  uint64_t *coming; /* pieces that are still to come, and kept for somebody: nobody else's then */
  struct handover_shop *shops;
  size_t len;
  struct handover_transfer *transfers;
  size_t transfers_len;
  bool any_stock; /* a row of stock names this SKU */
};

/* today: a day number. Release it in either case. */
int goods_read(struct db *db, const char *sku, int64_t today, struct goods *out,
               struct tm_error *err);
void goods_release(struct goods *g);

struct handover_goods goods_handover(const struct goods *g);
/* The shop of this code; len when there is none. */
size_t goods_shop(const struct goods *g, const char *shop);

/* The code of the shop that has this code or name; false with the nearest one in err (-EINVAL as
 * its code). */
bool goods_find_shop(struct db *db, const char *typed, char *code, size_t size,
                     struct tm_error *err);
/* Whether the catalogue or the stock knows it; else -EINVAL with the nearest one in err. */
int goods_know_sku(struct db *db, const char *sku, struct tm_error *err);

#endif
