/* SPDX-License-Identifier: MIT */
#include "common/json.h"
#include "common/number.h"
#include "contrib/desk/desk.h"
#include "contrib/desk/http/fields.h"
#include "contrib/desk/people/accounts.h"
#include "contrib/desk/people/audit.h"
#include "contrib/desk/rooms.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

enum { AUDIT_PAGE = 50 };

/* --- accounts --------------------------------------------------------------------------------- */

static struct account account_by(const struct request *r)
{
  const struct visitor *v = r->visitor;
  return (struct account){.now = r->now,
                          .by_id = v->user_id,
                          .by = v->name,
                          .by_role = role_name(v->role),
                          .address = r->address};
}

/* A link is shown once, to whom made it: it is theirs to hand over. */
static json_t *link_model(const struct request *r, const struct account *a)
{
  char link[256];
  if (a == NULL || a->secret[0] == '\0')
    return NULL;
  snprintf(link, sizeof(link), "%.160s/login/%s", desk_url(r->desk), a->secret);
  return json_pack("{s:s, s:s, s:i}", "login", a->login, "url", link, "hours", LINK_HOURS);
}

/* A customer is made, nobody becomes one: the last of the list is for a new account alone. */
static json_t *role_choices(const char *chosen, bool is_new)
{
  static const char *const roles[] = {"sales",    "service", "factory",
                                      "engineer", "admin",   "customer"};
  json_t *list = json_array();
  for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]) - !is_new; i++)
    json_array_append_new(list, json_pack("{s:s, s:b}", "role", roles[i], "chosen",
                                          chosen != NULL && strcmp(chosen, roles[i]) == 0));
  return list;
}

/* Which row is who looks; returns how many are open. */
static int mark_rows(const struct request *r, json_t *rows)
{
  size_t i;
  json_t *row;
  int open = 0;
  json_array_foreach(rows, i, row)
  {
    bool own = json_integer_value(json_object_get(row, "id")) == r->visitor->user_id;
    json_object_set_new(row, "own", json_boolean(own));
    json_object_set_new(row, "roles", role_choices(tm_json_get_string(row, "role"), false));
    open += json_is_null(json_object_get(row, "disabled_at"));
  }
  return open;
}

static json_t *people_model(const struct request *r, json_t *rows, const char *error,
                            const struct account *made)
{
  const char *role = request_field(r, "role");
  const char *login = error != NULL ? request_field(r, "login") : NULL;
  const char *name = error != NULL ? request_field(r, "name") : NULL;
  const char *customer = error != NULL ? request_field(r, "customer") : NULL;
  int open = mark_rows(r, rows);
  return json_pack("{s:s, s:o, s:i, s:i, s:s?, s:o*, s:o, s:{s:s?, s:s?, s:s?}}", "title", "People",
                   "people", rows, "count", (int)json_array_size(rows), "open", open, "error",
                   error, "link", link_model(r, made), "roles",
                   role_choices(role != NULL ? role : "sales", true), "typed", "login", login,
                   "name", name, "customer", customer);
}

static int show_people(const struct request *r, struct response *to, int status, const char *error,
                       const struct account *made, struct tm_error *err)
{
  struct account all = {0};
  int rc = store_read(r->desk->store, &db_everyone, account_list, &all, err);
  if (rc < 0)
    return rc;
  json_t *model = people_model(r, all.list, error, made);
  rc = r->wants_json ? respond_json(r, to, status, model, err)
                     : respond_page(r, to, status, "people.html", model, err);
  json_decref(model);
  return rc;
}

static int get_people(const struct request *r, struct response *to, struct tm_error *err)
{
  return show_people(r, to, 200, NULL, NULL, err);
}

/* "" is what an empty field sends. */
static const char *field(const struct request *r, const char *name)
{
  const char *value = request_field(r, name);
  return value != NULL && value[0] != '\0' ? value : NULL;
}

static int post_people(const struct request *r, struct response *to, struct tm_error *err)
{
  struct account a = account_by(r);
  a.login = field(r, "login");
  a.name = field(r, "name");
  a.role = field(r, "role");
  a.customer = field(r, "customer");
  a.staff = field(r, "staff");
  if (a.login == NULL)
    return show_people(r, to, 422, "Write an e-mail address.", NULL, err);
  int rc = store_write(r->desk->store, &db_everyone, account_add, &a, err);
  if (rc == -EINVAL || rc == -EEXIST || rc == -ENOENT)
    return show_people(r, to, 422, err->text, NULL, err);
  return rc == 0 ? show_people(r, to, 200, NULL, &a, err) : rc;
}

static int change(const struct request *r, struct response *to, store_work *work,
                  struct tm_error *err)
{
  struct account a = account_by(r);
  char said[64];
  int rc = part_number(r, "id", &a.id, "no such account", err);
  if (rc < 0)
    return rc;
  a.role = field(r, "role");
  rc = store_write(r->desk->store, &db_everyone, work, &a, err);
  if (rc == -EINVAL)
    return show_people(r, to, 422, err->text, NULL, err);
  if (rc < 0)
    return rc;
  if (work != account_link) /* the sessions have ended */
    topics_end_user(r->desk->topics, a.id);
  if (a.secret[0] != '\0')
    return show_people(r, to, 200, NULL, &a, err);
  snprintf(said, sizeof(said), "/people#p-%" PRId64, a.id);
  return respond_redirect(to, said, err);
}

