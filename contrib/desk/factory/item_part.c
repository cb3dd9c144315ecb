/* SPDX-License-Identifier: MIT */
#include "contrib/desk/factory/item_part.h"

#include "common/buf.h"
#include "common/json.h"
#include "contrib/desk/factory/ask.h"
#include "contrib/desk/factory/goods.h"
#include "contrib/desk/factory/inquiry.h"
#include "contrib/desk/factory/inquiry_model.h"
#include "contrib/desk/factory/offer.h"
#include "contrib/desk/factory/reply.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOPS = 6, LINES = 10 };

/* The goods of all lines, each with the same shops in the same order. */
struct shelf {
  struct goods goods[LINES];
  uint64_t pieces[LINES];
  const char *sku[LINES];
  size_t n;
};

static void shelf_release(struct shelf *s)
{
  for (size_t i = 0; i < s->n; i++)
    goods_release(&s->goods[i]);
}

static int shelf_read(struct db *db, const json_t *lines, int64_t today, struct shelf *s,
                      struct tm_error *err)
{
  size_t i;
  const json_t *line;
  int rc = 0;
  json_array_foreach(lines, i, line)
  {
    const char *sku = tm_json_get_string(line, "sku");
    if (rc < 0 || s->n == LINES || sku == NULL)
      break;
    s->sku[s->n] = sku;
    s->pieces[s->n] = (uint64_t)json_integer_value(json_object_get(line, "quantity"));
    rc = goods_read(db, sku, today, &s->goods[s->n], err);
    s->n++;
  }
  return rc;
}

/* Until all lines are there. */
static int64_t days_at(const struct shelf *s, size_t shop)
{
  int64_t latest = 0;
  for (size_t i = 0; i < s->n; i++) {
    struct handover_goods g = goods_handover(&s->goods[i]);
    int64_t days = handover_days(&g, shop, s->pieces[i]);
    latest = days > latest ? days : latest;
  }
  return latest;
}

static json_t *free_at(const struct shelf *s, size_t shop)
{
  struct tm_buf text = TM_BUF_INIT(1024);
  for (size_t i = 0; i < s->n; i++)
    tm_buf_printf(&text, "%s%llu", i > 0 ? " + " : "",
                  (unsigned long long)s->goods[i].shops[shop].stock);
  json_t *out = json_string(text.len > 0 ? text.ptr : "");
  tm_buf_release(&text);
  return out;
}

static json_t *shop_row(const struct shelf *s, size_t shop, int64_t days, bool wished,
                        const json_t *need, int64_t today)
{
  const struct goods *goods = &s->goods[0];
  json_t *row = json_pack("{s:s,s:s,s:o,s:b}", "shop", goods->names[shop], "name",
                          goods->titles[shop], "free", free_at(s, shop), "wished", wished);
  if (days == HANDOVER_NEVER)
    return row;
  json_object_set_new(row, "on", json_integer(today + days));
  json_object_set_new(row, "in",
                      days == 0
                          ? json_string("today")
                          : json_sprintf("in %lld day%s", (long long)days, days == 1 ? "" : "s"));
  json_object_set_new(row, "against", offer_day_against(today + days, need));
  return row;
}

static json_t *supply_of(const struct shelf *s, const char *wished, const json_t *need,
                         int64_t today)
{
  json_t *rows = json_array();
  size_t len = s->n > 0 ? s->goods[0].len : 0;
  bool *taken = calloc(len + 1, sizeof(*taken));
  size_t first = len > 0 && wished != NULL ? goods_shop(&s->goods[0], wished) : len;
  if (taken != NULL && first < len) {
    taken[first] = true;
    json_array_append_new(rows, shop_row(s, first, days_at(s, first), true, need, today));
  }
  while (taken != NULL && json_array_size(rows) < SHOPS) {
    size_t best = len;
    int64_t best_days = HANDOVER_NEVER;
    for (size_t i = 0; i < len; i++) {
      int64_t days = taken[i] || !s->goods[0].shops[i].sells ? HANDOVER_NEVER : days_at(s, i);
      if (days < best_days) {
        best = i;
        best_days = days;
      }
    }
    if (best == len)
      break;
    taken[best] = true;
    json_array_append_new(rows, shop_row(s, best, best_days, false, need, today));
  }
  free(taken);
  return rows;
}

static int add_supply(struct db *db, const json_t *item, int64_t today, json_t *out,
                      struct tm_error *err)
{
  struct ask_form form = {.item = json_integer_value(json_object_get(item, "id"))};
  struct shelf shelf = {.n = 0};
  int rc = ask_form_about(db, &form, err);
  if (rc == 0)
    rc = shelf_read(db, json_object_get(json_object_get(form.about, "advice"), "lines"), today,
                    &shelf, err);
  if (rc == 0)
    json_object_set_new(out, "supply",
                        supply_of(&shelf, tm_json_get_string(form.about, "shop"),
                                  json_object_get(form.about, "fill_early"), today));
  shelf_release(&shelf);
  ask_form_release(&form);
  return rc;
}

int item_part_read(struct db *db, const json_t *item, bool own, int64_t today, json_t **out,
                   struct tm_error *err)
{
  json_t *rows = NULL, *part, *row;
  size_t i;
  json_decref(*out);
  *out = NULL;
  if (item == NULL)
    return 0;
  int rc = inquiry_list_of_item(db, json_integer_value(json_object_get(item, "id")), &rows, err);
  if (rc < 0)
    return rc;
  json_array_foreach(rows, i, row)
  {
    inquiry_decorate(row, today);
  }
  part = json_pack("{s:o}", "inquiries", rows);
  if (own)
    rc = add_supply(db, item, today, part, err);
  json_object_set_new(part, "has_inquiries", json_boolean(json_array_size(rows) > 0));
  json_object_set_new(part, "has_supply",
                      json_boolean(json_array_size(json_object_get(part, "supply")) > 0));
  if (rc == 0)
    *out = part;
  else
    json_decref(part);
  return rc;
}
