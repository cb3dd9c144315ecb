/* SPDX-License-Identifier: MIT */
/* All claims, by what a person looks for: the page "Claims" and /api/v1/claims. */
#include "common/json.h"
#include "contrib/desk/claims/claim.h"
#include "contrib/desk/claims/words.h"
#include "contrib/desk/http/filters.h"
#include "contrib/desk/rooms.h"
#include "contrib/desk/sales/find.h"

#include <stdio.h>
#include <string.h>

struct list {
  const struct request *r;
  const char *state, *model, *owner;
  char words[200];
  int64_t before;
  int limit;
  json_t *claims, *next, *counts;
};

static int read_counts(struct db *db, struct list *l, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "SELECT COUNT(*) AS all_claims,"
                      " coalesce(SUM(CASE WHEN state = 'open' THEN 1 ELSE 0 END), 0) AS open,"
                      " coalesce(SUM(CASE WHEN state = 'collecting' THEN 1 ELSE 0 END), 0)"
                      " AS collecting,"
                      " coalesce(SUM(CASE WHEN state = 'ready' THEN 1 ELSE 0 END), 0) AS ready,"
                      " coalesce(SUM(CASE WHEN state <> 'closed' AND device_id IS NULL THEN 1"
                      " ELSE 0 END), 0) AS without_device"
                      " FROM claims WHERE (?1 IS NULL OR customer_id = ?1)",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_customer(stmt, 1);
  return db_take_row(stmt, &l->counts, NULL, err);
}

