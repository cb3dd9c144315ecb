/* SPDX-License-Identifier: MIT */
/* What staff has to do: contacts of product pages with all that the letter said, whose a contact
 * is, and what customers answered to advice. */
#include "common/json.h"
#include "contrib/desk/desk.h"
#include "contrib/desk/http/fields.h"
#include "contrib/desk/http/filters.h"
#include "contrib/desk/people/audit.h"
#include "contrib/desk/public/contact.h"
#include "contrib/desk/public/seal.h"
#include "contrib/desk/public/whose.h"
#include "contrib/desk/rooms.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { TODOS = 100 };
#define WHO     (ROLE_SALES | ROLE_SERVICE | ROLE_ADMIN)
#define NO_TASK "there is no such task"

struct todo {
  const struct request *r;
  int64_t id;
  const char *whose, *state, *field, *staff, *customer;
  bool done;
  json_t *list, *row, *view, *candidates, *people;
};

static void todo_release(struct todo *t)
{
  json_decref(t->list);
  json_decref(t->row);
  json_decref(t->view);
  json_decref(t->candidates);
  json_decref(t->people);
  t->list = t->row = t->view = t->candidates = t->people = NULL;
}

/* --- the list ------------------------------------------------------------------------------- */

static int read_list(struct db *db, void *arg, struct tm_error *err)
{
  struct todo *t = arg;
  struct db_stmt *stmt = NULL;
  const char *staff = t->r->visitor->staff;
  todo_release(t);
  int rc = db_prepare(db,
                      "SELECT t.id, t.kind, t.title, t.made_at, t.done_at, t.done_by,"
                      " c.name AS customer, s.name AS staff FROM todos t"
                      " LEFT JOIN customers c ON c.customer_id = t.customer_id"
                      " LEFT JOIN staff s ON s.staff = t.staff"
                      " WHERE (t.done_at IS NOT NULL) = (?1 = 'done')"
                      " AND (?2 = 'all' OR (?2 = 'mine' AND t.staff = ?3)"
                      " OR (?2 = 'team' AND t.staff IS NULL)) ORDER BY t.id DESC LIMIT ?4",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, t->state);
  db_bind_text(stmt, 2, t->whose);
  db_bind_text(stmt, 3, staff != NULL ? staff : "");
  db_bind_int(stmt, 4, TODOS);
  return db_take_rows(stmt, &t->list, err);
}

static const char *one_of(const char *const (*rows)[2], const char *given)
{
  for (size_t i = 0; given != NULL && rows[i][0] != NULL; i++)
    if (strcmp(rows[i][0], given) == 0)
      return rows[i][0];
  return rows[0][0];
}

static int list_todos(const struct request *r, struct response *to, struct tm_error *err)
{
  static const char *const whose[][2] = {
      {"all", "Everybody's"}, {"mine", "Mine"}, {"team", "Nobody's yet"}, {NULL, NULL}};
  static const char *const states[][2] = {{"open", "Open"}, {"done", "Done"}, {NULL, NULL}};
  struct todo t = {.r = r,
                   .whose = one_of(whose, request_query(r, "whose")),
                   .state = one_of(states, request_query(r, "state"))};
  int rc = store_read(r->desk->store, &r->scope, read_list, &t, err);
  if (rc == 0) {
    json_t *model =
        json_pack("{s:s, s:O, s:b, s:i, s:o, s:o}", "title", "Tasks", "tasks", t.list, "some",
                  json_array_size(t.list) > 0, "shown", (int)json_array_size(t.list), "whose",
                  filter_options(whose, t.whose), "states", filter_options(states, t.state));
    rc = respond_model(r, to, "tasks.html", model, err);
    json_decref(model);
  }
  todo_release(&t);
  return rc;
}

/* --- one ------------------------------------------------------------------------------------ */

