/* SPDX-License-Identifier: MIT */
#include "contrib/desk/claims/values.h"

#include "common/clock.h"
#include "common/json.h"
#include "contrib/desk/claims/compare.h"
#include "contrib/desk/claims/types.h"
#include "contrib/desk/claims/words.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Answers are gathered by item and unit: {"density_black\toptical density": {"name", "unit",
 * "nature", "own": item or absent, "peers": {DEVICE: value}}}. Of several answers of a device the
 * newest counts.
 */
struct gathering {
  json_t *items;
  json_t *lacking;  /* by name: what the claimed device was asked for and has no value of */
  json_t *own;      /* status, at, reason of the newest request to the claimed device */
  int64_t count[6]; /* of peers, by status: see statuses */
  int64_t wanted, here, waiting;
};

static const char *const statuses[] = {"open",        "answered", "refused",
                                       "unavailable", "expired",  NULL};

static size_t status_at(const char *status)
{
  size_t i = 0;
  while (statuses[i] != NULL && strcmp(statuses[i], status) != 0)
    i++;
  return i;
}

/* What a page says of a request: an open one whose time is over is as good as closed. */
static const char *status_of(const json_t *row, int64_t now)
{
  const char *status = tm_json_get_string(row, "status");
  bool over = json_integer_value(json_object_get(row, "expires_at")) <= now;
  return strcmp(status, "open") == 0 && over ? "expired" : status;
}

/* Borrowed; NULL where there was no memory for it. */
static json_t *place_of(struct gathering *g, const json_t *item)
{
  char key[64 + 1 + 200 * 4 + 1]; /* a name, and a unit of 200 characters */
  const char *name = tm_json_get_string(item, "name"), *unit = tm_json_get_string(item, "unit");
  snprintf(key, sizeof(key), "%s\t%s", name, unit != NULL ? unit : "");
  json_t *place = json_object_get(g->items, key);
  if (place == NULL) {
    place = json_pack("{s:s, s:s?, s:{}}", "name", name, "unit", unit, "peers");
    if (json_object_set_new(g->items, key, place) < 0)
      return NULL;
  }
  const json_t *nature = json_object_get(item, "nature");
  if (json_is_string(nature))
    json_object_set(place, "nature", (json_t *)nature);
  return place;
}

static void take_items(struct gathering *g, const json_t *row, bool own)
{
  const json_t *items = json_object_get(json_object_get(row, "document"), "items");
  char device[32];
  size_t i;
  json_t *item;
  snprintf(device, sizeof(device), "%lld",
           (long long)json_integer_value(json_object_get(row, "device_id")));
  json_array_foreach(items, i, item)
  {
    json_t *value = json_object_get(item, "value");
    bool known = value != NULL && !json_is_null(value);
    if (!known) {
      if (own)
        json_object_set(g->lacking, tm_json_get_string(item, "name"), item);
      continue;
    }
    json_t *place = place_of(g, item);
    if (own)
      json_object_set(place, "own", item);
    else
      json_object_set(json_object_get(place, "peers"), device, value);
  }
}

static void take_row(struct gathering *g, const json_t *row, int64_t now)
{
  const char *status = status_of(row, now);
  bool own = strcmp(tm_json_get_string(row, "purpose"), "service") == 0;
  const json_t *document = json_object_get(row, "document");
  g->wanted++;
  g->here += strcmp(status, "open") != 0 && strcmp(status, "expired") != 0;
  g->waiting += strcmp(status, "open") == 0;
  if (own) {
    json_decref(g->own);
    g->own =
        json_pack("{s:s, s:O, s:O*}", "status", status, "at", json_object_get(row, "answered_at"),
                  "reason", json_object_get(document, "reason"));
  } else {
    g->count[status_at(status)]++;
  }
  if (strcmp(status, "answered") == 0)
    take_items(g, row, own);
}

