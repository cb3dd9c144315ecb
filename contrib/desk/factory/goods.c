/* SPDX-License-Identifier: MIT */
#include "contrib/desk/factory/goods.h"

#include "common/json.h"
#include "common/text.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SHOPS = 1000, MAX_TRANSFERS = 20000 };

/* --- shops and what lies there -------------------------------------------------------------- */

static int make_room(struct goods *g, size_t n, struct tm_error *err)
{
  g->names = calloc(n + 1, sizeof(*g->names));
  g->titles = calloc(n + 1, sizeof(*g->titles));
  g->there = calloc(n + 1, sizeof(*g->there));
  g->kept = calloc(n + 1, sizeof(*g->kept));
  g->coming = calloc(n + 1, sizeof(*g->coming));
  g->shops = calloc(n + 1, sizeof(*g->shops));
  return g->names != NULL && g->titles != NULL && g->there != NULL && g->kept != NULL &&
                 g->coming != NULL && g->shops != NULL
             ? 0
             : tm_fail(err, -ENOMEM, "out of memory");
}

static int add_shop(struct goods *g, const json_t *row, struct tm_error *err)
{
  size_t i = g->len;
  const char *shop = tm_json_get_string(row, "shop"), *name = tm_json_get_string(row, "name");
  const char *kind = tm_json_get_string(row, "kind");
  if (shop == NULL || name == NULL || kind == NULL)
    return tm_fail(err, -EIO, "a shop without code, name or kind");
  json_int_t there = json_integer_value(json_object_get(row, "quantity"));
  json_int_t kept = json_integer_value(json_object_get(row, "kept"));
  json_int_t coming = json_integer_value(json_object_get(row, "coming"));
  g->names[i] = strdup(shop);
  g->titles[i] = strdup(name);
  if (g->names[i] == NULL || g->titles[i] == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  g->there[i] = (uint64_t)there;
  g->kept[i] = (uint64_t)kept;
  g->coming[i] = (uint64_t)coming;
  g->shops[i] =
      (struct handover_shop){.name = g->names[i],
                             .stock = there > kept + coming ? (uint64_t)(there - kept - coming) : 0,
                             .supply_days = -1,
                             .sells = strcmp(kind, "factory") != 0};
  g->any_stock = g->any_stock || json_is_integer(json_object_get(row, "quantity"));
  g->len++;
  return 0;
}

/* A reservation whose last day is over keeps nothing, whether the desk has said so yet or not. What
 * was to come by now is taken for there. */
static int read_shops(struct db *db, const char *sku, int64_t today, struct goods *g,
                      struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(
      db,
      "SELECT s.shop, s.name, s.kind, t.quantity,"
      " CAST((SELECT COALESCE(SUM(r.quantity), 0) FROM reservations r WHERE r.shop = s.shop"
      "   AND r.sku = ?1 AND r.state = 'held' AND (r.expires_on IS NULL OR r.expires_on >= ?2)"
      "   AND (r.coming_on IS NULL OR r.coming_on <= ?2)) AS INTEGER) AS kept,"
      " CAST((SELECT COALESCE(SUM(r.quantity), 0) FROM reservations r WHERE r.shop = s.shop"
      "   AND r.sku = ?1 AND r.state = 'held' AND (r.expires_on IS NULL OR r.expires_on >= ?2)"
      "   AND r.coming_on > ?2) AS INTEGER) AS coming"
      " FROM shops s LEFT JOIN stock t ON t.shop = s.shop AND t.sku = ?1"
      " ORDER BY s.shop LIMIT ?3",
      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, sku);
  db_bind_int(stmt, 2, today);
  db_bind_int(stmt, 3, MAX_SHOPS);
  json_t *rows = db_rows(stmt, err);
  if (rows == NULL)
    return -EIO;
  size_t i;
  json_t *row;
  rc = make_room(g, json_array_size(rows), err);
  json_array_foreach(rows, i, row)
  {
    if (rc == 0)
      rc = add_shop(g, row, err);
  }
  json_decref(rows);
  return rc;
}

/* --- lead times ----------------------------------------------------------------------------- */

static const char *text_of(const json_t *row, const char *key)
{
  const char *text = tm_json_get_string(row, key);
  return text != NULL ? text : "";
}

/* How exactly a row speaks of this SKU and shop; -1 when it does not. */
static int exactness(const json_t *row, const char *shop)
{
  const char *to = text_of(row, "to_shop");
  if (to[0] != '\0' && strcmp(to, shop) != 0)
    return -1;
  return (text_of(row, "sku")[0] != '\0' ? 2 : 0) + (to[0] != '\0' ? 1 : 0);
}

/* The days from a place ("" is the supplier) to a shop; -1 when nothing says so. */
static int64_t days_between(const json_t *rows, const char *from, const char *to)
{
  size_t i;
  const json_t *row;
  int best = -1;
  int64_t days = -1;
  json_array_foreach(rows, i, row)
  {
    int exact = strcmp(text_of(row, "from_shop"), from) == 0 ? exactness(row, to) : -1;
    if (exact > best) {
      best = exact;
      days = json_integer_value(json_object_get(row, "days"));
    }
  }
  return days;
}

static void add_transfers(struct goods *g, const json_t *rows, size_t from)
{
  for (size_t to = 0; to < g->len && g->transfers_len < MAX_TRANSFERS; to++) {
    int64_t days = from == to ? -1 : days_between(rows, g->names[from], g->names[to]);
    if (days >= 0)
      g->transfers[g->transfers_len++] = (struct handover_transfer){from, to, days};
  }
}

static bool has_from(const json_t *rows, const char *from)
{
  size_t i;
  const json_t *row;
  json_array_foreach(rows, i, row)
  {
    if (strcmp(text_of(row, "from_shop"), from) == 0)
      return true;
  }
  return false;
}

static int catalogue_days(struct db *db, const char *sku, int64_t *days, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  *days = -1;
  int rc = db_prepare(db, "SELECT lead_time_days FROM catalogue_items WHERE sku = ?1", &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, sku);
  rc = db_step(stmt, err);
  if (rc == 1 && !db_is_null(stmt, 0))
    *days = (int64_t)ceil(db_real(stmt, 0));
  db_done(stmt);
  return rc < 0 ? rc : 0;
}

static int supply_from_catalogue(struct db *db, const char *sku, struct goods *g,
                                 struct tm_error *err)
{
  bool has_factory = false;
  int64_t days;
  int rc = catalogue_days(db, sku, &days, err);
  for (size_t i = 0; i < g->len; i++)
    has_factory = has_factory || !g->shops[i].sells;
  for (size_t i = 0; i < g->len; i++)
    g->shops[i].supply_days = has_factory && g->shops[i].sells ? -1 : days;
  return rc;
}

static int read_lead_times(struct db *db, const char *sku, struct goods *g, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "SELECT from_shop, to_shop, sku, days FROM lead_times"
                      " WHERE sku = '' OR sku = ?1 ORDER BY from_shop, to_shop, sku",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, sku);
  json_t *rows = db_rows(stmt, err);
  if (rows == NULL)
    return -EIO;
  g->transfers = calloc(g->len * g->len + 1, sizeof(*g->transfers));
  if (g->transfers == NULL)
    rc = tm_fail(err, -ENOMEM, "out of memory");
  for (size_t i = 0; rc == 0 && i < g->len; i++) {
    g->shops[i].supply_days = days_between(rows, "", g->names[i]);
    if (has_from(rows, g->names[i]))
      add_transfers(g, rows, i);
  }
  if (rc == 0 && !has_from(rows, ""))
    rc = supply_from_catalogue(db, sku, g, err);
  json_decref(rows);
  return rc;
}

