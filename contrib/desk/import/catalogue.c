/* SPDX-License-Identifier: MIT */
#include "contrib/desk/import/import_own.h"

#include "analyzer/catalogue.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/json.h"
#include "common/json_check.h"
#include "common/sign.h"
#include "contrib/desk/advice/advise.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct importing {
  const struct tm_buf *text;
  const struct catalogue *catalogue;
  const char *by;
  char sha256[TM_SHA256_HEX];
  int64_t now;
  bool same;
};

static int is_same(struct db *db, struct importing *i, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db, "SELECT sha256 FROM catalogues ORDER BY id DESC LIMIT 1", &stmt, err);
  if (rc < 0)
    return rc;
  rc = db_step(stmt, err);
  i->same = rc == 1 && strcmp(db_text(stmt, 0), i->sha256) == 0;
  db_done(stmt);
  return rc < 0 ? rc : 0;
}

static int keep_document(struct db *db, const struct importing *i, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc =
      db_prepare(db,
                 "INSERT INTO catalogues (sha256, issued_on, imported_at, imported_by, document)"
                 " VALUES (?1, ?2, ?3, ?4, ?5)",
                 &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, i->sha256);
  db_bind_int_or_null(stmt, 2, i->catalogue->issued_on != INT64_MIN,
                      i->catalogue->issued_on / TM_DAY);
  db_bind_int(stmt, 3, i->now);
  db_bind_text(stmt, 4, i->by);
  db_bind_blob(stmt, 5, i->text->ptr, i->text->len);
  return db_exec(stmt, err);
}

static const char *type_name(enum catalogue_type type)
{
  static const char *const names[] = {
      [CATALOGUE_MODEL] = "model",   [CATALOGUE_EXPANSION] = "expansion",
      [CATALOGUE_CACHE] = "cache",   [CATALOGUE_SOFTWARE] = "software",
      [CATALOGUE_SUPPLY] = "supply", [CATALOGUE_SERVICE] = "service"};
  return names[type];
}

static int keep_item(struct db *db, const struct catalogue *c, const struct catalogue_item *item,
                     struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  json_t *price = catalogue_price_json(c, item->price);
  int rc = db_prepare(db,
                      "INSERT INTO catalogue_items (sku, type, name, kind, price, currency,"
                      " lead_time_days, replaced_by) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                      &stmt, err);
  if (rc == 0) {
    db_bind_text(stmt, 1, item->sku);
    db_bind_text(stmt, 2, type_name(item->type));
    db_bind_text(stmt, 3, item->name);
    db_bind_text(stmt, 4, item->kind);
    db_bind_text(stmt, 5, tm_json_get_string(price, "amount"));
    db_bind_text(stmt, 6, c->currency);
    db_bind_real(stmt, 7, item->lead_time_days);
    db_bind_text(stmt, 8, item->replaced_by != NULL ? item->replaced_by->sku : NULL);
    rc = db_exec(stmt, err);
  }
  json_decref(price);
  return rc;
}

static int keep_catalogue(struct db *db, void *arg, struct tm_error *err)
{
  struct importing *i = arg;
  int rc = is_same(db, i, err);
  if (rc < 0 || i->same)
    return rc;
  rc = keep_document(db, i, err);
  if (rc == 0)
    rc = db_run_one(db, "DELETE FROM catalogue_items", err);
  for (size_t k = 0; rc == 0 && k < i->catalogue->n; k++)
    rc = keep_item(db, i->catalogue, &i->catalogue->items[k], err);
  return rc;
}

int import_catalogue(struct store *store, const char *path, int64_t now, const char *by,
                     struct import_result *result, struct tm_error *err)
{
  struct tm_buf text = TM_BUF_INIT(CATALOGUE_MAX_BYTES);
  struct catalogue c = {0};
  struct importing i = {.text = &text, .catalogue = &c, .by = by, .now = now};
  int rc = tm_file_read(path, &text, err);
  if (rc == 0)
    rc = catalogue_parse(&c, text.ptr != NULL ? text.ptr : "", text.len, path, err);
  if (rc == 0) {
    tm_sha256_hex(i.sha256, text.ptr, text.len);
    rc = store_write(store, &db_everyone, keep_catalogue, &i, err);
  }
  if (rc == 0 && !i.same)
    rc = advise_all(store, now, err);
  result->rows = c.n;
  result->same = i.same;
  catalogue_release(&c);
  tm_buf_release(&text);
  return rc;
}

/* --- which shop is whose ------------------------------------------------------------------ */

static int make_shop(struct db *db, const char *shop, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "INSERT INTO shops (shop, name) VALUES (?1, ?1) ON CONFLICT (shop)"
                      " DO NOTHING",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, shop);
  return db_exec(stmt, err);
}