static int read_list(struct db *db, void *arg, struct tm_error *err)
{
  static const char sql[] =
      "SELECT c.id, 'K-' || c.id AS id_text, c.external_id, c.via, c.claimed_at, c.type, c.model,"
      " c.state, c.state_at, c.compare, c.device_id, c.customer_id, u.name AS customer, d.site,"
      " d.host, d.device, c.owner, s.name AS owner_name, c.by_name AS claimed_by,"
      " (SELECT COUNT(*) FROM requests r WHERE r.claim = 'K-' || c.id) AS wanted,"
      " (SELECT COUNT(*) FROM requests r WHERE r.claim = 'K-' || c.id"
      "  AND r.status IN ('answered', 'refused', 'unavailable')) AS here"
      " FROM claims c LEFT JOIN customers u ON u.customer_id = c.customer_id"
      " LEFT JOIN devices d ON d.id = c.device_id LEFT JOIN staff s ON s.staff = c.owner"
      " WHERE (?1 IS NULL OR c.customer_id = ?1)"
      " AND ((?2 IS NULL AND c.state <> 'closed') OR ?2 = 'every' OR c.state = ?2)"
      " AND (?3 IS NULL OR c.model = ?3) AND (?4 IS NULL OR c.owner = ?4)"
      /* Of the claim's own row alone, so that only what fits is joined. */
      " AND (?5 IS NULL"
      " OR c.device_id IN (SELECT id FROM devices WHERE words LIKE ?5 ESCAPE '\\')"
      " OR c.customer_id IN (SELECT customer_id FROM customers"
      " WHERE lower(name) LIKE ?5 ESCAPE '\\')"
      " OR lower('k-' || c.id || ' ' || coalesce(c.external_id, '') || ' ' || c.type || ' '"
      " || coalesce(c.model, '') || ' ' || coalesce(c.by_name, '')) LIKE ?5 ESCAPE '\\')"
      " AND (?6 = 0 OR c.id < ?6) ORDER BY c.id DESC LIMIT ?7";
  struct list *l = arg;
  struct db_stmt *stmt = NULL;
  int rc = read_counts(db, l, err);
  if (rc == 0)
    rc = db_prepare(db, sql, &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_customer(stmt, 1);
  db_bind_text(stmt, 2, l->state);
  db_bind_text(stmt, 3, l->model);
  db_bind_text(stmt, 4, l->owner);
  db_bind_text(stmt, 5, l->words[0] != '\0' ? l->words : NULL);
  db_bind_int(stmt, 6, l->before);
  db_bind_int(stmt, 7, l->limit + 1);
  return db_take_rows(stmt, &l->claims, err);
}

static void finish(struct list *l)
{
  size_t i;
  json_t *row;
  l->next = find_next(l->claims, l->limit);
  json_array_foreach(l->claims, i, row)
  {
    const char *state = tm_json_get_string(row, "state");
    json_object_set_new(row, "state_word", json_string(claim_state_word(state)));
    json_object_set_new(row, "state_class", json_string(claim_state_class(state)));
    json_object_set_new(row, "via_word",
                        json_string(claim_via_word(tm_json_get_string(row, "via"))));
    json_object_set_new(row, "asked",
                        json_boolean(json_integer_value(json_object_get(row, "wanted")) > 0));
  }
}

static int read_query(struct list *l, const char **field, struct tm_error *err)
{
  const char *owner = request_query(l->r, "owner"), *state = request_query(l->r, "state");
  l->state = state != NULL && strcmp(state, "all") == 0 ? "every" : find_chosen(l->r, "state");
  l->model = find_chosen(l->r, "model");
  if (owner != NULL && strcmp(owner, "mine") == 0)
    l->owner = l->r->visitor->staff;
  else
    l->owner = find_chosen(l->r, "owner");
  find_like(l->words, sizeof(l->words), request_query(l->r, "q"));
  return find_page(l->r, "before", &l->before, &l->limit, field, err);
}

static json_t *states(const char *chosen)
{
  static const char *const rows[][2] = {{"", "Not closed"},
                                        {"open", "Open"},
                                        {"collecting", "Collecting"},
                                        {"ready", "Ready"},
                                        {"answered", "Answered"},
                                        {"closed", "Closed"},
                                        {"all", "All"},
                                        {NULL}};
  return filter_options(rows, chosen != NULL ? chosen : "");
}

static json_t *filters(const struct list *l)
{
  const char *q = request_query(l->r, "q"), *owner = request_query(l->r, "owner");
  json_t *fields = json_pack("[{s:s, s:s, s:o}]", "name", "state", "label", "State", "options",
                             states(request_query(l->r, "state")));
  if (l->r->visitor->staff != NULL)
    json_array_append_new(
        fields, json_pack("{s:s, s:s, s:[{s:s, s:s, s:b}, {s:s, s:s, s:b}]}", "name", "owner",
                          "label", "In charge", "options", "value", "", "text", "Everybody",
                          "chosen", owner == NULL || owner[0] == '\0', "value", "mine", "text",
                          "I am", "chosen", owner != NULL && strcmp(owner, "mine") == 0));
  return json_pack("{s:s, s:{s:s, s:s, s:s, s:s}, s:o}", "path", "/claims", "search", "name", "q",
                   "label", "Search", "value", q != NULL ? q : "", "hint",
                   "Number, customer, device, model, serial", "fields", fields);
}

static json_t *page_model(const struct list *l)
{
  static const char *const names[] = {"q", "state", "owner", "model", NULL};
  json_t *model =
      json_pack("{s:s, s:O, s:O, s:o, s:b, s:b}", "title", "Claims", "claims", l->claims, "counts",
                l->counts, "filters", filters(l), "some", json_array_size(l->claims) > 0, "may_act",
                l->r->visitor->role == ROLE_SERVICE);
  json_object_set_new(
      model, "some_without_device",
      json_boolean(json_integer_value(json_object_get(l->counts, "without_device")) > 0));
  json_object_set_new(model, "more", json_boolean(json_is_string(l->next)));
  json_object_set_new(model, "next", filter_again(l->r, names, "before", l->next));
  return model;
}

static int list_claims(const struct request *r, struct response *to, struct tm_error *err)
{
  struct list l = {.r = r};
  const char *field = NULL;
  if (read_query(&l, &field, err) != 0)
    return respond_error(r, to, 422, field, err->text);
  int rc = store_read(r->desk->store, &r->scope, read_list, &l, err);
  if (rc == 0) {
    finish(&l);
    json_t *model = r->wants_json ? json_pack("{s:O, s:O}", "claims", l.claims, "next", l.next)
                                  : page_model(&l);
    rc = respond_model(r, to, "claims.html", model, err);
    json_decref(model);
  }
  json_decref(l.claims);
  json_decref(l.next);
  json_decref(l.counts);
  return rc;
}

#define READERS (ROLE_SERVICE | ROLE_SALES | ROLE_ENGINEER)

const struct route claims_routes[] = {
    {"GET", "/claims", READERS, 0, "What customers complain of, the newest first", list_claims},
    {"GET", "/api/v1/claims", READERS, 0,
     "Claims by state, model, owner and words, a page at a time", list_claims},
    {0},
};
