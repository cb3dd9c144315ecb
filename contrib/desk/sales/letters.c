/* SPDX-License-Identifier: MIT */
#include "contrib/desk/sales/letters.h"

#include "common/clock.h"
#include "common/json.h"
#include "contrib/desk/mail/mail.h"
#include "contrib/desk/people/responsible.h"
#include "contrib/desk/sales/words.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { MORNING_S = 6 * 3600, MONDAY = 3 /* 1970-01-01 was a Thursday */ };

#define COLUMNS                                                                                    \
  "i.id, i.owner, i.customer_id, c.name AS customer, c.region, d.site, d.device, d.kind,"          \
  " i.action, i.state, i.order_by, i.price, i.currency, i.advice_json"
#define FROM                                                                                       \
  " FROM items i JOIN devices d ON d.id = i.device_id"                                             \
  " JOIN customers c ON c.customer_id = i.customer_id"

/* --- to whom ------------------------------------------------------------------------------ */

static int find_person(struct db *db, const json_t *item, int64_t day, struct responsible *who,
                       struct tm_error *err)
{
  const char *owner = tm_json_get_string(item, "owner");
  const struct responsible_ask ask = {.role = "sales",
                                      .customer = tm_json_get_string(item, "customer_id"),
                                      .site = tm_json_get_string(item, "site"),
                                      .region = tm_json_get_string(item, "region"),
                                      .kind = tm_json_get_string(item, "kind"),
                                      .day = day};
  int rc = owner != NULL ? responsible_for(db, owner, day, who, err) : 0;
  return rc == 0 ? responsible_find(db, &ask, who, err) : rc;
}

/* The person's part of `all`, by address: {"to", "name", "instead_of", LIST...}. Borrowed. What is
 * the person's own is not in one part with what is somebody's who is away. */
static json_t *part_of(json_t *all, const struct desk *desk, const struct responsible *who,
                       const char *apart)
{
  const struct desk_conf_mail *mail = &desk->conf->mail;
  bool person = tm_mail_is_address(who->email);
  const char *to = person ? who->email : mail->team != NULL ? mail->team : mail->from;
  const char *instead_of = person && who->instead_of[0] != '\0' ? who->instead_of : NULL;
  char key[800];
  snprintf(key, sizeof(key), "%s %s %s", to, apart, instead_of != NULL ? instead_of : "");
  json_t *part = json_object_get(all, key);
  if (part != NULL)
    return part;
  json_object_set_new(all, key,
                      json_pack("{s:s, s:s?, s:s?, s:[], s:[]}", "to", to, "name",
                                person ? who->name : NULL, "instead_of", instead_of, "items",
                                "changes"));
  return json_object_get(all, key);
}

static void make_readable(json_t *item, int64_t today)
{
  const json_t *day = json_object_get(item, "order_by");
  const char *amount = tm_json_get_string(item, "price");
  const char *currency = tm_json_get_string(item, "currency");
  json_object_set_new(item, "offer",
                      words_lines(json_object_get(json_object_get(item, "advice"), "lines")));
  json_object_del(item, "advice");
  json_object_set_new(item, "action_word",
                      json_string(words_action(tm_json_get_string(item, "action"))));
  json_object_set_new(item, "state_word",
                      json_string(words_state(tm_json_get_string(item, "state"))));
  if (json_is_integer(day))
    json_object_set_new(item, "when", words_when(json_integer_value(day), today));
  if (amount != NULL && currency != NULL)
    json_object_set_new(item, "price",
                        json_pack("{s:s, s:s}", "amount", amount, "currency", currency));
}

/* --- late --------------------------------------------------------------------------------- */

static int read_late(struct db *db, int64_t today, json_t **rows, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "SELECT " COLUMNS FROM " WHERE i.open = 1 AND i.order_by < ?1"
                      " AND i.told_late_at IS NULL"
                      " AND i.state IN ('new', 'contacted', 'proposed', 'agreed')"
                      " ORDER BY i.order_by, i.id LIMIT ?2",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, today);
  db_bind_int(stmt, 2, LETTERS_AT_ONCE);
  return db_take_rows(stmt, rows, err);
}

/* 1 it is ours to tell, 0 another desk has told it. */
static int mark_told(struct db *db, int64_t id, int64_t now, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(
      db, "UPDATE items SET told_late_at = ?2 WHERE id = ?1 AND told_late_at IS NULL", &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, id);
  db_bind_int(stmt, 2, now);
  rc = db_exec(stmt, err);
  return rc < 0 ? rc : db_changes(stmt) == 1;
}

static int put_late(struct db *db, const struct desk *desk, json_t *part, int64_t now,
                    struct tm_error *err)
{
  const json_t *items = json_object_get(part, "items"), *first = json_array_get(items, 0);
  size_t n = json_array_size(items);
  char key[400];
  snprintf(key, sizeof(key), "late/%s/%lld/%lld", tm_json_get_string(part, "to"),
           (long long)json_integer_value(json_object_get(first, "id")), (long long)now);
  json_object_set(part, "customer", json_object_get(first, "customer"));
  json_object_set_new(part, "several", n > 1 ? json_integer((json_int_t)n) : json_null());
  json_object_set(part, "device", json_object_get(first, "device"));
  const struct mail mail = {.key = key,
                            .customer = tm_json_get_string(first, "customer_id"),
                            .to = tm_json_get_string(part, "to"),
                            .to_name = tm_json_get_string(part, "name"),
                            .page = "mail-late.txt",
                            .model = part};
  return mail_put(db, desk, &mail, now, err);
}

