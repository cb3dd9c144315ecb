/* SPDX-License-Identifier: MIT */
/* One claim: the device beside its peers, what is asked for, and what is said about it. */
#include "common/clock.h"
#include "common/json.h"
#include "contrib/desk/claims/ask.h"
#include "contrib/desk/claims/claim.h"
#include "contrib/desk/claims/cluster.h"
#include "contrib/desk/claims/progress.h"
#include "contrib/desk/claims/types.h"
#include "contrib/desk/claims/values.h"
#include "contrib/desk/claims/words.h"
#include "contrib/desk/people/audit.h"
#include "contrib/desk/rooms.h"
#include "contrib/desk/sales/words.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct looking {
  const struct request *r;
  int64_t id;
  json_t *claim, *values, *comments, *events, *columns, *rows;
  struct claim_type type;
  struct claim_targets targets;
  int64_t same;
};

static void looking_reset(struct looking *l)
{
  json_decref(l->claim);
  json_decref(l->values);
  json_decref(l->comments);
  json_decref(l->events);
  json_decref(l->columns);
  json_decref(l->rows);
  json_decref(l->type.items);
  l->claim = l->values = l->comments = l->events = l->columns = l->rows = NULL;
  l->type = (struct claim_type){0};
}

static int read_said(struct db *db, const char *sql, int64_t id, json_t **rows,
                     struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db, sql, &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_customer(stmt, 1);
  db_bind_int(stmt, 2, id);
  return db_take_rows(stmt, rows, err);
}

/* How many complaints of the same kind there are on the same model, this one among them. */
static int count_same(struct db *db, struct looking *l, struct tm_error *err)
{
  const char *model = tm_json_get_string(l->claim, "model");
  int64_t at = json_integer_value(json_object_get(l->claim, "claimed_at"));
  l->same = 0;
  if (model == NULL)
    return 0;
  return cluster_count(db, model, tm_json_get_string(l->claim, "type"), at, &l->same, err);
}

static int read_all(struct db *db, void *arg, struct tm_error *err)
{
  struct looking *l = arg;
  looking_reset(l);
  int rc = claim_read(db, l->id, &l->claim, err);
  if (rc == 0) {
    l->values = claim_values(db, l->claim, l->r->now, err);
    rc = l->values != NULL ? 0 : -EIO;
  }
  if (rc == 0)
    rc = claim_before_after(db, l->claim, json_object_get(l->values, "items"), &l->columns,
                            &l->rows, err);
  if (rc == 0)
    rc = claim_type_find(db, tm_json_get_string(l->claim, "type"),
                         tm_json_get_string(l->claim, "text"), &l->type, err);
  if (rc == 0)
    rc = claim_targets(db, l->claim, &l->targets, err);
  if (rc == 0)
    rc = count_same(db, l, err);
  if (rc == 0)
    rc = read_said(db,
                   "SELECT id, at, by_name, by_role, text FROM comments"
                   " WHERE (?1 IS NULL OR customer_id = ?1) AND claim_id = ?2 ORDER BY id DESC",
                   l->id, &l->comments, err);
  return rc == 0 ? read_said(db,
                             "SELECT at, by_name, what, from_state, to_state, text FROM"
                             " claim_events WHERE (?1 IS NULL OR customer_id = ?1 OR customer_id IS"
                             " NULL) AND claim_id = ?2 ORDER BY id",
                             l->id, &l->events, err)
                 : rc;
}

/* --- for programs --------------------------------------------------------------------------------
 */

static json_t *api_model(const struct looking *l)
{
  json_t *model = json_pack("{s:O, s:O, s:O, s:O, s:O, s:O, s:O}", "claim", l->claim, "items",
                            json_object_get(l->values, "items"), "progress",
                            json_object_get(l->values, "progress"), "outliers",
                            json_object_get(l->values, "outliers"), "comments", l->comments,
                            "events", l->events, "before_after", l->rows);
  if (model != NULL)
    json_object_set_new(model, "would_ask",
                        json_pack("{s:s, s:I, s:s, s:O, s:I, s:I}", "type", l->type.type, "version",
                                  (json_int_t)l->type.version, "how", l->type.how, "items",
                                  l->type.items, "models", (json_int_t)l->targets.models, "peers",
                                  (json_int_t)l->targets.consent));
  return model;
}

/* --- for people ----------------------------------------------------------------------------------
 */

