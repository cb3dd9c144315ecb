/* SPDX-License-Identifier: MIT */
/* The desk's own stock and lead times answer. */
#include "common/clock.h"
#include "common/json.h"
#include "contrib/desk/factory/factory.h"
#include "contrib/desk/factory/goods.h"
#include "contrib/desk/factory/reply.h"

#include <errno.h>
#include <stdlib.h>

struct asking {
  const json_t *inquiry;
  int64_t now;
  struct reply reply;
  int refused; /* what a person must see to: no failure of the reading */
  struct tm_error why;
};

static int add_line(struct db *db, struct asking *a, const json_t *line, struct tm_error *err)
{
  struct goods goods;
  const char *sku = tm_json_get_string(line, "sku");
  const char *shop = tm_json_get_string(a->inquiry, "shop");
  uint64_t pieces = (uint64_t)json_integer_value(json_object_get(line, "quantity"));
  int rc = goods_read(db, sku, a->reply.today, &goods, err);
  if (rc == 0) {
    struct handover_goods g = goods_handover(&goods);
    size_t wished = shop != NULL ? goods_shop(&goods, shop) : goods.len;
    a->refused = wished == goods.len
                     ? tm_fail(&a->why, -EBADMSG, "the shop that was wished is not known any more")
                     : reply_add(&a->reply, sku, pieces, &g, wished, &a->why);
  }
  goods_release(&goods);
  return rc;
}

static int read_answer(struct db *db, void *arg, struct tm_error *err)
{
  struct asking *a = arg;
  size_t i;
  const json_t *line;
  int rc = 0;
  reply_release(&a->reply);
  reply_init(&a->reply, tm_date_days(a->now));
  a->refused = 0;
  json_array_foreach(json_object_get(a->inquiry, "lines"), i, line)
  {
    if (rc == 0 && a->refused == 0)
      rc = add_line(db, a, line, err);
  }
  return rc;
}

static int answer(struct factory *f, const json_t *inquiry, int64_t now, json_t **out,
                  json_t **from, struct tm_error *err)
{
  struct asking a = {.inquiry = inquiry, .now = now};
  int rc = store_read(f->store, &db_everyone, read_answer, &a, err);
  if (rc == 0 && a.refused < 0)
    rc = tm_fail(err, a.refused, "%s", a.why.text);
  if (rc == 0)
    rc = reply_take(&a.reply, tm_json_get_string(inquiry, "id"), f->ops->name, now, out, from, err);
  reply_release(&a.reply);
  return rc;
}

static void forget(struct factory *f)
{
  (void)f;
}

static void close_own(struct factory *f)
{
  free(f);
}

static const struct factory_ops ops = {
    .name = "stock", .own = true, .answer = answer, .forget = forget, .close = close_own};

int factory_own_new(struct factory **f, struct store *store, struct tm_error *err)
{
  *f = calloc(1, sizeof(**f));
  if (*f == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  **f = (struct factory){&ops, store};
  return 0;
}
