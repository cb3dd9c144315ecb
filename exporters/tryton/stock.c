/* SPDX-License-Identifier: MIT */
#include "exporters/tryton/stock.h"

#include "common/json.h"
#include "common/text.h"
#include "exporters/tryton/product.h"
#include "exporters/tryton/value.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PLACES = 1000, MAX_PIECES = 1000000000 };

/* --- warehouses and transfers --------------------------------------------------------------- */

static char *copy(const char *text)
{
  return text != NULL && text[0] != '\0' ? strdup(text) : NULL;
}

static int read_places(struct stock *s, struct tm_error *err)
{
  json_t *found = NULL;
  int rc = tryton_find(
      s->rpc, "stock.location", json_pack("[[s,s,s]]", "type", "=", "warehouse"), MAX_PLACES,
      json_pack("[s,s,s,s]", "code", "name", "storage_location", "output_location"), NULL, &found,
      err);
  size_t n = json_array_size(found), i;
  json_t *one;
  if (rc < 0)
    return rc;
  s->places = calloc(n + 1, sizeof(*s->places));
  s->shops = calloc(n + 1, sizeof(*s->shops));
  if (s->places == NULL || s->shops == NULL) {
    json_decref(found);
    return tm_fail(err, -ENOMEM, "out of memory");
  }
  json_array_foreach(found, i, one)
  {
    const char *name = tryton_text(one, "name");
    struct stock_place *p = &s->places[s->len++];
    *p = (struct stock_place){.warehouse = tryton_id(one, "id"),
                              .storage = tryton_id(one, "storage_location"),
                              .output = tryton_id(one, "output_location"),
                              .code = copy(tryton_text(one, "code")),
                              .name = strdup(name != NULL ? name : "")};
  }
  json_decref(found);
  return 0;
}

/* What a module says that is not activated there: nothing. */
static int find_optional(struct stock *s, const char *model, json_t *domain, json_t *fields,
                         json_t **found, struct tm_error *err)
{
  int rc = tryton_find(s->rpc, model, domain, 0, fields, NULL, found, err);
  if (rc != -EBADMSG)
    return rc;
  *found = json_array();
  return 0;
}

static size_t place_of(const struct stock *s, json_int_t warehouse)
{
  size_t i = 0;
  while (i < s->len && s->places[i].warehouse != warehouse)
    i++;
  return i;
}

static int read_transfers(struct stock *s, struct tm_error *err)
{
  json_t *found = NULL;
  size_t i;
  json_t *one;
  int rc = find_optional(s, "stock.location.lead_time", json_array(),
                         json_pack("[s,s,s]", "warehouse_from", "warehouse_to", "lead_time"),
                         &found, err);
  if (rc < 0)
    return rc;
  s->transfers = calloc(json_array_size(found) + 1, sizeof(*s->transfers));
  if (s->transfers == NULL) {
    json_decref(found);
    return tm_fail(err, -ENOMEM, "out of memory");
  }
  json_array_foreach(found, i, one)
  {
    double days = tryton_days(json_object_get(one, "lead_time"));
    size_t from = place_of(s, tryton_id(one, "warehouse_from"));
    size_t to = place_of(s, tryton_id(one, "warehouse_to"));
    if (from < s->len && to < s->len && days >= 0)
      s->transfers[s->transfers_len++] = (struct handover_transfer){from, to, (int64_t)ceil(days)};
  }
  json_decref(found);
  return 0;
}

static bool is_end(const struct stock *s, size_t shop, bool of_from)
{
  for (size_t i = 0; i < s->transfers_len; i++) {
    const struct handover_transfer *t = &s->transfers[i];
    if (t->from != t->to && (of_from ? t->from : t->to) == shop)
      return true;
  }
  return false;
}

static int find_roles(struct stock *s, const char *factory, struct tm_error *err)
{
  size_t named = s->len;
  if (factory != NULL) {
    int rc = stock_shop(s, factory, &named, err);
    if (rc < 0)
      return rc;
  }
  for (size_t i = 0; i < s->len; i++) {
    struct handover_shop *shop = &s->shops[i];
    bool gets = is_end(s, i, false);
    bool is_factory = factory != NULL ? i == named : is_end(s, i, true) && !gets;
    shop->sells = !is_factory || s->len == 1;
    s->places[i].is_supplied = is_factory || (!gets && factory == NULL);
    shop->name = s->places[i].code != NULL ? s->places[i].code : s->places[i].name;
  }
  return 0;
}

int stock_load(struct stock *s, struct tryton_rpc *rpc, const char *factory, struct tm_error *err)
{
  *s = (struct stock){.rpc = rpc, .products = json_object()};
  int rc = read_places(s, err);
  if (rc == 0)
    rc = read_transfers(s, err);
  return rc == 0 ? find_roles(s, factory, err) : rc;
}

void stock_release(struct stock *s)
{
  for (size_t i = 0; i < s->len; i++) {
    free(s->places[i].code);
    free(s->places[i].name);
  }
  free(s->places);
  free(s->shops);
  free(s->transfers);
  json_decref(s->products);
  *s = (struct stock){0};
}

/* --- names ---------------------------------------------------------------------------------- */

static const char *label(const struct stock_place *p, bool by_name)
{
  return !by_name && p->code != NULL ? p->code : p->name;
}