/* An answer counts for the device that it was asked of, and for no other of that site. */
static json_t *read_answers(struct db *db, const char *claim, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "SELECT r.device_id, r.purpose, r.status, r.expires_at, r.answered_at,"
                      " v.document_json FROM requests r LEFT JOIN item_values v"
                      " ON v.request = r.request AND v.customer_id = r.customer_id"
                      " AND v.device_id = r.device_id AND v.status = r.status"
                      " WHERE r.claim = ?1 ORDER BY r.asked_at, r.request, v.arrived_at",
                      &stmt, err);
  if (rc < 0)
    return NULL;
  db_bind_text(stmt, 1, claim);
  return db_rows(stmt, err);
}

/* Beside the peers that have it, whatever their unit. */
static void place_lacking(struct gathering *g)
{
  const char *name, *key;
  json_t *item, *place;
  json_object_foreach(g->lacking, name, item)
  {
    bool placed = false;
    json_object_foreach(g->items, key, place)
    {
      if (strcmp(tm_json_get_string(place, "name"), name) != 0)
        continue;
      placed = true;
      if (json_object_get(place, "own") == NULL)
        json_object_set(place, "own", item);
    }
    if (!placed)
      json_object_set(place_of(g, item), "own", item);
  }
}

static int gather(struct db *db, struct gathering *g, const char *claim, int64_t now,
                  struct tm_error *err)
{
  json_t *rows = read_answers(db, claim, err), *row;
  size_t i;
  if (rows == NULL)
    return -EIO;
  g->items = json_object();
  g->lacking = json_object();
  json_array_foreach(rows, i, row) take_row(g, row, now);
  place_lacking(g);
  json_decref(rows);
  return 0;
}

/* A text that needs a line of its own in a table. */
enum { LONG_TEXT = 12 };

/* --- one item beside its peers -------------------------------------------------------------------
 */

static const char *nature_word(const char *nature)
{
  if (nature == NULL)
    return "";
  return strcmp(nature, "measurement") == 0 ? "measured" : nature;
}

static void set_text(json_t *text, const char *key, double value)
{
  char s[64];
  if (!isnan(value))
    json_object_set_new(text, key, json_string(claim_number_text(s, sizeof(s), value)));
}

static void put_mark(json_t *row, json_t *text, const struct compare_numbers *c)
{
  char away[64];
  if (c->below_all || c->above_all)
    json_object_set_new(text, "percentile", json_string(c->below_all ? "below all" : "above all"));
  else if (!isnan(c->percentile))
    json_object_set_new(text, "percentile", json_sprintf("%.0f", c->percentile));
  json_object_set_new(row, "outlier", json_boolean(c->outlier));
  if (!c->outlier)
    return;
  if (isinf(c->distance))
    snprintf(away, sizeof(away), "the peers are all alike");
  else
    snprintf(away, sizeof(away), "%.1f spreads %s the mean", fabs(c->distance),
             c->distance < 0 ? "below" : "above");
  json_object_set_new(text, "away", json_string(away));
}

static void put_numbers(json_t *row, json_t *text, double *peers, size_t n, double claimed)
{
  struct compare_numbers c;
  compare_numbers(&c, peers, n, claimed);
  json_object_set_new(row, "peers", json_integer((json_int_t)n));
  json_object_set_new(row, "shown", json_boolean(c.shown));
  if (!c.shown)
    return;
  const struct {
    const char *key;
    double value;
  } told[] = {{"mean", c.mean},        {"median", c.median}, {"spread", c.spread},
              {"low", c.low},          {"high", c.high},     {"percentile", c.percentile},
              {"distance", c.distance}};
  for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++)
    json_object_set_new(row, told[i].key, tm_json_number(told[i].value));
  for (size_t i = 0; i < 3; i++)
    set_text(text, told[i].key, told[i].value);
  put_mark(row, text, &c);
  json_object_set_new(row, "strip", claim_strip(&c, peers, claimed));
}

