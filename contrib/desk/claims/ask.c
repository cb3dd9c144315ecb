/* SPDX-License-Identifier: MIT */
#include "contrib/desk/claims/ask.h"

#include "common/clock.h"
#include "common/json.h"
#include "contrib/desk/claims/claim.h"
#include "contrib/desk/claims/types.h"
#include "contrib/desk/intake/schemas.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define PEERS                                                                                      \
  " FROM devices WHERE model = ?1 AND (vendor = ?2 OR (vendor IS NULL AND ?2 IS NULL))"            \
  " AND id <> ?3 AND (?4 IS NULL OR kind = ?4)"

static void bind_peers(struct db_stmt *stmt, const json_t *claim)
{
  db_bind_text(stmt, 1, tm_json_get_string(claim, "model"));
  db_bind_text(stmt, 2, tm_json_get_string(claim, "vendor"));
  db_bind_int(stmt, 3, json_integer_value(json_object_get(claim, "device_id")));
  db_bind_text(stmt, 4, tm_json_get_string(claim, "kind"));
}

int claim_targets(struct db *db, const json_t *claim, struct claim_targets *out,
                  struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  *out = (struct claim_targets){
      .device = json_integer_value(json_object_get(claim, "device_id")),
      .has_model = tm_json_get_string(claim, "model") != NULL,
  };
  if (!out->has_model || out->device == 0)
    return 0;
  int rc = db_prepare(db,
                      "SELECT COUNT(*), coalesce(SUM(CASE WHEN consent & 8 <> 0 THEN 1 ELSE 0 END),"
                      " 0)" PEERS,
                      &stmt, err);
  if (rc < 0)
    return rc;
  bind_peers(stmt, claim);
  rc = db_step(stmt, err);
  if (rc == 1) {
    out->models = db_int(stmt, 0);
    out->consent = db_int(stmt, 1);
  }
  db_done(stmt);
  return rc < 0 ? rc : 0;
}

/* --- the requests --------------------------------------------------------------------------------
 */

struct asking {
  const struct claim_ask *ask;
  const json_t *claim; /* its row */
  const json_t *items;
  const char *compare;
  int64_t expires_at;
};

/* What the site's administrator reads. A peer is told of no claim: it is another customer's. */
static json_t *request_of(const struct asking *a, const json_t *target, bool own, const char *id)
{
  const char *model = tm_json_get_string(a->claim, "model");
  json_t *reason = own ? json_sprintf("Claim %s: %s", tm_json_get_string(a->claim, "id_text"),
                                      tm_json_get_string(a->claim, "type"))
                       : json_sprintf("Averages of the model %s; nothing is wrong with your device",
                                      model != NULL ? model : "");
  json_t *r = json_pack(
      "{s:s, s:s, s:O, s:O, s:s, s:O, s:o, s:o, s:o}", "schema", "tidemark.request/1", "id", id,
      "host", json_object_get(target, "host"), "device", json_object_get(target, "device"),
      "purpose", own ? "service" : "comparison", "items", a->items, "asked_at",
      tm_json_time(a->ask->now), "expires_at", tm_json_time(a->expires_at), "reason", reason);
  if (own && r != NULL)
    json_object_set(r, "claim", json_object_get(a->claim, "id_text"));
  return r;
}

