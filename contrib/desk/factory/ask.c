/* SPDX-License-Identifier: MIT */
/* Asking the factory: from an item by a form, or as a document of contrib/schema/inquiry. */
#include "contrib/desk/factory/ask.h"

#include "common/clock.h"
#include "common/json.h"
#include "common/number.h"
#include "contrib/desk/desk.h"
#include "contrib/desk/factory/clerk.h"
#include "contrib/desk/factory/inquiry.h"
#include "contrib/desk/http/fields.h"
#include "contrib/desk/intake/schemas.h"
#include "contrib/desk/rooms.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { NOTE_MAX = 1000 };

struct asking {
  const struct request *r;
  struct ask_form form;
  struct inquiry_ask ask;
  struct inquiry_fault fault;
  json_t *lines, *row;
  char id[INQUIRY_ID];
  bool again;
};

static void release(struct asking *a)
{
  ask_form_release(&a->form);
  json_decref(a->lines);
  json_decref(a->row);
}

static int begin(struct asking *a, struct tm_error *err)
{
  return part_number(a->r, "id", &a->form.item, "there is no item with this number", err);
}

static int read_form(struct db *db, void *arg, struct tm_error *err)
{
  struct asking *a = arg;
  return ask_form_read(db, &a->form, err);
}

static int show_form(struct asking *a, struct response *to, int status, struct tm_error *err)
{
  json_t *form = ask_form_model(&a->form);
  json_t *model = json_pack("{s:s,s:o}", "title", "Ask the factory", "ask", form);
  int rc = respond_page(a->r, to, status, "inquiry-ask.html", model, err);
  json_decref(model);
  return rc;
}

static int get_form(const struct request *r, struct response *to, struct tm_error *err)
{
  struct asking a = {.r = r};
  int rc = begin(&a, err);
  if (rc == 0)
    rc = store_read(r->desk->store, &r->scope, read_form, &a, err);
  if (rc == 0)
    rc = r->wants_json ? respond_json(r, to, 200, a.form.about, err) : show_form(&a, to, 200, err);
  release(&a);
  return rc;
}

/* --- what was typed ------------------------------------------------------------------------- */

static int wrong(struct asking *a, const char *field, size_t line, struct tm_error *err,
                 const char *text)
{
  a->fault = (struct inquiry_fault){field, line};
  return tm_fail(err, -EINVAL, "%s", text);
}

/* A day as it is typed; none where nothing is. */
static int read_day(struct asking *a, const char *text, struct tm_error *err)
{
  int64_t t;
  a->ask.wanted_on = INT64_MIN;
  if (text == NULL || text[0] == '\0')
    return 0;
  if (strlen(text) != strlen("2026-11-20") || tm_time_parse(text, &t) != 0)
    return wrong(a, "wanted_on", 0, err, "a day is written as 2026-11-20");
  a->ask.wanted_on = t / TM_DAY;
  if (a->ask.wanted_on < tm_date_days(a->r->now))
    return wrong(a, "wanted_on", 0, err, "this day is past");
  return 0;
}

/* Lines without a product are passed over; all others are kept as they were typed, too. */
static int read_lines(struct asking *a, struct tm_error *err)
{
  const char *sku, *quantity;
  int rc = 0;
  a->lines = json_array();
  json_t *typed = json_array();
  for (size_t i = 0; (sku = request_field_nth(a->r, "sku", i)) != NULL && i < INQUIRY_LINES; i++) {
    int64_t pieces = 0;
    quantity = request_field_nth(a->r, "quantity", i);
    if (sku[0] == '\0')
      continue;
    json_array_append_new(
        typed, json_pack("{s:s,s:s}", "sku", sku, "typed", quantity != NULL ? quantity : ""));
    if (rc == 0 && (quantity == NULL || strlen(sku) > 200 ||
                    tm_parse_i64(quantity, 1, INQUIRY_PIECES, &pieces) != 0))
      rc = wrong(a, "quantity", json_array_size(typed) - 1, err,
                 "a whole number from 1 to 1000000 is wanted");
    json_array_append_new(a->lines,
                          json_pack("{s:s,s:I}", "sku", sku, "quantity", (json_int_t)pieces));
  }
  const char *shop = request_field(a->r, "shop"), *need = request_field(a->r, "wanted_on");
  const char *note = request_field(a->r, "note");
  a->form.typed =
      json_pack("{s:o,s:s,s:s,s:s}", "lines", typed, "shop", shop != NULL ? shop : "", "wanted_on",
                need != NULL ? need : "", "note", note != NULL ? note : "");
  return rc;
}

static int read_typed(struct asking *a, struct tm_error *err)
{
  const struct request *r = a->r;
  const char *note = request_field(r, "note");
  int rc = read_lines(a, err);
  if (rc == 0)
    rc = read_day(a, request_field(r, "wanted_on"), err);
  if (rc == 0 && note != NULL && strlen(note) > NOTE_MAX)
    rc = wrong(a, "note", 0, err, "at most 1000 bytes");
  a->ask.item = a->form.item;
  a->ask.shop = request_field(r, "shop");
  a->ask.note = note != NULL && note[0] != '\0' ? note : NULL;
  a->ask.lines = a->lines;
  return rc;
}