static const char *nearest(const struct stock *s, const char *name)
{
  const char **names = calloc(2 * s->len + 1, sizeof(*names));
  size_t n = 0;
  for (size_t i = 0; names != NULL && i < s->len; i++) {
    if (s->places[i].code != NULL)
      names[n++] = s->places[i].code;
    names[n++] = s->places[i].name;
  }
  const char *near = names != NULL ? tm_text_nearest(name, names) : NULL;
  free(names);
  return near;
}

int stock_shop(struct stock *s, const char *name, size_t *shop, struct tm_error *err)
{
  for (int by_name = 0; by_name < 2; by_name++) {
    for (size_t i = 0; i < s->len; i++) {
      if (strcmp(label(&s->places[i], by_name == 1), name) != 0)
        continue;
      for (size_t j = 0; j < s->len; j++)
        s->shops[j].name = label(&s->places[j], by_name == 1);
      *shop = i;
      return 0;
    }
  }
  const char *near = nearest(s, name);
  return tm_fail(err, -EBADMSG, "no warehouse of Tryton has the code or name '%s'%s%s%s", name,
                 near != NULL ? "; did you mean '" : "", near != NULL ? near : "",
                 near != NULL ? "'?" : "");
}

int stock_factory(const struct stock *s, size_t *shop, struct tm_error *err)
{
  size_t n = 0;
  for (size_t i = 0; i < s->len; i++) {
    if (!s->shops[i].sells || s->len == 1) {
      *shop = i;
      n++;
    }
  }
  return n == 1 ? 0
                : tm_fail(err, -EBADMSG, "%s: set factory to one of Tryton's warehouses",
                          n == 0 ? "no warehouse is seen to be the factory's"
                                 : "several warehouses may be the factory's");
}

/* --- one SKU -------------------------------------------------------------------------------- */

static int read_stock(struct stock *s, const struct product *p, const char *sku,
                      struct tm_error *err)
{
  json_t *ids = json_array(), *found = NULL;
  for (size_t i = 0; i < s->len; i++)
    json_array_append_new(ids, json_integer(s->places[i].storage));
  /* Without a product in the context every quantity would be 0; stock_assign takes off what is
   * reserved. */
  int rc = tryton_find(s->rpc, "stock.location", json_pack("[[s,s,o]]", "id", "in", ids), 0,
                       json_pack("[s]", "quantity"),
                       json_pack("{s:I,s:b}", "product", p->id, "stock_assign", 1), &found, err);
  for (size_t i = 0; rc == 0 && i < s->len; i++) {
    size_t j;
    json_t *one;
    double quantity = NAN;
    json_array_foreach(found, j, one)
    {
      if (tryton_id(one, "id") == s->places[i].storage)
        quantity = tm_json_get_number(one, "quantity");
    }
    if (isnan(quantity))
      rc = tm_fail(err, -EAGAIN, "%s: Tryton does not tell the stock of %s", sku, s->shops[i].name);
    else
      s->shops[i].stock = quantity >= 1 ? (uint64_t)fmin(quantity, MAX_PIECES) : 0;
  }
  json_decref(found);
  return rc;
}

/* The lead time of the first record that has one; -1 where none has. */
static int read_lead(struct stock *s, const char *model, json_t *domain, int64_t *days,
                     struct tm_error *err)
{
  json_t *found = NULL;
  int rc = find_optional(s, model, domain, json_pack("[s]", "lead_time"), &found, err);
  size_t i;
  json_t *one;
  *days = -1;
  json_array_foreach(found, i, one)
  {
    double d = tryton_days(json_object_get(one, "lead_time"));
    if (*days < 0 && d >= 0)
      *days = (int64_t)ceil(d);
  }
  json_decref(found);
  return rc;
}

/* Whether it is bought or made: an order point says so; without one, it is bought where somebody
 * supplies it. */
static int read_supply(struct stock *s, const struct product *p, int64_t *days,
                       struct tm_error *err)
{
  json_t *points = NULL;
  int64_t bought = -1, produced = -1;
  int rc = find_optional(s, "stock.order_point", json_pack("[[s,s,I]]", "product", "=", p->id),
                         json_pack("[s]", "type"), &points, err);
  const char *type = tryton_text(json_array_get(points, 0), "type");
  bool is_made = type != NULL && strcmp(type, "production") == 0;
  json_decref(points);
  if (rc == 0)
    rc = read_lead(s, "purchase.product_supplier",
                   json_pack("[[s,[s,s,I],[[s,s,o],[s,s,I]]]]", "OR", "product", "=", p->id,
                             "product", "=", json_null(), "template.products", "=", p->id),
                   &bought, err);
  if (rc == 0)
    rc = read_lead(s, "production.lead_time", json_pack("[[s,s,I]]", "product", "=", p->id),
                   &produced, err);
  *days = (is_made && produced >= 0) || bought < 0 ? produced : bought;
  return rc;
}

int stock_goods(struct stock *s, const char *sku, struct handover_goods *g, struct tm_error *err)
{
  struct product p;
  int64_t days = -1;
  int rc = product_find(s->rpc, s->products, sku, &p, err);
  if (rc == 0 && p.id < 0)
    rc = tm_fail(err, -EBADMSG, "%s: %s products of Tryton have this code", sku,
                 p.matches == 0 ? "no" : "several");
  if (rc == 0)
    rc = read_stock(s, &p, sku, err);
  if (rc == 0)
    rc = read_supply(s, &p, &days, err);
  for (size_t i = 0; i < s->len; i++)
    s->shops[i].supply_days = s->places[i].is_supplied ? days : -1;
  *g = (struct handover_goods){s->shops, s->len, s->transfers, s->transfers_len};
  return rc;
}