static int insert_request(struct db *db, const struct asking *a, const json_t *target, bool own,
                          struct tm_error *err)
{
  unsigned char random[12];
  char id[2 + 2 * sizeof(random) + 1] = "R-";
  struct tm_buf text = TM_BUF_INIT(1 << 16);
  struct json_fault fault;
  struct db_stmt *stmt = NULL;
  randombytes_buf(random, sizeof(random));
  sodium_bin2hex(id + 2, sizeof(id) - 2, random, sizeof(random));
  json_t *document = request_of(a, target, own, id);
  int rc = document == NULL || tm_json_append(&text, document) < 0
               ? tm_fail(err, -ENOMEM, "a request cannot be made")
               : 0;
  if (rc == 0 && json_schema_check(schema_of(SCHEMA_OF_REQUEST), document, 0, &fault) < 0)
    rc = tm_fail(err, -EINVAL, "request.%.100s: %.100s", fault.field, fault.why);
  if (rc == 0)
    rc = db_prepare(db,
                    "INSERT INTO requests (request, customer_id, site, device_id, claim, purpose,"
                    " asked_at, asked_by, expires_at, document_json)"
                    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                    &stmt, err);
  if (rc == 0) {
    db_bind_text(stmt, 1, id);
    db_bind_text(stmt, 2, tm_json_get_string(target, "customer_id"));
    db_bind_text(stmt, 3, tm_json_get_string(target, "site"));
    db_bind_int(stmt, 4, json_integer_value(json_object_get(target, "id")));
    db_bind_text(stmt, 5, tm_json_get_string(a->claim, "id_text"));
    db_bind_text(stmt, 6, own ? "service" : "comparison");
    db_bind_int(stmt, 7, a->ask->now);
    db_bind_text(stmt, 8, a->ask->by);
    db_bind_int(stmt, 9, a->expires_at);
    db_bind_text(stmt, 10, text.ptr);
    rc = db_exec(stmt, err);
  }
  tm_buf_release(&text);
  json_decref(document);
  return rc;
}

/* The peers that may be asked, those that were heard of last first. */
static json_t *read_peers(struct db *db, const json_t *claim, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "SELECT id, customer_id, site, host, device" PEERS
                      " AND consent & 8 <> 0 ORDER BY last_seen_at DESC, id LIMIT ?5",
                      &stmt, err);
  if (rc < 0)
    return NULL;
  bind_peers(stmt, claim);
  db_bind_int(stmt, 5, CLAIM_PEERS);
  return db_rows(stmt, err);
}

static int ask_peers(struct db *db, const struct asking *a, int64_t *asked, struct tm_error *err)
{
  json_t *peers = read_peers(db, a->claim, err), *peer;
  size_t i;
  int rc = peers != NULL ? 0 : -EIO;
  json_array_foreach(peers, i, peer) if (rc == 0) rc = insert_request(db, a, peer, false, err);
  if (rc == 0)
    *asked += (int64_t)json_array_size(peers);
  json_decref(peers);
  return rc;
}

static int ask_device(struct db *db, const struct asking *a, int64_t *asked, struct tm_error *err)
{
  json_t *target = json_copy((json_t *)a->claim);
  json_object_set(target, "id", json_object_get(a->claim, "device_id"));
  int rc = insert_request(db, a, target, true, err);
  json_decref(target);
  if (rc == 0)
    ++*asked;
  return rc;
}

/* --- the claim -----------------------------------------------------------------------------------
 */

static int check_ask(struct claim_ask *ask, const json_t *claim, const struct claim_targets *t,
                     const char *compare, struct tm_error *err)
{
  const char *state = tm_json_get_string(claim, "state");
  ask->field = "version";
  if (ask->version != 0 && ask->version != json_integer_value(json_object_get(claim, "version")))
    return tm_fail(err, -EEXIST, "the claim was changed meanwhile");
  ask->field = "device";
  if (t->device == 0)
    return tm_fail(err, -EINVAL, "say first which device it is");
  ask->field = NULL;
  if (strcmp(state, "closed") == 0)
    return tm_fail(err, -EINVAL, "the claim is closed");
  ask->field = "compare";
  if (strcmp(compare, "device") != 0 && strcmp(compare, "peers") != 0 &&
      strcmp(compare, "both") != 0)
    return tm_fail(err, -EINVAL, "device, peers or both");
  if (strcmp(compare, "peers") == 0 && t->consent == 0)
    return tm_fail(err, -EINVAL, "no other device of the model has agreed to be compared");
  ask->field = NULL;
  return 0;
}

