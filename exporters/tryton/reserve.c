/* SPDX-License-Identifier: MIT */
#include "exporters/tryton/reserve.h"

#include "common/json.h"
#include "exporters/tryton/product.h"
#include "exporters/tryton/value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MODEL "stock.shipment.internal"

static int find_shipments(struct tryton_rpc *rpc, const char *reference, json_t **found,
                          struct tm_error *err)
{
  return tryton_find(rpc, MODEL,
                     json_pack("[[s,s,s],[s,s,[s,s,s]]]", "reference", "=", reference, "state",
                               "not in", "cancelled", "shipped", "done"),
                     0, json_pack("[s,s]", "number", "state"), NULL, found, err);
}

int reserve_release(struct tryton_rpc *rpc, const char *reference, size_t *released,
                    struct tm_error *err)
{
  json_t *found = NULL, *one;
  size_t i;
  int rc = find_shipments(rpc, reference, &found, err);
  *released = 0;
  json_array_foreach(found, i, one)
  {
    rc = tryton_press(rpc, "model." MODEL ".cancel", tryton_id(one, "id"), NULL, err);
    if (rc < 0)
      break;
    (*released)++;
  }
  json_decref(found);
  return rc;
}

/* --- making it ------------------------------------------------------------------------------ */

/* One part of a line, from a shelf to the shop. */
struct move {
  const char *reference, *sku;
  struct product product;
  size_t from, shop;
  uint64_t pieces;
  int64_t today, days;
};

static json_t *values_of(const struct stock *s, const struct move *m)
{
  json_int_t from = s->places[m->from].storage;
  json_int_t to = m->from == m->shop ? s->places[m->shop].output : s->places[m->shop].storage;
  json_int_t company = tryton_company(s->rpc);
  json_t *move = json_pack("{s:I,s:I,s:I,s:I,s:I,s:I}", "product", m->product.id, "uom",
                           m->product.unit, "quantity", (json_int_t)m->pieces, "from_location",
                           from, "to_location", to, "company", company);
  return json_pack("{s:s,s:I,s:I,s:I,s:o,s:o,s:[[s,[o]]]}", "reference", m->reference, "company",
                   company, "from_location", from, "to_location", to, "planned_start_date",
                   tryton_day(m->today), "planned_date", tryton_day(m->today + m->days), "moves",
                   "create", move);
}

static int assign(struct stock *s, const struct move *m, struct tm_error *err)
{
  json_int_t id = -1;
  json_t *done = NULL;
  int rc = tryton_create(s->rpc, MODEL, values_of(s, m), &id, err);
  if (rc == 0)
    rc = tryton_press(s->rpc, "model." MODEL ".wait", id, NULL, err);
  if (rc == 0)
    rc = tryton_press(s->rpc, "model." MODEL ".assign_try", id, &done, err);
  if (rc == 0 && !json_is_true(done))
    rc = tm_fail(err, -ENODATA, "%s: no longer in stock at %s", m->sku, s->shops[m->from].name);
  json_decref(done);
  return rc;
}

static int reserve_line(struct stock *s, const char *reference, const json_t *line, int64_t today,
                        struct tm_error *err)
{
  struct handover_goods g;
  struct move m = {.reference = reference, .today = today};
  const json_t *at = json_object_get(line, "at");
  const char *shop = tm_json_get_string(at, "shop");
  m.sku = tm_json_get_string(line, "sku");
  uint64_t wanted = (uint64_t)json_integer_value(json_object_get(at, "quantity"));
  if (m.sku == NULL || shop == NULL)
    return tm_fail(err, -EBADMSG, "the answer's line has no SKU or no shop");
  int rc = stock_shop(s, shop, &m.shop, err);
  if (rc == 0)
    rc = stock_goods(s, m.sku, &g, err);
  if (rc == 0)
    rc = product_find(s->rpc, s->products, m.sku, &m.product, err);
  struct handover_part *parts = rc == 0 ? calloc(g.shops_len + 1, sizeof(*parts)) : NULL;
  if (rc == 0 && parts == NULL)
    rc = tm_fail(err, -ENOMEM, "%s: out of memory", m.sku);
  size_t n = parts != NULL ? handover_parts(parts, &g, m.shop, wanted) : 0;
  uint64_t there = 0;
  for (size_t i = 0; i < n; i++)
    there += parts[i].pieces;
  if (rc == 0 && there < wanted)
    rc = tm_fail(err, -ENODATA,
                 "%s: %llu of %llu are in stock for %s; what is not cannot be reserved", m.sku,
                 (unsigned long long)there, (unsigned long long)wanted, shop);
  for (size_t i = 0; rc == 0 && i < n; i++) {
    m.from = parts[i].from;
    m.pieces = parts[i].pieces;
    m.days = handover_road(&g, m.from, m.shop);
    rc = assign(s, &m, err);
  }
  free(parts);
  return rc;
}

static int read_numbers(struct stock *s, const char *reference, json_t **numbers,
                        struct tm_error *err)
{
  json_t *found = NULL, *one;
  size_t i;
  int rc = find_shipments(s->rpc, reference, &found, err);
  if (rc == 0)
    *numbers = json_array();
  json_array_foreach(found, i, one)
  {
    json_array_append(*numbers, json_object_get(one, "number"));
  }
  json_decref(found);
  return rc;
}

int reserve_make(struct stock *s, const char *reference, const json_t *lines, int64_t today,
                 json_t **numbers, struct tm_error *err)
{
  size_t i, released = 0;
  json_t *line;
  int rc = reserve_release(s->rpc, reference, &released, err);
  json_array_foreach(lines, i, line)
  {
    if (rc < 0)
      break;
    rc = reserve_line(s, reference, line, today, err);
  }
  if (rc == -ENODATA || rc == -EBADMSG) { /* all or nothing */
    struct tm_error ignored = {0};
    if (reserve_release(s->rpc, reference, &released, &ignored) < 0)
      return tm_fail(err, ignored.code, "%s", ignored.text);
  }
  return rc == 0 ? read_numbers(s, reference, numbers, err) : rc;
}
