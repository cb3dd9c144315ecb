/* SPDX-License-Identifier: MIT */
#include "contrib/desk/factory/hold.h"

#include "common/clock.h"
#include "common/json.h"
#include "contrib/desk/advice/items.h"
#include "contrib/desk/factory/goods.h"
#include "contrib/desk/factory/inquiry.h"
#include "contrib/desk/factory/offer.h"
#include "contrib/desk/sales/life.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is(const char *text, const char *what)
{
  return text != NULL && strcmp(text, what) == 0;
}

/* --- making --------------------------------------------------------------------------------- */

struct making {
  const struct hold_agree *agree;
  json_t *row, *lines;
  char number[40];
  int64_t today, ready_on, keep_until;
  unsigned parts;
};

static int refuse(const char **field, const char *name, struct tm_error *err, const char *text)
{
  *field = name;
  return tm_fail(err, -EINVAL, "%s", text);
}

static int check(struct making *m, const char **field, struct tm_error *err)
{
  const struct hold_agree *a = m->agree;
  const char *hold = tm_json_get_string(m->row, "hold");
  const json_t *answer = json_object_get(m->row, "answer");
  if (is(hold, "wanted") || is(hold, "held"))
    return tm_fail(err, -EEXIST, "it is kept already");
  if (is(hold, "fetched"))
    return tm_fail(err, -EEXIST, "it was fetched already");
  if (!json_is_object(answer))
    return tm_fail(err, -EEXIST, "there is no answer yet that could be agreed to");
  m->lines = a->shop != NULL ? offer_lines(answer, a->shop, &m->ready_on) : NULL;
  if (m->lines == NULL)
    return refuse(field, "shop", err, "choose one of the shops that the answer offers");
  if (a->agreed_by == NULL || a->agreed_by[0] == '\0')
    return refuse(field, "who", err, "say who agreed, at the customer");
  if (a->agreed_on == INT64_MIN)
    return refuse(field, "on", err, "say on which day, as 2026-11-20");
  if (a->agreed_on > m->today + 1)
    return refuse(field, "on", err, "a day that has not come yet is no day of an agreement");
  int64_t there = m->ready_on > m->today ? m->ready_on : m->today;
  m->keep_until = a->keep_until != INT64_MIN ? a->keep_until : there + HOLD_DAYS;
  /* What comes later than that could never be fetched. */
  if (m->keep_until < m->ready_on)
    return refuse(field, "until", err, "keep it at least until the day on which it is there");
  if (m->keep_until < m->today || m->keep_until > m->ready_on + HOLD_DAYS_MAX)
    return refuse(field, "until", err, "from today on, and at most half a year");
  return 0;
}

/* What is still to come to a shelf is kept like what lies there: whoever counts it when it has come
 * finds it taken. */
static int set_aside(struct db *db, struct making *m, const struct handover_goods *g,
                     const struct handover_part *part, const char *sku, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  char number[64];
  if (m->parts++ == 0)
    snprintf(number, sizeof(number), "%s", m->number);
  else
    snprintf(number, sizeof(number), "%s-%u", m->number, m->parts);
  int rc = db_prepare(db,
                      "INSERT INTO reservations (customer_id, item_id, inquiry, number, shop, sku,"
                      " quantity, made_at, by_name, from_day, expires_on, state, state_at,"
                      " coming_on)"
                      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 'held', ?8, ?12)",
                      &stmt, err);
  if (rc < 0)
    return rc;
  json_int_t item = json_integer_value(json_object_get(m->row, "item_id"));
  db_bind_text(stmt, 1, tm_json_get_string(m->row, "customer_id"));
  db_bind_int_or_null(stmt, 2, item != 0, item);
  db_bind_text(stmt, 3, m->agree->inquiry);
  db_bind_text(stmt, 4, number);
  db_bind_text(stmt, 5, g->shops[part->from].name);
  db_bind_text(stmt, 6, sku);
  db_bind_int(stmt, 7, (int64_t)part->pieces);
  db_bind_int(stmt, 8, m->agree->now);
  db_bind_text(stmt, 9, m->agree->by);
  db_bind_int(stmt, 10, m->today + part->days);
  db_bind_int(stmt, 11, m->keep_until);
  db_bind_int_or_null(stmt, 12, part->coming, m->today + g->shops[part->from].supply_days);
  return db_exec(stmt, err);
}