static int read_row(struct db *db, struct todo *t, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "SELECT t.id, t.kind, t.title, t.text, t.made_at, t.done_at, t.done_by,"
                      " t.customer_id, c.name AS customer, t.contact_id, t.item_id, t.staff,"
                      " s.name AS staff_name FROM todos t"
                      " LEFT JOIN customers c ON c.customer_id = t.customer_id"
                      " LEFT JOIN staff s ON s.staff = t.staff WHERE t.id = ?1",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, t->id);
  return db_take_row(stmt, &t->row, NO_TASK, err);
}

static int read_people(struct db *db, struct todo *t, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "SELECT staff, name, role FROM staff WHERE left_on IS NULL"
                      " ORDER BY name LIMIT 500",
                      &stmt, err);
  if (rc < 0)
    return rc;
  return db_take_rows(stmt, &t->people, err);
}

static int read_todo(struct db *db, void *arg, struct tm_error *err)
{
  struct todo *t = arg;
  todo_release(t);
  int rc = read_row(db, t, err);
  int64_t contact = rc == 0 ? json_integer_value(json_object_get(t->row, "contact_id")) : 0;
  if (rc == 0 && contact != 0)
    rc = contact_view(db, contact, &t->view, err);
  if (rc == 0 && contact != 0 && tm_json_get_string(t->row, "customer_id") == NULL) {
    const json_t *row = json_object_get(t->view, "contact");
    rc = whose_candidates(db, tm_json_get_string(row, "given_number"),
                          tm_json_get_string(row, "email"), &t->candidates, err);
  }
  return rc == 0 ? read_people(db, t, err) : rc;
}

/* A link to the product that knows the customer, to be put into an answer. */
static void add_link(const struct todo *t, json_t *model, struct tm_error *err)
{
  char mark[SEAL_MARK];
  struct tm_secret key;
  const char *customer = tm_json_get_string(t->row, "customer_id");
  if (customer == NULL || t->view == NULL || t->r->desk->conf->public_url == NULL ||
      seal_key(t->r->desk->store, &key, err) < 0)
    return;
  seal_mark(mark, &key, customer);
  tm_secret_release(&key);
  json_object_set_new(model, "mark", json_string(mark));
  json_object_set_new(model, "base", json_string(t->r->desk->conf->public_url));
}

static int show_todo(const struct request *r, struct response *to, struct tm_error *err)
{
  struct todo t = {.r = r};
  int rc = part_number(t.r, "id", &t.id, NO_TASK, err);
  if (rc == 0)
    rc = store_read(r->desk->store, &r->scope, read_todo, &t, err);
  const char *customer = rc == 0 ? tm_json_get_string(t.row, "customer_id") : NULL;
  if (customer != NULL)
    rc = audit_seen(r, customer, err);
  if (rc == 0) {
    json_t *model = t.view != NULL ? json_copy(t.view) : json_object();
    json_object_set(model, "task", t.row);
    json_object_set(model, "title", json_object_get(t.row, "title"));
    json_object_set(model, "people", t.people);
    json_object_set_new(model, "is_open",
                        json_boolean(!json_is_integer(json_object_get(t.row, "done_at"))));
    json_object_set_new(model, "is_whose", json_boolean(t.view != NULL && customer == NULL));
    if (t.candidates != NULL)
      json_object_set(model, "candidates", t.candidates);
    add_link(&t, model, err);
    rc = respond_model(r, to, "task.html", model, err);
    json_decref(model);
  }
  todo_release(&t);
  return rc;
}

/* --- doing ---------------------------------------------------------------------------------- */

static int change(struct db *db, const struct todo *t, const char *sql, const char *a,
                  const char *b, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db, sql, &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, t->id);
  db_bind_text(stmt, 2, a);
  if (strstr(sql, "?3") != NULL)
    db_bind_text(stmt, 3, b);
  if (strstr(sql, "?4") != NULL)
    db_bind_int(stmt, 4, t->r->now);
  rc = db_exec(stmt, err);
  return rc == 0 && db_changes(stmt) == 0 ? tm_fail(err, -ENOENT, NO_TASK) : rc;
}

