/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_FACTORY_H
#define TM_DESK_FACTORY_H

#include "contrib/desk/conf.h"
#include "contrib/desk/store/store.h"

#include <jansson.h>
#include <stdint.h>

/*
 * Who knows what lies where, and sets it aside: the desk's own tables (own.c) or an ERP (erp.c), as
 * the block factory{} of desk.conf says. One thread at a time; what is asked of an ERP may take as
 * long as its timeout, so that only the clerk (clerk.h) asks.
 */
struct factory;

struct factory_ops {
  const char *name; /* who answers, as answers say it: "stock", "Tryton" */
  /* Goods are set aside within the transaction in which the customer's word is written down
   * (hold.h); else hold() and release() are for it. */
  bool own;
  int (*answer)(struct factory *f, const json_t *inquiry, int64_t now, json_t **answer,
                json_t **from, struct tm_error *err);
  int (*hold)(struct factory *f, const char *inquiry, const json_t *lines, int64_t today,
              char *shipments, size_t size, struct tm_error *err);
  int (*release)(struct factory *f, const char *inquiry, struct tm_error *err);
  /* What was read for the questions so far is old: the next one reads anew. */
  void (*forget)(struct factory *f);
  void (*close)(struct factory *f);
};
struct factory {
  const struct factory_ops *ops;
  struct store *store;
};

/* Connects nowhere yet. */
int factory_new(struct factory **f, struct store *store, const struct desk_conf *conf,
                struct tm_error *err);
void factory_free(struct factory *f); /* NULL is fine */

/*
 * An answer to an inquiry (both as contrib/schema has them), and where the goods come from: an
 * object, shop -> "supplier, 49 days, and transfer, 5 days". New references. 0; -EBADMSG when
 * nobody can promise it without a person's knowledge, with why; else the back end is in trouble:
 * later.
 */
int factory_answer(struct factory *f, const json_t *inquiry, int64_t now, json_t **answer,
                   json_t **from, struct tm_error *err);

/* For the back ends. */
int factory_own_new(struct factory **f, struct store *store, struct tm_error *err);
int factory_erp_new(struct factory **f, struct store *store, const struct desk_conf *conf,
                    struct tm_error *err);

#endif