/* Whether the pieces come as the answer has told, part by part. */
static bool comes_as_told(const struct making *m, const json_t *at,
                          const struct handover_part *parts, size_t n)
{
  uint64_t told = 0;
  size_t i;
  const json_t *one;
  json_array_foreach(json_object_get(at, "parts"), i, one)
  {
    int64_t t = tm_json_time_or(one, "on", INT64_MIN);
    uint64_t there = 0;
    told += (uint64_t)json_integer_value(json_object_get(one, "quantity"));
    for (size_t k = 0; k < n; k++)
      there += m->today + parts[k].days <= t / TM_DAY ? parts[k].pieces : 0;
    if (there < told)
      return false;
  }
  return true;
}

static int gone(const struct making *m, const char *sku, int64_t days, struct tm_error *err)
{
  char date[32] = "no day that is known";
  if (days != HANDOVER_NEVER)
    tm_date_format_days(date, m->today + days);
  return tm_fail(err, -EEXIST,
                 "%s: somebody else has taken it meanwhile; %s can hand over on %s now: ask again",
                 sku, m->agree->shop, date);
}

/* What lies on shelves is set aside, and what the supplier brings. */
static int keep_line(struct db *db, struct making *m, const json_t *line, struct tm_error *err)
{
  struct goods goods;
  const char *sku = tm_json_get_string(line, "sku");
  uint64_t pieces = (uint64_t)json_integer_value(json_object_get(line, "quantity"));
  struct handover_part *parts = NULL;
  size_t n = 0;
  int rc = goods_read(db, sku, m->today, &goods, err);
  struct handover_goods g = goods_handover(&goods);
  size_t shop = rc == 0 ? goods_shop(&goods, m->agree->shop) : goods.len;
  int64_t days = shop < goods.len ? handover_days(&g, shop, pieces) : HANDOVER_NEVER;
  if (rc == 0)
    parts = calloc(goods.len + 1, sizeof(*parts));
  if (rc == 0 && parts == NULL)
    rc = tm_fail(err, -ENOMEM, "out of memory");
  if (parts != NULL && shop < goods.len)
    n = handover_plan(parts, &g, shop, pieces);
  if (rc == 0 && (days == HANDOVER_NEVER || m->today + days > m->ready_on ||
                  !comes_as_told(m, json_object_get(line, "at"), parts, n)))
    rc = gone(m, sku, days, err);
  for (size_t i = 0; rc == 0 && i < n; i++)
    rc = set_aside(db, m, &g, &parts[i], sku, err);
  free(parts);
  goods_release(&goods);
  return rc;
}

