/* SPDX-License-Identifier: MIT */
#include "contrib/desk/factory/inquiry.h"

#include "common/buf.h"
#include "common/clock.h"
#include "common/json.h"
#include "contrib/desk/advice/items.h"
#include "contrib/desk/factory/goods.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_NUMBER = 1001 };

int inquiry_number(struct db *db, const char *of, int64_t *number, struct tm_error *err)
{
  char name[64], first[32];
  struct db_stmt *stmt = NULL;
  snprintf(name, sizeof(name), "last_%s", of);
  snprintf(first, sizeof(first), "%d", FIRST_NUMBER);
  int rc = db_prepare(db,
                      "INSERT INTO settings (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO"
                      " UPDATE SET value = CAST(CAST(settings.value AS INTEGER) + 1 AS TEXT)"
                      " RETURNING CAST(value AS INTEGER)",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, name);
  db_bind_text(stmt, 2, first);
  rc = db_step(stmt, err);
  if (rc == 1)
    *number = db_int(stmt, 0);
  db_done(stmt);
  return rc == 1 ? 0 : rc < 0 ? rc : tm_fail(err, -EIO, "%s: no number", name);
}

/* --- asking --------------------------------------------------------------------------------- */

static int check_lines(struct db *db, const json_t *lines, struct inquiry_fault *fault,
                       struct tm_error *err)
{
  size_t i, n = json_array_size(lines);
  const json_t *line;
  fault->field = "lines";
  if (n < 1 || n > INQUIRY_LINES)
    return tm_fail(err, -EINVAL, "1 to %d lines are wanted", INQUIRY_LINES);
  json_array_foreach(lines, i, line)
  {
    const char *sku = tm_json_get_string(line, "sku");
    const json_t *quantity = json_object_get(line, "quantity");
    json_int_t pieces = json_integer_value(quantity);
    fault->line = i;
    fault->field = "quantity";
    if (!json_is_integer(quantity) || pieces < 1 || pieces > INQUIRY_PIECES)
      return tm_fail(err, -EINVAL, "a whole number from 1 to %d is wanted", INQUIRY_PIECES);
    fault->field = "sku";
    if (sku == NULL || sku[0] == '\0')
      return tm_fail(err, -EINVAL, "say which product");
    int rc = goods_know_sku(db, sku, err);
    if (rc < 0)
      return rc;
  }
  fault->field = NULL;
  return 0;
}

static int read_customer(struct db *db, int64_t item, char **customer, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(
      db, "SELECT customer_id FROM items WHERE (?1 IS NULL OR customer_id = ?1) AND id = ?2", &stmt,
      err);
  if (rc < 0)
    return rc;
  db_bind_customer(stmt, 1);
  db_bind_int(stmt, 2, item);
  rc = db_step(stmt, err);
  if (rc == 1)
    *customer = strdup(db_text(stmt, 0));
  db_done(stmt);
  return rc < 0 ? rc : rc == 1 ? 0 : tm_fail(err, -ENOENT, "there is no item with this number");
}

