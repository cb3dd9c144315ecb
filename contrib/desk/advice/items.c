/* SPDX-License-Identifier: MIT */
#include "contrib/desk/advice/items.h"

#include "common/clock.h"
#include "common/json.h"
#include "common/number.h"
#include "contrib/desk/hooks/hooks.h"
#include "contrib/desk/people/responsible.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPEN_MAX = 200, KEY_MAX = 640 };

/* --- ranking ------------------------------------------------------------------------------ */

double item_urgency(int64_t order_by, bool has_order_by, int64_t today)
{
  double days = (double)(order_by - today);
  if (!has_order_by)
    return 0.1;
  return days < 0 ? 1 + fmin(-days, 90) / 90 : 1 / (1 + days / 30);
}

double item_weight(double money, double probability, double urgency)
{
  return (isnan(money) ? 0 : money) * (isnan(probability) ? 0.5 : probability) * urgency;
}

/* The chance that it is needed within a year; where nothing is forecast, how sure the advice is. */
static double probability_of(const json_t *advice)
{
  const json_t *horizons =
      json_object_get(json_object_get(advice, "fill"), "probability_by_horizon");
  double p = tm_json_get_number(horizons, "365d");
  return isnan(p) ? tm_json_get_number(advice, "confidence") : p;
}

/* --- one piece of advice ------------------------------------------------------------------ */

struct item {
  int64_t id, state_at, version;
  char state[16], key[KEY_MAX];
  bool open, advised;
};

static int find_item(struct db *db, const char *customer, const char *key, struct item *item,
                     struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "SELECT id, state, open, state_at, advised, version FROM items"
                      " WHERE customer_id = ?1 AND key = ?2",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, customer);
  db_bind_text(stmt, 2, key);
  rc = db_step(stmt, err);
  if (rc == 1) {
    item->id = db_int(stmt, 0);
    snprintf(item->state, sizeof(item->state), "%s", db_text(stmt, 1));
    item->open = db_int(stmt, 2) != 0;
    item->state_at = db_int(stmt, 3);
    item->advised = db_int(stmt, 4) != 0;
    item->version = db_int(stmt, 5);
  }
  db_done(stmt);
  return rc;
}

/* Parameters 2 to 17 of both the insert and the update. */
static int bind_advice(struct db_stmt *stmt, const struct item_device *device, const json_t *advice,
                       int64_t now, struct tm_buf *text, struct tm_error *err)
{
  const json_t *price = json_object_get(advice, "price");
  const char *amount = tm_json_get_string(price, "amount");
  double money = NAN, probability = probability_of(advice);
  int64_t order_by = tm_json_time_or(advice, "order_by", INT64_MIN);
  int64_t fill = tm_json_time_or(json_object_get(advice, "fill"), "0.5", INT64_MIN);
  int64_t today = tm_date_days(now);
  bool has_order = order_by != INT64_MIN;
  if (amount == NULL || tm_parse_double(amount, &money) < 0)
    money = NAN;
  double urgency = item_urgency(order_by / TM_DAY, has_order, today);
  int rc = tm_json_append(text, advice);
  if (rc < 0)
    return tm_fail(err, rc, "%s: too large", tm_json_get_string(advice, "key"));
  db_bind_text(stmt, 2, device->kind);
  db_bind_text(stmt, 3, device->region);
  db_bind_text(stmt, 4, amount);
  db_bind_text(stmt, 5, tm_json_get_string(price, "currency"));
  db_bind_real(stmt, 6, money);
  db_bind_real(stmt, 7, probability);
  db_bind_real(stmt, 8, urgency);
  db_bind_real(stmt, 9, item_weight(money, probability, urgency));
  db_bind_int(stmt, 10, today);
  db_bind_int_or_null(stmt, 11, has_order, order_by / TM_DAY);
  db_bind_int_or_null(stmt, 12, fill != INT64_MIN, fill / TM_DAY);
  db_bind_real(stmt, 13, tm_json_get_number(advice, "confidence"));
  db_bind_text(stmt, 14, tm_json_get_string(advice, "reason"));
  db_bind_text(stmt, 15, text->ptr);
  db_bind_int(stmt, 16, now);
  return 0;
}

