/* SPDX-License-Identifier: MIT */
/* Claims that are typed or sent, and what service does with one. */
#include "common/clock.h"
#include "common/json.h"
#include "contrib/desk/claims/ask.h"
#include "contrib/desk/claims/claim.h"
#include "contrib/desk/claims/cluster.h"
#include "contrib/desk/claims/progress.h"
#include "contrib/desk/claims/types.h"
#include "contrib/desk/http/fields.h"
#include "contrib/desk/people/audit.h"
#include "contrib/desk/rooms.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_BYTES = 10000, COMMENT_BYTES = 4000 };

/* --- a new one -----------------------------------------------------------------------------------
 */

static const struct {
  const char *name, *label, *hint;
} fields[] = {
    {"serial", "Serial number", "Finds the device by itself."},
    {"customer", "Customer’s number", NULL},
    {"site", "Site", NULL},
    {"host", "Host", NULL},
    {"device", "Device", "With the customer’s number, where the serial number is not known."},
    {"model", "Model", "Where the device is not one that reports."},
    {"by", "Who complains", NULL},
    {"external_id", "Number in your own system", NULL},
    {"claimed_on", "Claimed on", "A day as 2026-11-20; today unless given."},
};

/* The form, as it was typed, with what is wrong beside its field. */
static int show_form(const struct request *r, struct response *to, int status, const char *field,
                     const char *wrong, struct tm_error *err)
{
  json_t *types = NULL, *list = json_array(), *options = json_array(), *row;
  size_t i;
  int rc = store_read(r->desk->store, &r->scope, claim_types_read, &types, err);
  const char *type = field_filled(r, "type"), *text = field_filled(r, "text"),
             *compare = field_filled(r, "compare");
  for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
    const char *value = field_filled(r, fields[i].name);
    bool is = field != NULL && strcmp(field, fields[i].name) == 0;
    json_array_append_new(list,
                          json_pack("{s:o, s:s, s:s, s:s, s:s?, s:s*}", "id",
                                    json_sprintf("f-%s", fields[i].name), "name", fields[i].name,
                                    "label", fields[i].label, "value", value != NULL ? value : "",
                                    "hint", fields[i].hint, "error", is ? wrong : NULL));
  }
  json_array_foreach(types, i, row) if (tm_json_get_string(row, "type")[0] != '\0')
      json_array_append(options, json_object_get(row, "type"));
  json_t *model =
      json_pack("{s:s, s:o, s:o, s:s, s:s, s:b, s:b, s:s*}", "title", "New claim", "fields", list,
                "types", options, "type", type != NULL ? type : "", "text",
                text != NULL ? text : "", "peers", compare != NULL && strcmp(compare, "peers") == 0,
                "only_device", compare != NULL && strcmp(compare, "device") == 0, "wrong", wrong);
  if (field != NULL && strcmp(field, "type") == 0)
    json_object_set_new(model, "type_error", json_string(wrong));
  if (field != NULL && strcmp(field, "text") == 0)
    json_object_set_new(model, "text_error", json_string(wrong));
  if (rc == 0)
    rc = respond_page(r, to, status, "claim-new.html", model, err);
  json_decref(model);
  json_decref(types);
  return rc;
}

static int new_claim(const struct request *r, struct response *to, struct tm_error *err)
{
  return show_form(r, to, 200, NULL, NULL, err);
}

/* What the form's fields say, as the document that a program would have sent. */
static json_t *document_of(const struct request *r, int64_t claimed_at)
{
  const char *type = field_filled(r, "type"), *text = field_filled(r, "text"),
             *compare = field_filled(r, "compare");
  json_t *d = json_pack("{s:s, s:s, s:s, s:o, s:s, s:s, s:s, s:s*, s:s*, s:s*, s:s*, s:s*}",
                        "schema", "tidemark.claim/1", "id", "form", "via", "form", "claimed_at",
                        tm_json_time(claimed_at), "type", type != NULL ? type : "", "text",
                        text != NULL ? text : "", "compare", compare != NULL ? compare : "both",
                        "serial", field_filled(r, "serial"), "device", field_filled(r, "device"),
                        "model", field_filled(r, "model"), "by", field_filled(r, "by"),
                        "external_id", field_filled(r, "external_id"));
  if (d != NULL && field_filled(r, "customer") != NULL)
    json_object_set_new(d, "customer",
                        json_pack("{s:s, s:s*, s:s*}", "id", field_filled(r, "customer"), "site",
                                  field_filled(r, "site"), "host", field_filled(r, "host")));
  return d;
}

/* The schema's "customer.id" is the form's "customer". */
static const char *form_field(const char *path)
{
  const char *point = strrchr(path, '.');
  if (strcmp(path, "customer.id") == 0)
    return "customer";
  return point != NULL ? point + 1 : path;
}

