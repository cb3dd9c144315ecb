/* SPDX-License-Identifier: MIT */
/* All devices, by what a person looks for: the page "Devices" and /api/v1/devices. */
#include "common/clock.h"
#include "common/json.h"
#include "contrib/desk/desk.h"
#include "contrib/desk/rooms.h"
#include "contrib/desk/sales/find.h"
#include "contrib/desk/sales/words.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct fleet {
  const struct request *r;
  const char *kind, *customer;
  char words[200];
  int64_t after;
  int limit;
  json_t *devices, *next;
};

#define DEVICES(narrow)                                                                            \
  "SELECT d.id, d.customer_id, c.name AS customer, d.site, d.host, d.device, d.kind, d.vendor,"    \
  " d.model, d.serial, d.firmware, d.capacity_bytes, d.used_bytes, d.used_fraction,"               \
  " d.growth_bytes_per_day, d.fill_early, d.fill_middle, d.fill_late, d.observed_at,"              \
  " d.last_seen_at,"                                                                               \
  " (SELECT COUNT(*) FROM items i WHERE i.device_id = d.id AND i.open = 1) AS open_items"          \
  " FROM devices d JOIN customers c ON c.customer_id = d.customer_id"                              \
  " WHERE (?1 IS NULL OR d.customer_id = ?1) AND d.id > ?2 AND (?3 IS NULL OR d.kind = ?3)"        \
  " AND (?4 IS NULL OR d.customer_id = ?4) AND (?5 IS NULL OR d.words LIKE ?5 ESCAPE '\\')" narrow \
  " ORDER BY d.id LIMIT ?6"

static int read_fleet(struct db *db, void *arg, struct tm_error *err)
{
  /* One customer's few are found by an index, which an engine only uses when it is told so. */
  static const char all[] = DEVICES("");
  static const char of_customer[] = DEVICES(" AND d.customer_id = COALESCE(?1, ?4)");
  struct fleet *f = arg;
  struct db_stmt *stmt = NULL;
  bool one = f->customer != NULL || f->r->scope.customer != NULL;
  int rc = db_prepare(db, one ? of_customer : all, &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_customer(stmt, 1);
  db_bind_int(stmt, 2, f->after);
  db_bind_text(stmt, 3, f->kind);
  db_bind_text(stmt, 4, f->customer);
  db_bind_text(stmt, 5, f->words[0] != '\0' ? f->words : NULL);
  db_bind_int(stmt, 6, f->limit + 1);
  return db_take_rows(stmt, &f->devices, err);
}

static void finish(struct fleet *f)
{
  size_t i;
  json_t *row;
  f->next = find_next(f->devices, f->limit);
  json_array_foreach(f->devices, i, row) json_object_set_new(
      row, "kind_word", json_string(words_kind(tm_json_get_string(row, "kind"))));
}

static int read_query(struct fleet *f, const char **field, struct tm_error *err)
{
  f->kind = find_chosen(f->r, "kind");
  f->customer = find_chosen(f->r, "customer");
  find_like(f->words, sizeof(f->words), request_query(f->r, "q"));
  return find_page(f->r, "after", &f->after, &f->limit, field, err);
}

static int list_devices(const struct request *r, struct response *to, struct tm_error *err)
{
  struct fleet f = {.r = r};
  const char *field = NULL, *q = request_query(r, "q");
  if (read_query(&f, &field, err) != 0)
    return respond_error(r, to, 422, field, err->text);
  int rc = store_read(r->desk->store, &r->scope, read_fleet, &f, err);
  if (rc == 0) {
    finish(&f);
    json_t *model = json_pack("{s:O, s:O}", "devices", f.devices, "next", f.next);
    if (model != NULL && !r->wants_json) {
      json_object_set_new(model, "title", json_string("Devices"));
      json_object_set_new(model, "q", json_string(q != NULL ? q : ""));
      json_object_set_new(model, "kinds", words_kinds(f.kind));
      json_object_set_new(model, "kind", json_string(f.kind != NULL ? f.kind : ""));
      json_object_set_new(model, "some", json_boolean(json_array_size(f.devices) > 0));
    }
    rc = respond_model(r, to, "devices.html", model, err);
    json_decref(model);
  }
  json_decref(f.devices);
  json_decref(f.next);
  return rc;
}

#define READERS (ROLE_SALES | ROLE_SERVICE | ROLE_ENGINEER | ROLE_ADMIN)

const struct route fleet_routes[] = {
    {"GET", "/devices", READERS, 0, "All devices, by what is looked for", list_devices},
    {"GET", "/api/v1/devices", READERS | ROLE_CUSTOMER, 0,
     "Devices by kind, customer and words, a page at a time", list_devices},
    {0},
};