static int write_hold(struct db *db, const struct making *m, struct tm_error *err)
{
  const struct hold_agree *a = m->agree;
  struct db_stmt *stmt = NULL;
  char *lines = json_dumps(m->lines, JSON_COMPACT);
  json_int_t item = json_integer_value(json_object_get(m->row, "item_id"));
  if (lines == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  int rc = db_prepare(db,
                      "INSERT INTO holds (inquiry, customer_id, item_id, number, shop,"
                      " ready_on, lines_json, agreed_by, agreed_on, keep_until, by_name,"
                      " made_at, state, state_at, next_try_at) VALUES (?1, ?2, ?3, ?4, ?5,"
                      " ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?12, ?14)"
                      " ON CONFLICT (inquiry) DO UPDATE SET number = excluded.number,"
                      " shop = excluded.shop, ready_on = excluded.ready_on,"
                      " lines_json = excluded.lines_json, agreed_by = excluded.agreed_by,"
                      " agreed_on = excluded.agreed_on, keep_until = excluded.keep_until,"
                      " by_name = excluded.by_name, made_at = excluded.made_at,"
                      " state = excluded.state, state_at = excluded.state_at,"
                      " next_try_at = excluded.next_try_at, becomes = NULL, tries = 0,"
                      " shipments = NULL, error = NULL",
                      &stmt, err);
  if (rc == 0) {
    db_bind_text(stmt, 1, a->inquiry);
    db_bind_text(stmt, 2, tm_json_get_string(m->row, "customer_id"));
    db_bind_int_or_null(stmt, 3, item != 0, item);
    db_bind_text(stmt, 4, m->number);
    db_bind_text(stmt, 5, a->shop);
    db_bind_int(stmt, 6, m->ready_on);
    db_bind_text(stmt, 7, lines);
    db_bind_text(stmt, 8, a->agreed_by);
    db_bind_int(stmt, 9, a->agreed_on);
    db_bind_int(stmt, 10, m->keep_until);
    db_bind_text(stmt, 11, a->by);
    db_bind_int(stmt, 12, a->now);
    db_bind_text(stmt, 13, a->own ? "held" : "wanted");
    db_bind_int_or_null(stmt, 14, !a->own, a->now);
    rc = db_exec(stmt, err);
  }
  free(lines);
  return rc;
}

/* An item that is agreed, ordered or further has its who and when already. */
static int move_item(struct db *db, const struct making *m, const char **field,
                     struct tm_error *err)
{
  const struct hold_agree *a = m->agree;
  const char *state = tm_json_get_string(m->row, "item_state");
  const struct life_change change = {.item = json_integer_value(json_object_get(m->row, "item_id")),
                                     .to = "agreed",
                                     .by = a->by,
                                     .staff = a->staff,
                                     .agreed_by = a->agreed_by,
                                     .agreed_on = a->agreed_on,
                                     .until = INT64_MIN,
                                     .now = a->now};
  if (change.item == 0 || state == NULL || is(state, "ordered") || is(state, "delivered") ||
      !life_may(state, "agreed"))
    return 0;
  return life_apply(db, &change, field, err);
}

static int note(struct db *db, const json_t *row, int64_t now, const char *by, const char *text,
                struct tm_error *err)
{
  const char *customer = tm_json_get_string(row, "customer_id");
  json_int_t item = json_integer_value(json_object_get(row, "item_id"));
  if (item == 0 || customer == NULL)
    return 0;
  return item_note(db, customer, item, now, by, "reservation", NULL, NULL, text, err);
}

int hold_make(struct db *db, const struct hold_agree *a, const char **field, struct tm_error *err)
{
  struct making m = {.agree = a, .today = tm_date_days(a->now)};
  int64_t number = 0;
  char text[300], date[TM_DATE_SIZE];
  size_t i;
  const json_t *line;
  int rc = inquiry_read(db, a->inquiry, &m.row, err);
  if (rc == 0)
    rc = check(&m, field, err);
  /* The number first: whoever has it is alone with the shelves. */
  if (rc == 0)
    rc = inquiry_number(db, "reservation", &number, err);
  snprintf(m.number, sizeof(m.number), "R-%lld", (long long)number);
  json_array_foreach(m.lines, i, line)
  {
    if (rc == 0 && a->own)
      rc = keep_line(db, &m, line, err);
  }
  if (rc == 0)
    rc = write_hold(db, &m, err);
  if (rc == 0)
    rc = move_item(db, &m, field, err);
  if (rc == 0) {
    snprintf(text, sizeof(text), "%s at %s until %s", m.number, a->shop,
             tm_date_format_days(date, m.keep_until));
    rc = note(db, m.row, a->now, a->by, text, err);
  }
  json_decref(m.lines);
  json_decref(m.row);
  return rc;
}

/* --- ending --------------------------------------------------------------------------------- */

/* What was fetched does not lie there any more. Where the shelves were counted after it was set
 * aside and nobody said when it was fetched, the count knows already. */
static int take_from_shelf(struct db *db, const char *inquiry, bool counted_before,
                           struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(
      db,
      "UPDATE stock SET quantity = GREATEST(quantity - COALESCE((SELECT CAST(SUM(r.quantity) AS"
      " INTEGER) FROM reservations r WHERE r.inquiry = ?1 AND r.state = 'held'"
      " AND r.shop = stock.shop AND r.sku = stock.sku), 0), 0)"
      " WHERE EXISTS (SELECT 1 FROM reservations r WHERE r.inquiry = ?1 AND r.state = 'held'"
      " AND r.shop = stock.shop AND r.sku = stock.sku"
      " AND (?2 = 0 OR stock.updated_at <= r.made_at))",
      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, inquiry);
  db_bind_int(stmt, 2, counted_before);
  return db_exec(stmt, err);
}

static int end_rows(struct db *db, const char *sql, const char *inquiry, const char *how,
                    int64_t now, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db, sql, &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, inquiry);
  db_bind_text(stmt, 2, how);
  db_bind_int(stmt, 3, now);
  return db_exec(stmt, err);
}