/* What was asked before stays in the list, for its answers are shown too. */
static int note_asked(struct db *db, const struct asking *a, const struct claim_targets *t,
                      int64_t type_version, struct tm_error *err)
{
  struct tm_buf text = TM_BUF_INIT(1 << 16);
  json_t *all = json_object_get(a->claim, "items");
  size_t i;
  json_t *item;
  all = json_is_array(all) ? json_copy(all) : json_array();
  json_array_foreach(a->items, i, item)
  {
    size_t j = 0;
    while (j < json_array_size(all) && !json_equal(json_array_get(all, j), item))
      j++;
    if (j == json_array_size(all))
      json_array_append(all, item);
  }
  struct db_stmt *stmt = NULL;
  int rc = tm_json_append(&text, all) < 0 ? tm_fail(err, -ENOMEM, "out of memory") : 0;
  if (rc == 0)
    rc = db_prepare(db,
                    "UPDATE claims SET state = 'collecting', state_at = ?2, items_json = ?3,"
                    " asked_at = ?2, asked_by = ?4, expires_at = ?5, models = ?6,"
                    " without_consent = ?7, compare = ?8, type_version = ?9, ready_at = NULL,"
                    " version = version + 1 WHERE id = ?1",
                    &stmt, err);
  if (rc == 0) {
    db_bind_int(stmt, 1, a->ask->claim);
    db_bind_int(stmt, 2, a->ask->now);
    db_bind_text(stmt, 3, text.ptr);
    db_bind_text(stmt, 4, a->ask->by);
    db_bind_int(stmt, 5, a->expires_at);
    db_bind_int(stmt, 6, t->models);
    db_bind_int(stmt, 7, t->models - t->consent);
    db_bind_text(stmt, 8, a->compare);
    db_bind_int_or_null(stmt, 9, type_version != 0, type_version);
    rc = db_exec(stmt, err);
  }
  tm_buf_release(&text);
  json_decref(all);
  return rc;
}

/* The items that the person chose, or those of the claim's kind; in either case the version of the
 * kind's list that was shown. */
static int choose_items(struct db *db, struct claim_ask *ask, const json_t *claim, json_t **items,
                        int64_t *version, struct tm_error *err)
{
  struct claim_type type = {0};
  int rc = claim_type_find(db, tm_json_get_string(claim, "type"), tm_json_get_string(claim, "text"),
                           &type, err);
  *version = type.version;
  ask->field = "items";
  if (rc == 0 && ask->items != NULL)
    rc = claim_items_read(ask->items, items, err);
  else if (rc == 0)
    *items = json_incref(type.items);
  if (rc == 0 && json_array_size(*items) == 0)
    rc = tm_fail(err, -EINVAL, "at least one data item");
  if (rc == 0)
    ask->field = NULL;
  json_decref(type.items);
  return rc;
}

int claim_ask(struct db *db, void *arg, struct tm_error *err)
{
  struct claim_ask *ask = arg;
  json_t *claim = NULL, *items = NULL;
  struct claim_targets t = {0};
  int64_t version = 0;
  ask->asked = 0;
  int rc = claim_read(db, ask->claim, &claim, err);
  if (rc == 0)
    rc = claim_targets(db, claim, &t, err);
  const char *compare = ask->compare != NULL ? ask->compare : tm_json_get_string(claim, "compare");
  if (rc == 0)
    rc = check_ask(ask, claim, &t, compare, err);
  if (rc == 0)
    rc = choose_items(db, ask, claim, &items, &version, err);
  const struct asking a = {.ask = ask,
                           .claim = claim,
                           .items = items,
                           .compare = compare,
                           .expires_at = ask->now + CLAIM_OPEN_S};
  if (rc == 0 && strcmp(compare, "peers") != 0)
    rc = ask_device(db, &a, &ask->asked, err);
  if (rc == 0 && strcmp(compare, "device") != 0)
    rc = ask_peers(db, &a, &ask->asked, err);
  if (rc == 0)
    rc = note_asked(db, &a, &t, version, err);
  if (rc == 0)
    rc = claim_note(db, ask->claim, ask->now, ask->by, "asked", tm_json_get_string(claim, "state"),
                    "collecting", NULL, err);
  json_decref(items);
  json_decref(claim);
  return rc;
}

int claim_withdraw(struct db *db, int64_t claim, int64_t now, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "UPDATE requests SET status = 'expired', answered_at = ?2"
                      " WHERE claim = 'K-' || ?1 AND status = 'open'",
                      &stmt, err);
  char id[32];
  if (rc < 0)
    return rc;
  snprintf(id, sizeof(id), "%lld", (long long)claim);
  db_bind_text(stmt, 1, id);
  db_bind_int(stmt, 2, now);
  return db_exec(stmt, err);
}
