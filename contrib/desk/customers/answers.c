/* SPDX-License-Identifier: MIT */
/* What a customer says to our advice: a quote, later, no, or bought elsewhere. */
#include "common/clock.h"
#include "common/json.h"
#include "contrib/desk/advice/items.h"
#include "contrib/desk/desk.h"
#include "contrib/desk/http/fields.h"
#include "contrib/desk/public/contact.h"
#include "contrib/desk/rooms.h"
#include "contrib/desk/sales/life.h"
#include "contrib/desk/sales/words.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { LATER_DAYS = 90, REASON_MAX = 1000 };

static const struct {
  const char *code, *text;
} answers[] = {
    {"quote", "asks for a quote"},
    {"later", "says: later"},
    {"no", "says no"},
    {"elsewhere", "has bought elsewhere"},
};

struct answering {
  const struct request *r;
  int64_t item, until;
  const char *answer, *text, *reason, *field;
  json_t *row; /* of the item and its device */
};

static int wrong(struct answering *a, const char *field, struct tm_error *err, const char *text)
{
  a->field = field;
  return tm_fail(err, -EINVAL, "%s", text);
}

static int read_fields(struct answering *a, struct tm_error *err)
{
  const struct request *r = a->r;
  const char *answer = request_field(r, "answer"), *until = request_field(r, "until");
  int64_t t, today = tm_date_days(r->now);
  int rc = part_number(r, "id", &a->item, "there is no item with this number", err);
  if (rc < 0)
    return rc;
  for (size_t i = 0; answer != NULL && i < sizeof(answers) / sizeof(answers[0]); i++)
    if (strcmp(answers[i].code, answer) == 0) {
      a->answer = answers[i].code;
      a->text = answers[i].text;
    }
  if (a->answer == NULL)
    return wrong(a, "answer", err, "quote, later, no or elsewhere is wanted");
  a->reason = request_field(r, "reason");
  if (a->reason != NULL && a->reason[0] == '\0')
    a->reason = NULL;
  if (a->reason != NULL && strlen(a->reason) > REASON_MAX)
    return wrong(a, "reason", err, "at most 1,000 letters");
  a->until = today + LATER_DAYS;
  if (until != NULL && until[0] != '\0') {
    if (strlen(until) != strlen("2026-11-20") || tm_time_parse(until, &t) != 0)
      return wrong(a, "until", err, "a day is written as 2026-12-20");
    a->until = t / TM_DAY;
  }
  return 0;
}

/* The item, if it is the visitor's. */
static int read_item(struct db *db, struct answering *a, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc =
      db_prepare(db,
                 "SELECT i.id, i.action, i.owner, i.state, d.device, d.site, d.model FROM items i"
                 " JOIN devices d ON d.id = i.device_id"
                 " WHERE i.id = ?1 AND i.customer_id = ?2",
                 &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, a->item);
  db_bind_text(stmt, 2, a->r->visitor->customer);
  return db_take_row(stmt, &a->row, "there is no item with this number", err);
}

/* What became of the item, by the rules of its life. */
static int write_life(struct db *db, struct answering *a, struct tm_error *err)
{
  const struct request *r = a->r;
  char by[300], reason[REASON_MAX + 100];
  bool later = strcmp(a->answer, "later") == 0;
  snprintf(by, sizeof(by), "%.200s (customer)", r->visitor->name);
  if (strcmp(a->answer, "quote") == 0)
    return item_note(db, r->visitor->customer, a->item, r->now, by, "asked", NULL, NULL,
                     a->reason != NULL ? a->reason : "asks for a quote", err);
  snprintf(reason, sizeof(reason), "%s%s%s",
           strcmp(a->answer, "elsewhere") == 0 ? "bought elsewhere" : "the customer says no",
           a->reason != NULL ? ": " : "", a->reason != NULL ? a->reason : "");
  const struct life_change change = {.item = a->item,
                                     .to = later ? "snoozed" : "lost",
                                     .by = by,
                                     .agreed_on = INT64_MIN,
                                     .reason = later ? NULL : reason,
                                     .until = later ? a->until : INT64_MIN,
                                     .now = r->now};
  const struct life_change wake = {
      .item = a->item, .to = "new", .by = by, .agreed_on = INT64_MIN, .now = r->now};
  const char *state = tm_json_get_string(a->row, "state");
  int rc = 0;
  /* What sleeps only goes on from where it wakes. */
  if (state != NULL && strcmp(state, "snoozed") == 0)
    rc = life_apply(db, &wake, &a->field, err);
  if (rc == 0)
    rc = life_apply(db, &change, &a->field, err);
  if (rc == 0 && later && a->reason != NULL)
    rc = item_note(db, r->visitor->customer, a->item, r->now, by, "asked", NULL, NULL, a->reason,
                   err);
  return rc;
}