int goods_read(struct db *db, const char *sku, int64_t today, struct goods *out,
               struct tm_error *err)
{
  *out = (struct goods){0};
  int rc = read_shops(db, sku, today, out, err);
  return rc == 0 ? read_lead_times(db, sku, out, err) : rc;
}

void goods_release(struct goods *g)
{
  for (size_t i = 0; i < g->len; i++) {
    free(g->names[i]);
    free(g->titles[i]);
  }
  free(g->names);
  free(g->titles);
  free(g->there);
  free(g->kept);
  free(g->coming);
  free(g->shops);
  free(g->transfers);
  *g = (struct goods){0};
}

struct handover_goods goods_handover(const struct goods *g)
{
  return (struct handover_goods){g->shops, g->len, g->transfers, g->transfers_len};
}

size_t goods_shop(const struct goods *g, const char *shop)
{
  size_t i = 0;
  while (i < g->len && strcmp(g->names[i], shop) != 0)
    i++;
  return i;
}

/* --- what is known -------------------------------------------------------------------------- */

/* Fails with the nearest of the texts in the rows' first two members. */
static int unknown(const json_t *rows, const char *typed, const char *where, struct tm_error *err)
{
  const char **names = calloc(2 * json_array_size(rows) + 1, sizeof(*names));
  size_t n = 0, i;
  json_t *row, *value;
  const char *key;
  json_array_foreach(rows, i, row)
  {
    json_object_foreach(row, key, value)
    {
      if (names != NULL && n < 2 * json_array_size(rows) && json_is_string(value))
        names[n++] = json_string_value(value);
    }
  }
  const char *near = names != NULL ? tm_text_nearest(typed, names) : NULL;
  int rc = near != NULL ? tm_fail(err, -EINVAL, "\xe2\x80\x9c%s\xe2\x80\x9d %s. Nearest: %s", typed,
                                  where, near)
                        : tm_fail(err, -EINVAL, "\xe2\x80\x9c%s\xe2\x80\x9d %s", typed, where);
  free(names);
  return rc;
}

bool goods_find_shop(struct db *db, const char *typed, char *code, size_t size,
                     struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  if (db_prepare(db, "SELECT shop, name FROM shops WHERE kind <> 'factory' ORDER BY shop", &stmt,
                 err) < 0)
    return false;
  json_t *rows = db_rows(stmt, err), *row;
  size_t i;
  const char *found = NULL;
  json_array_foreach(rows, i, row)
  {
    if (strcmp(text_of(row, "shop"), typed) == 0)
      found = text_of(row, "shop");
  }
  json_array_foreach(rows, i, row)
  {
    if (found == NULL && strcmp(text_of(row, "name"), typed) == 0)
      found = text_of(row, "shop");
  }
  if (found != NULL)
    snprintf(code, size, "%s", found);
  else if (rows != NULL)
    unknown(rows, typed, "is no shop that hands over goods", err);
  json_decref(rows);
  return found != NULL;
}

int goods_know_sku(struct db *db, const char *sku, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "SELECT 1 FROM catalogue_items WHERE sku = ?1"
                      " UNION ALL SELECT 1 FROM stock WHERE sku = ?1",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, sku);
  rc = db_step(stmt, err);
  db_done(stmt);
  if (rc != 0)
    return rc < 0 ? rc : 0;
  rc = db_prepare(db, "SELECT sku FROM catalogue_items UNION SELECT sku FROM stock ORDER BY sku",
                  &stmt, err);
  if (rc < 0)
    return rc;
  json_t *rows = db_rows(stmt, err);
  if (rows == NULL)
    return -EIO;
  rc = unknown(rows, sku, "is not in the catalogue", err);
  json_decref(rows);
  return rc;
}