static json_t *groups_of(const json_t *items)
{
  static const struct {
    const char *nature, *title;
  } groups[] = {{"measurement", "Measured: it has a cause"},
                {"setting", "Set: it can be put back"},
                {"counter", "Counted since the device was installed"},
                {NULL, "Other"}};
  json_t *list = json_array();
  for (size_t g = 0; g < 4; g++) {
    json_t *of = json_array();
    size_t i;
    json_t *item;
    json_array_foreach(items, i, item)
    {
      const char *nature = tm_json_get_string(item, "nature");
      bool fits = groups[g].nature == NULL
                      ? nature == NULL
                      : nature != NULL && strcmp(nature, groups[g].nature) == 0;
      if (fits)
        json_array_append(of, item);
    }
    if (json_array_size(of) > 0)
      json_array_append_new(list, json_pack("{s:s, s:O}", "title", groups[g].title, "items", of));
    json_decref(of);
  }
  return list;
}

/* "Image density, black is 1.08 where 23 others have 1.42 on average." for each that is unusual. */
static json_t *findings(const json_t *items)
{
  struct tm_buf b = TM_BUF_INIT(1 << 20);
  size_t i;
  const json_t *item;
  json_array_foreach(items, i, item)
  {
    const json_t *text = json_object_get(item, "text");
    const char *mean = tm_json_get_string(text, "mean"), *most = tm_json_get_string(text, "most");
    if (!json_is_true(json_object_get(item, "outlier")))
      continue;
    tm_buf_printf(&b, "%s%s is %s", b.len > 0 ? " " : "", tm_json_get_string(item, "label"),
                  tm_json_get_string(text, "value"));
    long long n = json_integer_value(json_object_get(item, "peers"));
    if (mean != NULL)
      tm_buf_printf(&b, " where %lld others of the model have %s on average.", n, mean);
    else if (most != NULL)
      tm_buf_printf(&b, " (%s of the others of the model).", most);
    else
      tm_buf_printf(&b, ", which is rare among %lld others of the model.", n);
  }
  json_t *text = b.len > 0 ? json_string(b.ptr) : NULL;
  tm_buf_release(&b);
  return text;
}

/* The bar of progress: here, waiting, refused and what could not be had, of a hundred. */
static void add_bar(json_t *model, const json_t *progress)
{
  const json_t *peers = json_object_get(progress, "peers"), *own = json_object_get(progress, "own");
  const char *status = tm_json_get_string(own, "status");
  double wanted = tm_json_get_number(progress, "wanted");
  double answered =
      tm_json_get_number(peers, "answered") + (status != NULL && strcmp(status, "answered") == 0);
  double waiting = tm_json_get_number(progress, "waiting");
  if (!(wanted > 0))
    return;
  json_object_set_new(
      model, "bar",
      json_pack("{s:o, s:o, s:o, s:o}", "here", json_sprintf("%.1f", answered / wanted * 100),
                "waiting", json_sprintf("%.1f", waiting / wanted * 100), "lost_at",
                json_sprintf("%.1f", (answered + waiting) / wanted * 100), "lost",
                json_sprintf("%.1f", (wanted - answered - waiting) / wanted * 100)));
}

static json_t *own_word(const json_t *own)
{
  const char *status = tm_json_get_string(own, "status");
  static const char *const words[][2] = {{"open", "waits for its site’s next push"},
                                         {"answered", "answered"},
                                         {"refused", "its site refused"},
                                         {"unavailable", "did not answer its site"},
                                         {"expired", "its time ran out"}};
  for (size_t i = 0; status != NULL && i < 5; i++)
    if (strcmp(words[i][0], status) == 0)
      return json_string(words[i][1]);
  return json_string("was not asked");
}

/* Mustache cannot ask how many there are, or what a state is. */
static void add_flags(json_t *model, const struct looking *l)
{
  const char *state = tm_json_get_string(l->claim, "state");
  bool service = l->r->visitor->role == ROLE_SERVICE;
  const json_t *progress = json_object_get(l->values, "progress");
  const json_t *outliers = json_object_get(l->values, "outliers");
  bool closed = strcmp(state, "closed") == 0;
  const struct {
    const char *name;
    bool is;
  } flags[] = {
      {"may_act", service},
      {"may_ask", service && l->targets.device != 0 && !closed},
      {"first_ask", json_is_null(json_object_get(l->claim, "asked_at"))},
      {"may_answer", service && claim_may(state, "answered")},
      {"may_close", service && claim_may(state, "closed")},
      {"may_reopen", service && closed},
      {"needs_device", l->targets.device == 0},
      {"asked", tm_json_get_number(progress, "wanted") > 0},
      {"has_items", json_array_size(json_object_get(l->values, "items")) > 0},
      {"has_outliers", tm_json_get_number(outliers, "all") > 0},
      {"cluster", l->same >= CLUSTER_LEAST},
      {"compares_device", strcmp(tm_json_get_string(l->claim, "compare"), "device") == 0},
      {"compares_peers", strcmp(tm_json_get_string(l->claim, "compare"), "peers") == 0},
  };
  for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
    json_object_set_new(model, flags[i].name, json_boolean(flags[i].is));
  json_object_set_new(model, "state_word", json_string(claim_state_word(state)));
  json_object_set_new(model, "state_class", json_string(claim_state_class(state)));
  json_object_set_new(model, "via_word",
                      json_string(claim_via_word(tm_json_get_string(l->claim, "via"))));
  json_object_set_new(model, "own_word", own_word(json_object_get(progress, "own")));
  json_object_set_new(model, "same", json_integer(l->same));
  add_bar(model, progress);
}

