/* SPDX-License-Identifier: MIT */
#include "contrib/desk/factory/ask.h"

#include "common/clock.h"
#include "common/json.h"

#include <string.h>

void ask_form_release(struct ask_form *f)
{
  json_decref(f->about);
  json_decref(f->shops);
  json_decref(f->skus);
  json_decref(f->typed);
  f->about = f->shops = f->skus = f->typed = NULL;
}

/* The shop is the site's, else the customer's, else the one for all others. */
int ask_form_about(struct db *db, struct ask_form *f, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "SELECT i.id, i.key, i.advice_json, i.customer_id, c.name AS customer,"
                      " d.device, d.id AS device_id, d.site, d.fill_early, i.order_by,"
                      " COALESCE(t.shop, c.shop, (SELECT value FROM settings"
                      "  WHERE name = 'shop_otherwise')) AS shop"
                      " FROM items i JOIN devices d ON d.id = i.device_id"
                      " JOIN customers c ON c.customer_id = i.customer_id"
                      " LEFT JOIN sites t ON t.customer_id = d.customer_id AND t.site = d.site"
                      " WHERE (?1 IS NULL OR i.customer_id = ?1) AND i.id = ?2",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_customer(stmt, 1);
  db_bind_int(stmt, 2, f->item);
  return db_take_row(stmt, &f->about, "there is no item with this number", err);
}

int ask_form_read(struct db *db, struct ask_form *f, struct tm_error *err)
{
  int rc = ask_form_about(db, f, err);
  if (rc == 0)
    rc = db_read_rows(db,
                      "SELECT shop AS value, name AS text FROM shops WHERE kind <> 'factory'"
                      " ORDER BY name, shop LIMIT 1000",
                      &f->shops, err);
  if (rc == 0)
    rc = db_read_rows(db,
                      "SELECT sku FROM catalogue_items UNION SELECT sku FROM stock ORDER BY sku"
                      " LIMIT 300",
                      &f->skus, err);
  return rc;
}

static json_t *line_model(const struct ask_form *f, size_t n, const char *sku, const char *quantity)
{
  bool here = f->field != NULL && f->line == n;
  json_t *line =
      json_pack("{s:I,s:I,s:s,s:s}", "n", (json_int_t)n, "number", (json_int_t)n + 1, "sku",
                sku != NULL ? sku : "", "quantity", quantity != NULL ? quantity : "");
  if (here && strcmp(f->field, "sku") == 0)
    json_object_set_new(line, "sku_error", json_string(f->error));
  if (here && strcmp(f->field, "quantity") == 0)
    json_object_set_new(line, "quantity_error", json_string(f->error));
  return line;
}

/* Those that were typed, or the item's, and an empty one. */
static json_t *lines_model(const struct ask_form *f)
{
  json_t *out = json_array();
  const json_t *lines = f->typed != NULL
                            ? json_object_get(f->typed, "lines")
                            : json_object_get(json_object_get(f->about, "advice"), "lines");
  size_t i;
  const json_t *line;
  json_array_foreach(lines, i, line)
  {
    char number[32];
    const char *typed = tm_json_get_string(line, "typed");
    snprintf(number, sizeof(number), "%lld",
             (long long)json_integer_value(json_object_get(line, "quantity")));
    json_array_append_new(
        out, line_model(f, i, tm_json_get_string(line, "sku"), typed != NULL ? typed : number));
  }
  if (json_array_size(out) < 10)
    json_array_append_new(out, line_model(f, json_array_size(out), NULL, NULL));
  return out;
}

static json_t *shops_model(const struct ask_form *f, const char *chosen)
{
  json_t *out = json_array();
  size_t i;
  const json_t *shop;
  json_array_foreach(f->shops, i, shop)
  {
    const char *value = tm_json_get_string(shop, "value");
    json_t *copy = json_copy((json_t *)shop);
    json_object_set_new(
        copy, "chosen",
        json_boolean(chosen != NULL && value != NULL && strcmp(chosen, value) == 0));
    json_array_append_new(out, copy);
  }
  return out;
}

static void set_error(json_t *model, const struct ask_form *f, const char *name, const char *key)
{
  if (f->field != NULL && strcmp(f->field, name) == 0)
    json_object_set_new(model, key, json_string(f->error));
}

json_t *ask_form_model(const struct ask_form *f)
{
  char date[TM_DATE_SIZE] = "";
  const json_t *early = json_object_get(f->about, "fill_early");
  const char *shop = tm_json_get_string(f->typed != NULL ? f->typed : f->about, "shop");
  const char *need = tm_json_get_string(f->typed, "wanted_on");
  const char *note = tm_json_get_string(f->typed, "note");
  if (f->typed == NULL && json_is_integer(early))
    need = tm_date_format_days(date, json_integer_value(early));
  json_t *model =
      json_pack("{s:O,s:o,s:o,s:s,s:s,s:b,s:O,s:b}", "about", f->about, "lines", lines_model(f),
                "shops", shops_model(f, shop), "wanted_on", need != NULL ? need : "", "note",
                note != NULL ? note : "", "has_early", json_is_integer(early), "skus", f->skus,
                "no_shops", json_array_size(f->shops) == 0);
  set_error(model, f, "shop", "shop_error");
  set_error(model, f, "wanted_on", "wanted_error");
  set_error(model, f, "note", "note_error");
  set_error(model, f, "lines", "lines_error");
  return model;
}
