/* SPDX-License-Identifier: MIT */
#include "contrib/desk/sales/life.h"

#include "common/clock.h"
#include "common/json.h"
#include "contrib/desk/advice/items.h"
#include "contrib/desk/sales/words.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *const steps[] = {"new",     "contacted", "proposed", "agreed",
                                    "ordered", "delivered", "installed"};
enum { STEPS = sizeof(steps) / sizeof(steps[0]), AGREED = 3 };

/* The place among the steps; -1 for lost, snoozed and gone. */
static int step_of(const char *state)
{
  for (int i = 0; state != NULL && i < STEPS; i++)
    if (strcmp(steps[i], state) == 0)
      return i;
  return -1;
}

static bool is(const char *state, const char *what)
{
  return state != NULL && strcmp(state, what) == 0;
}

bool life_may(const char *from, const char *to)
{
  int at = step_of(from), want = step_of(to);
  if (is(to, "gone") || is(from, "gone") || is(from, to))
    return false;
  if (at < 0) /* woken or taken up again: at the head of its life, or where it was put to sleep */
    return want >= 0 && want <= AGREED;
  if (want < 0)
    return is(to, "lost") ? at < STEPS - 1 : is(to, "snoozed") && at < AGREED;
  return want > at || want == at - 1;
}

struct current {
  char state[16], customer[200];
  bool agreed, owned;
  int64_t version;
};

static int read_current(struct db *db, int64_t item, struct current *c, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "SELECT state, customer_id, agreed_by, owner, version FROM items"
                      " WHERE (?1 IS NULL OR customer_id = ?1) AND id = ?2",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_customer(stmt, 1);
  db_bind_int(stmt, 2, item);
  rc = db_step(stmt, err);
  if (rc == 1) {
    snprintf(c->state, sizeof(c->state), "%s", db_text(stmt, 0));
    snprintf(c->customer, sizeof(c->customer), "%s", db_text(stmt, 1));
    c->agreed = !db_is_null(stmt, 2);
    c->owned = !db_is_null(stmt, 3);
    c->version = db_int(stmt, 4);
    rc = 0;
  } else if (rc == 0) {
    rc = tm_fail(err, -ENOENT, "there is no item with this number");
  }
  db_done(stmt);
  return rc;
}

static int missing(const char **field, const char *name, struct tm_error *err, const char *text)
{
  *field = name;
  return tm_fail(err, -EINVAL, "%s", text);
}

static int check(const struct life_change *c, const struct current *now, const char **field,
                 struct tm_error *err)
{
  if (c->version != 0 && c->version != now->version)
    return tm_fail(err, -EEXIST, "somebody has changed this item meanwhile: look at it again");
  if (!life_may(now->state, c->to)) {
    *field = "to";
    return tm_fail(err, -EINVAL, "an item that is %s cannot become %s", words_state(now->state),
                   words_state(c->to));
  }
  if (step_of(c->to) >= AGREED && !now->agreed) {
    if (c->agreed_by == NULL || c->agreed_by[0] == '\0')
      return missing(field, "who", err, "say who agreed, at the customer");
    if (c->agreed_on == INT64_MIN)
      return missing(field, "on", err, "say on which day, as 2026-11-20");
    if (c->agreed_on > tm_date_days(c->now) + 1)
      return missing(field, "on", err, "a day that has not come yet is no day of an agreement");
  }
  if (is(c->to, "lost") && (c->reason == NULL || c->reason[0] == '\0'))
    return missing(field, "reason", err, "say why it was lost");
  if (is(c->to, "snoozed") && (c->until == INT64_MIN || c->until <= tm_date_days(c->now)))
    return missing(field, "until", err, "say until which later day, as 2026-12-20");
  return 0;
}

static int write_state(struct db *db, const struct life_change *c, const struct current *now,
                       struct tm_error *err)
{
  bool closes = is(c->to, "lost") || is(c->to, "installed");
  bool agrees = step_of(c->to) >= AGREED && !now->agreed;
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "UPDATE items SET state = ?2, open = ?3, state_at = ?4,"
                      " agreed_by = COALESCE(?5, agreed_by), agreed_at = COALESCE(?6, agreed_at),"
                      " lost_reason = ?7, snoozed_until = ?8, owner = COALESCE(owner, ?9),"
                      " version = version + 1"
                      " WHERE (?1 IS NULL OR customer_id = ?1) AND id = ?10 AND version = ?11",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_customer(stmt, 1);
  db_bind_text(stmt, 2, c->to);
  db_bind_int(stmt, 3, !closes);
  db_bind_int(stmt, 4, c->now);
  db_bind_text(stmt, 5, agrees ? c->agreed_by : NULL);
  if (agrees)
    db_bind_int(stmt, 6, c->agreed_on * TM_DAY);
  else
    db_bind_null(stmt, 6);
  db_bind_text(stmt, 7, is(c->to, "lost") ? c->reason : NULL);
  if (is(c->to, "snoozed"))
    db_bind_int(stmt, 8, c->until * TM_DAY);
  else
    db_bind_null(stmt, 8);
  db_bind_text(stmt, 9, c->staff);
  db_bind_int(stmt, 10, c->item);
  db_bind_int(stmt, 11, now->version);
  return db_exec(stmt, err);
}