static int post_link(const struct request *r, struct response *to, struct tm_error *err)
{
  return change(r, to, account_link, err);
}

static int post_disable(const struct request *r, struct response *to, struct tm_error *err)
{
  return change(r, to, account_disable, err);
}

static int post_enable(const struct request *r, struct response *to, struct tm_error *err)
{
  return change(r, to, account_enable, err);
}

static int post_role(const struct request *r, struct response *to, struct tm_error *err)
{
  return change(r, to, account_role, err);
}

/* --- the audit log ------------------------------------------------------------------------------
 */

struct audit_query {
  int64_t before; /* row; those older than it */
  const char *what, *subject;
  json_t *rows;
};

static int read_audit(struct db *db, void *arg, struct tm_error *err)
{
  struct audit_query *q = arg;
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "SELECT id, at, by_name, role, address, what, subject, text FROM audit"
                      " WHERE id < ?1 AND (?2 IS NULL OR what = ?2)"
                      " AND (?3 IS NULL OR subject = ?3) ORDER BY id DESC LIMIT ?4",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, q->before);
  db_bind_text(stmt, 2, q->what);
  db_bind_text(stmt, 3, q->subject);
  db_bind_int(stmt, 4, AUDIT_PAGE + 1);
  return db_take_rows(stmt, &q->rows, err);
}

static const char *asked(const struct request *r, const char *name)
{
  const char *value = request_query(r, name);
  return value != NULL && value[0] != '\0' ? value : NULL;
}

/* "&name=value" behind a path; nothing without a value. */
static int add_query(struct tm_buf *path, const char *name, const char *value)
{
  if (value == NULL)
    return 0;
  int rc = tm_buf_printf(path, "&%s=", name);
  return rc == 0 ? tm_buf_percent(path, value) : rc;
}

/* What is older than the last row, under the same filters. */
static json_t *pager_model(const struct audit_query *q)
{
  struct tm_buf older = TM_BUF_INIT(1024);
  json_t *pager = NULL;
  size_t n = json_array_size(q->rows);
  if (n <= AUDIT_PAGE)
    return NULL;
  json_array_remove(q->rows, AUDIT_PAGE);
  json_int_t last =
      json_integer_value(json_object_get(json_array_get(q->rows, AUDIT_PAGE - 1), "id"));
  if (tm_buf_printf(&older, "/audit?before=%lld", (long long)last) == 0 &&
      add_query(&older, "what", q->what) == 0 && add_query(&older, "subject", q->subject) == 0)
    pager = json_pack("{s:s, s:s}", "text", "newest first", "older", older.ptr);
  tm_buf_release(&older);
  return pager;
}

static json_t *audit_model(const struct audit_query *q)
{
  json_t *pager = pager_model(q);
  json_t *empty = NULL;
  if (json_array_size(q->rows) == 0)
    empty = json_pack("{s:s, s:s, s:[{s:s, s:s, s:b}]}", "title", "No entry matches", "text",
                      "Nothing of this kind was written down, or it is older than the desk keeps.",
                      "actions", "path", "/audit", "text", "Show all", "primary", 1);
  return json_pack("{s:s, s:b, s:o, s:o*, s:o*, s:s?, s:s?}", "title", "Audit", "any",
                   json_array_size(q->rows) > 0, "rows", q->rows, "pager", pager, "empty", empty,
                   "what", q->what, "subject", q->subject);
}

static int get_audit(const struct request *r, struct response *to, struct tm_error *err)
{
  struct audit_query q = {
      .before = INT64_MAX, .what = asked(r, "what"), .subject = asked(r, "subject")};
  const char *before = asked(r, "before");
  if (before != NULL && tm_parse_i64(before, 1, INT64_MAX, &q.before) < 0)
    return tm_fail(err, -EINVAL, "before: a number is wanted");
  int rc = store_read(r->desk->store, &db_everyone, read_audit, &q, err);
  if (rc < 0)
    return rc;
  json_t *model = audit_model(&q);
  rc = respond_model(r, to, "audit.html", model, err);
  json_decref(model);
  return rc;
}

const struct route staff_routes[] = {
    {"GET", "/people", ROLE_ADMIN, 0, "All accounts, and a form for another.", get_people},
    {"POST", "/people", ROLE_ADMIN, 4096, "Adds an account; its one-time link is shown once.",
     post_people},
    {"POST", "/people/{id}/link", ROLE_ADMIN, 1024, "Makes a one-time link, which is shown once.",
     post_link},
    {"POST", "/people/{id}/disable", ROLE_ADMIN, 1024, "Shuts an account and ends its sessions.",
     post_disable},
    {"POST", "/people/{id}/enable", ROLE_ADMIN, 1024, "Opens an account again.", post_enable},
    {"POST", "/people/{id}/role", ROLE_ADMIN, 1024, "Changes a role and ends its sessions.",
     post_role},
    {"GET", "/audit", ROLE_ADMIN, 0, "Who did what, newest first.", get_audit},
    {0},
};
