/* SPDX-License-Identifier: MIT */
/* Tryton answers, and sets goods aside. */
#include "common/clock.h"
#include "common/json.h"
#include "contrib/desk/factory/factory.h"
#include "contrib/desk/factory/reply.h"
#include "exporters/tryton/reserve.h"
#include "exporters/tryton/stock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { TIMEOUT_S = 30 };

struct erp {
  struct factory factory;
  struct tryton_rpc *rpc;
  struct stock stock;
  bool loaded; /* warehouses and transfers */
};

static struct erp *of(struct factory *f)
{
  return (struct erp *)f;
}

static void forget(struct factory *f)
{
  struct erp *e = of(f);
  stock_release(&e->stock);
  e->loaded = false;
}

static int load(struct erp *e, struct tm_error *err)
{
  if (e->loaded)
    return 0;
  stock_release(&e->stock);
  int rc = stock_load(&e->stock, e->rpc, NULL, err);
  e->loaded = rc == 0;
  return rc;
}

static int answer(struct factory *f, const json_t *inquiry, int64_t now, json_t **out,
                  json_t **from, struct tm_error *err)
{
  struct erp *e = of(f);
  struct reply reply;
  size_t shop = 0, i;
  const json_t *line;
  reply_init(&reply, tm_date_days(now));
  int rc = load(e, err);
  if (rc == 0)
    rc = stock_shop(&e->stock, tm_json_get_string(inquiry, "shop"), &shop, err);
  json_array_foreach(json_object_get(inquiry, "lines"), i, line)
  {
    struct handover_goods g;
    const char *sku = tm_json_get_string(line, "sku");
    if (rc == 0)
      rc = stock_goods(&e->stock, sku, &g, err);
    if (rc == 0)
      rc = reply_add(&reply, sku, (uint64_t)json_integer_value(json_object_get(line, "quantity")),
                     &g, shop, err);
  }
  if (rc == 0)
    rc = reply_take(&reply, tm_json_get_string(inquiry, "id"), f->ops->name, now, out, from, err);
  reply_release(&reply);
  return rc;
}

static void reference(char *out, size_t size, const char *inquiry)
{
  snprintf(out, size, "tidemark:inquiry:%s", inquiry);
}

static int hold(struct factory *f, const char *inquiry, const json_t *lines, int64_t today,
                char *shipments, size_t size, struct tm_error *err)
{
  struct erp *e = of(f);
  char text[128];
  json_t *numbers = NULL, *one;
  size_t i, len = 0;
  reference(text, sizeof(text), inquiry);
  int rc = load(e, err);
  if (rc == 0)
    rc = reserve_make(&e->stock, text, lines, today, &numbers, err);
  shipments[0] = '\0';
  json_array_foreach(numbers, i, one)
  {
    int n = snprintf(shipments + len, size - len, "%s%s", i > 0 ? ", " : "",
                     json_is_string(one) ? json_string_value(one) : "?");
    len += n > 0 && (size_t)n < size - len ? (size_t)n : 0;
  }
  json_decref(numbers);
  return rc;
}

static int release(struct factory *f, const char *inquiry, struct tm_error *err)
{
  char text[128];
  size_t n = 0;
  reference(text, sizeof(text), inquiry);
  return reserve_release(of(f)->rpc, text, &n, err);
}

static void close_erp(struct factory *f)
{
  struct erp *e = of(f);
  stock_release(&e->stock);
  tryton_rpc_free(e->rpc);
  free(e);
}

static const struct factory_ops ops = {.name = "Tryton",
                                       .answer = answer,
                                       .hold = hold,
                                       .release = release,
                                       .forget = forget,
                                       .close = close_erp};

int factory_erp_new(struct factory **f, struct store *store, const struct desk_conf *conf,
                    struct tm_error *err)
{
  const struct tryton_options options = {.url = conf->factory.url,
                                         .user = conf->factory.user,
                                         .password_file = conf->factory.password_file,
                                         .timeout_s = TIMEOUT_S};
  struct erp *e = calloc(1, sizeof(*e));
  if (e == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  e->factory = (struct factory){&ops, store};
  int rc = tryton_rpc_new(&e->rpc, &options, err);
  if (rc < 0)
    close_erp(&e->factory);
  else
    *f = &e->factory;
  return rc;
}
