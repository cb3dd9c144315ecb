/* SPDX-License-Identifier: MIT */
#include "contrib/desk/people/audit.h"

#include "contrib/desk/desk.h"
#include "contrib/desk/people/people.h"

#include <string.h>

int audit_add(struct db *db, const struct audit *e, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "INSERT INTO audit (at, user_id, by_name, role, address, what, subject, text)"
                      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, e->at);
  db_bind_int_or_null(stmt, 2, e->user_id != 0, e->user_id);
  db_bind_text(stmt, 3, e->by);
  db_bind_text(stmt, 4, e->role);
  db_bind_text(stmt, 5, e->address);
  db_bind_text(stmt, 6, e->what);
  db_bind_text(stmt, 7, e->subject);
  db_bind_text(stmt, 8, e->text);
  return db_exec(stmt, err);
}

int audit_request(struct db *db, const struct request *r, const char *what, const char *subject,
                  const char *text, struct tm_error *err)
{
  const struct visitor *v = r->visitor;
  struct audit entry = {.at = r->now,
                        .user_id = v->user_id,
                        .by = v->name != NULL ? v->name : "nobody",
                        .role = role_name(v->role),
                        .address = r->address,
                        .what = what,
                        .subject = subject,
                        .text = text};
  return audit_add(db, &entry, err);
}

int audit_user(struct db *db, const struct request *r, int64_t user_id, const char *what,
               struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "INSERT INTO audit (at, user_id, by_name, role, address, what, subject)"
                      " SELECT ?2, id, name, role, ?3, ?4, login FROM users WHERE id = ?1",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, user_id);
  db_bind_int(stmt, 2, r->now);
  db_bind_text(stmt, 3, r->address);
  db_bind_text(stmt, 4, what);
  return db_exec(stmt, err);
}

struct seen {
  const struct request *r;
  const char *customer;
};

static int do_seen(struct db *db, void *arg, struct tm_error *err)
{
  const struct seen *seen = arg;
  return audit_request(db, seen->r, "seen", seen->customer, NULL, err);
}

int audit_seen(const struct request *r, const char *customer, struct tm_error *err)
{
  struct seen seen = {r, customer};
  const struct visitor *v = r->visitor;
  if (v->customer != NULL || v->user_id == 0 || customer == NULL ||
      !people_sees(r->desk->people, v->user_id, customer, r->now))
    return 0;
  return store_write(r->desk->store, &db_everyone, do_seen, &seen, err);
}
