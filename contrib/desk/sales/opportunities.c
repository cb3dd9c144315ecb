/* SPDX-License-Identifier: MIT */
/* The ranked list: what a sales person opens in the morning. */
#include "common/clock.h"
#include "common/json.h"
#include "contrib/desk/desk.h"
#include "contrib/desk/http/filters.h"
#include "contrib/desk/rooms.h"
#include "contrib/desk/people/audit.h"
#include "contrib/desk/sales/csv.h"
#include "contrib/desk/sales/find.h"
#include "contrib/desk/sales/words.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct list {
  const struct request *r;
  struct find find;
  int64_t today;
  json_t *items, *next, *totals, *all, *fleet, *regions;
};

static void list_release(struct list *l)
{
  json_decref(l->items);
  json_decref(l->next);
  json_decref(l->totals);
  json_decref(l->all);
  json_decref(l->fleet);
  json_decref(l->regions);
}

/* What was looked at: the devices behind the list, and the sites that say nothing. */
static int read_fleet(struct db *db, struct list *l, struct tm_error *err)
{
  static const char sql[] =
      "SELECT (SELECT COUNT(*) FROM devices WHERE (?1 IS NULL OR customer_id = ?1)) AS devices,"
      " (SELECT advised_at FROM devices WHERE (?1 IS NULL OR customer_id = ?1)"
      "   AND advised_at IS NOT NULL ORDER BY advised_at DESC LIMIT 1) AS looked_at,"
      " (SELECT COUNT(*) FROM sites WHERE (?1 IS NULL OR customer_id = ?1)) AS sites,"
      " (SELECT COUNT(*) FROM sites WHERE (?1 IS NULL OR customer_id = ?1)"
      "   AND (last_seen_at IS NULL OR last_seen_at < ?2)) AS silent_sites";
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db, sql, &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_customer(stmt, 1);
  db_bind_int(stmt, 2, l->r->now - TM_DAY);
  return db_take_row(stmt, &l->fleet, NULL, err);
}

static int read_regions(struct db *db, struct list *l, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "SELECT DISTINCT region FROM customers WHERE region IS NOT NULL"
                      " AND (?1 IS NULL OR customer_id = ?1) ORDER BY region",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_customer(stmt, 1);
  return db_take_rows(stmt, &l->regions, err);
}

/* "team" is that of the one who looks. */
static int read_team(struct db *db, struct list *l, struct tm_error *err)
{
  const char *owner = request_query(l->r, "owner");
  if (owner == NULL || strcmp(owner, "team") != 0 || l->r->visitor->staff == NULL)
    return 0;
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db, "SELECT team FROM staff WHERE staff = ?1", &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, l->r->visitor->staff);
  rc = db_step(stmt, err);
  if (rc == 1 && !db_is_null(stmt, 0))
    l->find.team = request_keep(l->r, db_text(stmt, 0));
  db_done(stmt);
  return rc < 0 ? rc : 0;
}

static int read_list(struct db *db, void *arg, struct tm_error *err)
{
  struct list *l = arg;
  const struct find all = {.after_weight = NAN};
  int rc = read_team(db, l, err);
  json_decref(l->items);
  json_decref(l->next);
  json_decref(l->totals);
  json_decref(l->all);
  l->items = l->next = l->totals = l->all = NULL;
  if (rc == 0)
    rc = find_items(db, &l->find, l->today, &l->items, &l->next, err);
  if (rc == 0)
    rc = find_totals(db, &l->find, l->today, &l->totals, err);
  if (rc == 0 && json_array_size(l->items) == 0) /* what there is without filters */
    rc = find_totals(db, &all, l->today, &l->all, err);
  if (rc == 0)
    rc = read_fleet(db, l, err);
  return rc == 0 ? read_regions(db, l, err) : rc;
}

static json_t *owners(const struct request *r)
{
  static const char *const rows[][2] = {
      {"mine", "Mine"}, {"team", "My team"}, {"all", "All"}, {NULL}};
  const char *is = request_query(r, "owner");
  return filter_options(rows + (r->visitor->staff == NULL ? 2 : 0), is != NULL ? is : "mine");
}

static json_t *regions(const json_t *rows, const char *chosen)
{
  json_t *list = json_array();
  size_t i;
  const json_t *row;
  json_array_foreach(rows, i, row)
  {
    const char *name = tm_json_get_string(row, "region");
    filter_option(list, name, name, chosen);
  }
  return list;
}

static json_t *filters(const struct list *l)
{
  const char *q = request_query(l->r, "q"), *state = request_query(l->r, "state");
  json_t *states = words_states(l->find.state);
  filter_option(states, "closed", "All closed", state);
  return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o}", "q", q != NULL ? q : "", "owners",
                   owners(l->r), "kinds", words_kinds(l->find.kind), "actions",
                   words_actions(l->find.action), "regions", regions(l->regions, l->find.region),
                   "states", states);
}

/* The query of this page again with another place, for "Next". */
static json_t *next_path(const struct list *l)
{
  static const char *const names[] = {"q",      "owner", "kind",  "action",
                                      "region", "state", "limit", NULL};
  json_t *query = filter_again(l->r, names, "after", l->next);
  return query;
}

static bool is_filtered(const struct request *r)
{
  static const char *const names[] = {"q", "kind", "action", "region", "state"};
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
    const char *value = request_query(r, names[i]);
    if (value != NULL && value[0] != '\0' && strcmp(value, "all") != 0)
      return true;
  }
  return false;
}

