/* SPDX-License-Identifier: MIT */
/* The claimed device before and after its claim: what it said to earlier questions, and how busy it
 * was. */
#include "common/clock.h"
#include "common/json.h"
#include "contrib/desk/claims/values.h"
#include "contrib/desk/claims/words.h"
#include "contrib/desk/store/history.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 3, BEFORE_DAYS = 60, AFTER_DAYS = 30, ROWS = 20 };

struct looking {
  json_t *days;  /* "0000020776": {"values": {NAME: value}, "busiest"} */
  json_t *names; /* of the columns */
};

static json_t *day_of(struct looking *l, int64_t day)
{
  char key[24];
  snprintf(key, sizeof(key), "%010lld", (long long)day);
  json_t *row = json_object_get(l->days, key);
  if (row == NULL) {
    row = json_pack("{s:I, s:{}}", "day", (json_int_t)day, "values");
    if (json_object_set_new(l->days, key, row) < 0)
      return NULL;
  }
  return row;
}

/* Items with a number; the outliers first. */
static json_t *choose_names(const json_t *items, json_t *columns)
{
  json_t *names = json_array();
  for (int outlier = 1; outlier >= 0; outlier--) {
    size_t i;
    const json_t *item;
    json_array_foreach(items, i, item)
    {
      bool is = json_is_true(json_object_get(item, "outlier"));
      if (is != outlier || !json_is_number(json_object_get(item, "value")) ||
          json_array_size(names) >= COLUMNS)
        continue;
      json_array_append(names, json_object_get(item, "name"));
      json_array_append(columns, json_object_get(item, "label"));
    }
  }
  return names;
}

static bool is_column(const json_t *names, const char *name)
{
  size_t i;
  const json_t *one;
  json_array_foreach(names, i, one) if (strcmp(json_string_value(one), name) == 0) return true;
  return false;
}

/* All that the device itself has told, for this claim and others. */
static int read_told(struct db *db, struct looking *l, int64_t device, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "SELECT v.observed_at, v.document_json FROM item_values v JOIN requests r"
                      " ON r.request = v.request AND r.customer_id = v.customer_id"
                      " WHERE v.device_id = ?1 AND v.status = 'answered' AND r.purpose = 'service'"
                      " AND r.device_id = ?1 AND v.observed_at IS NOT NULL"
                      " ORDER BY v.observed_at DESC LIMIT 50",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, device);
  json_t *rows = db_rows(stmt, err), *row, *item;
  size_t i, j;
  json_array_foreach(rows, i, row)
  {
    int64_t at = json_integer_value(json_object_get(row, "observed_at"));
    json_array_foreach(json_object_get(json_object_get(row, "document"), "items"), j, item)
    {
      const char *name = tm_json_get_string(item, "name");
      if (!is_column(l->names, name))
        continue;
      json_t *values = json_object_get(day_of(l, tm_date_days(at)), "values");
      if (json_object_get(values, name) == NULL)
        json_object_set(values, name, json_object_get(item, "value"));
    }
  }
  json_decref(rows);
  return rows != NULL ? 0 : -EIO;
}

/* One day a week is enough to see a change. */
static int take_day(void *user, const struct day *day, struct tm_error *err)
{
  struct looking *l = user;
  char text[64];
  (void)err;
  if (day->state[DAY_MAX] == DAY_KNOWN && day->date % 7 == 0)
    json_object_set_new(day_of(l, day->date), "busiest",
                        json_string(claim_number_text(text, sizeof(text), day->value[DAY_MAX])));
  return 0;
}

static json_t *cells_of(const struct looking *l, const json_t *values)
{
  char text[CLAIM_VALUE_TEXT];
  json_t *cells = json_array();
  size_t i;
  const json_t *name;
  json_array_foreach(l->names, i, name)
  {
    const json_t *value = json_object_get(values, json_string_value(name));
    json_array_append_new(cells,
                          json_pack("{s:s}", "text", claim_value_text(text, sizeof(text), value)));
  }
  return cells;
}

static int by_key_down(const void *a, const void *b)
{
  return strcmp(*(const char *const *)b, *(const char *const *)a);
}

static json_t *make_rows(struct looking *l, int64_t claimed_on)
{
  const char *keys[512] = {NULL}, *key;
  size_t n = 0;
  json_t *rows = json_array(), *row;
  json_object_set_new(day_of(l, claimed_on), "event", json_string("Complaint"));
  json_object_foreach(l->days, key, row) if (n < 512) keys[n++] = key;
  qsort(keys, n, sizeof(*keys), by_key_down);
  for (size_t i = 0; i < n && i < ROWS; i++) {
    row = json_object_get(l->days, keys[i]);
    json_object_set_new(row, "cells", cells_of(l, json_object_get(row, "values")));
    json_object_del(row, "values");
    json_array_append(rows, row);
  }
  return rows;
}

int claim_before_after(struct db *db, const json_t *claim, const json_t *items, json_t **columns,
                       json_t **rows, struct tm_error *err)
{
  int64_t device = json_integer_value(json_object_get(claim, "device_id"));
  int64_t on = tm_date_days(json_integer_value(json_object_get(claim, "claimed_at")));
  struct looking l = {.days = json_object()};
  *columns = json_array();
  l.names = choose_names(items, *columns);
  int rc = read_told(db, &l, device, err);
  if (rc == 0)
    rc = history_read(db, device, on - BEFORE_DAYS, on + AFTER_DAYS, take_day, &l, err);
  *rows = make_rows(&l, on);
  json_decref(l.days);
  json_decref(l.names);
  return rc;
}