/* 1 when it is new, 0 when its id is taken. */
static int insert(struct db *db, const struct inquiry_ask *a, const char *id, const char *shop,
                  const char *customer, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  char *lines = json_dumps(a->lines, JSON_COMPACT);
  if (lines == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  int rc = db_prepare(db,
                      "INSERT INTO inquiries (inquiry, customer_id, item_id, asked_by,"
                      " by_name, asked_at, shop, lines_json, wanted_on, recommendation, note,"
                      " next_try_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11,"
                      " ?6) ON CONFLICT (inquiry) DO NOTHING",
                      &stmt, err);
  if (rc == 0) {
    db_bind_text(stmt, 1, id);
    db_bind_text(stmt, 2, customer);
    db_bind_int_or_null(stmt, 3, a->item != 0, a->item);
    db_bind_int_or_null(stmt, 4, a->user != 0, a->user);
    db_bind_text(stmt, 5, a->by);
    db_bind_int(stmt, 6, a->now);
    db_bind_text(stmt, 7, shop);
    db_bind_text(stmt, 8, lines);
    db_bind_int_or_null(stmt, 9, a->wanted_on != INT64_MIN, a->wanted_on);
    db_bind_text(stmt, 10, a->recommendation);
    db_bind_text(stmt, 11, a->note);
    rc = db_exec(stmt, err);
    if (rc == 0)
      rc = db_changes(stmt) == 1;
  }
  free(lines);
  return rc;
}

/* An id that is taken: by this inquiry, said once more, or by another one. */
static int compare(struct db *db, const struct inquiry_ask *a, const char *shop,
                   struct inquiry_fault *fault, struct tm_error *err)
{
  json_t *row = NULL;
  int rc = inquiry_read(db, a->id, &row, err);
  if (rc == 0) {
    const char *had = tm_json_get_string(row, "shop");
    if (!json_equal(json_object_get(row, "lines"), a->lines) || had == NULL ||
        strcmp(had, shop) != 0 || json_integer_value(json_object_get(row, "asked_by")) != a->user) {
      fault->field = "id";
      rc = tm_fail(err, -EEXIST, "another inquiry has this id");
    }
  }
  json_decref(row);
  return rc;
}

int inquiry_make(struct db *db, const struct inquiry_ask *a, char id[INQUIRY_ID], bool *again,
                 struct inquiry_fault *fault, struct tm_error *err)
{
  char shop[200] = "", *customer = NULL;
  int64_t number = 0;
  int rc = a->item != 0 ? read_customer(db, a->item, &customer, err) : 0;
  *again = false;
  if (rc == 0)
    rc = check_lines(db, a->lines, fault, err);
  if (rc == 0 && !goods_find_shop(db, a->shop != NULL ? a->shop : "", shop, sizeof(shop), err)) {
    fault->field = "shop";
    rc = err->code != 0 ? err->code : -EINVAL;
  }
  while (rc == 0) {
    if (a->id != NULL)
      snprintf(id, INQUIRY_ID, "%s", a->id);
    else if ((rc = inquiry_number(db, "inquiry", &number, err)) == 0)
      snprintf(id, INQUIRY_ID, "Q-%lld", (long long)number);
    if (rc == 0)
      rc = insert(db, a, id, shop, customer, err);
    if (rc == 1 || a->id != NULL)
      break;
  }
  if (rc == 0) {
    rc = compare(db, a, shop, fault, err);
    *again = rc == 0;
  } else if (rc == 1) {
    rc = a->item != 0
             ? item_note(db, customer, a->item, a->now, a->by, "inquiry", NULL, NULL, id, err)
             : 0;
  }
  free(customer);
  return rc;
}

/* --- reading -------------------------------------------------------------------------------- */

#define INQUIRY_ROW                                                                                \
  "SELECT q.inquiry, q.customer_id, q.item_id, q.asked_by, q.by_name, q.asked_at, q.shop,"         \
  " s.name AS shop_name, q.lines_json, q.state, q.answered_at, q.error, q.wanted_on,"              \
  " q.recommendation, q.note, c.name AS customer, d.device, d.id AS device_id,"                    \
  " i.state AS item_state, a.document_json AS answer_json, a.from_json,"                           \
  " a.by_name AS answered_by, a.complete_on, a.seen_at, h.state AS hold, h.number AS hold_number," \
  " h.shop AS hold_shop, hs.name AS hold_shop_name, h.ready_on, h.lines_json AS hold_lines_json,"  \
  " h.agreed_by, h.agreed_on, h.keep_until, h.by_name AS hold_by, h.made_at AS hold_at,"           \
  " h.state_at AS hold_state_at, h.shipments, h.error AS hold_error, h.becomes"                    \
  " FROM inquiries q LEFT JOIN shops s ON s.shop = q.shop LEFT JOIN items i ON i.id = q.item_id"   \
  " LEFT JOIN devices d ON d.id = i.device_id"                                                     \
  " LEFT JOIN customers c ON c.customer_id = q.customer_id"                                        \
  " LEFT JOIN answers a ON a.inquiry = q.inquiry LEFT JOIN holds h ON h.inquiry = q.inquiry"       \
  " LEFT JOIN shops hs ON hs.shop = h.shop"                                                        \
  " WHERE (?1 IS NULL OR q.customer_id = ?1)"

int inquiry_read(struct db *db, const char *id, json_t **row, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db, INQUIRY_ROW " AND q.inquiry = ?2", &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_customer(stmt, 1);
  db_bind_text(stmt, 2, id);
  return db_take_row(stmt, row, "there is no inquiry with this id", err);
}

int inquiry_list(struct db *db, const struct inquiry_list *l, json_t **rows, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc =
      db_prepare(db,
                 INQUIRY_ROW " AND (?2 IS NULL OR q.asked_by = ?2) AND (?3 IS NULL OR q.state = ?3)"
                             " AND (q.asked_at < ?4 OR (q.asked_at = ?4 AND q.inquiry < ?5))"
                             " ORDER BY q.asked_at DESC, q.inquiry DESC LIMIT ?6",
                 &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_customer(stmt, 1);
  db_bind_int_or_null(stmt, 2, l->user != 0, l->user);
  db_bind_text(stmt, 3, l->state);
  db_bind_int(stmt, 4, l->before_at);
  db_bind_text(stmt, 5, l->before_id != NULL ? l->before_id : "");
  db_bind_int(stmt, 6, l->limit);
  return db_take_rows(stmt, rows, err);
}

int inquiry_list_of_item(struct db *db, int64_t item, json_t **rows, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(
      db, INQUIRY_ROW " AND q.item_id = ?2 ORDER BY q.asked_at DESC, q.inquiry DESC LIMIT 20",
      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_customer(stmt, 1);
  db_bind_int(stmt, 2, item);
  return db_take_rows(stmt, rows, err);
}

void inquiry_strip(json_t *row)
{
  static const char *const names[] = {"customer_id", "customer",   "device",    "device_id",
                                      "item_id",     "item_state", "agreed_by", "recommendation"};
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
    json_object_del(row, names[i]);
}

static void set_day(json_t *document, const char *name, const json_t *day)
{
  char date[TM_DATE_SIZE];
  if (json_is_integer(day))
    json_object_set_new(document, name,
                        json_string(tm_date_format_days(date, json_integer_value(day))));
}

json_t *inquiry_document(const json_t *row)
{
  json_t *document =
      json_pack("{s:s,s:O,s:o,s:O,s:O,s:O}", "schema", "tidemark.inquiry/1", "id",
                json_object_get(row, "inquiry"), "asked_at",
                tm_json_time(json_integer_value(json_object_get(row, "asked_at"))), "by",
                json_object_get(row, "by_name"), "shop", json_object_get(row, "shop"), "lines",
                json_object_get(row, "lines"));
  const char *key = tm_json_get_string(row, "recommendation"),
             *note = tm_json_get_string(row, "note");
  set_day(document, "wanted_on", json_object_get(row, "wanted_on"));
  if (key != NULL)
    json_object_set_new(document, "recommendation", json_string(key));
  if (note != NULL)
    json_object_set_new(document, "note", json_string(note));
  return document;
}
