/* SPDX-License-Identifier: MIT */
/* Which sites say nothing and why, and how well what they said came true. */
#include "common/clock.h"
#include "common/json.h"
#include "contrib/desk/desk.h"
#include "contrib/desk/http/filters.h"
#include "contrib/desk/rooms.h"
#include "contrib/desk/sales/find.h"
#include "contrib/desk/sales/words.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct listing {
  const struct request *r;
  int64_t before; /* heard of last before that; INT64_MAX: whenever */
  bool never;
  const char *customer;
  int limit;
  int64_t offset;
  json_t *sites, *counts, *rules, *models;
};

static void release(struct listing *l)
{
  json_decref(l->sites);
  json_decref(l->counts);
  json_decref(l->rules);
  json_decref(l->models);
}

/* --- silent sites ------------------------------------------------------------------------- */

static const struct silence {
  const char *name, *text;
  int64_t s;
} silences[] = {
    {"24h", "silent for 24 hours", TM_DAY},
    {"7d", "silent for 7 days", 7 * TM_DAY},
    {"60d", "silent for 60 days", 60 * TM_DAY},
};

static int read_counts(struct db *db, struct listing *l, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "SELECT COUNT(*) AS sites,"
                      " COUNT(CASE WHEN last_seen_at IS NULL THEN 1 END) AS never,"
                      " COUNT(CASE WHEN last_seen_at < ?2 THEN 1 END) AS day,"
                      " COUNT(CASE WHEN last_seen_at < ?3 THEN 1 END) AS week,"
                      " COUNT(CASE WHEN last_seen_at < ?4 THEN 1 END) AS months"
                      " FROM sites WHERE (?1 IS NULL OR customer_id = ?1)",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_customer(stmt, 1);
  for (int i = 0; i < 3; i++)
    db_bind_int(stmt, 2 + i, l->r->now - silences[i].s);
  return db_take_row(stmt, &l->counts, NULL, err);
}