static json_t *joined(const json_t *items)
{
  struct tm_buf b = TM_BUF_INIT(8192);
  size_t i;
  const json_t *one;
  json_array_foreach(items, i, one)
      tm_buf_printf(&b, "%s%s", i > 0 ? " " : "", json_string_value(one));
  json_t *text = json_string(b.ptr != NULL ? b.ptr : "");
  tm_buf_release(&b);
  return text;
}

static json_t *labels_of(const json_t *items)
{
  json_t *list = json_array();
  char label[256];
  size_t i;
  const json_t *one;
  json_array_foreach(items, i, one) json_array_append_new(
      list, json_pack("{s:s, s:O}", "label",
                      claim_item_label(label, sizeof(label), json_string_value(one)), "name", one));
  return list;
}

static void add_words(json_t *events)
{
  size_t i;
  json_t *row;
  json_array_foreach(events, i, row)
      json_object_set_new(row, "words",
                          json_string(claim_event_words(tm_json_get_string(row, "what"),
                                                        tm_json_get_string(row, "to_state"))));
}

static json_t *page_model(const struct looking *l)
{
  const json_t *items = json_object_get(l->values, "items");
  const char *type = tm_json_get_string(l->claim, "type");
  json_t *model = json_pack(
      "{s:o, s:O, s:o, s:O, s:O, s:O, s:O, s:O, s:O, s:O, s:o, s:o}", "title",
      json_sprintf("Claim K-%lld", (long long)l->id), "claim", l->claim, "groups", groups_of(items),
      "progress", json_object_get(l->values, "progress"), "outliers",
      json_object_get(l->values, "outliers"), "alone", json_object_get(l->values, "alone"),
      "comments", l->comments, "events", l->events, "columns", l->columns, "days", l->rows,
      "asked_items", labels_of(json_object_get(l->claim, "items")), "kind_word",
      json_string(words_kind(tm_json_get_string(l->claim, "kind"))));
  if (model == NULL)
    return NULL;
  add_words(l->events);
  json_t *found = findings(items);
  if (found != NULL)
    json_object_set_new(model, "finding", found);
  json_object_set_new(
      model, "plan",
      json_pack("{s:s, s:I, s:o, s:o, s:I, s:I, s:b, s:b}", "type", l->type.type, "version",
                (json_int_t)l->type.version, "items", joined(l->type.items), "labels",
                labels_of(l->type.items), "models", (json_int_t)l->targets.models, "peers",
                (json_int_t)l->targets.consent, "hinted", strcmp(l->type.how, "hint") == 0,
                "common", strcmp(l->type.how, "common") == 0));
  json_object_set_new(model, "type", json_string(type));
  add_flags(model, l);
  return model;
}

static int show_claim(const struct request *r, struct response *to, struct tm_error *err)
{
  struct looking l = {.r = r, .id = claim_number(request_part(r, "id"))};
  int rc = l.id == 0 ? tm_fail(err, -ENOENT, "not a number of a claim")
                     : store_read(r->desk->store, &r->scope, read_all, &l, err);
  const char *customer = tm_json_get_string(l.claim, "customer_id");
  if (rc == 0 && customer != NULL)
    rc = audit_seen(r, customer, err);
  if (rc == 0) {
    json_t *model = r->wants_json ? api_model(&l) : page_model(&l);
    rc = respond_model(r, to, "claim.html", model, err);
    json_decref(model);
  }
  looking_reset(&l);
  return rc;
}

#define READERS (ROLE_SERVICE | ROLE_SALES | ROLE_ENGINEER)

const struct route claim_routes[] = {
    {"GET", "/claims/{id}", READERS, 0, "One claim: the device beside others of its model",
     show_claim},
    {"GET", "/api/v1/claims/{id}", READERS, 0,
     "One claim: its row, the values that came, progress and what was said", show_claim},
    {0},
};