static int write_done(struct db *db, void *arg, struct tm_error *err)
{
  struct todo *t = arg;
  return change(db, t,
                "UPDATE todos SET done_by = CASE WHEN ?3 = '1' THEN ?2 ELSE NULL END,"
                " done_at = CASE WHEN ?3 = '1' THEN ?4 ELSE NULL END WHERE id = ?1",
                t->r->visitor->name, t->done ? "1" : "0", err);
}

static int write_staff(struct db *db, void *arg, struct tm_error *err)
{
  struct todo *t = arg;
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db, "SELECT 1 FROM staff WHERE staff = ?1 AND left_on IS NULL", &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, t->staff);
  rc = db_step(stmt, err);
  db_done(stmt);
  if (rc < 0)
    return rc;
  todo_release(t);
  int found = read_row(db, t, err);
  if (found < 0)
    return found;
  if (rc == 0) {
    t->field = "staff";
    return tm_fail(err, -EINVAL, "%s: nobody of the staff", t->staff);
  }
  return change(db, t, "UPDATE todos SET staff = ?2 WHERE id = ?1", t->staff, NULL, err);
}

static int write_customer(struct db *db, void *arg, struct tm_error *err)
{
  struct todo *t = arg;
  todo_release(t);
  int rc = read_row(db, t, err);
  int64_t contact = rc == 0 ? json_integer_value(json_object_get(t->row, "contact_id")) : 0;
  if (rc == 0 && contact == 0)
    rc = tm_fail(err, -EINVAL, "this task is no contact");
  t->field = "customer";
  return rc == 0 ? contact_assign(db, t->r->desk, contact, t->customer, t->r->visitor->name,
                                  t->r->now, err)
                 : rc;
}

static int finish(struct todo *t, store_work *work, struct response *to, struct tm_error *err)
{
  char path[64];
  int rc = part_number(t->r, "id", &t->id, NO_TASK, err);
  if (rc == 0)
    rc = store_write(t->r->desk->store, &t->r->scope, work, t, err);
  todo_release(t);
  if (rc == -EINVAL)
    return respond_error(t->r, to, 422, t->field, err->text);
  if (rc < 0)
    return rc;
  if (t->r->wants_json) {
    to->status = 204;
    return 0;
  }
  snprintf(path, sizeof(path), "/tasks/%lld", (long long)t->id);
  return respond_redirect(to, path, err);
}

static int mark_done(const struct request *r, struct response *to, struct tm_error *err)
{
  struct todo t = {.r = r, .done = true};
  return finish(&t, write_done, to, err);
}

static int mark_open(const struct request *r, struct response *to, struct tm_error *err)
{
  struct todo t = {.r = r};
  return finish(&t, write_done, to, err);
}

static int assign(const struct request *r, struct response *to, struct tm_error *err)
{
  struct todo t = {.r = r, .staff = request_field(r, "staff")};
  t.staff = t.staff != NULL ? t.staff : "";
  return finish(&t, write_staff, to, err);
}

static int say_whose(const struct request *r, struct response *to, struct tm_error *err)
{
  struct todo t = {.r = r, .customer = request_field(r, "customer")};
  t.customer = t.customer != NULL ? t.customer : "";
  return finish(&t, write_customer, to, err);
}

const struct route todo_routes[] = {
    {"GET", "/tasks", WHO, 0, "What there is to do: contacts, and what customers answered",
     list_todos},
    {"GET", "/tasks/{id}", WHO, 0, "One task with contact, customer, devices and product",
     show_todo},
    {"POST", "/tasks/{id}/done", WHO, 4096, "Marks a task as done", mark_done},
    {"POST", "/tasks/{id}/open", WHO, 4096, "Takes a task up again", mark_open},
    {"POST", "/tasks/{id}/assign", WHO, 4096, "Gives a task to a person", assign},
    {"POST", "/tasks/{id}/customer", WHO, 4096, "Says whose a contact is", say_whose},
    {"GET", "/api/v1/tasks", WHO, 0, "What there is to do", list_todos},
    {"GET", "/api/v1/tasks/{id}", WHO, 0, "One task with contact, customer, devices and product",
     show_todo},
    {0},
};
