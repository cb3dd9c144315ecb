/* SPDX-License-Identifier: MIT */
/* Answers that come from people of the factory, or from its own system. */
#include "common/clock.h"
#include "common/json.h"
#include "contrib/desk/desk.h"
#include "contrib/desk/factory/goods.h"
#include "contrib/desk/factory/inquiry.h"
#include "contrib/desk/http/fields.h"
#include "contrib/desk/intake/schemas.h"
#include "contrib/desk/rooms.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_MAX_BYTES = 1000, STRAYS = 100 };

struct keeping {
  const struct request *r;
  json_t *answer, *row;
  const char *id, *field;
  enum inquiry_kept kept;
  json_t *rows;
};

static int keep(struct db *db, void *arg, struct tm_error *err)
{
  struct keeping *k = arg;
  const char *by = tm_json_get_string(k->answer, "by");
  int rc = inquiry_answer(db, k->answer, NULL, by != NULL ? by : k->r->visitor->name, k->r->now,
                          &k->kept, err);
  if (rc == 0 && k->kept != INQUIRY_STRAY)
    rc = inquiry_read(db, k->id, &k->row, err);
  return rc;
}

static int keep_and_tell(struct keeping *k, struct tm_error *err)
{
  const struct request *r = k->r;
  k->id = tm_json_get_string(k->answer, "inquiry");
  int rc = store_write(r->desk->store, &r->scope, keep, k, err);
  if (rc == 0 && k->kept == INQUIRY_ANSWERED)
    inquiry_publish(r->desk->topics, k->row, tm_date_days(r->now));
  return rc;
}

static int post_document(const struct request *r, struct response *to, struct tm_error *err)
{
  static const char *const words[] = {
      [INQUIRY_ANSWERED] = "stored", [INQUIRY_KNOWN] = "known", [INQUIRY_STRAY] = "unknown"};
  struct keeping k = {.r = r};
  struct json_fault fault;
  k.answer = request_json(r, err);
  if (k.answer == NULL)
    return respond_error(r, to, 422, NULL, err->text);
  int rc;
  if (json_schema_check(schema_of(SCHEMA_OF_ANSWER), k.answer, 0, &fault) < 0) {
    rc = respond_error(r, to, 422, fault.field, fault.why);
  } else {
    rc = keep_and_tell(&k, err);
    if (rc == 0) {
      json_t *said = json_pack("{s:s,s:s}", "inquiry", k.id, "status", words[k.kept]);
      rc = respond_json(r, to, k.kept == INQUIRY_ANSWERED ? 201 : 200, said, err);
      json_decref(said);
    }
  }
  json_decref(k.answer);
  json_decref(k.row);
  return rc;
}

/* --- by hand -------------------------------------------------------------------------------- */

struct typing {
  struct keeping keep;
  char shop[200], sooner_shop[200];
  const char *on, *sooner_on, *note, *reason;
};

static int want_day(struct typing *t, const char *name, bool needed, const char **out,
                    struct tm_error *err)
{
  int64_t at;
  *out = request_field(t->keep.r, name);
  if (*out != NULL && (*out)[0] == '\0')
    *out = NULL;
  if (*out == NULL && !needed)
    return 0;
  if (*out == NULL || strlen(*out) != strlen("2026-11-20") || tm_time_parse(*out, &at) != 0) {
    t->keep.field = name;
    return tm_fail(err, -EINVAL, "%s: a day is written as 2026-11-20", name);
  }
  return 0;
}

static int want_shop(struct db *db, struct typing *t, const char *name, char *out, size_t size,
                     struct tm_error *err)
{
  const char *typed = request_field(t->keep.r, name);
  if (goods_find_shop(db, typed != NULL ? typed : "", out, size, err))
    return 0;
  t->keep.field = name;
  return err->code != 0 ? err->code : -EINVAL;
}

static json_t *spot(const char *shop, const char *on, const json_t *quantity)
{
  return json_pack("{s:s,s:s,s:O}", "shop", shop, "on", on, "quantity", quantity);
}

/* All lines at one shop and day, and a sooner one beside it. */
static json_t *make_answer(const struct typing *t)
{
  json_t *lines = json_array();
  size_t i;
  const json_t *line;
  json_array_foreach(json_object_get(t->keep.row, "lines"), i, line)
  {
    const json_t *quantity = json_object_get(line, "quantity");
    json_t *out = json_pack("{s:O,s:O,s:o}", "sku", json_object_get(line, "sku"), "quantity",
                            quantity, "at", spot(t->shop, t->on, quantity));
    if (t->sooner_on != NULL)
      json_object_set_new(out, "sooner", spot(t->sooner_shop, t->sooner_on, quantity));
    json_array_append_new(lines, out);
  }
  json_t *answer = json_pack("{s:s,s:s,s:o,s:s,s:o,s:s}", "schema", "tidemark.answer/1", "inquiry",
                             t->keep.id, "answered_at", tm_json_time(t->keep.r->now), "by",
                             t->keep.r->visitor->name, "lines", lines, "complete_on", t->on);
  if (t->note != NULL)
    json_object_set_new(answer, "note", json_string(t->note));
  return answer;
}

