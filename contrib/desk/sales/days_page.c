/* SPDX-License-Identifier: MIT */
/* The days of a device in the order of their dates, each with the day on which it came. */
#include "common/clock.h"
#include "common/json.h"
#include "contrib/desk/desk.h"
#include "contrib/desk/http/fields.h"
#include "contrib/desk/people/audit.h"
#include "contrib/desk/rooms.h"
#include "contrib/desk/store/history.h"

#include <errno.h>
#include <string.h>

enum { DAYS = 62, LOOK_BACK = 4000 };

struct looking {
  const struct request *r;
  int64_t id, to;
  json_t *device, *days;
};

static int read_device(struct db *db, struct looking *l, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "SELECT d.id, d.customer_id, c.name AS customer, d.site, d.host, d.device,"
                      " d.last_day FROM devices d JOIN customers c ON c.customer_id = d.customer_id"
                      " WHERE (?1 IS NULL OR d.customer_id = ?1) AND d.id = ?2",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_customer(stmt, 1);
  db_bind_int(stmt, 2, l->id);
  return db_take_row(stmt, &l->device, "there is no such device", err);
}

static int read_days(struct db *db, void *arg, struct tm_error *err)
{
  struct looking *l = arg;
  int rc = read_device(db, l, err);
  const json_t *last = json_object_get(l->device, "last_day");
  if (rc != 0)
    return rc;
  if (l->to == INT64_MAX)
    l->to = json_is_integer(last) ? json_integer_value(last) : 0;
  json_decref(l->days);
  l->days = history_json(db, l->id, l->to, DAYS, 1, err);
  return l->days != NULL ? 0 : err->code != 0 ? err->code : -EIO;
}

/* Newest first, and how much later each came. */
static json_t *newest_first(const json_t *days)
{
  json_t *rows = json_array();
  for (size_t i = json_array_size(days); i-- > 0;) {
    json_t *row = json_copy(json_array_get(days, i));
    int64_t on = tm_json_time_or(row, "date", 0), came = tm_json_time_or(row, "arrived_on", 0);
    json_object_set_new(row, "days_late", json_integer((came - on) / TM_DAY));
    json_array_append_new(rows, row);
  }
  return rows;
}

/* Where the page before begins; null when this one reaches back to nothing. */
static json_t *older(const struct looking *l)
{
  char date[TM_DATE_SIZE];
  return json_array_size(l->days) > 0 ? json_string(tm_date_format_days(date, l->to - DAYS))
                                      : json_null();
}

static int show_days(const struct request *r, struct response *to, struct tm_error *err)
{
  struct looking l = {.r = r, .to = INT64_MAX};
  const char *from = request_query(r, "after");
  int64_t t;
  int rc = part_number(r, "id", &l.id, "there is no such device", err);
  if (rc < 0)
    return rc;
  if (from != NULL && from[0] != '\0') {
    if (strlen(from) != strlen("2026-11-20") || tm_time_parse(from, &t) != 0)
      return respond_error(r, to, 422, "after", "a day is written as 2026-11-20");
    l.to = t / TM_DAY;
  }
  rc = store_read(r->desk->store, &r->scope, read_days, &l, err);
  if (rc == 0)
    rc = audit_seen(r, tm_json_get_string(l.device, "customer_id"), err);
  if (rc == 0) {
    json_t *model = json_pack("{s:O, s:o, s:o}", "device", l.device, "days", newest_first(l.days),
                              "next", older(&l));
    if (model != NULL && !r->wants_json) {
      json_object_set_new(model, "title", json_string("History"));
      json_object_set_new(model, "some", json_boolean(json_array_size(l.days) > 0));
    }
    rc = respond_model(r, to, "days.html", model, err);
    json_decref(model);
  }
  json_decref(l.device);
  json_decref(l.days);
  return rc;
}

#define READERS (ROLE_SALES | ROLE_SERVICE | ROLE_ENGINEER | ROLE_ADMIN | ROLE_CUSTOMER)

const struct route days_routes[] = {
    {"GET", "/devices/{id}/history", READERS, 0,
     "The days of a device by their dates, with the day on which each came", show_days},
    {"GET", "/api/v1/devices/{id}/history", READERS, 0,
     "The days of a device by their dates, with the day on which each came", show_days},
    {0},
};