static void put_texts(json_t *row, json_t *text, const char **peers, size_t n, const char *claimed)
{
  struct compare_texts c;
  compare_texts(&c, peers, n, claimed);
  json_object_set_new(row, "peers", json_integer((json_int_t)n));
  json_object_set_new(row, "shown", json_boolean(c.shown));
  if (!c.shown)
    return;
  json_object_set_new(row, "outlier", json_boolean(c.outlier));
  json_object_set_new(row, "same_peers", json_integer((json_int_t)c.same));
  if (c.most_n > 0) {
    json_object_set_new(row, "most", json_string(c.most));
    json_object_set_new(row, "most_peers", json_integer((json_int_t)c.most_n));
    json_object_set_new(text, "most", json_sprintf("%s at %zu", c.most, c.most_n));
  }
  if (claimed != NULL)
    json_object_set_new(text, "same", json_sprintf("the same at %zu of %zu", c.same, n));
  if (c.outlier)
    json_object_set_new(text, "away", json_string("fewer than 1 in 10 are so"));
}

/* The claimed device's kind of value decides; where it has none, what most peers have. */
static bool is_number(const json_t *own, const json_t *peers)
{
  size_t numbers = 0;
  const char *key;
  json_t *value;
  if (own != NULL && !json_is_null(own))
    return json_is_number(own);
  json_object_foreach((json_t *)peers, key, value) numbers += json_is_number(value);
  return numbers * 2 > json_object_size(peers);
}

static const char *text_of(const json_t *value)
{
  return json_is_boolean(value) ? (json_is_true(value) ? "on" : "off") : json_string_value(value);
}

static int compare_row(json_t *row, json_t *text, const json_t *own, const json_t *peers)
{
  size_t n = 0, room = json_object_size(peers) + 1;
  double *numbers = calloc(room, sizeof(*numbers));
  const char **texts = calloc(room, sizeof(*texts)), *key;
  bool number = is_number(own, peers);
  json_t *value;
  if (numbers == NULL || texts == NULL) {
    free(numbers);
    free(texts);
    return -ENOMEM;
  }
  json_object_foreach((json_t *)peers, key, value)
  {
    if (json_is_number(value) != number)
      continue;
    if (number)
      numbers[n++] = json_number_value(value);
    else
      texts[n++] = text_of(value);
  }
  if (number)
    put_numbers(row, text, numbers, n, json_is_number(own) ? json_number_value(own) : NAN);
  else
    put_texts(row, text, texts, n, text_of(own));
  free(numbers);
  free(texts);
  return 0;
}

static json_t *make_row(const json_t *place, int *rc)
{
  char label[256], shown[CLAIM_VALUE_TEXT];
  const json_t *own = json_object_get(place, "own"), *value = json_object_get(own, "value");
  const char *name = tm_json_get_string(place, "name"),
             *nature = tm_json_get_string(place, "nature");
  json_t *text = json_pack("{s:s}", "value", claim_value_text(shown, sizeof(shown), value));
  json_t *row =
      json_pack("{s:s, s:s, s:O, s:s?, s:s, s:O?, s:O?, s:o}", "name", name, "label",
                claim_item_label(label, sizeof(label), name), "unit",
                json_object_get(place, "unit"), "nature", nature, "kind", nature_word(nature),
                "value", value, "state", json_object_get(own, "state"), "text", text);
  if (json_is_string(value) && json_string_length(value) > LONG_TEXT)
    json_object_set_new(text, "long", json_true());
  if (row == NULL)
    *rc = -ENOMEM;
  else if (*rc == 0)
    *rc = compare_row(row, text, value, json_object_get(place, "peers"));
  if (own == NULL && row != NULL)
    json_object_set_new(text, "value", json_string("–"));
  else if (row != NULL && (value == NULL || json_is_null(value)))
    json_object_set_new(text, "value", json_string("not offered"));
  return row;
}

/* --- all of them ---------------------------------------------------------------------------------
 */

static int nature_rank(const char *nature)
{
  static const char *const order[] = {"measurement", "setting", "counter"};
  for (int i = 0; nature != NULL && i < 3; i++)
    if (strcmp(order[i], nature) == 0)
      return i;
  return 3;
}

static json_t *make_rows(const struct gathering *g, int *rc)
{
  json_t *rows = json_array(), *place;
  const char *key;
  for (int rank = 0; rank < 4; rank++)
    json_object_foreach(g->items, key, place)
    {
      /* A name that some peers alone have may be one that a customer has given. */
      bool known = json_object_get(place, "own") != NULL ||
                   json_object_size(json_object_get(place, "peers")) >= COMPARE_LEAST;
      if (known && nature_rank(tm_json_get_string(place, "nature")) == rank)
        json_array_append_new(rows, make_row(place, rc));
    }
  return rows;
}

