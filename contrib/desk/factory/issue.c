/* SPDX-License-Identifier: MIT */
#include "contrib/desk/factory/issue.h"

#include "analyzer/demand.h"
#include "common/clock.h"
#include "common/conf.h"
#include "common/json.h"
#include "common/sign.h"
#include "common/text.h"
#include "contrib/desk/store/document.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Devices that are read together, and how often the desk looks whether anything has changed. After
 * an issue it rests for this many times as long as that took, so that a desk of many devices does
 * something else, too. */
enum { AT_ONCE = 500, LOOK_S = 5, REST_TIMES = 50, ISSUE_BYTES = 64 << 20, STATE = 96 };

void issuer_init(struct issuer *i, struct store *store)
{
  *i = (struct issuer){.store = store};
  lease_init(&i->lease, "demand");
}

/* --- what is needed ------------------------------------------------------------------------- */

struct gathering {
  struct demand *demand;
  int64_t after, until, devices;
  struct tm_error skipped; /* of what could not be read: it is left out */
  json_t *rows;
};

static int read_until(struct db *db, void *arg, struct tm_error *err)
{
  struct gathering *g = arg;
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "SELECT MAX(id), COUNT(*) FROM (SELECT id FROM devices WHERE id > ?1"
                      " ORDER BY id LIMIT ?2) part",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, g->after);
  db_bind_int(stmt, 2, AT_ONCE);
  rc = db_step(stmt, err);
  g->until = rc == 1 && db_int(stmt, 1) > 0 ? db_int(stmt, 0) : 0;
  db_done(stmt);
  return rc < 0 ? rc : 0;
}

static int read_items(struct db *db, struct gathering *g, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "SELECT d.id, d.customer_id, d.site, i.advice_json, i.last_at FROM devices d"
                      " JOIN items i ON i.device_id = d.id WHERE d.id > ?1 AND d.id <= ?2"
                      " AND (d.consent & ?3) <> 0 AND i.open = 1 AND i.advised = 1"
                      " AND i.state <> 'delivered' ORDER BY d.id, i.id",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, g->after);
  db_bind_int(stmt, 2, g->until);
  db_bind_int(stmt, 3, TM_PURPOSE_SALES | TM_PURPOSE_FACTORY);
  return db_take_rows(stmt, &g->rows, err);
}

static int count_devices(struct db *db, struct gathering *g, json_t **alone, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "SELECT id, customer_id, site, consent FROM devices WHERE id > ?1 AND"
                      " id <= ?2 AND (consent & ?3) <> 0 AND summary_id IS NOT NULL",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, g->after);
  db_bind_int(stmt, 2, g->until);
  db_bind_int(stmt, 3, TM_PURPOSE_SALES | TM_PURPOSE_FACTORY);
  json_t *rows = db_rows(stmt, err), *row;
  size_t i;
  if (rows == NULL)
    return -EIO;
  g->devices = (int64_t)json_array_size(rows);
  *alone = json_array();
  json_array_foreach(rows, i, row)
  {
    if ((json_integer_value(json_object_get(row, "consent")) & TM_PURPOSE_SALES) == 0)
      json_array_append(*alone, row);
  }
  json_decref(rows);
  return 0;
}

/* Nothing may be offered to them, but the factory may know what their sites say they need. */
static int read_alone(struct db *db, struct gathering *g, const json_t *alone, struct tm_error *err)
{
  size_t i;
  const json_t *row;
  json_array_foreach(alone, i, row)
  {
    struct document document;
    int rc = document_newest(db, json_integer_value(json_object_get(row, "id")), &document, err);
    if (rc == -ENOENT)
      continue;
    if (rc < 0)
      return rc;
    json_t *summary = document_json(&document, &g->skipped);
    document_release(&document);
    if (summary == NULL)
      continue;
    json_array_append_new(g->rows, json_pack("{s:O,s:O,s:O}", "customer_id",
                                             json_object_get(row, "customer_id"), "site",
                                             json_object_get(row, "site"), "summary", summary));
    json_decref(summary);
  }
  return 0;
}

static int read_part(struct db *db, void *arg, struct tm_error *err)
{
  struct gathering *g = arg;
  json_t *alone = NULL;
  int rc = read_items(db, g, err);
  if (rc == 0)
    rc = count_devices(db, g, &alone, err);
  if (rc == 0)
    rc = read_alone(db, g, alone, err);
  json_decref(alone);
  return rc;
}

