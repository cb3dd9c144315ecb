/* SPDX-License-Identifier: MIT */
#include "common/json.h"
#include "common/text.h"
#include "contrib/desk/advice/items.h"
#include "contrib/desk/factory/inquiry.h"
#include "contrib/desk/factory/offer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- keeping -------------------------------------------------------------------------------- */

struct asked {
  char state[16], customer[200], shop[200];
  int64_t item; /* 0: none */
};

/* 1 found, 0 not. */
static int find_asked(struct db *db, const char *id, struct asked *a, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(
      db, "SELECT state, customer_id, item_id, shop FROM inquiries WHERE inquiry = ?1", &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, id);
  rc = db_step(stmt, err);
  if (rc == 1) {
    const char *customer = db_text(stmt, 1), *shop = db_text(stmt, 3);
    snprintf(a->state, sizeof(a->state), "%s", db_text(stmt, 0));
    tm_text_copy(a->customer, sizeof(a->customer), customer);
    tm_text_copy(a->shop, sizeof(a->shop), shop);
    a->item = db_int(stmt, 2);
  }
  db_done(stmt);
  return rc;
}

static int keep_stray(struct db *db, const char *id, const char *document, int64_t now,
                      struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "INSERT INTO stray_answers (inquiry, arrived_at, document_json)"
                      " SELECT ?1, ?2, ?3 WHERE NOT EXISTS (SELECT 1 FROM stray_answers"
                      " WHERE inquiry = ?1 AND document_json = ?3)",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, id);
  db_bind_int(stmt, 2, now);
  db_bind_text(stmt, 3, document);
  return db_exec(stmt, err);
}

/* 1 stored, 0 there is one already. */
static int keep_answer(struct db *db, const json_t *answer, const json_t *from, const char *text,
                       const struct asked *asked, const char *by, int64_t now, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  char *shops = from != NULL ? json_dumps(from, JSON_COMPACT) : NULL;
  int64_t complete = tm_json_day(answer, "complete_on");
  int rc = db_prepare(db,
                      "INSERT INTO answers (inquiry, customer_id, arrived_at, answered_at,"
                      " complete_on, by_name, document_json, from_json)"
                      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (inquiry) DO NOTHING",
                      &stmt, err);
  if (rc == 0) {
    db_bind_text(stmt, 1, tm_json_get_string(answer, "inquiry"));
    db_bind_text(stmt, 2, asked->customer[0] != '\0' ? asked->customer : NULL);
    db_bind_int(stmt, 3, now);
    db_bind_int(stmt, 4, tm_json_time_or(answer, "answered_at", now));
    db_bind_int_or_null(stmt, 5, complete != INT64_MIN, complete);
    db_bind_text(stmt, 6, by);
    db_bind_text(stmt, 7, text);
    db_bind_text(stmt, 8, shops);
    rc = db_exec(stmt, err);
    if (rc == 0)
      rc = db_changes(stmt) == 1;
  }
  free(shops);
  return rc;
}

static int set_state(struct db *db, const char *id, const char *state, const char *error,
                     int64_t now, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "UPDATE inquiries SET state = ?2, answered_at = ?3, error = ?4,"
                      " next_try_at = NULL WHERE inquiry = ?1",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, id);
  db_bind_text(stmt, 2, state);
  db_bind_int(stmt, 3, now);
  db_bind_text(stmt, 4, error);
  return db_exec(stmt, err);
}

/* Takes the reference `said`. */
static int note(struct db *db, const struct asked *asked, const char *by, json_t *said, int64_t now,
                struct tm_error *err)
{
  const char *text = json_string_value(said);
  int rc = text != NULL ? item_note(db, asked->customer, asked->item, now, by, "answer", NULL, NULL,
                                    text, err)
                        : tm_fail(err, -ENOMEM, "out of memory");
  json_decref(said);
  return rc;
}