static int read_sites(struct db *db, void *arg, struct tm_error *err)
{
  static const char sql[] =
      "SELECT s.customer_id, c.name AS customer, s.site, s.name, s.timezone, s.created_at,"
      " s.enrolled_at, s.first_seen_at, s.last_seen_at, s.last_summary_at,"
      " (SELECT COUNT(*) FROM devices d WHERE d.customer_id = s.customer_id AND d.site = s.site)"
      " AS devices,"
      " (SELECT COUNT(*) FROM credentials k WHERE k.customer_id = s.customer_id"
      " AND k.site = s.site AND k.revoked_at IS NULL"
      " AND (k.valid_until IS NULL OR k.valid_until > ?2)) AS credentials,"
      " (SELECT q.reason FROM quarantine q WHERE q.customer_id = s.customer_id"
      " AND q.site = s.site AND q.arrived_at >= COALESCE(s.last_summary_at, 0)"
      " ORDER BY q.id DESC LIMIT 1) AS refused"
      " FROM sites s JOIN customers c ON c.customer_id = s.customer_id"
      " WHERE (?1 IS NULL OR s.customer_id = ?1) AND (?6 IS NULL OR s.customer_id = ?6)"
      " AND CASE WHEN ?4 = 1 THEN s.last_seen_at IS NULL"
      " ELSE (s.last_seen_at < ?3 OR (?5 = 1 AND s.last_seen_at IS NULL)) END"
      " ORDER BY COALESCE(s.last_seen_at, 0), s.customer_id, s.site LIMIT ?7 OFFSET ?8";
  struct listing *l = arg;
  struct db_stmt *stmt = NULL;
  int rc = read_counts(db, l, err);
  if (rc == 0)
    rc = db_prepare(db, sql, &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_customer(stmt, 1);
  db_bind_int(stmt, 2, l->r->now);
  db_bind_int(stmt, 3, l->before);
  db_bind_int(stmt, 4, l->never);
  db_bind_int(stmt, 5, l->before == INT64_MAX);
  db_bind_text(stmt, 6, l->customer);
  db_bind_int(stmt, 7, l->limit + 1);
  db_bind_int(stmt, 8, l->offset);
  return db_take_rows(stmt, &l->sites, err);
}

/* What is most likely wrong, by what the desk itself has seen. */
static json_t *reason_of(const json_t *site, int64_t now)
{
  const json_t *seen = json_object_get(site, "last_seen_at");
  const json_t *summary = json_object_get(site, "last_summary_at");
  const char *refused = tm_json_get_string(site, "refused");
  bool credentials = json_integer_value(json_object_get(site, "credentials")) > 0;
  bool heard = json_is_integer(seen) && json_integer_value(seen) >= now - TM_DAY;
  if (!credentials)
    return json_string("it has no valid credentials: rotate them and hand them over");
  if (refused != NULL)
    return json_sprintf("what it sent last was refused: %s", refused);
  if (!json_is_integer(seen))
    return json_is_integer(json_object_get(site, "enrolled_at"))
               ? json_string("enrolled, but nothing ever came: is its target enabled, and has its "
                             "administrator agreed?")
               : json_string("nothing ever came: has it been enrolled?");
  if (heard && (!json_is_integer(summary) || json_integer_value(summary) < now - 7 * TM_DAY))
    return json_string("it asks for requests, and sends no summary: consent or the timer");
  return heard ? json_null() : json_string("it was not heard of: host, network or timer");
}

static void tell_sites(json_t *sites, int64_t now)
{
  size_t i;
  json_t *row;
  json_array_foreach(sites, i, row)
  {
    const json_t *seen = json_object_get(row, "last_seen_at");
    int64_t quiet = json_is_integer(seen) ? now - json_integer_value(seen) : INT64_MAX;
    const char *class = quiet >= 7 * TM_DAY ? "late" : quiet >= TM_DAY ? "soon" : "good";
    json_object_set_new(row, "reason", reason_of(row, now));
    json_object_set_new(row, "class", json_string(class));
    json_object_set_new(row, "sign",
                        json_string(quiet >= 7 * TM_DAY ? "\xe2\x96\xb2"
                                    : quiet >= TM_DAY   ? "\xe2\x97\x86"
                                                        : "\xe2\x9c\x93"));
    json_object_del(row, "refused");
  }
}

static json_t *choices(const char *chosen)
{
  json_t *list = json_array();
  for (size_t i = 0; i < 3; i++)
    filter_option(list, silences[i].name, silences[i].text, chosen);
  filter_option(list, "never", "never reported", chosen);
  filter_option(list, "all", "all sites", chosen);
  return list;
}

static int read_silence(struct listing *l, const char *silent, struct tm_error *err)
{
  l->before = INT64_MAX;
  l->never = strcmp(silent, "never") == 0;
  if (l->never || strcmp(silent, "all") == 0)
    return 0;
  for (size_t i = 0; i < 3; i++)
    if (strcmp(silent, silences[i].name) == 0) {
      l->before = l->r->now - silences[i].s;
      return 0;
    }
  return tm_fail(err, -EINVAL, "silent: 24h, 7d, 60d, never or all is wanted");
}

static json_t *sites_next(struct listing *l)
{
  size_t n = json_array_size(l->sites);
  if (n <= (size_t)l->limit)
    return json_null();
  json_array_remove(l->sites, n - 1);
  return json_sprintf("%" PRId64, l->offset + l->limit);
}

static int list_sites(const struct request *r, struct response *to, struct tm_error *err)
{
  struct listing l = {.r = r, .customer = find_chosen(r, "customer")};
  const char *bad = "silent", *silent = request_query(r, "silent");
  if (silent == NULL || silent[0] == '\0')
    silent = r->wants_json ? "all" : "24h";
  int rc = read_silence(&l, silent, err);
  if (rc == 0)
    rc = find_page(r, "after", &l.offset, &l.limit, &bad, err);
  if (rc < 0)
    return respond_error(r, to, 422, bad, err->text);
  rc = store_read(r->desk->store, &r->scope, read_sites, &l, err);
  if (rc == 0) {
    json_t *next = sites_next(&l);
    tell_sites(l.sites, r->now);
    json_t *model =
        json_pack("{s:O, s:O, s:o}", "sites", l.sites, "counts", l.counts, "next", next);
    if (model != NULL && !r->wants_json) {
      json_object_set_new(model, "title", json_string("Silent sites"));
      json_object_set_new(model, "silent", json_string(silent));
      json_object_set_new(model, "choices", choices(silent));
      json_object_set_new(model, "some", json_boolean(json_array_size(l.sites) > 0));
    }
    rc = respond_model(r, to, "sites.html", model, err);
    json_decref(model);
  }
  release(&l);
  return rc;
}

/* --- how good advice and forecasts are ---------------------------------------------------- */

static int read_quality(struct db *db, void *arg, struct tm_error *err)
{
  /* The numbers of all items come from an index alone; feedback is little. */
  static const char rules[] =
      "SELECT i.action, COUNT(*) AS items, COUNT(CASE WHEN i.open = 1 THEN 1 END) AS open,"
      " COUNT(CASE WHEN i.state = 'installed' THEN 1 END) AS installed,"
      " COUNT(CASE WHEN i.state = 'lost' THEN 1 END) AS lost,"
      " COUNT(CASE WHEN i.state = 'gone' THEN 1 END) AS gone,"
      " MAX(COALESCE(f.wrong, 0)) AS wrong, MAX(COALESCE(f.said, 0)) AS said"
      " FROM items i LEFT JOIN (SELECT j.action, COUNT(DISTINCT j.id) AS wrong, COUNT(*) AS said"
      " FROM feedback b JOIN items j ON j.id = b.item_id WHERE b.verdict = 'wrong'"
      " GROUP BY j.action) f ON f.action = i.action"
      " WHERE (?1 IS NULL OR i.customer_id = ?1) GROUP BY i.action ORDER BY wrong DESC, i.action";
  static const char models[] =
      "SELECT forecast_model AS model, COUNT(*) AS devices, COUNT(forecast_mase) AS scored,"
      " AVG(forecast_mase) AS mase, COUNT(CASE WHEN forecast_mase < 1 THEN 1 END) AS better"
      " FROM devices WHERE (?1 IS NULL OR customer_id = ?1) AND forecast_model IS NOT NULL"
      " GROUP BY forecast_model ORDER BY devices DESC, forecast_model";
  struct listing *l = arg;
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db, rules, &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_customer(stmt, 1);
  rc = db_take_rows(stmt, &l->rules, err);
  if (rc == 0)
    rc = db_prepare(db, models, &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_customer(stmt, 1);
  return db_take_rows(stmt, &l->models, err);
}

static int show_quality(const struct request *r, struct response *to, struct tm_error *err)
{
  struct listing l = {.r = r};
  size_t i;
  json_t *row;
  int rc = store_read(r->desk->store, &r->scope, read_quality, &l, err);
  if (rc == 0) {
    json_array_foreach(l.rules, i, row) json_object_set_new(
        row, "action_word", json_string(words_action(tm_json_get_string(row, "action"))));
    json_array_foreach(l.models, i, row) if (json_is_real(json_object_get(row, "mase")))
        json_object_set_new(row, "mase_text",
                            json_sprintf("%.2f", json_real_value(json_object_get(row, "mase"))));
    json_t *model = json_pack("{s:O, s:O}", "rules", l.rules, "models", l.models);
    if (model != NULL && !r->wants_json) {
      json_object_set_new(model, "title", json_string("How good the advice is"));
      json_object_set_new(model, "has_rules", json_boolean(json_array_size(l.rules) > 0));
      json_object_set_new(model, "has_models", json_boolean(json_array_size(l.models) > 0));
    }
    rc = respond_model(r, to, "quality.html", model, err);
    json_decref(model);
  }
  release(&l);
  return rc;
}

#define READERS (ROLE_SALES | ROLE_SERVICE | ROLE_ADMIN)

const struct route watch_routes[] = {
    {"GET", "/sites", READERS, 0, "Sites that were not heard of, and what may be the reason",
     list_sites},
    {"GET", "/api/v1/sites", READERS, 0, "Sites, the longest silent first", list_sites},
    {"GET", "/quality", ROLE_SALES | ROLE_ADMIN, 0,
     "How often advice was called wrong, by rule, and how right forecasts were, by model",
     show_quality},
    {"GET", "/api/v1/quality", ROLE_SALES | ROLE_ADMIN, 0,
     "How often advice was called wrong, by rule, and how right forecasts were, by model",
     show_quality},
    {0},
};
