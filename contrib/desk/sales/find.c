/* SPDX-License-Identifier: MIT */
#include "contrib/desk/sales/find.h"

#include "common/clock.h"
#include "common/json.h"
#include "common/number.h"
#include "contrib/desk/sales/words.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* The conditions that list and totals share; parameters 1 to 11. Words and team are looked up once
 * and not for each item: totals then need no other row than an index of items has. */
#define WHERE                                                                                      \
  " WHERE (?1 IS NULL OR i.customer_id = ?1) AND i.open = ?2"                                      \
  " AND (?3 IS NULL OR i.state = ?3) AND (?3 IS NOT NULL OR i.state <> 'snoozed')"                 \
  " AND (?4 IS NULL OR i.owner = ?4)"                                                              \
  " AND (?5 IS NULL OR i.owner IN (SELECT t.staff FROM staff t WHERE t.team = ?5))"                \
  " AND (?6 IS NULL OR i.kind = ?6) AND (?7 IS NULL OR i.action = ?7)"                             \
  " AND (?8 IS NULL OR i.region = ?8)"                                                             \
  " AND (?9 IS NULL OR i.device_id IN (SELECT w.id FROM devices w"                                 \
  "   WHERE (?1 IS NULL OR w.customer_id = ?1) AND w.words LIKE ?9 ESCAPE '\\'))"                  \
  " AND (?10 IS NULL OR i.device_id = ?10) AND (?11 IS NULL OR i.customer_id = ?11)"

/* Where it is known whose or which device's, an index leads to the few; else all are walked through
 * by weight until there are enough. Three statements, for an engine plans before it knows. */
#define LIST(narrow)                                                                               \
  "SELECT i.id, i.key, i.action, i.state, i.order_by, i.price, i.currency, i.probability,"         \
  " i.urgency, i.weight, i.reason, i.confidence, i.fill_middle, i.returned, i.owner,"              \
  " s.name AS owner_name, i.agreed_by, i.snoozed_until, i.lost_reason, i.closed_reason,"           \
  " i.customer_id, c.name AS customer, d.id AS device_id, d.site, d.host, d.device, d.model,"      \
  " d.kind, i.first_at, i.state_at, i.version, i.advice_json"                                      \
  " FROM items i JOIN devices d ON d.id = i.device_id"                                             \
  " JOIN customers c ON c.customer_id = i.customer_id LEFT JOIN staff s ON s.staff = "             \
  "i.owner" WHERE narrow " AND (?12 IS NULL OR i.weight < ?12 OR (i.weight = ?12 AND i.id < ?13))" \
  " ORDER BY i.weight DESC, i.id DESC LIMIT ?14"
static const char list_sql[] = LIST("");
static const char device_sql[] = LIST(" AND i.device_id = ?10");
static const char customer_sql[] = LIST(" AND i.customer_id = COALESCE(?1, ?11)");

static const char totals_sql[] =
    "WITH m AS MATERIALIZED"
    " (SELECT i.currency, i.weight, i.order_by, i.customer_id FROM items i" WHERE ")"
    " SELECT currency, COUNT(*) AS items, SUM(weight) AS weight,"
    " COUNT(CASE WHEN order_by < ?12 THEN 1 END) AS late, MIN(order_by) AS first_order,"
    " COUNT(CASE WHEN order_by >= ?12 AND order_by < ?12 + 30 THEN 1 END) AS due,"
    " MIN(CASE WHEN order_by >= ?12 THEN order_by END) AS next_order,"
    " (SELECT COUNT(DISTINCT customer_id) FROM m) AS customers"
    " FROM m GROUP BY currency ORDER BY weight DESC";

static bool is_closed_state(const char *state)
{
  return strcmp(state, "lost") == 0 || strcmp(state, "installed") == 0 ||
         strcmp(state, "gone") == 0;
}

static void bind_where(struct db_stmt *stmt, const struct find *f)
{
  const char *state = f->state;
  bool open = true;
  if (state != NULL && strcmp(state, "closed") == 0)
    state = NULL, open = false;
  else if (state != NULL)
    open = !is_closed_state(state);
  db_bind_customer(stmt, 1);
  db_bind_int(stmt, 2, open);
  db_bind_text(stmt, 3, state);
  db_bind_text(stmt, 4, f->owner);
  db_bind_text(stmt, 5, f->team);
  db_bind_text(stmt, 6, f->kind);
  db_bind_text(stmt, 7, f->action);
  db_bind_text(stmt, 8, f->region);
  db_bind_text(stmt, 9, f->words[0] != '\0' ? f->words : NULL);
  db_bind_int_or_null(stmt, 10, f->device != 0, f->device);
  db_bind_text(stmt, 11, f->customer);
}