static int end_now(struct db *db, const char *inquiry, const char *how, int64_t now,
                   struct tm_error *err)
{
  int rc = end_rows(db,
                    "UPDATE reservations SET state = ?2, state_at = ?3 WHERE inquiry = ?1"
                    " AND state = 'held'",
                    inquiry, how, now, err);
  if (rc == 0)
    rc = end_rows(db,
                  "UPDATE holds SET state = ?2, state_at = ?3, becomes = NULL, next_try_at = NULL,"
                  " error = NULL WHERE inquiry = ?1",
                  inquiry, how, now, err);
  return rc;
}

/* An ERP's shelves are free only when it says so. */
static int end_one(struct db *db, const json_t *row, const char *how, const char *by, bool own,
                   bool counted_before, int64_t now, struct tm_error *err)
{
  const char *inquiry = tm_json_get_string(row, "inquiry");
  const char *number = tm_json_get_string(row, "hold_number");
  char text[200];
  int rc = 0;
  if (own && is(how, "fetched"))
    rc = take_from_shelf(db, inquiry, counted_before, err);
  if (rc == 0 && (own || is(how, "fetched")))
    rc = end_now(db, inquiry, how, now, err);
  else if (rc == 0)
    rc = end_rows(db,
                  "UPDATE holds SET becomes = ?2, next_try_at = ?3, tries = 0 WHERE inquiry = ?1",
                  inquiry, how, now, err);
  snprintf(text, sizeof(text), "%s %s", number != NULL ? number : inquiry, how);
  return rc == 0 ? note(db, row, now, by, text, err) : rc;
}

int hold_end(struct db *db, const char *inquiry, const char *how, const char *by, bool own,
             int64_t now, struct tm_error *err)
{
  json_t *row = NULL;
  int rc = inquiry_read(db, inquiry, &row, err);
  const char *state = tm_json_get_string(row, "hold");
  if (rc == 0 && !is(state, "held") && !is(state, "wanted"))
    rc = tm_fail(err, -EEXIST, "nothing is kept for this inquiry");
  if (rc == 0)
    rc = end_one(db, row, how, by, own, false, now, err);
  json_decref(row);
  return rc;
}

int hold_sweep(struct db *db, bool own, int64_t now, int *ended, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  *ended = 0;
  int rc = db_prepare(db,
                      "SELECT h.inquiry, h.customer_id, h.item_id, h.number AS hold_number,"
                      " CASE WHEN i.open = 0 AND i.state = 'installed' THEN 'fetched'"
                      "  WHEN i.open = 0 THEN 'released' ELSE 'expired' END AS how"
                      " FROM holds h LEFT JOIN items i ON i.id = h.item_id"
                      " WHERE (?1 IS NULL OR h.customer_id = ?1) AND h.state IN ('held', 'wanted')"
                      " AND h.becomes IS NULL AND (h.keep_until < ?2 OR i.open = 0) LIMIT 100",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_customer(stmt, 1);
  db_bind_int(stmt, 2, tm_date_days(now));
  json_t *rows = db_rows(stmt, err), *row;
  size_t i;
  if (rows == NULL)
    return -EIO;
  json_array_foreach(rows, i, row)
  {
    if (rc == 0)
      rc = end_one(db, row, tm_json_get_string(row, "how"), "desk", own, true, now, err);
  }
  if (rc == 0)
    *ended = (int)json_array_size(rows);
  json_decref(rows);
  return rc;
}

/* --- of an ERP ------------------------------------------------------------------------------ */

int hold_told(struct db *db, const char *inquiry, const char *shipments, const char *refused,
              int64_t now, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  json_t *row = NULL;
  int rc = inquiry_read(db, inquiry, &row, err);
  const char *becomes = tm_json_get_string(row, "becomes");
  if (rc == 0 && becomes != NULL) {
    rc = end_now(db, inquiry, becomes, now, err);
  } else if (rc == 0) {
    rc = db_prepare(db,
                    "UPDATE holds SET state = ?2, state_at = ?3, shipments = ?4, error = ?5,"
                    " next_try_at = NULL WHERE inquiry = ?1",
                    &stmt, err);
    if (rc == 0) {
      db_bind_text(stmt, 1, inquiry);
      db_bind_text(stmt, 2, refused != NULL ? "refused" : "held");
      db_bind_int(stmt, 3, now);
      db_bind_text(stmt, 4, shipments);
      db_bind_text(stmt, 5, refused);
      rc = db_exec(stmt, err);
    }
    if (rc == 0 && refused != NULL)
      rc = note(db, row, now, "desk", refused, err);
  }
  json_decref(row);
  return rc;
}