int life_apply(struct db *db, const struct life_change *c, const char **field, struct tm_error *err)
{
  struct current now = {.version = 0};
  char said[300] = "", day[TM_DATE_SIZE];
  const char *text = said;
  int rc = read_current(db, c->item, &now, err);
  if (rc == 0)
    rc = check(c, &now, field, err);
  if (rc == 0)
    rc = write_state(db, c, &now, err);
  if (rc != 0)
    return rc;
  if (is(c->to, "lost"))
    text = c->reason;
  else if (is(c->to, "snoozed"))
    snprintf(said, sizeof(said), "until %s", tm_date_format_days(day, c->until));
  else if (step_of(c->to) >= AGREED && !now.agreed)
    snprintf(said, sizeof(said), "agreed by %s on %s", c->agreed_by,
             tm_date_format_days(day, c->agreed_on));
  return item_note(db, now.customer, c->item, c->now, c->by, "state", now.state, c->to,
                   text[0] != '\0' ? text : NULL, err);
}

/* --- for pages -----------------------------------------------------------------------------------
 */

/* The last time an item came into a state; NULL when it never did. */
static const json_t *event_into(const json_t *events, const char *state)
{
  for (size_t i = json_array_size(events); i-- > 0;) {
    const json_t *event = json_array_get(events, i);
    if (is(tm_json_get_string(event, "to_state"), state))
      return event;
  }
  return NULL;
}

static void add_step(json_t *rows, const char *state, const char *class, const json_t *event,
                     const char *otherwise)
{
  json_t *row = json_pack("{s:s, s:s}", "text", words_state(state), "class", class);
  if (strcmp(class, "now") == 0)
    json_object_set_new(row, "current", json_true());
  if (event != NULL) {
    const char *text = tm_json_get_string(event, "text");
    json_object_set(row, "at", json_object_get(event, "at"));
    json_object_set(row, "by", json_object_get(event, "by_name"));
    if (text != NULL)
      json_object_set_new(row, "sub", json_string(text));
  } else if (otherwise != NULL) {
    json_object_set_new(row, "sub", json_string(otherwise));
  }
  json_array_append_new(rows, row);
}

json_t *life_steps(const json_t *item, const json_t *events)
{
  static const char *const needs[STEPS] = {
      [AGREED] = "needs who and when",
      [STEPS - 1] = "closes by itself, when the data shows more capacity"};
  const char *state = tm_json_get_string(item, "state");
  int at = step_of(state);
  json_t *rows = json_array();
  if (item == NULL)
    return rows;
  for (int i = 0; i < STEPS; i++) {
    const json_t *event = event_into(events, steps[i]);
    const char *class = at < 0    ? (event != NULL ? "done" : "todo")
                        : i < at  ? "done"
                        : i == at ? "now"
                                  : "todo";
    add_step(rows, steps[i], class, i <= at || at < 0 ? event : NULL, needs[i]);
  }
  if (at < 0)
    add_step(rows, state, "now", event_into(events, state), NULL);
  return rows;
}

json_t *life_moves(const json_t *item)
{
  const char *state = tm_json_get_string(item, "state");
  json_t *rows = json_array();
  for (int i = 0; state != NULL && i < STEPS; i++)
    if (life_may(state, steps[i]))
      json_array_append_new(
          rows, json_pack("{s:s, s:s}", "value", steps[i], "text", words_state(steps[i])));
  if (life_may(state, "snoozed"))
    json_array_append_new(
        rows, json_pack("{s:s, s:s}", "value", "snoozed", "text", "Snoozed until\xe2\x80\xa6"));
  if (life_may(state, "lost"))
    json_array_append_new(rows,
                          json_pack("{s:s, s:s}", "value", "lost", "text", "Lost, with reason"));
  return rows;
}
