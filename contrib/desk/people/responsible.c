/* SPDX-License-Identifier: MIT */
#include "contrib/desk/people/responsible.h"

#include "common/text.h"
#include <stdio.h>
#include <string.h>

/* A stand-in may be away too; of a ring nobody is there. */
enum { STAND_INS = 8, ASSIGNED = 16 };

struct person {
  char name[201], email[255];
  char stand_in[65]; /* who acts on that day; "" when this one does */
  bool away;
};

/* 1, or 0 for no such person. */
static int read_person(struct db *db, const char *staff, int64_t day, struct person *out,
                       struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "SELECT s.name, s.email, CASE WHEN a.staff IS NOT NULL OR s.left_on <= ?2"
                      " THEN 1 ELSE 0 END, COALESCE(a.stand_in, s.stand_in) FROM staff s"
                      " LEFT JOIN absences a ON a.staff = s.staff AND a.from_day <= ?2"
                      " AND a.to_day >= ?2 WHERE s.staff = ?1"
                      " ORDER BY a.stand_in IS NULL, a.from_day LIMIT 1",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, staff);
  db_bind_int(stmt, 2, day);
  rc = db_step(stmt, err);
  if (rc == 1) {
    tm_text_copy(out->name, sizeof(out->name), db_text(stmt, 0));
    tm_text_copy(out->email, sizeof(out->email), db_text(stmt, 1));
    out->away = db_int(stmt, 2) != 0;
    tm_text_copy(out->stand_in, sizeof(out->stand_in), db_text(stmt, 3));
  }
  db_done(stmt);
  return rc;
}

int responsible_for(struct db *db, const char *staff, int64_t day, struct responsible *out,
                    struct tm_error *err)
{
  char who[65], first[201] = "";
  tm_text_copy(who, sizeof(who), staff);
  for (int i = 0; i < STAND_INS && who[0] != '\0'; i++) {
    struct person p = {0};
    int rc = read_person(db, who, day, &p, err);
    if (rc <= 0)
      return rc;
    if (!p.away) {
      tm_text_copy(out->staff, sizeof(out->staff), who);
      tm_text_copy(out->name, sizeof(out->name), p.name);
      tm_text_copy(out->email, sizeof(out->email), p.email);
      tm_text_copy(out->instead_of, sizeof(out->instead_of), first);
      return 1;
    }
    if (i == 0)
      tm_text_copy(first, sizeof(first), p.name);
    tm_text_copy(who, sizeof(who), p.stand_in);
  }
  return 0;
}

/* The most exact first. */
static int read_assigned(struct db *db, const struct responsible_ask *ask,
                         char assigned[ASSIGNED][65], int *n, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  *n = 0;
  int rc =
      db_prepare(db,
                 "SELECT staff FROM assignments WHERE role = ?1"
                 " AND (customer_id IS NULL OR customer_id = ?2)"
                 " AND (site IS NULL OR (site = ?3 AND customer_id IS NOT NULL))"
                 " AND (region IS NULL OR region = ?4) AND (kind IS NULL OR kind = ?5)"
                 " ORDER BY CASE WHEN site IS NOT NULL THEN 0 WHEN customer_id IS NOT NULL"
                 " THEN 1 WHEN region IS NOT NULL THEN 2 ELSE 3 END, kind IS NULL, id LIMIT 16",
                 &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, ask->role);
  db_bind_text(stmt, 2, ask->customer);
  db_bind_text(stmt, 3, ask->site);
  db_bind_text(stmt, 4, ask->region);
  db_bind_text(stmt, 5, ask->kind);
  while ((rc = db_step(stmt, err)) == 1 && *n < ASSIGNED)
    tm_text_copy(assigned[(*n)++], 65, db_text(stmt, 0));
  db_done(stmt);
  return rc < 0 ? rc : 0;
}

int responsible_find(struct db *db, const struct responsible_ask *ask, struct responsible *out,
                     struct tm_error *err)
{
  char assigned[ASSIGNED][65];
  int n = 0;
  int rc = read_assigned(db, ask, assigned, &n, err);
  for (int i = 0; rc == 0 && i < n; i++)
    rc = responsible_for(db, assigned[i], ask->day, out, err);
  return rc;
}