int inquiry_answer(struct db *db, const json_t *answer, const json_t *from, const char *by,
                   int64_t now, enum inquiry_kept *kept, struct tm_error *err)
{
  const char *id = tm_json_get_string(answer, "inquiry");
  struct asked asked = {0};
  char *text = json_dumps(answer, JSON_COMPACT);
  int rc = text == NULL ? tm_fail(err, -ENOMEM, "out of memory") : find_asked(db, id, &asked, err);
  if (rc == 0) {
    *kept = INQUIRY_STRAY;
    rc = keep_stray(db, id, text, now, err);
  } else if (rc == 1) {
    rc = keep_answer(db, answer, from, text, &asked, by, now, err);
    *kept = rc == 1 ? INQUIRY_ANSWERED : INQUIRY_KNOWN;
    if (rc == 1)
      rc = set_state(db, id, "answered", NULL, now, err);
    if (rc == 0 && *kept == INQUIRY_ANSWERED && asked.item != 0) {
      json_t *words = offer_words(answer);
      rc = note(db, &asked, by, json_sprintf("%s: %s", id, json_string_value(words)), now, err);
      json_decref(words);
    }
  }
  free(text);
  return rc;
}

int inquiry_refuse(struct db *db, const char *id, const char *by, const char *why, int64_t now,
                   struct tm_error *err)
{
  struct asked asked = {0};
  int rc = find_asked(db, id, &asked, err);
  if (rc == 0)
    return tm_fail(err, -ENOENT, "there is no inquiry with this id");
  if (rc == 1 && strcmp(asked.state, "answered") == 0)
    return tm_fail(err, -EEXIST, "it is answered already");
  if (rc == 1)
    rc = set_state(db, id, "refused", why, now, err);
  if (rc == 0 && asked.item != 0)
    rc = note(db, &asked, by, json_sprintf("%s refused: %s", id, why), now, err);
  return rc;
}

/* --- telling -------------------------------------------------------------------------------- */

json_t *inquiry_news(const json_t *row, int64_t today)
{
  const char *id = tm_json_get_string(row, "inquiry"), *state = tm_json_get_string(row, "state");
  const char *error = tm_json_get_string(row, "error");
  const json_t *answer = json_object_get(row, "answer");
  bool refused = state != NULL && strcmp(state, "refused") == 0;
  if (id == NULL || state == NULL)
    return NULL;
  /* The script waits for "answered", and a refusal is one. */
  if (refused)
    return json_pack("{s:s,s:s,s:s,s:o,s:{s:s,s:s}}", "schema", "tidemark.answer-view/1", "inquiry",
                     id, "state", "answered", "said",
                     json_sprintf("%s is refused: %s", id, error != NULL ? error : "no reason"),
                     "text", "answer", error != NULL ? error : "no reason given", "state",
                     "Refused");
  if (!json_is_object(answer))
    return json_pack("{s:s,s:s,s:s,s:s,s:{}}", "schema", "tidemark.answer-view/1", "inquiry", id,
                     "state", state, "said", "", "text");
  json_t *words = offer_words(answer);
  json_t *when = offer_against(answer, json_object_get(row, "wanted_on"), today);
  const char *text = json_string_value(words);
  json_t *news = json_pack(
      "{s:s,s:s,s:s,s:o,s:{s:o,s:s}}", "schema", "tidemark.answer-view/1", "inquiry", id, "state",
      "answered", "said", json_sprintf("%s is answered: %s.", id, text), "text", "answer",
      json_is_string(when) ? json_sprintf("%s, %s", text, json_string_value(when))
                           : json_incref(words),
      "state", "Answered");
  json_decref(words);
  json_decref(when);
  return news;
}

char *inquiry_topic(char out[TOPIC_NAME], int64_t user)
{
  snprintf(out, TOPIC_NAME, "answers/%lld", (long long)user);
  return out;
}

void inquiry_publish(struct topics *topics, const json_t *row, int64_t today)
{
  char topic[TOPIC_NAME];
  int64_t user = json_integer_value(json_object_get(row, "asked_by"));
  json_t *news = inquiry_news(row, today);
  char *text = news != NULL ? json_dumps(news, JSON_COMPACT) : NULL;
  if (topics != NULL && user != 0 && text != NULL)
    topics_publish(topics, inquiry_topic(topic, user), "answer", text);
  free(text);
  json_decref(news);
}
