/* SPDX-License-Identifier: MIT */
#include "contrib/desk/public/products.h"

#include "common/json.h"
#include "common/number.h"
#include "contrib/desk/factory/goods.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct products {
  pthread_mutex_t lock;
  int64_t catalogue; /* its row; 0: none was read */
  json_t *by_sku;    /* SKU: the element of the document */
};

/* The lists of a catalogue, and what people call what stands in them. */
static const struct {
  const char *list, *type, *word;
} types[] = {
    {"models", "model", "Device"},       {"expansions", "expansion", "Expansion"},
    {"cache_modules", "cache", "Cache"}, {"software", "software", "Software"},
    {"supplies", "supply", "Supply"},    {"services", "service", "Service"},
};
enum { TYPES = sizeof(types) / sizeof(types[0]) };

struct products *products_new(void)
{
  struct products *p = calloc(1, sizeof(*p));
  if (p != NULL)
    pthread_mutex_init(&p->lock, NULL);
  return p;
}

void products_free(struct products *p)
{
  if (p == NULL)
    return;
  json_decref(p->by_sku);
  pthread_mutex_destroy(&p->lock);
  free(p);
}

static const char *type_word(const char *type)
{
  for (size_t i = 0; type != NULL && i < TYPES; i++)
    if (strcmp(types[i].type, type) == 0)
      return types[i].word;
  return "Product";
}

/* --- the catalogue -------------------------------------------------------------------------- */

static json_t *index_of(const json_t *root)
{
  json_t *by_sku = json_object();
  for (size_t t = 0; t < TYPES; t++) {
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(root, types[t].list), i, item)
    {
      const char *sku = tm_json_get_string(item, "sku");
      if (sku != NULL)
        json_object_set(by_sku, sku, item);
    }
  }
  return by_sku;
}

static int parse_newest(struct products *p, struct db *db, int64_t id, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  json_t *root = NULL;
  int rc = db_prepare(db, "SELECT document FROM catalogues WHERE id = ?1", &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, id);
  rc = db_step(stmt, err);
  if (rc == 1) {
    size_t len;
    const char *text = db_blob(stmt, 0, &len);
    root = tm_json_parse(text, len, "catalogue", err);
    rc = root != NULL ? 0 : -EBADMSG;
  }
  db_done(stmt);
  if (rc == 0 && root != NULL) {
    json_decref(p->by_sku);
    p->by_sku = index_of(root);
    p->catalogue = id;
  }
  json_decref(root);
  return rc;
}

/* What the document says of an SKU: a copy, so that threads share nothing. NULL where it has none.
 */
static int find_element(struct products *p, struct db *db, const char *sku, json_t **element,
                        struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int64_t id = 0;
  *element = NULL;
  int rc = db_prepare(db, "SELECT max(id) FROM catalogues", &stmt, err);
  if (rc < 0)
    return rc;
  rc = db_step(stmt, err);
  if (rc == 1)
    id = db_int(stmt, 0);
  db_done(stmt);
  if (rc < 0 || id == 0)
    return rc < 0 ? rc : 0;
  pthread_mutex_lock(&p->lock);
  rc = id != p->catalogue ? parse_newest(p, db, id, err) : 0;
  if (rc == 0)
    *element = json_deep_copy(json_object_get(p->by_sku, sku));
  pthread_mutex_unlock(&p->lock);
  return rc;
}

/* --- its specification in words ------------------------------------------------------------- */

static json_t *list_text(const json_t *list)
{
  struct tm_buf text = TM_BUF_INIT(4096);
  size_t i;
  const json_t *one;
  json_array_foreach(list, i, one)
  {
    if (json_is_string(one))
      tm_buf_printf(&text, "%s%s", text.len > 0 ? ", " : "", json_string_value(one));
  }
  json_t *value = text.len > 0 ? json_string(text.ptr) : NULL;
  tm_buf_release(&text);
  return value;
}

/* The value as people read it; NULL for what has none. *name loses the unit that the value has. */
static json_t *value_text(char *name, const json_t *value)
{
  char text[48];
  size_t len = strlen(name);
  if (json_is_string(value))
    return json_copy((json_t *)value);
  if (json_is_boolean(value))
    return json_string(json_is_true(value) ? "yes" : "no");
  if (json_is_array(value))
    return list_text(value);
  if (!json_is_number(value))
    return NULL;
  if (len > 6 && strcmp(name + len - 6, "_bytes") == 0) {
    name[len - 6] = '\0';
    return json_string(tm_format_bytes(text, sizeof(text), json_number_value(value)));
  }
  if (len > 6 && strcmp(name + len - 6, "_per_s") == 0)
    snprintf(name + len - 6, 7, "/s");
  return json_sprintf("%.15g", json_number_value(value));
}