/* "%minato 7\%%": what was typed, in lower case, with LIKE's own letters taken as letters. */
void find_like(char *out, size_t size, const char *typed)
{
  size_t at = 0;
  if (typed == NULL || typed[0] == '\0') {
    out[0] = '\0';
    return;
  }
  out[at++] = '%';
  for (; *typed != '\0' && at + 4 < size; typed++) {
    if (*typed == '%' || *typed == '_' || *typed == '\\')
      out[at++] = '\\';
    out[at++] = (char)tolower((unsigned char)*typed);
  }
  /* What does not fit is left out by whole characters: PostgreSQL takes no parts of one. */
  if (((unsigned char)*typed & 0xc0) == 0x80) {
    while (((unsigned char)out[at - 1] & 0xc0) == 0x80)
      at--;
    at--;
  }
  out[at++] = '%';
  out[at] = '\0';
}

const char *find_chosen(const struct request *r, const char *name)
{
  const char *value = request_query(r, name);
  return value == NULL || value[0] == '\0' || strcmp(value, "all") == 0 ? NULL : value;
}

/* "WEIGHT~ID", the place of the last item of the page before. */
int find_after(struct find *f, const char *text)
{
  char weight[64];
  const char *tilde = strchr(text, '~');
  if (tilde == NULL || (size_t)(tilde - text) >= sizeof(weight))
    return -EINVAL;
  snprintf(weight, sizeof(weight), "%.*s", (int)(tilde - text), text);
  if (tm_parse_double(weight, &f->after_weight) != 0)
    return -EINVAL;
  return tm_parse_i64(tilde + 1, 0, INT64_MAX, &f->after_id);
}

int find_read(struct find *f, const struct request *r, const char **field, struct tm_error *err)
{
  *f = (struct find){.after_weight = NAN, .limit = FIND_LIMIT};
  const char *owner = request_query(r, "owner"), *after = request_query(r, "after");
  const char *limit = request_query(r, "limit");
  uint64_t n = FIND_LIMIT;
  f->kind = find_chosen(r, "kind");
  f->action = find_chosen(r, "action");
  f->region = find_chosen(r, "region");
  f->state = find_chosen(r, "state");
  f->customer = find_chosen(r, "customer");
  if (f->state != NULL && strcmp(f->state, "open") == 0)
    f->state = NULL;
  if (owner == NULL || strcmp(owner, "mine") == 0)
    f->owner = r->visitor->role == ROLE_SALES ? r->visitor->staff : NULL;
  find_like(f->words, sizeof(f->words), request_query(r, "q"));
  if (after != NULL && after[0] != '\0' && find_after(f, after) != 0) {
    *field = "after";
    return tm_fail(err, -EINVAL, "after: not a place that this desk gave");
  }
  if (limit != NULL && tm_parse_u64(limit, 1, FIND_LIMIT_MAX, &n) != 0) {
    *field = "limit";
    return tm_fail(err, -EINVAL, "limit: a whole number from 1 to %d", FIND_LIMIT_MAX);
  }
  f->limit = (int)n;
  return 0;
}

int find_page(const struct request *r, const char *name, int64_t *place, int *limit,
              const char **field, struct tm_error *err)
{
  const char *from = request_query(r, name), *many = request_query(r, "limit");
  uint64_t n = FIND_LIMIT;
  *place = 0;
  *field = name;
  if (from != NULL && from[0] != '\0' && tm_parse_i64(from, 0, INT64_MAX, place) != 0)
    return tm_fail(err, -EINVAL, "%s: not a place that this desk gave", name);
  *field = "limit";
  if (many != NULL && tm_parse_u64(many, 1, FIND_LIMIT_MAX, &n) != 0)
    return tm_fail(err, -EINVAL, "limit: a whole number from 1 to %d", FIND_LIMIT_MAX);
  *field = NULL;
  *limit = (int)n;
  return 0;
}

json_t *find_next(json_t *rows, int limit)
{
  size_t n = json_array_size(rows);
  if (n <= (size_t)limit)
    return json_null();
  json_array_remove(rows, n - 1);
  const json_t *id = json_object_get(json_array_get(rows, n - 2), "id");
  return json_sprintf("%lld", (long long)json_integer_value(id));
}

static int64_t day_or_none(const json_t *row, const char *key)
{
  const json_t *value = json_object_get(row, key);
  return json_is_integer(value) ? json_integer_value(value) : INT64_MIN;
}

/* A weighted value is an estimate: its small change says nothing. */
static void whole_units(char *out, size_t size, double money)
{
  snprintf(out, size, "%.0f", isnan(money) ? 0 : money);
}

