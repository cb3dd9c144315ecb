/* SPDX-License-Identifier: MIT */
/* The table of claim types, for those who keep it. */
#include "common/json.h"
#include "common/number.h"
#include "contrib/desk/claims/types.h"
#include "contrib/desk/http/fields.h"
#include "contrib/desk/people/audit.h"
#include "contrib/desk/rooms.h"
#include "contrib/desk/desk.h"

#include <errno.h>
#include <string.h>

static int show(const struct request *r, struct response *to, int status, const char *wrong,
                struct tm_error *err)
{
  json_t *types = NULL, *row;
  size_t i;
  int rc = store_read(r->desk->store, &r->scope, claim_types_read, &types, err);
  json_array_foreach(types, i, row)
  {
    bool shipped = json_integer_value(json_object_get(row, "changed_at")) == 0;
    json_object_set_new(row, "common", json_boolean(tm_json_get_string(row, "type")[0] == '\0'));
    json_object_set_new(row, "shipped", json_boolean(shipped));
  }
  json_t *model =
      json_pack("{s:s, s:O?, s:s*}", "title", "Claim types", "types", types, "error", wrong);
  if (rc == 0 && r->wants_json)
    rc = respond_json(r, to, status, model, err);
  else if (rc == 0)
    rc = respond_page(r, to, status, "claim-types.html", model, err);
  json_decref(model);
  json_decref(types);
  return rc;
}

static int show_types(const struct request *r, struct response *to, struct tm_error *err)
{
  return show(r, to, 200, NULL, err);
}

struct changing {
  const struct request *r;
  struct claim_type_change change;
};

static int write_type(struct db *db, void *arg, struct tm_error *err)
{
  struct changing *c = arg;
  int rc = claim_type_put(db, &c->change, err);
  return rc == 0 ? audit_request(db, c->r, "claim-type", c->change.type, c->change.items, err) : rc;
}

static int put_type(const struct request *r, struct response *to, struct tm_error *err)
{
  const char *version = request_field(r, "version"), *type = request_field(r, "type");
  struct changing c = {.r = r,
                       .change = {.type = type,
                                  .items = request_field(r, "items"),
                                  .hints = request_field(r, "hints"),
                                  .by = r->visitor->name,
                                  .now = r->now}};
  /* The common set has no name, and a version: it cannot be added. */
  if (version != NULL && tm_parse_i64(version, 0, INT64_MAX, &c.change.seen) != 0)
    return respond_error(r, to, 422, "version", "not a version of this type");
  if (c.change.seen == 0 && field_filled(r, "type") == NULL)
    return r->wants_json ? respond_error(r, to, 422, "type", "a name is wanted")
                         : show(r, to, 422, "Name: say which claims it is for.", err);
  int rc = store_write(r->desk->store, &r->scope, write_type, &c, err);
  if (rc == -EINVAL)
    return r->wants_json ? respond_error(r, to, 422, c.change.field, err->text)
                         : show(r, to, 422, err->text, err);
  if (rc < 0)
    return rc;
  if (r->wants_json) {
    to->status = 204;
    return 0;
  }
  return respond_redirect(to, "/claim-types", err);
}

#define KEEPERS (ROLE_SERVICE | ROLE_ADMIN)

const struct route types_routes[] = {
    {"GET", "/claim-types", KEEPERS, 0, "Which data items a kind of claim needs", show_types},
    {"POST", "/claim-types", KEEPERS, 16384,
     "A new version of a claim type: type, items, hints, version", put_type},
    {"GET", "/api/v1/claim-types", KEEPERS, 0, "Which data items a kind of claim needs",
     show_types},
    {"POST", "/api/v1/claim-types", KEEPERS, 16384,
     "A new version of a claim type: type, items, hints, version", put_type},
    {0},
};