static json_t *count_outliers(const json_t *rows)
{
  json_int_t by[4] = {0}, compared = 0;
  size_t i;
  const json_t *row;
  json_array_foreach(rows, i, row)
  {
    const json_t *value = json_object_get(row, "value");
    if (!json_is_true(json_object_get(row, "shown")) || value == NULL || json_is_null(value))
      continue;
    compared++;
    by[nature_rank(tm_json_get_string(row, "nature"))] +=
        json_is_true(json_object_get(row, "outlier"));
  }
  return json_pack("{s:I, s:I, s:I, s:I, s:I}", "all", by[0] + by[1] + by[2] + by[3],
                   "measurements", by[0], "settings", by[1], "counters", by[2], "compared",
                   compared);
}

static int64_t peers_asked(const struct gathering *g)
{
  int64_t asked = 0;
  for (size_t i = 0; i < 5; i++)
    asked += g->count[i];
  return asked;
}

static json_t *progress_model(const struct gathering *g, const json_t *claim)
{
  json_t *peers = json_object();
  for (size_t i = 0; i < 5; i++)
    json_object_set_new(peers, i == 0 ? "waiting" : statuses[i], json_integer(g->count[i]));
  json_object_set_new(peers, "asked", json_integer(peers_asked(g)));
  return json_pack("{s:I, s:I, s:I, s:O?, s:o, s:O?, s:O?}", "wanted", (json_int_t)g->wanted,
                   "here", (json_int_t)g->here, "waiting", (json_int_t)g->waiting, "own", g->own,
                   "peers", peers, "models", json_object_get(claim, "models"), "without_consent",
                   json_object_get(claim, "without_consent"));
}

json_t *claim_values(struct db *db, const json_t *claim, int64_t now, struct tm_error *err)
{
  struct gathering g = {0};
  json_t *out = NULL;
  int rc = gather(db, &g, tm_json_get_string(claim, "id_text"), now, err);
  json_t *rows = rc == 0 ? make_rows(&g, &rc) : NULL;
  if (rc == 0)
    out = json_pack("{s:O, s:o, s:o, s:b}", "items", rows, "progress", progress_model(&g, claim),
                    "outliers", count_outliers(rows), "alone", peers_asked(&g) == 0);
  if (rc == 0 && out == NULL)
    tm_fail(err, -ENOMEM, "the values of a claim cannot be shown");
  json_decref(rows);
  json_decref(g.items);
  json_decref(g.lacking);
  json_decref(g.own);
  return out;
}

/* --- is it enough --------------------------------------------------------------------------------
 */

int claim_progress(struct db *db, const char *claim, int64_t now, struct claim_progress *out,
                   struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  *out = (struct claim_progress){0};
  int rc = db_prepare(db,
                      "SELECT purpose, status, CASE WHEN expires_at > ?2 THEN 1 ELSE 0 END,"
                      " COUNT(*) FROM requests WHERE claim = ?1 GROUP BY 1, 2, 3",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, claim);
  db_bind_int(stmt, 2, now);
  while ((rc = db_step(stmt, err)) == 1) {
    bool own = strcmp(db_text(stmt, 0), "service") == 0;
    bool open = strcmp(db_text(stmt, 1), "open") == 0 && db_int(stmt, 2) != 0;
    int64_t n = db_int(stmt, 3);
    *(own ? &out->own : &out->peers) += n;
    if (open)
      *(own ? &out->own_open : &out->peers_open) += n;
    if (!own && strcmp(db_text(stmt, 1), "answered") == 0)
      out->peers_answered += n;
  }
  db_done(stmt);
  return rc < 0 ? rc : 0;
}

bool claim_is_ready(const struct claim_progress *p)
{
  if (p->own + p->peers == 0)
    return false;
  if (p->own_open + p->peers_open == 0)
    return true;
  return p->own_open == 0 && p->peers_answered >= COMPARE_LEAST && p->peers_open * 4 <= p->peers;
}
