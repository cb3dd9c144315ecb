/* SPDX-License-Identifier: MIT */
/* What people say about an item: its state, comments, contacts with the customer, wrong advice. */
#include "common/clock.h"
#include "common/number.h"
#include "contrib/desk/advice/items.h"
#include "contrib/desk/desk.h"
#include "contrib/desk/http/fields.h"
#include "contrib/desk/rooms.h"
#include "contrib/desk/sales/life.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct saying {
  const struct request *r;
  int64_t item;
  const char *field; /* what is wrong, for the answer */
  struct life_change change;
  const char *way, *with_whom, *text, *verdict;
  bool to_customer;
  char customer[200];
};

static int read_customer(struct db *db, struct saying *s, struct tm_error *err)
{
  struct db_stmt *stmt;
  int rc = db_prepare(db,
                      "SELECT customer_id FROM items WHERE (?1 IS NULL OR customer_id = ?1)"
                      " AND id = ?2",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_customer(stmt, 1);
  db_bind_int(stmt, 2, s->item);
  rc = db_step(stmt, err);
  if (rc == 1) {
    snprintf(s->customer, sizeof(s->customer), "%s", db_text(stmt, 0));
    rc = 0;
  } else if (rc == 0) {
    rc = tm_fail(err, -ENOENT, "there is no item with this number");
  }
  db_done(stmt);
  return rc;
}

static int begin(struct saying *s, struct tm_error *err)
{
  if (tm_parse_i64(request_part(s->r, "id"), 1, INT64_MAX, &s->item) != 0)
    return tm_fail(err, -ENOENT, "there is no item with this number");
  return 0;
}

/* Does the work, then leads back to the item: a person's page, or 204 for a program. */
static int finish(struct saying *s, store_work *work, int rc, struct response *to,
                  struct tm_error *err)
{
  char path[64];
  if (rc == 0)
    rc = store_write(s->r->desk->store, &s->r->scope, work, s, err);
  if (rc == -EINVAL)
    return respond_error(s->r, to, 422, s->field, err->text);
  if (rc != 0)
    return rc;
  if (s->r->wants_json) {
    to->status = 204;
    return 0;
  }
  snprintf(path, sizeof(path), "/items/%lld", (long long)s->item);
  return respond_redirect(to, path, err);
}

/* --- state
 * ---------------------------------------------------------------------------------------- */

static int write_state(struct db *db, void *arg, struct tm_error *err)
{
  struct saying *s = arg;
  return life_apply(db, &s->change, &s->field, err);
}

static int change_state(const struct request *r, struct response *to, struct tm_error *err)
{
  struct saying s = {.r = r};
  int rc = begin(&s, err);
  if (rc == 0)
    rc = field_must(r, "to", 32, &s.change.to, &s.field, err);
  if (rc == 0)
    rc = field_may(r, "who", FIELD_NAME, &s.change.agreed_by, &s.field, err);
  if (rc == 0)
    rc = field_may(r, "reason", FIELD_TEXT, &s.change.reason, &s.field, err);
  if (rc == 0)
    rc = field_day(r, "on", &s.change.agreed_on, &s.field, err);
  if (rc == 0)
    rc = field_day(r, "until", &s.change.until, &s.field, err);
  if (rc == 0)
    rc = field_number(r, "version", 0, INT64_MAX, &s.change.version, &s.field, err);
  s.change.item = s.item;
  s.change.by = r->visitor->name;
  s.change.staff = r->visitor->staff;
  s.change.now = r->now;
  return finish(&s, write_state, rc, to, err);
}

/* --- comments, contacts, wrong advice
 * --------------------------------------------------------------- */

static int write_comment(struct db *db, void *arg, struct tm_error *err)
{
  struct saying *s = arg;
  struct db_stmt *stmt;
  int rc = read_customer(db, s, err);
  if (rc == 0)
    rc = db_prepare(db,
                    "INSERT INTO comments (customer_id, item_id, at, by_name, by_role, to_customer,"
                    " text) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                    &stmt, err);
  if (rc != 0)
    return rc;
  db_bind_text(stmt, 1, s->customer);
  db_bind_int(stmt, 2, s->item);
  db_bind_int(stmt, 3, s->r->now);
  db_bind_text(stmt, 4, s->r->visitor->name);
  db_bind_text(stmt, 5, role_name(s->r->visitor->role));
  db_bind_int(stmt, 6, s->to_customer);
  db_bind_text(stmt, 7, s->text);
  return db_exec(stmt, err);
}

static int add_comment(const struct request *r, struct response *to, struct tm_error *err)
{
  struct saying s = {.r = r};
  int rc = begin(&s, err);
  if (rc == 0)
    rc = field_must(r, "text", FIELD_TEXT, &s.text, &s.field, err);
  s.to_customer = request_field(r, "to_customer") != NULL;
  return finish(&s, write_comment, rc, to, err);
}

static int write_contact(struct db *db, void *arg, struct tm_error *err)
{
  struct saying *s = arg;
  struct db_stmt *stmt;
  int rc = read_customer(db, s, err);
  if (rc == 0)
    rc = db_prepare(db,
                    "INSERT INTO contacts (customer_id, item_id, at, by_name, way, with_whom, text)"
                    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                    &stmt, err);
  if (rc != 0)
    return rc;
  db_bind_text(stmt, 1, s->customer);
  db_bind_int(stmt, 2, s->item);
  db_bind_int(stmt, 3, s->r->now);
  db_bind_text(stmt, 4, s->r->visitor->name);
  db_bind_text(stmt, 5, s->way);
  db_bind_text(stmt, 6, s->with_whom);
  db_bind_text(stmt, 7, s->text);
  return db_exec(stmt, err);
}

static int add_contact(const struct request *r, struct response *to, struct tm_error *err)
{
  static const char *const ways[] = {"phone", "mail", "visit", "fax", "meeting"};
  struct saying s = {.r = r};
  int rc = begin(&s, err);
  if (rc == 0)
    rc = field_must(r, "way", 16, &s.way, &s.field, err);
  if (rc == 0)
    rc = field_may(r, "with_whom", FIELD_NAME, &s.with_whom, &s.field, err);
  if (rc == 0)
    rc = field_may(r, "text", FIELD_TEXT, &s.text, &s.field, err);
  for (size_t i = 0; rc == 0 && strcmp(ways[i], s.way) != 0; i++)
    if (i + 1 == sizeof(ways) / sizeof(ways[0])) {
      s.field = "way";
      rc = tm_fail(err, -EINVAL, "phone, mail, visit, fax or meeting");
    }
  return finish(&s, write_contact, rc, to, err);
}

static int write_feedback(struct db *db, void *arg, struct tm_error *err)
{
  struct saying *s = arg;
  struct db_stmt *stmt;
  int rc = read_customer(db, s, err);
  if (rc == 0)
    rc = db_prepare(db,
                    "INSERT INTO feedback (customer_id, item_id, at, by_name, verdict, text)"
                    " VALUES (?1, ?2, ?3, ?4, 'wrong', ?5)",
                    &stmt, err);
  if (rc != 0)
    return rc;
  db_bind_text(stmt, 1, s->customer);
  db_bind_int(stmt, 2, s->item);
  db_bind_int(stmt, 3, s->r->now);
  db_bind_text(stmt, 4, s->r->visitor->name);
  db_bind_text(stmt, 5, s->text);
  rc = db_exec(stmt, err);
  return rc == 0 ? item_note(db, s->customer, s->item, s->r->now, s->r->visitor->name, "feedback",
                             NULL, NULL, s->text, err)
                 : rc;
}

static int add_feedback(const struct request *r, struct response *to, struct tm_error *err)
{
  struct saying s = {.r = r};
  int rc = begin(&s, err);
  if (rc == 0)
    rc = field_must(r, "text", FIELD_TEXT, &s.text, &s.field, err);
  return finish(&s, write_feedback, rc, to, err);
}

const struct route talk_routes[] = {
    {"POST", "/items/{id}/state", ROLE_SALES, 16384, "Moves an item on: to, who, on, reason, until",
     change_state},
    {"POST", "/items/{id}/comments", ROLE_SALES | ROLE_SERVICE | ROLE_ENGINEER, 16384,
     "Adds a comment that colleagues see", add_comment},
    {"POST", "/items/{id}/contacts", ROLE_SALES, 16384, "Logs a contact with the customer",
     add_contact},
    {"POST", "/items/{id}/feedback", ROLE_SALES | ROLE_SERVICE | ROLE_ENGINEER, 16384,
     "Says that an advice is wrong, and why", add_feedback},
    {"POST", "/api/v1/items/{id}/state", ROLE_SALES, 16384,
     "Moves an item on: to, who, on, reason, until", change_state},
    {"POST", "/api/v1/items/{id}/comments", ROLE_SALES | ROLE_SERVICE | ROLE_ENGINEER, 16384,
     "Adds a comment that colleagues see", add_comment},
    {"POST", "/api/v1/items/{id}/contacts", ROLE_SALES, 16384, "Logs a contact with the customer",
     add_contact},
    {"POST", "/api/v1/items/{id}/feedback", ROLE_SALES | ROLE_SERVICE | ROLE_ENGINEER, 16384,
     "Says that an advice is wrong, and why", add_feedback},
    {0},
};
