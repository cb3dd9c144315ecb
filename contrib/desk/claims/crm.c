/* SPDX-License-Identifier: MIT */
#include "contrib/desk/claims/crm.h"

#include "common/clock.h"
#include "common/json.h"
#include "common/log.h"
#include "common/number.h"
#include "contrib/desk/claims/claim.h"
#include "contrib/desk/claims/values.h"
#include "exporters/tryton/rpc.h"
#include "exporters/tryton/value.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AT_ONCE = 100, CALL_S = 10, ATTACHMENT = 1 << 20, AGAIN_S = 600 };

struct claims_crm {
  struct tryton_rpc *rpc;
  json_t *refused; /* complaints that are no claims, by id: said already */
  bool away;       /* said already */
  int64_t wait_to; /* not asked before */
};

int claims_crm_new(struct claims_crm **crm, const struct desk_conf *conf, struct tm_error *err)
{
  *crm = NULL;
  if (!conf->factory.tryton)
    return 0;
  struct claims_crm *c = calloc(1, sizeof(*c));
  const struct tryton_options options = {.url = conf->factory.url,
                                         .user = conf->factory.user,
                                         .password_file = conf->factory.password_file,
                                         .timeout_s = CALL_S};
  if (c == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  c->refused = json_object();
  int rc = tryton_rpc_new(&c->rpc, &options, err);
  if (rc < 0) {
    claims_crm_free(c);
    return rc;
  }
  *crm = c;
  return 0;
}

void claims_crm_free(struct claims_crm *c)
{
  if (c == NULL)
    return;
  tryton_rpc_free(c->rpc);
  json_decref(c->refused);
  free(c);
}

/* --- from there ----------------------------------------------------------------------------------
 */

/* Those that we have. Not the greatest id alone: a complaint may be put in anew as a draft. */
static int read_known(struct db *db, void *arg, struct tm_error *err)
{
  json_t **known = arg;
  struct db_stmt *stmt = NULL;
  json_decref(*known);
  *known = json_object();
  int rc = db_prepare(db,
                      "SELECT external_id FROM claims WHERE source = 'crm' ORDER BY id DESC"
                      " LIMIT 10000",
                      &stmt, err);
  if (rc < 0)
    return rc;
  while ((rc = db_step(stmt, err)) == 1)
    json_object_set_new(*known, db_text(stmt, 0), json_true());
  db_done(stmt);
  return rc;
}

static const char *some(const char *text)
{
  return text != NULL && text[0] != '\0' ? text : NULL;
}

/* "customer." of a record is what was asked of its party. */
static json_t *document_of(const json_t *record, int64_t now)
{
  char id[32], day[TM_DATE_SIZE];
  const json_t *customer = json_object_get(record, "customer.");
  const json_t *type = json_object_get(record, "type.");
  const char *text = some(tryton_text(record, "description")),
             *name = some(tryton_text(type, "name")), *number = some(tryton_text(record, "number")),
             *reference = some(tryton_text(record, "reference")),
             *code = some(tryton_text(customer, "code"));
  int64_t on = tryton_day_of(json_object_get(record, "date"));
  snprintf(id, sizeof(id), "%lld", (long long)tryton_id(record, "id"));
  json_t *d =
      json_pack("{s:s, s:s, s:s, s:s, s:o, s:s, s:s, s:s*}", "schema", "tidemark.claim/1", "id", id,
                "via", "crm", "external_id", number != NULL ? number : id, "claimed_at",
                on == INT64_MIN ? tm_json_time(now)
                                : json_sprintf("%sT00:00:00Z", tm_date_format_days(day, on)),
                "type", name != NULL ? name : "complaint", "text", text != NULL ? text : "", "by",
                some(tryton_text(customer, "name")));
  if (d != NULL && code != NULL)
    json_object_set_new(d, "customer", json_pack("{s:s}", "id", code));
  if (d != NULL && reference != NULL)
    json_object_set_new(d, "serial", json_string(reference));
  return d;
}

/* One that is no claim may become one there: it is looked at again, and neither told again nor in
 * the way of others. */
static int take_record(struct claims_crm *c, const struct desk *desk, const json_t *record,
                       int64_t now, int *taken, struct tm_error *err)
{
  char id[32], field[200];
  struct tm_error why = {0};
  snprintf(id, sizeof(id), "%lld", (long long)tryton_id(record, "id"));
  json_t *document = document_of(record, now);
  struct claim_intake in = {.desk = desk,
                            .document = document,
                            .via = "crm",
                            .source = "crm",
                            .external_id = id,
                            .now = now};
  int rc = 0;
  if (claim_check(document, field, &why) == 0) {
    rc = store_write(desk->store, &db_everyone, claim_take, &in, err);
    ++*taken;
  } else if (json_object_get(c->refused, id) == NULL) {
    tm_log_warning("complaint %s: not taken: %s: %s", id, field, why.text);
    json_object_set_new(c->refused, id, json_true());
  }
  json_decref(document);
  return rc;
}

static int take_new(struct claims_crm *c, const struct desk *desk, int64_t now,
                    struct tm_error *err)
{
  json_t *known = NULL, *records = NULL, *record;
  size_t i;
  int rc = store_read(desk->store, &db_everyone, read_known, &known, err);
  if (rc == 0)
    rc = tryton_find(c->rpc, "sale.complaint",
                     json_pack("[[s,s,[s,s]]]", "state", "in", "draft", "waiting"), 0,
                     json_pack("[s,s,s,s,s,s,s]", "number", "reference", "date", "description",
                               "customer.code", "customer.name", "type.name"),
                     NULL, &records, err);
  int taken = 0;
  json_array_foreach(records, i, record)
  {
    char id[32];
    snprintf(id, sizeof(id), "%lld", (long long)tryton_id(record, "id"));
    if (rc == 0 && taken < AT_ONCE && json_object_get(known, id) == NULL)
      rc = take_record(c, desk, record, now, &taken, err);
  }
  json_decref(records);
  json_decref(known);
  return rc;
}

/* --- and back ------------------------------------------------------------------------------------
 */

struct attaching {
  int64_t now, claim;
  json_int_t complaint;
  struct tm_buf text; /* what is attached */
  bool too_long;      /* ... and it would be more than that may be */
};

/* The next one that is due, with its values. */
static int read_due(struct db *db, void *arg, struct tm_error *err)
{
  struct attaching *a = arg;
  struct db_stmt *stmt = NULL;
  json_t *claim = NULL, *values = NULL;
  int64_t complaint = 0;
  tm_buf_reset(&a->text);
  a->claim = 0;
  a->too_long = false;
  int rc = db_prepare(db,
                      "SELECT id, external_id FROM claims WHERE attach_at <= ?1"
                      " ORDER BY attach_at, id LIMIT 1",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, a->now);
  rc = db_step(stmt, err);
  if (rc == 1) {
    a->claim = db_int(stmt, 0);
    if (tm_parse_i64(db_text(stmt, 1), 1, INT64_MAX, &complaint) != 0)
      complaint = 0;
  }
  db_done(stmt);
  a->complaint = complaint;
  if (rc != 1)
    return rc;
  rc = claim_read(db, a->claim, &claim, err);
  if (rc == 0) {
    values = claim_values(db, claim, a->now, err);
    int written = values != NULL ? tm_json_append(&a->text, values) : -EIO;
    a->too_long = written == -EFBIG;
    if (written < 0 && !a->too_long)
      rc = tm_fail(err, -EIO, "K-%lld: its values cannot be written", (long long)a->claim);
  }
  json_decref(values);
  json_decref(claim);
  return rc;
}

/* The complaint is there once: an attachment of this name is brought up to date. */
static int attach(struct claims_crm *c, const struct attaching *a, struct tm_error *err)
{
  char name[48], resource[64];
  json_t *found = NULL;
  snprintf(name, sizeof(name), "tidemark-K-%lld.json", (long long)a->claim);
  snprintf(resource, sizeof(resource), "sale.complaint,%lld", (long long)a->complaint);
  int rc = tryton_find(c->rpc, "ir.attachment",
                       json_pack("[[s,s,s],[s,s,s]]", "resource", "=", resource, "name", "=", name),
                       1, json_pack("[s]", "name"), NULL, &found, err);
  const json_t *there = json_array_get(found, 0);
  json_t *data = tryton_bytes(a->text.ptr, a->text.len);
  if (rc == 0 && there != NULL)
    rc = tryton_call(c->rpc, "model.ir.attachment.write",
                     json_pack("[[I],{s:O}]", tryton_id(there, "id"), "data", data), NULL, NULL,
                     err);
  else if (rc == 0)
    rc = tryton_create(c->rpc, "ir.attachment",
                       json_pack("{s:s,s:s,s:s,s:O}", "resource", resource, "type", "data", "name",
                                 name, "data", data),
                       NULL, err);
  json_decref(data);
  json_decref(found);
  return rc;
}

static int note_attached(struct db *db, void *arg, struct tm_error *err)
{
  const struct attaching *a = arg;
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db, "UPDATE claims SET attach_at = NULL, attached_at = ?2 WHERE id = ?1",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, a->claim);
  db_bind_int(stmt, 2, a->now);
  rc = db_exec(stmt, err);
  return rc == 0 ? claim_note(db, a->claim, a->now, "desk", "attached", NULL, NULL, NULL, err) : rc;
}