/* What people read, beside the codes. */
static void make_readable(json_t *row, int64_t today)
{
  json_t *advice = json_object_get(row, "advice");
  const char *state = tm_json_get_string(row, "state");
  json_object_set_new(row, "offer", words_lines(json_object_get(advice, "lines")));
  json_object_set_new(row, "action_word",
                      json_string(words_action(tm_json_get_string(row, "action"))));
  json_object_set_new(row, "kind_word", json_string(words_kind(tm_json_get_string(row, "kind"))));
  json_object_set_new(row, "state_word", json_string(words_state(state)));
  json_object_set_new(row, "state_class", json_string(words_state_class(state)));
  json_object_set_new(row, "when", words_when(day_or_none(row, "order_by"), today));
  json_object_set_new(row, "is_late",
                      json_boolean(day_or_none(row, "order_by") != INT64_MIN &&
                                   day_or_none(row, "order_by") < today));
  json_object_set_new(row, "came_back", json_boolean(tm_json_get_number(row, "returned") > 0));
  json_object_set_new(row, "urgency_text",
                      json_sprintf("%.2f", tm_json_get_number(row, "urgency")));
  const char *price = tm_json_get_string(row, "price"),
             *currency = tm_json_get_string(row, "currency");
  if (price != NULL && currency != NULL) {
    json_object_set_new(row, "price",
                        json_pack("{s:s, s:s}", "amount", price, "currency", currency));
    char amount[40];
    whole_units(amount, sizeof(amount), tm_json_get_number(row, "weight"));
    json_object_set_new(row, "weighted",
                        json_pack("{s:s, s:s}", "amount", amount, "currency", currency));
  }
  json_object_set_new(row, "lines", json_deep_copy(json_object_get(advice, "lines")));
  json_object_del(row, "advice");
}

void find_strip(json_t *item)
{
  static const char *const ours[] = {"weight", "weighted", "urgency", "urgency_text"};
  for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
    json_object_del(item, ours[i]);
  json_object_set_new(item, "lost_reason", json_null());
}

int find_items(struct db *db, const struct find *f, int64_t today, json_t **items, json_t **next,
               struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  const char *sql = f->device != 0 ? device_sql : f->customer != NULL ? customer_sql : list_sql;
  int rc = db_prepare(db, sql, &stmt, err);
  if (rc < 0)
    return rc;
  bind_where(stmt, f);
  db_bind_real(stmt, 12, f->after_weight);
  db_bind_int(stmt, 13, f->after_id);
  db_bind_int(stmt, 14, f->limit + 1);
  json_t *rows = NULL;
  rc = db_take_rows(stmt, &rows, err);
  if (rc < 0)
    return rc;
  *next = NULL;
  if (json_array_size(rows) > (size_t)f->limit) {
    json_array_remove(rows, (size_t)f->limit);
    const json_t *last = json_array_get(rows, (size_t)f->limit - 1);
    *next = json_sprintf("%.17g~%lld", tm_json_get_number(last, "weight"),
                         (long long)json_integer_value(json_object_get(last, "id")));
  }
  size_t i;
  json_t *row;
  json_array_foreach(rows, i, row)
  {
    make_readable(row, today);
    if (isnan(f->after_weight))
      json_object_set_new(row, "rank", json_integer((json_int_t)i + 1));
  }
  *items = rows;
  return 0;
}

static double number_or_0(const json_t *row, const char *key)
{
  double value = tm_json_get_number(row, key);
  return isnan(value) ? 0 : value;
}

/* The rows of the currencies as one. */
static json_t *add_up(const json_t *rows, int64_t today)
{
  json_t *value = json_array();
  double items = 0, late = 0, due = 0;
  int64_t first = INT64_MAX, next = INT64_MAX;
  size_t i;
  const json_t *row;
  json_array_foreach(rows, i, row)
  {
    items += number_or_0(row, "items");
    late += number_or_0(row, "late");
    due += number_or_0(row, "due");
    int64_t order = day_or_none(row, "first_order"), coming = day_or_none(row, "next_order");
    if (order != INT64_MIN && order < first)
      first = order;
    if (coming != INT64_MIN && coming < next)
      next = coming;
    const char *currency = tm_json_get_string(row, "currency");
    char amount[40];
    whole_units(amount, sizeof(amount), number_or_0(row, "weight"));
    if (currency != NULL)
      json_array_append_new(value, json_pack("{s:s, s:s}", "amount", amount, "currency", currency));
  }
  const json_t *customers = json_object_get(json_array_get(rows, 0), "customers");
  json_t *totals = json_pack("{s:o, s:o, s:o, s:o, s:I}", "items", tm_json_number(items), "late",
                             tm_json_number(late), "due", tm_json_number(due), "value", value,
                             "customers", json_integer_value(customers));
  if (late > 0)
    json_object_set_new(totals, "latest_days", json_integer(today - first));
  if (next != INT64_MAX)
    json_object_set_new(totals, "next_due", json_integer(next));
  return totals;
}

int find_totals(struct db *db, const struct find *f, int64_t today, json_t **totals,
                struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db, totals_sql, &stmt, err);
  if (rc < 0)
    return rc;
  bind_where(stmt, f);
  db_bind_int(stmt, 12, today);
  json_t *rows = NULL;
  rc = db_take_rows(stmt, &rows, err);
  if (rc < 0)
    return rc;
  *totals = add_up(rows, today);
  json_decref(rows);
  return 0;
}