/* Only what analyzer/demand looks at. The tenant is the desk's, not the document's. */
static int add_row(struct gathering *g, const json_t *row)
{
  const json_t *summary = json_object_get(row, "summary");
  const json_t *advice = json_object_get(row, "advice");
  int64_t at = summary != NULL ? tm_json_time_or(summary, "generated_at", 0)
                               : json_integer_value(json_object_get(row, "last_at"));
  json_t *list = summary != NULL ? json_incref(json_object_get(summary, "recommendations"))
                                 : json_pack("[O]", advice);
  json_t *one = json_pack(
      "{s:o,s:{s:O,s:O},s:o,s:O?}", "generated_at", tm_json_time(at), "customer", "id",
      json_object_get(row, "customer_id"), "site", json_object_get(row, "site"), "recommendations",
      list != NULL ? list : json_array(), "forecast", json_object_get(summary, "forecast"));
  int rc = one != NULL ? demand_add(g->demand, one, &g->skipped) : -ENOMEM;
  json_decref(one);
  return rc == -ENOMEM ? rc : 0;
}

static int gather(struct issuer *i, struct gathering *g, int64_t now, int64_t *devices,
                  struct tm_error *err)
{
  int rc = 0;
  *devices = 0;
  while (rc == 0) {
    size_t k;
    const json_t *row;
    rc = store_read(i->store, &db_everyone, read_until, g, err);
    if (rc < 0 || g->until == 0)
      break;
    rc = store_read(i->store, &db_everyone, read_part, g, err);
    *devices += g->devices;
    json_array_foreach(g->rows, k, row)
    {
      if (rc == 0)
        rc = add_row(g, row);
    }
    g->after = g->until;
    if (rc == 0)
      rc = lease_renew(i->store, &i->lease, now, err);
  }
  json_decref(g->rows);
  g->rows = NULL;
  return rc;
}

/* --- whose shop is which -------------------------------------------------------------------- */

static int set_shops(struct db *db, const char *sql, json_t *map, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db, sql, &stmt, err);
  if (rc < 0)
    return rc;
  while ((rc = db_step(stmt, err)) == 1)
    json_object_set_new(map, db_text(stmt, 0), json_string(db_text(stmt, 1)));
  db_done(stmt);
  return rc;
}

static int read_shops(struct db *db, void *arg, struct tm_error *err)
{
  json_t **document = arg, *map = json_object(), *otherwise = json_object();
  int rc = set_shops(
      db, "SELECT customer_id, shop FROM customers WHERE shop IS NOT NULL ORDER BY customer_id",
      map, err);
  if (rc == 0)
    rc = set_shops(db,
                   "SELECT customer_id || '/' || site, shop FROM sites WHERE shop IS NOT NULL"
                   " ORDER BY customer_id, site",
                   map, err);
  if (rc == 0)
    rc = set_shops(db,
                   "SELECT 'shop', value FROM settings WHERE name = 'shop_otherwise'"
                   " AND value IS NOT NULL",
                   otherwise, err);
  json_decref(*document);
  *document = json_pack("{s:s,s:o}", "schema", "tidemark.shops/1", "shops", map);
  if (json_object_size(otherwise) > 0)
    json_object_set(*document, "otherwise", json_object_get(otherwise, "shop"));
  json_decref(otherwise);
  return rc;
}

/* --- keeping -------------------------------------------------------------------------------- */

struct keeping {
  char *text;
  char sha256[TM_SHA256_HEX], state[STATE];
  int64_t now;
};

static int put_state(struct db *db, const struct keeping *k, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "INSERT INTO settings (name, value) VALUES ('demand_of', ?1)"
                      " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, k->state);
  return db_exec(stmt, err);
}

/* What says the same as the newest one is no new issue. */
static int put_issue(struct db *db, void *arg, struct tm_error *err)
{
  const struct keeping *k = arg;
  struct db_stmt *stmt = NULL;
  int rc = put_state(db, k, err);
  if (rc == 0)
    rc = db_prepare(db,
                    "INSERT INTO demand_issues (made_at, sha256, document) SELECT ?1, ?2, ?3"
                    " WHERE NOT EXISTS (SELECT 1 FROM demand_issues WHERE id ="
                    " (SELECT MAX(id) FROM demand_issues) AND sha256 = ?2)",
                    &stmt, err);
  if (rc != 0)
    return rc;
  db_bind_int(stmt, 1, k->now);
  db_bind_text(stmt, 2, k->sha256);
  db_bind_blob(stmt, 3, k->text, strlen(k->text));
  rc = db_exec(stmt, err);
  if (rc == 0)
    rc = db_prepare(
        db, "DELETE FROM demand_issues WHERE id <= (SELECT MAX(id) FROM demand_issues) - ?1", &stmt,
        err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, ISSUES_KEPT);
  return db_exec(stmt, err);
}