static int write_todo(struct db *db, const struct answering *a, const struct responsible *person,
                      const char *title, int64_t *id, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "INSERT INTO todos (customer_id, kind, title, text, item_id, staff, made_at)"
                      " VALUES (?1, 'answer', ?2, ?3, ?4, ?5, ?6) RETURNING id",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, a->r->visitor->customer);
  db_bind_text(stmt, 2, title);
  db_bind_text(stmt, 3, a->reason != NULL ? a->reason : a->text);
  db_bind_int(stmt, 4, a->item);
  db_bind_text(stmt, 5, person->staff[0] != '\0' ? person->staff : NULL);
  db_bind_int(stmt, 6, a->r->now);
  rc = db_step(stmt, err);
  *id = rc == 1 ? db_int(stmt, 0) : 0;
  db_done(stmt);
  return rc < 0 ? rc : 0;
}

/* Who looks after the item, else after the customer. */
static int find_person(struct db *db, const struct answering *a, struct responsible *person,
                       struct tm_error *err)
{
  const char *owner = tm_json_get_string(a->row, "owner");
  int rc = 0;
  if (owner != NULL)
    rc = responsible_for(db, owner, tm_date_days(a->r->now), person, err);
  return rc == 0 ? contact_person(db, a->r->visitor->customer, a->r->now, person, err) : rc;
}

static int write_answer(struct db *db, void *arg, struct tm_error *err)
{
  struct answering *a = arg;
  struct responsible person = {0};
  char title[2000], key[64], day[TM_DATE_SIZE];
  int64_t todo = 0;
  int rc = read_item(db, a, err);
  if (rc == 0)
    rc = write_life(db, a, err);
  if (rc == 0)
    rc = find_person(db, a, &person, err);
  if (rc < 0)
    return rc;
  snprintf(title, sizeof(title), "%s %s: %s", a->r->visitor->name, a->text,
           tm_json_get_string(a->row, "device"));
  rc = write_todo(db, a, &person, title, &todo, err);
  if (rc < 0)
    return rc;
  json_t *model = json_pack("{s:s, s:O, s:s, s:s, s:s?, s:I}", "subject", title, "item", a->row,
                            "action_word", words_action(tm_json_get_string(a->row, "action")),
                            "text", a->text, "reason", a->reason, "todo", (json_int_t)todo);
  if (strcmp(a->answer, "later") == 0)
    json_object_set_new(model, "until", json_string(tm_date_format_days(day, a->until)));
  json_object_set_new(model, "by", json_string(a->r->visitor->name));
  snprintf(key, sizeof(key), "answer/%lld", (long long)todo);
  rc = contact_tell(db, a->r->desk, &person, a->r->visitor->customer, key, NULL, "mail-answer.txt",
                    model, a->r->now, err);
  json_decref(model);
  return rc;
}

static int take_answer(const struct request *r, struct response *to, struct tm_error *err)
{
  struct answering a = {.r = r};
  char path[64];
  int rc = read_fields(&a, err);
  if (rc == 0)
    rc = store_write(r->desk->store, &db_everyone, write_answer, &a, err);
  json_decref(a.row);
  if (rc == -EINVAL)
    return respond_error(r, to, 422, a.field, err->text);
  if (rc < 0)
    return rc;
  if (r->wants_json) {
    to->status = 204;
    return 0;
  }
  snprintf(path, sizeof(path), "/items/%lld", (long long)a.item);
  return respond_redirect(to, path, err);
}

const struct route say_routes[] = {
    {"POST", "/me/items/{id}/answer", ROLE_CUSTOMER, 8192,
     "Says to advice: quote, later, no, or bought elsewhere", take_answer},
    {"POST", "/api/v1/items/{id}/answer", ROLE_CUSTOMER, 8192,
     "Says to advice: quote, later, no, or bought elsewhere", take_answer},
    {0},
};
