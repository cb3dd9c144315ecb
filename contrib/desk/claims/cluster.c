/* SPDX-License-Identifier: MIT */
#include "contrib/desk/claims/cluster.h"

#include "common/clock.h"
#include "common/json.h"
#include "common/sign.h"
#include "contrib/desk/claims/claim.h"
#include "contrib/desk/mail/mail.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LISTED = 20 };

/* Kinds are what people and programs call them: "Image too light" is one with "image too light". */
#define SAME " FROM claims WHERE model = ?1 AND lower(type) = lower(?2)"

int cluster_count(struct db *db, const char *model, const char *type, int64_t at, int64_t *n,
                  struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  *n = 0;
  int rc = db_prepare(db, "SELECT COUNT(*)" SAME " AND claimed_at > ?3 AND claimed_at <= ?4", &stmt,
                      err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, model);
  db_bind_text(stmt, 2, type);
  db_bind_int(stmt, 3, at - CLUSTER_DAYS * TM_DAY);
  db_bind_int(stmt, 4, at);
  rc = db_step(stmt, err);
  *n = rc == 1 ? db_int(stmt, 0) : 0;
  db_done(stmt);
  return rc < 0 ? rc : 0;
}

struct cluster {
  const struct desk *desk;
  const char *model, *type;
  int64_t at, now; /* at: of the newest claim */
  int64_t n;
  char about[TM_SHA256_HEX];
};

/* A claim may come late, and be older than others that are here: the newest counts. */
static int find_newest(struct db *db, struct cluster *c, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db, "SELECT MAX(claimed_at)" SAME " AND claimed_at <= ?3", &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, c->model);
  db_bind_text(stmt, 2, c->type);
  db_bind_int(stmt, 3, c->at + CLUSTER_DAYS * TM_DAY);
  rc = db_step(stmt, err);
  if (rc == 1 && !db_is_null(stmt, 0) && db_int(stmt, 0) > c->at)
    c->at = db_int(stmt, 0);
  db_done(stmt);
  return rc < 0 ? rc : 0;
}

static int name_it(struct db *db, struct cluster *c, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db, "SELECT lower(?1)", &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, c->type);
  rc = db_step(stmt, err);
  json_t *about = rc == 1 ? json_pack("[s,s]", c->model, db_text(stmt, 0)) : NULL;
  char *text = about != NULL ? json_dumps(about, JSON_COMPACT) : NULL;
  db_done(stmt);
  if (text != NULL)
    tm_sha256_hex(c->about, text, strlen(text));
  json_decref(about);
  rc = rc < 0 ? rc : text != NULL ? 0 : tm_fail(err, -ENOMEM, "out of memory");
  free(text);
  return rc;
}

/* Whether it is one that quality knows, which goes on with this claim. */
static int go_on(struct db *db, const struct cluster *c, bool *known, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "UPDATE claim_clusters SET last_at = GREATEST(last_at, ?2)"
                      " WHERE about_sha256 = ?1 AND last_at > ?3",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, c->about);
  db_bind_int(stmt, 2, c->at);
  db_bind_int(stmt, 3, c->at - CLUSTER_DAYS * TM_DAY);
  rc = db_exec(stmt, err);
  *known = rc == 0 && db_changes(stmt) > 0;
  return rc;
}

static int begin(struct db *db, const struct cluster *c, int64_t *id, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "INSERT INTO claim_clusters (about_sha256, told_at, last_at)"
                      " VALUES (?1, ?2, ?3) RETURNING id",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, c->about);
  db_bind_int(stmt, 2, c->now);
  db_bind_int(stmt, 3, c->at);
  rc = db_step(stmt, err);
  *id = rc == 1 ? db_int(stmt, 0) : 0;
  db_done(stmt);
  return rc < 0 ? rc : rc == 1 ? 0 : tm_fail(err, -EIO, "no number for a cluster of claims");
}

/* Numbers and days alone: whose devices they are is for those who may open the claims. */
static int read_list(struct db *db, const struct cluster *c, json_t **rows, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc =
      db_prepare(db,
                 "SELECT id, claimed_at, state" SAME " AND claimed_at > ?3 AND claimed_at <= ?4"
                 " ORDER BY claimed_at DESC, id DESC LIMIT ?5",
                 &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, c->model);
  db_bind_text(stmt, 2, c->type);
  db_bind_int(stmt, 3, c->at - CLUSTER_DAYS * TM_DAY);
  db_bind_int(stmt, 4, c->at);
  db_bind_int(stmt, 5, LISTED);
  return db_take_rows(stmt, rows, err);
}

static int write_letter(struct db *db, const struct cluster *c, struct tm_error *err)
{
  const char *url = c->desk->conf->public_url;
  char key[64];
  int64_t id = 0;
  json_t *rows = NULL;
  int rc = begin(db, c, &id, err);
  if (rc == 0)
    rc = read_list(db, c, &rows, err);
  if (rc < 0)
    return rc;
  snprintf(key, sizeof(key), "claim-cluster/%lld", (long long)id);
  json_t *model = json_pack("{s:s, s:s, s:I, s:i, s:o, s:s}", "model", c->model, "type", c->type,
                            "n", (json_int_t)c->n, "days", CLUSTER_DAYS, "claims", rows, "url",
                            url != NULL ? url : "");
  const struct mail mail = {
      .key = key, .to = c->desk->conf->mail.quality, .page = "mail-cluster.txt", .model = model};
  rc = model != NULL ? mail_put(db, c->desk, &mail, c->now, err)
                     : tm_fail(err, -ENOMEM, "out of memory");
  json_decref(model);
  return rc;
}

static int tell(struct db *db, struct cluster *c, struct tm_error *err)
{
  bool known = false;
  int rc = find_newest(db, c, err);
  if (rc == 0)
    rc = cluster_count(db, c->model, c->type, c->at, &c->n, err);
  if (rc < 0 || c->n < CLUSTER_LEAST)
    return rc;
  rc = name_it(db, c, err);
  if (rc == 0)
    rc = go_on(db, c, &known, err);
  return rc == 0 && !known ? write_letter(db, c, err) : rc;
}

int cluster_tell(struct db *db, const struct desk *desk, int64_t claim, int64_t now,
                 struct tm_error *err)
{
  struct cluster c = {.desk = desk, .now = now};
  json_t *row = NULL;
  if (desk->conf->mail.url == NULL || desk->conf->mail.quality == NULL)
    return 0;
  int rc = claim_read(db, claim, &row, err);
  c.model = tm_json_get_string(row, "model");
  c.type = tm_json_get_string(row, "type");
  c.at = json_integer_value(json_object_get(row, "claimed_at"));
  if (rc == 0 && c.model != NULL && c.type != NULL)
    rc = tell(db, &c, err);
  json_decref(row);
  return rc;
}