int letters_late(struct db *db, const struct desk *desk, int64_t now, struct tm_error *err)
{
  json_t *rows = NULL, *all = json_object(), *item, *part;
  const char *key;
  size_t i;
  int told = 0, rc;
  if (desk->conf->mail.url == NULL) {
    json_decref(all);
    return 0;
  }
  rc = read_late(db, tm_date_days(now), &rows, err);
  json_array_foreach(rows, i, item)
  {
    struct responsible who = {0};
    if (rc >= 0)
      rc = mark_told(db, json_integer_value(json_object_get(item, "id")), now, err);
    if (rc <= 0)
      continue;
    rc = find_person(db, item, tm_date_days(now), &who, err);
    make_readable(item, tm_date_days(now));
    json_array_append(
        json_object_get(part_of(all, desk, &who, tm_json_get_string(item, "customer_id")), "items"),
        item);
    told++;
  }
  json_object_foreach(all, key, part) if (rc >= 0) rc = put_late(db, desk, part, now, err);
  json_decref(rows);
  json_decref(all);
  return rc < 0 ? rc : told;
}

/* --- weekly ------------------------------------------------------------------------------- */

int64_t letters_week(int64_t now)
{
  return (tm_date_days(now - MORNING_S) + MONDAY) / 7;
}

/* The first second of a local day. */
static int64_t start_of(int64_t day)
{
  int64_t t = tm_day_start(day * TM_DAY + TM_DAY / 2);
  if (tm_date_days(t) > day)
    return tm_day_start(t - 1);
  return tm_date_days(t) < day ? tm_day_next(t) : t;
}

struct week {
  const struct desk *desk;
  int64_t from, to, now;
  json_t *all;
};

/* Rows into the list of that name of whoever looks after each. */
static int share_out(struct db *db, struct week *w, struct db_stmt *stmt, const char *list,
                     struct tm_error *err)
{
  size_t i;
  json_t *item;
  int rc = 0;
  db_bind_int(stmt, 1, w->from);
  db_bind_int(stmt, 2, w->to);
  db_bind_int(stmt, 3, LETTERS_WEEKLY);
  json_t *rows = NULL;
  rc = db_take_rows(stmt, &rows, err);
  if (rc < 0)
    return rc;
  json_array_foreach(rows, i, item)
  {
    struct responsible who = {0};
    if (rc >= 0)
      rc = find_person(db, item, tm_date_days(w->now), &who, err);
    if (rc < 0)
      break;
    make_readable(item, tm_date_days(w->now));
    const char *from = tm_json_get_string(item, "from_state");
    const char *to = tm_json_get_string(item, "to_state");
    if (from != NULL && to != NULL)
      json_object_set_new(item, "moved",
                          json_sprintf("%s to %s", words_state(from), words_state(to)));
    json_array_append(json_object_get(part_of(w->all, w->desk, &who, ""), list), item);
  }
  json_decref(rows);
  return rc < 0 ? rc : 0;
}

static int collect(struct db *db, struct week *w, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "SELECT " COLUMNS FROM " WHERE i.first_at >= ?1 AND i.first_at < ?2"
                      " AND i.state <> 'gone' ORDER BY i.weight DESC, i.id LIMIT ?3",
                      &stmt, err);
  if (rc == 0)
    rc = share_out(db, w, stmt, "items", err);
  if (rc == 0)
    rc = db_prepare(db,
                    "SELECT " COLUMNS
                    ", e.at, e.by_name, e.what, e.from_state, e.to_state, e.text" FROM
                    " JOIN item_events e ON e.item_id = i.id WHERE e.at >= ?1 AND e.at < ?2"
                    " AND e.what IN ('state', 'closed', 'returned', 'quote', 'feedback', 'owner')"
                    " ORDER BY e.id LIMIT ?3",
                    &stmt, err);
  return rc == 0 ? share_out(db, w, stmt, "changes", err) : rc;
}

static int put_weekly(struct db *db, const struct week *w, int64_t week, json_t *part,
                      struct tm_error *err)
{
  const char *instead_of = tm_json_get_string(part, "instead_of");
  char key[700], from[TM_DATE_SIZE], to[TM_DATE_SIZE];
  size_t items = json_array_size(json_object_get(part, "items"));
  size_t changes = json_array_size(json_object_get(part, "changes"));
  snprintf(key, sizeof(key), "weekly/%lld/%s%s%s", (long long)week, tm_json_get_string(part, "to"),
           instead_of != NULL ? "/" : "", instead_of != NULL ? instead_of : "");
  json_object_set_new(part, "from", json_string(tm_date_format(from, w->from)));
  json_object_set_new(part, "until", json_string(tm_date_format(to, w->to - 1)));
  json_object_set_new(part, "items_len", json_integer((json_int_t)items));
  json_object_set_new(part, "changes_len", json_integer((json_int_t)changes));
  json_object_set_new(part, "has_items", json_boolean(items > 0));
  json_object_set_new(part, "has_changes", json_boolean(changes > 0));
  const struct mail mail = {.key = key,
                            .to = tm_json_get_string(part, "to"),
                            .to_name = tm_json_get_string(part, "name"),
                            .page = "mail-weekly.txt",
                            .model = part};
  return mail_put(db, w->desk, &mail, w->now, err);
}

int letters_weekly(struct db *db, const struct desk *desk, int64_t week, int64_t now,
                   struct tm_error *err)
{
  int64_t monday = week * 7 - MONDAY;
  struct week w = {.desk = desk, .from = start_of(monday - 7), .to = start_of(monday), .now = now};
  const char *key;
  json_t *part;
  if (desk->conf->mail.url == NULL)
    return 0;
  w.all = json_object();
  int rc = collect(db, &w, err);
  json_object_foreach(w.all, key, part) if (rc == 0) rc = put_weekly(db, &w, week, part, err);
  int n = (int)json_object_size(w.all);
  json_decref(w.all);
  return rc < 0 ? rc : n;
}