/* A complaint that takes none is not tried for ever. */
static int note_refused(struct db *db, void *arg, struct tm_error *err)
{
  const struct attaching *a = arg;
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db, "UPDATE claims SET attach_at = NULL WHERE id = ?1", &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, a->claim);
  rc = db_exec(stmt, err);
  return rc == 0 ? claim_note(db, a->claim, a->now, "desk", "not attached", NULL, NULL, NULL, err)
                 : rc;
}

static int attach_due(struct claims_crm *c, const struct desk *desk, int64_t now,
                      struct tm_error *err)
{
  struct attaching a = {.now = now, .text = TM_BUF_INIT(ATTACHMENT)};
  int rc = 0;
  do {
    rc = store_read(desk->store, &db_everyone, read_due, &a, err);
    if (rc < 0 || a.claim == 0)
      break;
    struct tm_error why = {0};
    if (a.too_long)
      rc = tm_fail(&why, -EBADMSG, "its values are more than %d KiB", ATTACHMENT / 1024);
    else
      rc = a.complaint > 0 ? attach(c, &a, &why) : -EBADMSG;
    if (rc == -EBADMSG || rc == -EPERM) {
      tm_log_warning("K-%lld: not attached to complaint %lld: %s", (long long)a.claim,
                     (long long)a.complaint, why.text);
      rc = store_write(desk->store, &db_everyone, note_refused, &a, err);
    } else if (rc == 0) {
      rc = store_write(desk->store, &db_everyone, note_attached, &a, err);
    } else {
      *err = why;
    }
  } while (rc == 0);
  tm_buf_release(&a.text);
  return rc;
}

int claims_crm_work(struct claims_crm *c, const struct desk *desk, int64_t now,
                    struct tm_error *err)
{
  if (now < c->wait_to)
    return 0;
  int rc = take_new(c, desk, now, err);
  if (rc == 0)
    rc = attach_due(c, desk, now, err);
  if (rc == 0) {
    c->away = false;
    return 0;
  }
  /* The desk does its own work whether the CRM is there or not. */
  if (!c->away)
    tm_log_warning("complaints: %s; asked again each %d min", err->text, AGAIN_S / 60);
  c->away = true;
  c->wait_to = now + AGAIN_S;
  *err = (struct tm_error){0};
  return 0;
}
