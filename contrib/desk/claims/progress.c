/* SPDX-License-Identifier: MIT */
#include "contrib/desk/claims/progress.h"

#include "common/json.h"
#include "contrib/desk/claims/ask.h"
#include "contrib/desk/claims/claim.h"
#include "contrib/desk/claims/letters.h"
#include "contrib/desk/claims/values.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* --- by itself -----------------------------------------------------------------------------------
 */

struct collecting {
  const struct desk *desk;
  int64_t now, claim;
  json_t *list;
};

static int read_collecting(struct db *db, void *arg, struct tm_error *err)
{
  struct collecting *c = arg;
  struct db_stmt *stmt = NULL;
  json_decref(c->list);
  c->list = json_array();
  int rc =
      db_prepare(db, "SELECT id FROM claims WHERE state = 'collecting' ORDER BY id", &stmt, err);
  json_t *rows = rc == 0 ? db_rows(stmt, err) : NULL, *row;
  size_t i;
  rc = rows != NULL ? 0 : -EIO;
  json_array_foreach(rows, i, row)
  {
    struct claim_progress p = {0};
    char id[32];
    snprintf(id, sizeof(id), "K-%lld", (long long)json_integer_value(json_object_get(row, "id")));
    if (rc == 0)
      rc = claim_progress(db, id, c->now, &p, err);
    if (rc == 0 && claim_is_ready(&p))
      json_array_append(c->list, json_object_get(row, "id"));
  }
  json_decref(rows);
  return rc;
}

/* 1 it was ours to do, 0 another desk has done it. */
static int set_ready(struct db *db, const struct collecting *c, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "UPDATE claims SET state = 'ready', state_at = ?2, ready_at = ?2,"
                      " version = version + 1,"
                      " attach_at = CASE WHEN via = 'crm' THEN ?2 ELSE NULL END"
                      " WHERE id = ?1 AND state = 'collecting'",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, c->claim);
  db_bind_int(stmt, 2, c->now);
  rc = db_exec(stmt, err);
  return rc < 0 ? rc : db_changes(stmt) == 1;
}

/* Each time of asking has a letter of its own. */
static int tell_ready(struct db *db, const struct collecting *c, struct tm_error *err)
{
  json_t *claim = NULL, *values = NULL;
  char what[48];
  int rc = claim_read(db, c->claim, &claim, err);
  if (rc == 0) {
    values = claim_values(db, claim, c->now, err);
    rc = values != NULL ? 0 : -EIO;
  }
  if (rc == 0) {
    snprintf(what, sizeof(what), "ready-%lld",
             (long long)json_integer_value(json_object_get(claim, "asked_at")));
    rc = letters_claim(db, c->desk, c->claim, what, "mail-claim.txt", values, c->now, err);
  }
  json_decref(values);
  json_decref(claim);
  return rc;
}

static int make_ready(struct db *db, void *arg, struct tm_error *err)
{
  const struct collecting *c = arg;
  int rc = set_ready(db, c, err);
  if (rc <= 0)
    return rc;
  rc = claim_note(db, c->claim, c->now, "desk", "state", "collecting", "ready", NULL, err);
  return rc == 0 ? tell_ready(db, c, err) : rc;
}

int claims_work(const struct desk *desk, int64_t now, struct tm_error *err)
{
  struct collecting c = {.desk = desk, .now = now};
  int rc = store_read(desk->store, &db_everyone, read_collecting, &c, err);
  size_t i;
  const json_t *id;
  json_array_foreach(c.list, i, id)
  {
    c.claim = json_integer_value(id);
    if (rc == 0)
      rc = store_write(desk->store, &db_everyone, make_ready, &c, err);
  }
  json_decref(c.list);
  return rc;
}

/* --- by people -----------------------------------------------------------------------------------
 */

bool claim_may(const char *from, const char *to)
{
  static const char *const moves[][2] = {
      {"open", "answered"},     {"collecting", "answered"}, {"ready", "answered"},
      {"answered", "answered"}, {"open", "closed"},         {"collecting", "closed"},
      {"ready", "closed"},      {"answered", "closed"},     {"closed", "open"},
  };
  for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++)
    if (strcmp(moves[i][0], from) == 0 && strcmp(moves[i][1], to) == 0)
      return true;
  return false;
}

static int check_move(struct claim_move *m, const json_t *claim, struct tm_error *err)
{
  const char *from = tm_json_get_string(claim, "state");
  m->field = "version";
  if (m->version != 0 && m->version != json_integer_value(json_object_get(claim, "version")))
    return tm_fail(err, -EEXIST, "the claim was changed meanwhile");
  m->field = "to";
  if (!claim_may(from, m->to))
    return tm_fail(err, -EINVAL, "a claim that is %s cannot become %.20s", from, m->to);
  m->field = "text";
  if (strcmp(m->to, "answered") == 0 && m->text == NULL)
    return tm_fail(err, -EINVAL, "say what the customer was told");
  m->field = NULL;
  return 0;
}

static int write_move(struct db *db, const struct claim_move *m, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  bool answer = strcmp(m->to, "answered") == 0;
  int rc = db_prepare(db,
                      "UPDATE claims SET state = ?2, state_at = ?3, version = version + 1,"
                      " answer = CASE WHEN ?4 = 1 THEN ?5 ELSE answer END,"
                      " answered_at = CASE WHEN ?4 = 1 THEN ?3 ELSE answered_at END,"
                      " answered_by = CASE WHEN ?4 = 1 THEN ?6 ELSE answered_by END"
                      " WHERE id = ?1",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, m->claim);
  db_bind_text(stmt, 2, m->to);
  db_bind_int(stmt, 3, m->now);
  db_bind_int(stmt, 4, answer);
  db_bind_text(stmt, 5, m->text);
  db_bind_text(stmt, 6, m->by);
  return db_exec(stmt, err);
}

int claim_move(struct db *db, void *move, struct tm_error *err)
{
  struct claim_move *m = move;
  json_t *claim = NULL;
  int rc = claim_read(db, m->claim, &claim, err);
  if (rc == 0)
    rc = check_move(m, claim, err);
  if (rc == 0)
    rc = write_move(db, m, err);
  if (rc == 0)
    rc = claim_note(db, m->claim, m->now, m->by, "state", tm_json_get_string(claim, "state"), m->to,
                    m->text, err);
  if (rc == 0 && strcmp(m->to, "closed") == 0)
    rc = claim_withdraw(db, m->claim, m->now, err);
  json_decref(claim);
  return rc;
}