/* C-1001, or C-1001/osaka-1 for one place of it. Who is not known here is passed over: the map may
 * be that of the whole house. */
static int set_shop(struct db *db, const char *of, const char *shop, struct tm_error *err)
{
  const char *slash = strchr(of, '/');
  char *customer = strndup(of, slash != NULL ? (size_t)(slash - of) : strlen(of));
  struct db_stmt *stmt = NULL;
  int rc = customer == NULL ? tm_fail(err, -ENOMEM, "out of memory") : make_shop(db, shop, err);
  if (rc == 0)
    rc =
        db_prepare(db,
                   slash != NULL ? "UPDATE sites SET shop = ?2 WHERE customer_id = ?1 AND site = ?3"
                                 : "UPDATE customers SET shop = ?2 WHERE customer_id = ?1",
                   &stmt, err);
  if (rc == 0) {
    db_bind_text(stmt, 1, customer);
    db_bind_text(stmt, 2, shop);
    if (slash != NULL)
      db_bind_text(stmt, 3, slash + 1);
    rc = db_exec(stmt, err);
  }
  free(customer);
  return rc;
}

static int keep_map(struct db *db, void *arg, struct tm_error *err)
{
  const json_t *root = arg;
  const char *of, *otherwise = tm_json_get_string(root, "otherwise");
  json_t *shop;
  struct db_stmt *stmt = NULL;
  int rc = otherwise != NULL ? make_shop(db, otherwise, err) : 0;
  if (rc == 0)
    rc = db_prepare(db,
                    "INSERT INTO settings (name, value) VALUES ('shop_otherwise', ?1)"
                    " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                    &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, otherwise);
  rc = db_exec(stmt, err);
  json_object_foreach(json_object_get(root, "shops"), of, shop)
  {
    if (rc == 0)
      rc = set_shop(db, of, json_string_value(shop), err);
  }
  return rc;
}

int import_shop_map(struct store *store, const char *path, struct import_result *result,
                    struct tm_error *err)
{
  struct tm_error own = {0};
  struct tm_json_file f = {0};
  if (tm_json_file_read(&f, path, 16 << 20, &own) < 0 || !json_is_object(f.root) ||
      json_object_get(f.root, "schema") == NULL) {
    tm_json_file_release(&f);
    return -ENOMSG;
  }
  const char *of;
  json_t *shop;
  const char *text = NULL;
  int rc = tm_json_want_schema(&f, "tidemark.shops/1", err);
  if (rc == 0 && !json_is_object(json_object_get(f.root, "shops")))
    rc = tm_json_refuse(&f, f.root, "shops", err, "shops: an object is wanted");
  json_object_foreach(json_object_get(f.root, "shops"), of, shop)
  {
    (void)shop;
    if (rc == 0)
      rc = tm_json_want_string(&f, json_object_get(f.root, "shops"), of, true, 200, &text, err);
  }
  if (rc == 0)
    rc = tm_json_want_string(&f, f.root, "otherwise", false, 200, &text, err);
  if (rc == 0)
    rc = store_write(store, &db_everyone, keep_map, f.root, err);
  result->rows = json_object_size(json_object_get(f.root, "shops"));
  tm_json_file_release(&f);
  return rc;
}
