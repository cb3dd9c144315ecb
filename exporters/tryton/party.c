/* SPDX-License-Identifier: MIT */
#include "exporters/tryton/party.h"

#include "common/json.h"
#include "exporters/tryton/value.h"

#include <errno.h>
#include <stdio.h>

static int first_address(struct sales *s, struct party *p, struct tm_error *err)
{
  json_t *found = NULL;
  int rc = tryton_find(s->rpc, "party.address", json_pack("[[s,s,I]]", "party", "=", p->id), 1,
                       json_pack("[s]", "id"), NULL, &found, err);
  if (rc == 0)
    p->address = tryton_id(json_array_get(found, 0), "id");
  json_decref(found);
  return rc;
}

static int create(struct sales *s, const char *id, const char *name, struct party *p,
                  struct tm_error *err)
{
  if (!s->create_parties)
    return tm_fail(err, -EBADMSG,
                   "Tryton has no party with the code or identifier '%s' (create_parties is off)",
                   id);
  return tryton_create(s->rpc, "party.party",
                       json_pack("{s:s,s:s,s:[[s,[{}]]]}", "name", name != NULL ? name : id, "code",
                                 id, "addresses", "create"),
                       &p->id, err);
}

/* Three ways to write it down, one customer. Of two parties neither is guessed. */
static int look_up(struct sales *s, const char *id, const char *name, struct party *p,
                   struct tm_error *err)
{
  char tagged[128];
  json_t *found = NULL;
  snprintf(tagged, sizeof(tagged), "tidemark:%s", id);
  int rc = tryton_find(s->rpc, "party.party",
                       json_pack("[s,[s,s,s],[s,s,s],[s,s,s]]", "OR", "code", "=", id,
                                 "identifiers.code", "=", id, "identifiers.code", "=", tagged),
                       2, json_pack("[s]", "code"), NULL, &found, err);
  if (rc < 0)
    return rc;
  if (json_array_size(found) > 1)
    rc = tm_fail(err, -EBADMSG, "Tryton has two parties with the code or identifier '%s'", id);
  else if (json_array_size(found) == 0)
    rc = create(s, id, name, p, err);
  else
    p->id = tryton_id(json_array_get(found, 0), "id");
  json_decref(found);
  return rc == 0 ? first_address(s, p, err) : rc;
}

int party_find(struct sales *s, const json_t *summary, struct party *p, struct tm_error *err)
{
  const json_t *customer = json_object_get(summary, "customer");
  const char *id = tm_json_get_string(customer, "id");
  if (id == NULL || id[0] == '\0')
    return tm_fail(err, -EBADMSG, "customer.id: missing");
  const json_t *had = json_object_get(s->parties, id);
  if (had != NULL) {
    *p = (struct party){tryton_id(had, "id"), tryton_id(had, "address")};
    return 0;
  }
  *p = (struct party){-1, -1};
  int rc = look_up(s, id, tm_json_get_string(customer, "name"), p, err);
  if (rc == 0)
    json_object_set_new(s->parties, id, json_pack("{s:I,s:I}", "id", p->id, "address", p->address));
  return rc;
}