/* "" for nobody. */
static int find_owner(struct db *db, const struct item_device *device, int64_t now,
                      struct responsible *owner, struct tm_error *err)
{
  const struct responsible_ask ask = {.role = "sales",
                                      .customer = device->customer,
                                      .site = device->site,
                                      .region = device->region,
                                      .kind = device->kind,
                                      .day = tm_date_days(now)};
  int rc = responsible_find(db, &ask, owner, err);
  return rc < 0 ? rc : 0;
}

static int make_item(struct db *db, const struct item_device *device, const json_t *advice,
                     int64_t now, struct tm_error *err)
{
  struct tm_buf text = TM_BUF_INIT(1 << 20);
  struct responsible owner = {0};
  struct db_stmt *stmt = NULL;
  int64_t id = 0;
  int rc = find_owner(db, device, now, &owner, err);
  if (rc < 0)
    return rc;
  rc =
      db_prepare(db,
                 "INSERT INTO items (key, kind, region, price, currency, money, probability,"
                 " urgency, weight, weighed_on, order_by, fill_middle, confidence, reason,"
                 " advice_json, last_at, customer_id, device_id, action, owner, state_at, first_at)"
                 " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15,"
                 " ?16, ?17, ?18, ?19, ?20, ?16, ?16) RETURNING id",
                 &stmt, err);
  if (rc < 0)
    return rc;
  rc = bind_advice(stmt, device, advice, now, &text, err);
  db_bind_text(stmt, 1, tm_json_get_string(advice, "key"));
  db_bind_text(stmt, 17, device->customer);
  db_bind_int(stmt, 18, device->id);
  db_bind_text(stmt, 19, tm_json_get_string(advice, "action"));
  db_bind_text(stmt, 20, owner.staff[0] != '\0' ? owner.staff : NULL);
  if (rc == 0)
    rc = db_step(stmt, err);
  if (rc == 1)
    id = db_int(stmt, 0);
  db_done(stmt);
  tm_buf_release(&text);
  return rc < 0
             ? rc
             : item_note(db, device->customer, id, now, "desk", "advice", NULL, "new", NULL, err);
}

/* Other figures of the same need. */
static int tell_renewed(struct db *db, const struct item *item, int64_t version, int64_t now,
                        struct tm_error *err)
{
  char key[64];
  snprintf(key, sizeof(key), "item-%lld-version-%lld", (long long)item->id, (long long)version);
  const struct hook_change change = {.key = key,
                                     .what = "advice",
                                     .from = item->state,
                                     .to = item->state,
                                     .by = "desk",
                                     .at = now};
  return hook_item(db, item->id, &change, err);
}

/* version counts what people would see. */
static int renew_item(struct db *db, const struct item_device *device, const struct item *item,
                      const json_t *advice, int64_t now, struct tm_error *err)
{
  struct tm_buf text = TM_BUF_INIT(1 << 20);
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "UPDATE items SET kind = ?2, region = ?3, price = ?4, currency = ?5,"
                      " money = ?6, probability = ?7, urgency = ?8, weight = ?9, weighed_on = ?10,"
                      " fill_middle = ?12, confidence = ?13, reason = ?14,"
                      " version = CASE WHEN advice_json = ?15 THEN version ELSE version + 1 END,"
                      " order_by = ?11, advice_json = ?15, last_at = ?16, advised = 1"
                      " WHERE id = ?1 RETURNING version",
                      &stmt, err);
  if (rc < 0)
    return rc;
  rc = bind_advice(stmt, device, advice, now, &text, err);
  db_bind_int(stmt, 1, item->id);
  if (rc == 0)
    rc = db_step(stmt, err);
  int64_t version = rc == 1 ? db_int(stmt, 0) : item->version;
  db_done(stmt);
  tm_buf_release(&text);
  if (rc < 0)
    return rc;
  return version != item->version ? tell_renewed(db, item, version, now, err) : 0;
}

/* A closed need that is there again. */
static bool may_return(const struct item *item, int64_t now)
{
  int64_t days = (now - item->state_at) / TM_DAY;
  if (strcmp(item->state, "installed") == 0)
    return days >= ITEM_INSTALLED_DAYS;
  if (strcmp(item->state, "lost") == 0)
    return days >= ITEM_LOST_DAYS;
  return true;
}