static int write_typed(struct db *db, void *arg, struct tm_error *err)
{
  struct typing *t = arg;
  struct keeping *k = &t->keep;
  int rc = inquiry_read(db, k->id, &k->row, err);
  const char *state = tm_json_get_string(k->row, "state");
  if (rc == 0 && state != NULL && strcmp(state, "answered") == 0)
    rc = tm_fail(err, -EEXIST, "it is answered already");
  if (rc == 0 && t->reason != NULL) {
    rc = inquiry_refuse(db, k->id, k->r->visitor->name, t->reason, k->r->now, err);
  } else if (rc == 0) {
    rc = want_shop(db, t, "shop", t->shop, sizeof(t->shop), err);
    if (rc == 0 && t->sooner_on != NULL)
      rc = want_shop(db, t, "sooner_shop", t->sooner_shop, sizeof(t->sooner_shop), err);
    json_decref(k->answer);
    k->answer = rc == 0 ? make_answer(t) : NULL;
    if (rc == 0)
      rc = inquiry_answer(db, k->answer, NULL, k->r->visitor->name, k->r->now, &k->kept, err);
  }
  return rc == 0 ? inquiry_read(db, k->id, &k->row, err) : rc;
}

static int read_text(struct typing *t, const char *name, const char **out, struct tm_error *err)
{
  *out = field_filled(t->keep.r, name);
  if (*out == NULL || strlen(*out) <= TEXT_MAX_BYTES)
    return 0;
  t->keep.field = name;
  return tm_fail(err, -EINVAL, "%s: at most %d bytes", name, TEXT_MAX_BYTES);
}

static int post_typed(const struct request *r, struct response *to, struct tm_error *err)
{
  struct typing t = {.keep = {.r = r, .id = request_part(r, "id")}};
  char path[sizeof("/inquiries/") + INQUIRY_ID];
  int rc = read_text(&t, "reason", &t.reason, err);
  if (rc == 0)
    rc = read_text(&t, "note", &t.note, err);
  if (rc == 0 && t.reason == NULL)
    rc = want_day(&t, "on", true, &t.on, err);
  if (rc == 0 && t.reason == NULL)
    rc = want_day(&t, "sooner_on", false, &t.sooner_on, err);
  if (rc == 0)
    rc = store_write(r->desk->store, &r->scope, write_typed, &t, err);
  if (rc == 0) {
    inquiry_publish(r->desk->topics, t.keep.row, tm_date_days(r->now));
    snprintf(path, sizeof(path), "/inquiries/%.64s", t.keep.id);
    if (r->wants_json)
      to->status = 204;
    else
      rc = respond_redirect(to, path, err);
  } else if (rc == -EINVAL) {
    rc = respond_error(r, to, 422, t.keep.field, err->text);
  }
  json_decref(t.keep.answer);
  json_decref(t.keep.row);
  return rc;
}

/* --- answers to what nobody asked ----------------------------------------------------------- */

static int read_strays(struct db *db, void *arg, struct tm_error *err)
{
  struct keeping *k = arg;
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "SELECT inquiry, arrived_at, document_json AS answer_json FROM stray_answers"
                      " ORDER BY id DESC LIMIT ?1",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, STRAYS);
  return db_take_rows(stmt, &k->rows, err);
}

static int list_strays(const struct request *r, struct response *to, struct tm_error *err)
{
  struct keeping k = {.r = r};
  int rc = store_read(r->desk->store, &r->scope, read_strays, &k, err);
  if (rc == 0) {
    json_t *model = json_pack("{s:O}", "answers", k.rows);
    rc = respond_json(r, to, 200, model, err);
    json_decref(model);
  }
  json_decref(k.rows);
  return rc;
}

const struct route answer_routes[] = {
    {"POST", "/inquiries/{id}/answer", ROLE_FACTORY, 8192,
     "Answers by hand: shop, on, sooner_shop, sooner_on, note; or reason, to say no", post_typed},
    {"POST", "/api/v1/inquiries/{id}/answer", ROLE_FACTORY, 8192,
     "Answers by hand: shop, on, sooner_shop, sooner_on, note; or reason, to say no", post_typed},
    {"POST", "/api/v1/answers", ROLE_FACTORY, 65536,
     "An answer as contrib/schema/answer.schema.json has it; one counts for each inquiry",
     post_document},
    {"GET", "/api/v1/answers/unknown", ROLE_FACTORY | ROLE_ADMIN, 0,
     "Answers to inquiries that nobody made", list_strays},
    {0},
};
