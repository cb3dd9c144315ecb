/* SPDX-License-Identifier: MIT */
/* What people say about an item: its state, comments, contacts with the customer, wrong advice. */
#include "common/clock.h"
#include "contrib/desk/advice/items.h"
#include "contrib/desk/desk.h"
#include "contrib/desk/http/fields.h"
#include "contrib/desk/people/audit.h"
#include "contrib/desk/rooms.h"
#include "contrib/desk/sales/find.h"
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
  struct db_stmt *stmt = NULL;
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
  return part_number(s->r, "id", &s->item, "there is no item with this number", err);
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

/* An INSERT whose first four columns are customer, item, time and name. */
static int begin_row(struct db *db, struct saying *s, const char *sql, struct db_stmt **stmt,
                     struct tm_error *err)
{
  int rc = read_customer(db, s, err);
  if (rc == 0)
    rc = db_prepare(db, sql, stmt, err);
  if (rc != 0)
    return rc;
  db_bind_text(*stmt, 1, s->customer);
  db_bind_int(*stmt, 2, s->item);
  db_bind_int(*stmt, 3, s->r->now);
  db_bind_text(*stmt, 4, s->r->visitor->name);
  return 0;
}

static int write_comment(struct db *db, void *arg, struct tm_error *err)
{
  struct saying *s = arg;
  struct db_stmt *stmt = NULL;
  int rc =
      begin_row(db, s,
                "INSERT INTO comments (customer_id, item_id, at, by_name, by_role, to_customer,"
                " text) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                &stmt, err);
  if (rc != 0)
    return rc;
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
  struct db_stmt *stmt = NULL;
  int rc =
      begin_row(db, s,
                "INSERT INTO contacts (customer_id, item_id, at, by_name, way, with_whom, text)"
                " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                &stmt, err);
  if (rc != 0)
    return rc;
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
  struct db_stmt *stmt = NULL;
  int rc = begin_row(db, s,
                     "INSERT INTO feedback (customer_id, item_id, at, by_name, verdict, text)"
                     " VALUES (?1, ?2, ?3, ?4, 'wrong', ?5)",
                     &stmt, err);
  if (rc != 0)
    return rc;
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

/* --- whose it is
 * --------------------------------------------------------------------------------------------- */

/* The name of a person of the staff who is still here; "" for nobody. -EINVAL for no such one. */
static int staff_name(struct db *db, struct saying *s, const char *staff, char name[201],
                      struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "SELECT name FROM staff WHERE staff = ?1"
                      " AND (left_on IS NULL OR left_on > ?2)",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, staff);
  db_bind_int(stmt, 2, tm_date_days(s->r->now));
  rc = db_step(stmt, err);
  if (rc == 1)
    snprintf(name, 201, "%s", db_text(stmt, 0));
  db_done(stmt);
  if (rc == 0) {
    s->field = "staff";
    return tm_fail(err, -EINVAL, "nobody of the staff has this number");
  }
  return rc < 0 ? rc : 0;
}

static int write_owner(struct db *db, void *arg, struct tm_error *err)
{
  struct saying *s = arg;
  struct db_stmt *stmt = NULL;
  char name[201] = "nobody", subject[32], text[300];
  int rc = read_customer(db, s, err);
  if (rc == 0 && s->with_whom != NULL)
    rc = staff_name(db, s, s->with_whom, name, err);
  if (rc == 0)
    rc = db_prepare(db,
                    "UPDATE items SET owner = ?2, version = version + 1"
                    " WHERE (?1 IS NULL OR customer_id = ?1) AND id = ?3",
                    &stmt, err);
  if (rc != 0)
    return rc;
  db_bind_customer(stmt, 1);
  db_bind_text(stmt, 2, s->with_whom);
  db_bind_int(stmt, 3, s->item);
  rc = db_exec(stmt, err);
  snprintf(subject, sizeof(subject), "item %lld", (long long)s->item);
  snprintf(text, sizeof(text), "looked after by %s", name);
  if (rc == 0)
    rc = audit_request(db, s->r, "owner", subject, text, err);
  return rc == 0 ? item_note(db, s->customer, s->item, s->r->now, s->r->visitor->name, "owner",
                             NULL, NULL, text, err)
                 : rc;
}

static int change_owner(const struct request *r, struct response *to, struct tm_error *err)
{
  struct saying s = {.r = r};
  int rc = begin(&s, err);
  if (rc == 0)
    rc = field_may(r, "staff", 64, &s.with_whom, &s.field, err);
  return finish(&s, write_owner, rc, to, err);
}

/* --- for programs: what was said
 * ----------------------------------------------------------------------------- */

struct hearing {
  int64_t item, before;
  int limit;
  json_t *comments;
};

static int read_comments(struct db *db, void *arg, struct tm_error *err)
{
  struct hearing *h = arg;
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "SELECT id, item_id, at, by_name, by_role, to_customer, text FROM comments"
                      " WHERE (?1 IS NULL OR customer_id = ?1) AND item_id = ?2"
                      " AND (?3 IS NULL OR id < ?3) ORDER BY id DESC LIMIT ?4",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_customer(stmt, 1);
  db_bind_int(stmt, 2, h->item);
  db_bind_int_or_null(stmt, 3, h->before != 0, h->before);
  db_bind_int(stmt, 4, h->limit + 1);
  return db_take_rows(stmt, &h->comments, err);
}

static int read_hearing(struct db *db, void *arg, struct tm_error *err)
{
  struct saying s = {.item = ((struct hearing *)arg)->item};
  int rc = read_customer(db, &s, err); /* the item must be there */
  return rc == 0 ? read_comments(db, arg, err) : rc;
}

static int list_comments(const struct request *r, struct response *to, struct tm_error *err)
{
  struct saying s = {.r = r};
  struct hearing h = {0};
  int rc = begin(&s, err);
  h.item = s.item;
  if (rc == 0)
    rc = find_page(r, "after", &h.before, &h.limit, &s.field, err);
  if (rc == -EINVAL)
    return respond_error(r, to, 422, s.field, err->text);
  if (rc == 0)
    rc = store_read(r->desk->store, &r->scope, read_hearing, &h, err);
  if (rc == 0) {
    json_t *next = find_next(h.comments, h.limit);
    json_t *model = json_pack("{s:O, s:o}", "comments", h.comments, "next", next);
    rc = respond_json(r, to, 200, model, err);
    json_decref(model);
  }
  json_decref(h.comments);
  return rc;
}

const struct route talk_routes[] = {
    {"POST", "/items/{id}/state", ROLE_SALES, 16384, "Moves an item on: to, who, on, reason, until",
     change_state},
    {"POST", "/items/{id}/comments", ROLE_SALES | ROLE_SERVICE | ROLE_ENGINEER, 16384,
     "Adds a comment that colleagues see", add_comment},
    {"POST", "/items/{id}/contacts", ROLE_SALES, 16384, "Logs a contact with the customer",
     add_contact},
    {"POST", "/items/{id}/owner", ROLE_SALES, 4096, "Says who of the staff looks after an item",
     change_owner},
    {"POST", "/items/{id}/feedback", ROLE_SALES | ROLE_SERVICE | ROLE_ENGINEER, 16384,
     "Says that an advice is wrong, and why", add_feedback},
    {"POST", "/api/v1/items/{id}/state", ROLE_SALES, 16384,
     "Moves an item on: to, who, on, reason, until", change_state},
    {"POST", "/api/v1/items/{id}/comments", ROLE_SALES | ROLE_SERVICE | ROLE_ENGINEER, 16384,
     "Adds a comment that colleagues see", add_comment},
    {"POST", "/api/v1/items/{id}/contacts", ROLE_SALES, 16384, "Logs a contact with the customer",
     add_contact},
    {"POST", "/api/v1/items/{id}/owner", ROLE_SALES, 4096,
     "Says who of the staff looks after an item", change_owner},
    {"GET", "/api/v1/items/{id}/comments", ROLE_SALES | ROLE_SERVICE | ROLE_ENGINEER, 0,
     "What colleagues said of an item, the newest first", list_comments},
    {"POST", "/api/v1/items/{id}/feedback", ROLE_SALES | ROLE_SERVICE | ROLE_ENGINEER, 16384,
     "Says that an advice is wrong, and why", add_feedback},
    {0},
};