static int return_item(struct db *db, const struct item_device *device, const struct item *item,
                       int64_t now, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "UPDATE items SET state = 'new', open = 1, state_at = ?2,"
                      " returned = returned + 1, lost_reason = NULL, closed_reason = NULL,"
                      " agreed_by = NULL, agreed_at = NULL, told_late_at = NULL WHERE id = ?1",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, item->id);
  db_bind_int(stmt, 2, now);
  rc = db_exec(stmt, err);
  return rc < 0 ? rc
                : item_note(db, device->customer, item->id, now, "desk", "returned", item->state,
                            "new", "the need is there again", err);
}

static int take_advice(struct db *db, const struct item_device *device, const json_t *advice,
                       int64_t now, struct tm_error *err)
{
  struct item item = {0};
  const char *key = tm_json_get_string(advice, "key");
  if (key == NULL || tm_json_get_string(advice, "action") == NULL)
    return tm_fail(err, -EBADMSG, "a recommendation without key or action");
  int rc = find_item(db, device->customer, key, &item, err);
  if (rc == 0)
    return make_item(db, device, advice, now, err);
  if (rc == 1 && !item.open && !may_return(&item, now))
    return 0;
  if (rc == 1)
    rc = renew_item(db, device, &item, advice, now, err);
  if (rc == 0 && !item.open)
    rc = return_item(db, device, &item, now, err);
  return rc;
}

/* --- without advice ----------------------------------------------------------------------- */

static bool is_under_way(const char *state)
{
  return strcmp(state, "agreed") == 0 || strcmp(state, "ordered") == 0 ||
         strcmp(state, "delivered") == 0;
}

/* The day in which the key ends, or NULL. */
static const char *day_of_key(const char *key)
{
  const char *day = strrchr(key, '/');
  return day != NULL && strlen(day) == 11 ? day + 1 : NULL;
}

static int set_state(struct db *db, const struct item_device *device, const struct item *item,
                     const char *state, bool open, int64_t now, const char *why,
                     struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "UPDATE items SET state = ?2, open = ?3, state_at = ?4, closed_reason = ?5,"
                      " advised = 0, version = version + 1 WHERE id = ?1",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, item->id);
  db_bind_text(stmt, 2, state);
  db_bind_int(stmt, 3, open);
  db_bind_int(stmt, 4, now);
  db_bind_text(stmt, 5, why);
  rc = db_exec(stmt, err);
  return rc < 0 ? rc
                : item_note(db, device->customer, item->id, now, "desk", "closed", item->state,
                            state, why, err);
}

static int note_unadvised(struct db *db, const struct item_device *device, const struct item *item,
                          int64_t now, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db, "UPDATE items SET advised = 0, version = version + 1 WHERE id = ?1",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, item->id);
  rc = db_exec(stmt, err);
  return rc < 0 ? rc
                : item_note(db, device->customer, item->id, now, "desk", "advice", item->state,
                            item->state, "today's figures need it no more", err);
}

static int lose_advice(struct db *db, const struct item_device *device, const struct item *item,
                       int64_t now, struct tm_error *err)
{
  const char *day = day_of_key(item->key), *since = device->capacity_since;
  char why[80];
  bool changed = day != NULL && since != NULL && strcmp(since, day) > 0;
  if (changed && device->capacity_grew) {
    snprintf(why, sizeof(why), "expansion seen on %.10s", since);
    return set_state(db, device, item, "installed", false, now, why, err);
  }
  if (is_under_way(item->state))
    return item->advised ? note_unadvised(db, device, item, now, err) : 0;
  return set_state(db, device, item, "gone", false, now, device->gone_reason, err);
}

static bool is_advised(const json_t *list, const char *key)
{
  size_t i;
  json_t *advice;
  json_array_foreach(list, i, advice)
  {
    const char *other = tm_json_get_string(advice, "key");
    if (other != NULL && strcmp(other, key) == 0)
      return true;
  }
  return false;
}