static json_t *spec_rows(const json_t *element)
{
  static const char *const elsewhere[] = {"sku",     "name",  "price", "lead_time_days",
                                          "matches", "image", NULL};
  json_t *rows = json_array(), *value;
  const char *key;
  json_object_foreach((json_t *)element, key, value)
  {
    char name[80];
    bool shown = false;
    for (size_t i = 0; elsewhere[i] != NULL; i++)
      shown = shown || strcmp(key, elsewhere[i]) == 0;
    snprintf(name, sizeof(name), "%s", key);
    json_t *text = shown ? NULL : value_text(name, value);
    for (char *c = name; *c != '\0'; c++)
      *c = *c == '_' ? ' ' : *c;
    if (name[0] >= 'a' && name[0] <= 'z')
      name[0] = (char)(name[0] - 'a' + 'A');
    if (text != NULL)
      json_array_append_new(rows, json_pack("{s:s, s:o}", "name", name, "value", text));
  }
  return rows;
}

/* --- stock ---------------------------------------------------------------------------------- */

/* What lies free in the shops that hand over, as the factory's answers count it. */
static int read_stock(struct db *db, const char *sku, int64_t today, json_t *product,
                      struct tm_error *err)
{
  struct goods goods = {0};
  uint64_t total = 0;
  int rc = goods_read(db, sku, today, &goods, err);
  if (rc == 0 && goods.any_stock) {
    json_t *rows = json_array();
    for (size_t i = 0; i < goods.len; i++) {
      if (!goods.shops[i].sells)
        continue;
      total += goods.shops[i].stock;
      json_array_append_new(rows, json_pack("{s:s, s:s, s:I}", "shop", goods.names[i], "name",
                                            goods.titles[i], "quantity",
                                            (json_int_t)goods.shops[i].stock));
    }
    json_object_set_new(product, "in_stock", json_integer((json_int_t)total));
    json_object_set_new(product, "stock", rows);
  }
  goods_release(&goods);
  return rc;
}

/* --- all of it ------------------------------------------------------------------------------ */

static void add_price(json_t *row)
{
  json_t *amount = json_object_get(row, "price"), *currency = json_object_get(row, "currency");
  json_t *price = json_is_string(amount) && json_is_string(currency)
                      ? json_pack("{s:O, s:O}", "amount", amount, "currency", currency)
                      : NULL;
  json_object_del(row, "currency");
  json_object_del(row, "price");
  if (price != NULL)
    json_object_set_new(row, "price", price);
  json_object_set_new(row, "type_word", json_string(type_word(tm_json_get_string(row, "type"))));
}

static int read_item(struct db *db, const char *sku, json_t **item, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "SELECT sku, name, type, kind, price, currency, lead_time_days, replaced_by"
                      " FROM catalogue_items WHERE sku = ?1",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, sku);
  rc = db_take_row(stmt, item, "the catalogue has no such product", err);
  if (rc == -ENOENT)
    tm_fail_prefix(err, sku);
  return rc;
}

int product_read(struct products *p, struct db *db, const char *sku, int64_t today,
                 json_t **product, struct tm_error *err)
{
  json_t *item = NULL, *element = NULL;
  int rc = read_item(db, sku, &item, err);
  if (rc == 0)
    rc = find_element(p, db, sku, &element, err);
  if (rc == 0)
    rc = read_stock(db, sku, today, item, err);
  if (rc == 0) {
    double days = tm_json_get_number(item, "lead_time_days");
    add_price(item);
    if (!isnan(days) && days >= 0 && days < 10000)
      json_object_set_new(item, "lead_on", json_integer(today + (int64_t)ceil(days)));
    json_object_set_new(item, "spec", spec_rows(element));
    if (json_is_string(json_object_get(element, "image")))
      json_object_set(item, "image", json_object_get(element, "image"));
  }
  json_decref(element);
  if (rc == 0)
    *product = item;
  else
    json_decref(item);
  return rc;
}

int products_list(struct db *db, const char *after, int limit, json_t **rows, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  size_t i;
  json_t *row;
  int rc = db_prepare(db,
                      "SELECT sku, name, type, kind, price, currency FROM catalogue_items"
                      " WHERE sku > ?1 ORDER BY sku LIMIT ?2",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, after != NULL ? after : "");
  db_bind_int(stmt, 2, limit);
  rc = db_take_rows(stmt, rows, err);
  if (rc < 0)
    return rc;
  json_array_foreach(*rows, i, row) add_price(row);
  return 0;
}