static int make(struct db *db, void *arg, struct tm_error *err)
{
  struct asking *a = arg;
  int rc = 0;
  if (a->form.item != 0 && a->form.about == NULL)
    rc = ask_form_read(db, &a->form, err);
  if (rc == 0 && a->form.item != 0)
    a->ask.recommendation = tm_json_get_string(a->form.about, "key");
  if (rc == 0)
    rc = inquiry_make(db, &a->ask, a->id, &a->again, &a->fault, err);
  return rc == 0 ? inquiry_read(db, a->id, &a->row, err) : rc;
}

static int keep(struct asking *a, int rc, struct response *to, struct tm_error *err)
{
  const struct request *r = a->r;
  char path[sizeof("/inquiries/") + INQUIRY_ID];
  a->ask.user = r->visitor->user_id;
  a->ask.by = r->visitor->name;
  a->ask.now = r->now;
  if (rc == 0)
    rc = store_write(r->desk->store, &r->scope, make, a, err);
  if (rc == 0) {
    clerk_hurry(r->desk->clerk);
    snprintf(path, sizeof(path), "/inquiries/%s", a->id);
    return r->wants_json ? respond_json(r, to, a->again ? 200 : 201, a->row, err)
                         : respond_redirect(to, path, err);
  }
  if (rc != -EINVAL)
    return rc;
  if (r->wants_json || a->form.item == 0)
    return respond_error(r, to, 422, a->fault.field, err->text);
  struct tm_error again = {0};
  rc = store_read(r->desk->store, &r->scope, read_form, a, &again);
  a->form.field = a->fault.field;
  a->form.line = a->fault.line;
  a->form.error = err->text;
  return rc == 0 ? show_form(a, to, 422, err) : rc;
}

static int post_form(const struct request *r, struct response *to, struct tm_error *err)
{
  struct asking a = {.r = r};
  int rc = begin(&a, err);
  if (rc == 0)
    rc = keep(&a, read_typed(&a, err), to, err);
  release(&a);
  return rc;
}

/* --- as a document -------------------------------------------------------------------------- */

struct finding {
  const char *key;
  int64_t item;
};

static int find_item(struct db *db, void *arg, struct tm_error *err)
{
  struct finding *f = arg;
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(
      db, "SELECT id FROM items WHERE (?1 IS NULL OR customer_id = ?1) AND key = ?2", &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_customer(stmt, 1);
  db_bind_text(stmt, 2, f->key);
  rc = db_step(stmt, err);
  if (rc == 1)
    f->item = db_int(stmt, 0);
  db_done(stmt);
  return rc < 0 ? rc : 0;
}

static int read_document(struct asking *a, const json_t *document, struct tm_error *err)
{
  struct finding f = {.key = tm_json_get_string(document, "recommendation")};
  int rc = 0;
  if (f.key != NULL) {
    rc = store_read(a->r->desk->store, &a->r->scope, find_item, &f, err);
    if (rc == 0 && f.item == 0)
      return wrong(a, "recommendation", 0, err, "no item has this key");
  }
  a->form.item = f.item;
  a->ask.item = f.item;
  a->ask.id = tm_json_get_string(document, "id");
  a->ask.shop = tm_json_get_string(document, "shop");
  a->ask.note = tm_json_get_string(document, "note");
  a->ask.lines = json_object_get(document, "lines");
  return rc == 0 ? read_day(a, tm_json_get_string(document, "wanted_on"), err) : rc;
}

static int post_document(const struct request *r, struct response *to, struct tm_error *err)
{
  struct asking a = {.r = r};
  struct json_fault fault;
  json_t *document = request_json(r, err);
  int rc;
  if (document == NULL)
    return respond_error(r, to, 422, NULL, err->text);
  if (json_schema_check(schema_of(SCHEMA_OF_INQUIRY), document, 0, &fault) < 0)
    rc = respond_error(r, to, 422, fault.field, fault.why);
  else
    rc = keep(&a, read_document(&a, document, err), to, err);
  json_decref(document);
  release(&a);
  return rc;
}

const struct route ask_routes[] = {
    {"GET", "/items/{id}/inquiry", ROLE_SALES, 0, "The form by which the factory is asked",
     get_form},
    {"POST", "/items/{id}/inquiry", ROLE_SALES, 65536,
     "Asks the factory: sku and quantity (several), shop, wanted_on, note", post_form},
    {"POST", "/api/v1/items/{id}/inquiry", ROLE_SALES, 65536,
     "Asks the factory: sku and quantity (several), shop, wanted_on, note", post_form},
    {"POST", "/api/v1/inquiries", ROLE_SALES, 65536,
     "Asks the factory by a document as contrib/schema/inquiry.schema.json has it", post_document},
    {0},
};