static int take(const struct request *r, struct claim_intake *in, struct tm_error *err)
{
  in->desk = r->desk;
  in->now = r->now;
  return store_write(r->desk->store, &r->scope, claim_take, in, err);
}

static int post_claim(const struct request *r, struct response *to, struct tm_error *err)
{
  const char *on = field_filled(r, "claimed_on");
  int64_t at = r->now;
  char field[200], path[64];
  if (on != NULL && (strlen(on) != 10 || tm_time_parse(on, &at) != 0 || at > r->now + TM_DAY))
    return show_form(r, to, 422, "claimed_on", "A day as 2026-11-20, not after today.", err);
  if (field_filled(r, "type") == NULL)
    return show_form(r, to, 422, "type", "Say what it is about.", err);
  if (field_filled(r, "text") == NULL)
    return show_form(r, to, 422, "text", "Say what the customer says.", err);
  json_t *document = document_of(r, at);
  struct claim_intake in = {.document = document,
                            .via = "form",
                            .source = "form",
                            .entered_by = r->visitor->name,
                            .staff = r->visitor->staff};
  int rc = claim_check(document, field, err);
  if (rc < 0) {
    rc = show_form(r, to, 422, form_field(field), err->text, err);
  } else {
    rc = take(r, &in, err);
    snprintf(path, sizeof(path), "/claims/K-%lld", (long long)in.id);
    rc = rc == 0 ? respond_redirect(to, path, err) : rc;
  }
  json_decref(document);
  return rc;
}

/* --- by a program --------------------------------------------------------------------------------
 */

struct taken {
  int64_t id;
  json_t *claim; /* its row */
};

static int read_taken(struct db *db, void *arg, struct tm_error *err)
{
  struct taken *t = arg;
  return claim_read(db, t->id, &t->claim, err);
}

static int respond_taken(const struct request *r, struct response *to,
                         const struct claim_intake *in, struct tm_error *err)
{
  struct taken t = {.id = in->id};
  int rc = store_read(r->desk->store, &r->scope, read_taken, &t, err);
  if (rc < 0)
    return rc;
  json_t *answer = json_pack(
      "{s:O, s:s, s:O?, s:O?, s:O?, s:O?}", "id", json_object_get(t.claim, "id_text"), "status",
      in->duplicate ? "duplicate" : "accepted", "external_id",
      json_object_get(t.claim, "external_id"), "device", json_object_get(t.claim, "device"),
      "owner", json_object_get(t.claim, "owner"), "state", json_object_get(t.claim, "state"));
  rc = respond_json(r, to, in->duplicate ? 200 : 201, answer, err);
  json_decref(answer);
  json_decref(t.claim);
  return rc;
}

static int api_claim(const struct request *r, struct response *to, struct tm_error *err)
{
  char field[200], source[48];
  json_t *document = request_json(r, err);
  if (document == NULL)
    return respond_error(r, to, 422, NULL, err->text);
  snprintf(source, sizeof(source), "api/%lld", (long long)r->visitor->user_id);
  struct claim_intake in = {.document = document, .via = "api", .source = source};
  int rc = claim_check(document, field, err);
  if (rc < 0) {
    rc = respond_error(r, to, 422, field, err->text);
  } else {
    rc = take(r, &in, err);
    rc = rc == 0 ? respond_taken(r, to, &in, err) : rc;
  }
  json_decref(document);
  return rc;
}

/* --- what is done with one -----------------------------------------------------------------------
 */

struct doing {
  const struct request *r;
  int64_t claim;
  const char *field, *text;
  json_t *document;
};

/* Does the work, then leads back to the claim: a person's page, or 204 for a program. */
static int finish(const struct request *r, struct response *to, int64_t claim, store_work *work,
                  void *arg, const char *const *field, struct tm_error *err)
{
  char path[64];
  int rc = claim == 0 ? tm_fail(err, -ENOENT, "not a number of a claim")
                      : store_write(r->desk->store, &r->scope, work, arg, err);
  if (rc == -EINVAL)
    return respond_error(r, to, 422, *field, err->text);
  if (rc != 0)
    return rc;
  if (r->wants_json) {
    to->status = 204;
    return 0;
  }
  snprintf(path, sizeof(path), "/claims/K-%lld", (long long)claim);
  return respond_redirect(to, path, err);
}

static int64_t version_of(const struct request *r)
{
  const char *text = field_filled(r, "version");
  return text != NULL ? claim_number(text) : 0;
}

static int ask_items(const struct request *r, struct response *to, struct tm_error *err)
{
  struct claim_ask ask = {.claim = claim_number(request_part(r, "id")),
                          .items = field_filled(r, "items"),
                          .compare = field_filled(r, "compare"),
                          .by = r->visitor->name,
                          .version = version_of(r),
                          .now = r->now};
  return finish(r, to, ask.claim, claim_ask, &ask, &ask.field, err);
}