static int make(struct issuer *i, const char *state, int64_t now, struct tm_error *err)
{
  struct shops shops = {NULL};
  struct keeping k = {.now = now};
  int64_t devices = 0;
  int rc = store_read(i->store, &db_everyone, read_shops, &shops.document, err);
  const struct demand_settings settings = {
      .now = tm_date_days(now) * TM_DAY, .weeks = ISSUE_WEEKS, .shops = &shops};
  struct gathering g = {.demand = rc == 0 ? demand_new(&settings) : NULL};
  snprintf(k.state, sizeof(k.state), "%s", state);
  if (rc == 0 && g.demand == NULL)
    rc = tm_fail(err, -ENOMEM, "out of memory");
  if (rc == 0)
    rc = gather(i, &g, now, &devices, err);
  json_t *document = rc == 0 ? demand_json(g.demand) : NULL;
  if (document != NULL) {
    json_object_set_new(document, "summaries", json_integer((json_int_t)devices));
    k.text = json_dumps(document, JSON_COMPACT);
  }
  if (rc == 0 && k.text == NULL)
    rc = tm_fail(err, -ENOMEM, "out of memory");
  if (rc == 0 && k.text != NULL) {
    tm_sha256_hex(k.sha256, k.text, strlen(k.text));
    rc = store_write(i->store, &db_everyone, put_issue, &k, err);
  }
  free(k.text);
  json_decref(document);
  demand_free(g.demand);
  json_decref(shops.document);
  return rc;
}

/* --- when ----------------------------------------------------------------------------------- */

struct looking {
  int64_t now;
  char is[STATE], was[STATE];
  bool advising;
};

/* What an issue is made of, in short. */
static int look(struct db *db, void *arg, struct tm_error *err)
{
  struct looking *l = arg;
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(
      db,
      "SELECT (SELECT MAX(id) FROM item_events), (SELECT MAX(id) FROM catalogues),"
      " (SELECT MAX(id) FROM summaries),"
      " CASE WHEN EXISTS (SELECT 1 FROM devices WHERE advise_at <= ?1) THEN 1 ELSE 0 END,"
      " (SELECT value FROM settings WHERE name = 'demand_of')",
      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, l->now);
  rc = db_step(stmt, err);
  if (rc == 1) {
    const char *was = db_text(stmt, 4);
    snprintf(l->is, sizeof(l->is), "%lld/%lld/%lld/%lld/%lld", (long long)db_int(stmt, 0),
             (long long)db_int(stmt, 1), (long long)db_int(stmt, 2),
             (long long)tm_date_days(l->now), (long long)db_int(stmt, 5));
    tm_text_copy(l->was, sizeof(l->was), was);
    l->advising = db_int(stmt, 3) != 0;
  }
  db_done(stmt);
  return rc < 0 ? rc : 0;
}

int issuer_work(struct issuer *i, int64_t now, struct tm_error *err)
{
  struct looking l = {.now = now};
  double begun = tm_monotonic();
  if (begun < i->next)
    return 0;
  i->next = begun + LOOK_S;
  int rc = store_read(i->store, &db_everyone, look, &l, err);
  if (rc < 0 || strcmp(l.is, l.was) == 0 || l.advising)
    return rc;
  rc = lease_take(i->store, &i->lease, now, now, err);
  if (rc <= 0)
    return rc;
  rc = make(i, l.is, now, err);
  if (rc == 0)
    rc = lease_finish(i->store, &i->lease, now, now, err);
  i->next = tm_monotonic() + LOOK_S + REST_TIMES * (tm_monotonic() - begun);
  return rc < 0 ? rc : 1;
}

int issue_read(struct db *db, int64_t number, struct issue *out, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  size_t len = 0;
  int rc = db_prepare(db,
                      "SELECT id, made_at, document FROM demand_issues WHERE ?1 = 0 OR id = ?1"
                      " ORDER BY id DESC LIMIT 1",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, number);
  rc = db_step(stmt, err);
  if (rc == 1) {
    const char *text = db_blob(stmt, 2, &len);
    out->number = db_int(stmt, 0);
    out->made_at = db_int(stmt, 1);
    json_decref(out->document);
    out->document = json_loadb(text, len, 0, NULL);
    rc = out->document != NULL ? 0 : tm_fail(err, -EIO, "a demand issue is damaged");
  } else if (rc == 0) {
    rc = tm_fail(err, -ENOENT, "there is no such issue");
  }
  db_done(stmt);
  return rc;
}