static json_t *list_model(struct list *l)
{
  json_t *model =
      json_pack("{s:s, s:O, s:O, s:O*, s:O, s:o}", "title", "Opportunities", "items", l->items,
                "totals", l->totals, "all", l->all, "fleet", l->fleet, "filters", filters(l));
  if (model == NULL)
    return NULL;
  double devices = tm_json_get_number(l->fleet, "devices");
  json_object_set_new(model, "filtered", json_boolean(is_filtered(l->r)));
  json_object_set_new(model, "nothing_yet", json_boolean(!(devices > 0)));
  json_object_set_new(model, "shown", json_integer((json_int_t)json_array_size(l->items)));
  if (json_array_size(l->items) > 0)
    json_object_set(model, "first", json_array_get(l->items, 0));
  json_object_set_new(model, "more", json_boolean(l->next != NULL));
  if (l->next != NULL)
    json_object_set_new(model, "next", next_path(l));
  return model;
}

static int show_opportunities(const struct request *r, struct response *to, struct tm_error *err)
{
  struct list l = {.r = r, .today = tm_date_days(r->now)};
  const char *field = NULL;
  if (find_read(&l.find, r, &field, err) != 0)
    return respond_error(r, to, 422, field, err->text);
  int rc = store_read(r->desk->store, &r->scope, read_list, &l, err);
  if (rc == 0) {
    json_t *model = list_model(&l);
    rc = respond_page(r, to, 200, "opportunities.html", model, err);
    json_decref(model);
  }
  list_release(&l);
  return rc;
}

/* --- for programs
 * --------------------------------------------------------------------------------- */

static int list_items(const struct request *r, struct response *to, struct tm_error *err)
{
  struct list l = {.r = r, .today = tm_date_days(r->now)};
  const char *field = NULL;
  if (find_read(&l.find, r, &field, err) != 0)
    return respond_error(r, to, 422, field, err->text);
  if (request_query(r, "owner") == NULL)
    l.find.owner = NULL;
  int rc = store_read(r->desk->store, &r->scope, read_list, &l, err);
  if (rc == 0) {
    json_t *model =
        json_pack("{s:O, s:O?, s:O}", "items", l.items, "next", l.next, "totals", l.totals);
    rc = respond_json(r, to, 200, model, err);
    json_decref(model);
  }
  list_release(&l);
  return rc;
}

static const struct csv_column columns[] = {
    {"item", "id"},
    {"order_by", "order_by_date"},
    {"customer", "customer"},
    {"customer id", "customer_id"},
    {"site", "site"},
    {"device", "device"},
    {"model", "model"},
    {"action", "action"},
    {"offer", "offer"},
    {"reason", "reason"},
    {"price", "price.amount"},
    {"currency", "price.currency"},
    {"probability", "probability"},
    {"urgency", "urgency"},
    {"weighted", "weighted.amount"},
    {"state", "state"},
    {"owner", "owner_name"},
    {"key", "key"},
    {NULL, NULL},
};

static void write_dates(json_t *items)
{
  size_t i;
  json_t *row;
  json_array_foreach(items, i, row)
  {
    char date[TM_DATE_SIZE];
    const json_t *day = json_object_get(row, "order_by");
    if (json_is_integer(day))
      json_object_set_new(row, "order_by_date",
                          json_string(tm_date_format_days(date, json_integer_value(day))));
  }
}

static int note_export(struct db *db, void *arg, struct tm_error *err)
{
  const struct list *l = arg;
  return audit_request(db, l->r, "export", "items.csv", NULL, err);
}

static int read_piece(struct db *db, void *arg, struct tm_error *err)
{
  struct list *l = arg;
  json_decref(l->items);
  json_decref(l->next);
  l->items = l->next = NULL;
  int rc = read_team(db, l, err);
  return rc == 0 ? find_items(db, &l->find, l->today, &l->items, &l->next, err) : rc;
}

/* Piece by piece, so that a list of many thousands takes no more memory than its text. */
static int write_pieces(struct list *l, struct tm_buf *out, struct tm_error *err)
{
  bool all = request_query(l->r, "limit") == NULL;
  int rc;
  if (all)
    l->find.limit = FIND_LIMIT_MAX;
  do {
    rc = store_read(l->r->desk->store, &l->r->scope, read_piece, l, err);
    if (rc == 0) {
      write_dates(l->items);
      rc = csv_table(out, columns, l->items);
    }
    if (rc == 0 && l->next != NULL)
      rc = find_after(&l->find, json_string_value(l->next));
  } while (rc == 0 && all && l->next != NULL);
  return rc;
}

static int export_items(const struct request *r, struct response *to, struct tm_error *err)
{
  struct list l = {.r = r, .today = tm_date_days(r->now)};
  const char *field = NULL;
  if (find_read(&l.find, r, &field, err) != 0)
    return respond_error(r, to, 422, field, err->text);
  int rc = write_pieces(&l, &to->body, err);
  if (rc == 0)
    rc = store_write(r->desk->store, &r->scope, note_export, &l, err);
  if (rc == 0) {
    to->status = 200;
    to->content_type = "text/csv; charset=utf-8";
    rc = respond_header(to, "Content-Disposition", "attachment; filename=\"items.csv\"");
  }
  list_release(&l);
  return rc;
}

const struct route sales_routes[] = {
    {"GET", "/api/v1/items", ROLE_SALES, 0,
     "Items, the heaviest first, with totals; filters as on the page", list_items},
    {"GET", "/api/v1/items.csv", ROLE_SALES, 0, "The same as a table for spreadsheets",
     export_items},
    {"GET", "/opportunities", ROLE_SALES, 0,
     "What customers will need, the most urgent and valuable first", show_opportunities},
    {0},
};