static int move_claim(const struct request *r, struct response *to, struct tm_error *err)
{
  const char *text = field_filled(r, "text"), *where = field_filled(r, "to");
  struct claim_move move = {.claim = claim_number(request_part(r, "id")),
                            .to = where != NULL ? where : "",
                            .text = text,
                            .by = r->visitor->name,
                            .version = version_of(r),
                            .now = r->now};
  if (text != NULL && strlen(text) > TEXT_BYTES)
    return respond_error(r, to, 422, "text", "at most 10000 bytes");
  return finish(r, to, move.claim, claim_move, &move, &move.field, err);
}

static int write_comment(struct db *db, void *arg, struct tm_error *err)
{
  struct doing *d = arg;
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "INSERT INTO comments (customer_id, device_id, claim_id, at, by_name,"
                      " by_role, to_customer, text) SELECT coalesce(customer_id, ''), device_id,"
                      " id, ?2, ?3, ?4, 0, ?5 FROM claims WHERE id = ?1",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, d->claim);
  db_bind_int(stmt, 2, d->r->now);
  db_bind_text(stmt, 3, d->r->visitor->name);
  db_bind_text(stmt, 4, role_name(d->r->visitor->role));
  db_bind_text(stmt, 5, d->text);
  rc = db_exec(stmt, err);
  return rc == 0 && db_changes(stmt) == 0 ? tm_fail(err, -ENOENT, "there is no such claim") : rc;
}

static int comment(const struct request *r, struct response *to, struct tm_error *err)
{
  struct doing d = {.r = r,
                    .claim = claim_number(request_part(r, "id")),
                    .text = field_filled(r, "text"),
                    .field = "text"};
  if (d.claim != 0 && d.text == NULL)
    return respond_error(r, to, 422, "text", "say something here");
  if (d.text != NULL && strlen(d.text) > COMMENT_BYTES)
    return respond_error(r, to, 422, "text", "at most 4000 bytes");
  return finish(r, to, d.claim, write_comment, &d, &d.field, err);
}

static int write_device(struct db *db, void *arg, struct tm_error *err)
{
  struct doing *d = arg;
  struct claim_device device = {0};
  json_t *claim = NULL;
  int rc = claim_read(db, d->claim, &claim, err);
  json_decref(claim);
  if (rc == 0)
    rc = claim_device_find(db, d->document, &device, err);
  if (rc == 0 && device.id == 0)
    rc = tm_fail(err, -EINVAL, "no device, or several, are known by that");
  if (rc == 0)
    rc = claim_device_set(db, d->claim, device.id, d->r->visitor->name, d->r->now, err);
  return rc == 0 ? cluster_tell(db, d->r->desk, d->claim, d->r->now, err) : rc;
}

static int set_device(const struct request *r, struct response *to, struct tm_error *err)
{
  struct doing d = {.r = r,
                    .claim = claim_number(request_part(r, "id")),
                    .field = field_filled(r, "serial") != NULL ? "serial" : "device",
                    .document = document_of(r, r->now)};
  int rc = finish(r, to, d.claim, write_device, &d, &d.field, err);
  json_decref(d.document);
  return rc;
}

#define TALKERS (ROLE_SERVICE | ROLE_SALES | ROLE_ENGINEER)

const struct route claiming_routes[] = {
    {"GET", "/claims/new", ROLE_SERVICE, 0, "The form for a claim", new_claim},
    {"POST", "/claims", ROLE_SERVICE, 32768, "Takes the form of a claim", post_claim},
    {"POST", "/api/v1/claims", ROLE_SERVICE, 65536,
     "Takes a claim (contrib/schema/claim.schema.json); the same external id again is a duplicate",
     api_claim},
    {"POST", "/claims/{id}/ask", ROLE_SERVICE, 16384,
     "Asks the sites for data items: items, compare", ask_items},
    {"POST", "/claims/{id}/state", ROLE_SERVICE, 32768,
     "Moves a claim on: to (answered, closed, open), text", move_claim},
    {"POST", "/claims/{id}/comments", TALKERS, 16384, "Adds a comment that colleagues see",
     comment},
    {"POST", "/claims/{id}/device", ROLE_SERVICE, 16384,
     "Says which device it is: serial, or customer, site, host and device", set_device},
    {"POST", "/api/v1/claims/{id}/ask", ROLE_SERVICE, 16384,
     "Asks the sites for data items: items, compare", ask_items},
    {"POST", "/api/v1/claims/{id}/state", ROLE_SERVICE, 32768,
     "Moves a claim on: to (answered, closed, open), text", move_claim},
    {"POST", "/api/v1/claims/{id}/comments", TALKERS, 16384, "Adds a comment that colleagues see",
     comment},
    {"POST", "/api/v1/claims/{id}/device", ROLE_SERVICE, 16384,
     "Says which device it is: serial, or customer, site, host and device", set_device},
    {0},
};