static int find_open(struct db *db, int64_t device, struct item *items, size_t *n,
                     struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  *n = 0;
  int rc = db_prepare(db,
                      "SELECT id, state, state_at, key, advised FROM items WHERE device_id = ?1"
                      " AND open = 1 ORDER BY id LIMIT 200",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, device);
  while ((rc = db_step(stmt, err)) == 1 && *n < OPEN_MAX) {
    struct item *item = &items[(*n)++];
    *item = (struct item){.id = db_int(stmt, 0),
                          .state_at = db_int(stmt, 2),
                          .open = true,
                          .advised = db_int(stmt, 4) != 0};
    snprintf(item->state, sizeof(item->state), "%s", db_text(stmt, 1));
    snprintf(item->key, sizeof(item->key), "%s", db_text(stmt, 3));
  }
  db_done(stmt);
  return rc < 0 ? rc : 0;
}

int items_advise(struct db *db, const struct item_device *device, const json_t *list, int64_t now,
                 struct tm_error *err)
{
  struct item *open = calloc(OPEN_MAX, sizeof(*open));
  size_t n = 0, i;
  json_t *advice;
  int rc = open == NULL ? tm_fail(err, -ENOMEM, "out of memory")
                        : find_open(db, device->id, open, &n, err);
  for (i = 0; rc == 0 && i < n; i++) {
    if (!is_advised(list, open[i].key))
      rc = lose_advice(db, device, &open[i], now, err);
  }
  free(open);
  json_array_foreach(list, i, advice)
  {
    if (rc == 0)
      rc = take_advice(db, device, advice, now, err);
  }
  return rc;
}

/* --- another day -------------------------------------------------------------------------- */

static int weigh_one(struct db *db, struct db_stmt *row, int64_t today, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  double urgency = item_urgency(db_int(row, 3), !db_is_null(row, 3), today);
  double weight = item_weight(db_real(row, 1), db_real(row, 2), urgency);
  int rc = db_prepare(
      db, "UPDATE items SET urgency = ?2, weight = ?3, weighed_on = ?4 WHERE id = ?1", &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, db_int(row, 0));
  db_bind_real(stmt, 2, urgency);
  db_bind_real(stmt, 3, weight);
  db_bind_int(stmt, 4, today);
  return db_exec(stmt, err);
}

/* snoozed_until is a date of the desk's zone, written as that date's first second in UTC. */
static int wake_one(struct db *db, struct db_stmt *row, int64_t today, int64_t now,
                    struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  if (strcmp(db_text(row, 4), "snoozed") != 0 || db_is_null(row, 5) ||
      db_int(row, 5) / TM_DAY > today)
    return 0;
  int rc = db_prepare(db,
                      "UPDATE items SET state = 'new', state_at = ?2, snoozed_until = NULL,"
                      " version = version + 1 WHERE id = ?1",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, db_int(row, 0));
  db_bind_int(stmt, 2, now);
  rc = db_exec(stmt, err);
  return rc < 0 ? rc
                : item_note(db, db_text(row, 6), db_int(row, 0), now, "desk", "state", "snoozed",
                            "new", "its time has come", err);
}

int items_weigh(struct db *db, int64_t now, int limit, int64_t *after_id, struct tm_error *err)
{
  struct db_stmt *row;
  int seen = 0;
  int rc = db_prepare(db,
                      "SELECT id, money, probability, order_by, state, snoozed_until, customer_id"
                      " FROM items WHERE open = 1 AND id > ?1 ORDER BY id LIMIT ?2",
                      &row, err);
  if (rc < 0)
    return rc;
  int64_t last = *after_id, today = tm_date_days(now);
  db_bind_int(row, 1, *after_id);
  db_bind_int(row, 2, limit);
  while ((rc = db_step(row, err)) == 1) {
    last = db_int(row, 0);
    seen++;
    rc = weigh_one(db, row, today, err);
    if (rc == 0)
      rc = wake_one(db, row, today, now, err);
    if (rc < 0)
      break;
  }
  db_done(row);
  if (rc == 0)
    *after_id = seen < limit ? INT64_MAX : last;
  return rc < 0 ? rc : 0;
}
