/* SPDX-License-Identifier: MIT */
#include "exporters/demand_plan.h"

#include "common/clock.h"
#include "common/json.h"
#include "common/text.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LINES = 1000000, MAX_NAME = 200 /* characters */ };

static const char *const figures[] = {"expected", "low", "middle", "high", NULL};

int demand_figure_of(const char *name)
{
  for (int i = 0; figures[i] != NULL; i++) {
    if (strcmp(figures[i], name) == 0)
      return i;
  }
  return -1;
}

/* --- checks --------------------------------------------------------------------------------- */

/* A Monday. */
static bool is_week(const json_t *object, const char *key)
{
  int64_t t;
  const char *text = tm_json_get_string(object, key);
  /* 1970-01-01 was a Thursday. */
  return text != NULL && strlen(text) == 10 && tm_time_parse(text, &t) == 0 &&
         (t / TM_DAY + 3) % 7 == 0;
}

static bool is_line(const json_t *line)
{
  const char *sku = tm_json_get_string(line, "sku");
  const json_t *shop = json_object_get(line, "shop");
  if (sku == NULL || sku[0] == '\0' || tm_text_characters(sku) > MAX_NAME ||
      !is_week(line, "week_start") || !(shop == NULL || json_is_null(shop) || json_is_string(shop)))
    return false;
  for (int i = 0; figures[i] != NULL; i++) {
    double n = tm_json_get_number(line, figures[i]);
    if (!(n >= 0 && n <= 1e6))
      return false;
  }
  return true;
}

int demand_check(const json_t *demand, struct tm_error *err)
{
  const char *schema = tm_json_get_string(demand, "schema");
  const json_t *lines = json_object_get(demand, "lines");
  int64_t t;
  size_t i;
  json_t *line;
  if (schema == NULL || strcmp(schema, "tidemark.demand/1") != 0)
    return tm_fail(err, -EBADMSG, "schema: tidemark.demand/1 is wanted");
  if (!tm_json_get_time(demand, "generated_at", &t))
    return tm_fail(err, -EBADMSG, "generated_at: a time is wanted");
  if (!is_week(demand, "from"))
    return tm_fail(err, -EBADMSG, "from: a Monday is wanted");
  if (!json_is_array(lines) || json_array_size(lines) > MAX_LINES)
    return tm_fail(err, -EBADMSG, "lines: a list is wanted");
  json_array_foreach(lines, i, line)
  {
    if (!is_line(line))
      return tm_fail(err, -EBADMSG,
                     "lines[%zu]: sku, shop, week_start (a Monday), low, middle, high and expected "
                     "are wanted",
                     i);
  }
  return 0;
}

/* --- the plan ------------------------------------------------------------------------------- */

static int compare(const json_t *a, const json_t *b, const char *key)
{
  const char *x = tm_json_get_string(a, key), *y = tm_json_get_string(b, key);
  if (x == NULL || y == NULL)
    return (x != NULL) - (y != NULL);
  return strcmp(x, y);
}

/* By shop, SKU and week: the order in which pieces are carried. */
static int by_goods(const void *a, const void *b)
{
  const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
  int order = compare(x, y, "shop");
  if (order == 0)
    order = compare(x, y, "sku");
  return order != 0 ? order : compare(x, y, "week_start");
}

static int by_week(const void *a, const void *b)
{
  const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
  int order = compare(x, y, "shop");
  return order != 0 ? order : compare(x, y, "from");
}

static json_t **sorted(const json_t *array, int (*order)(const void *, const void *))
{
  size_t n = json_array_size(array);
  json_t **list = calloc(n + 1, sizeof(json_t *));
  for (size_t i = 0; list != NULL && i < n; i++)
    list[i] = json_array_get(array, i);
  if (list != NULL)
    qsort(list, n, sizeof(*list), order);
  return list;
}

static json_t *week_of(json_t *weeks, json_t *index, const json_t *line)
{
  char key[4 * MAX_NAME + 64];
  const char *shop = tm_json_get_string(line, "shop");
  const char *from = tm_json_get_string(line, "week_start");
  snprintf(key, sizeof(key), "%s %s", from, shop != NULL ? shop : "");
  json_t *week = json_object_get(index, key);
  if (week == NULL) {
    week = json_pack("{s:s?,s:s,s:{}}", "shop", shop, "from", from, "lines");
    json_object_set_new(index, key, week);
    json_array_append(weeks, week);
  }
  return week;
}

static void add_line(json_t *weeks, json_t *index, const json_t *line, json_int_t pieces)
{
  json_t *goods = json_pack("{s:I}", "pieces", pieces);
  for (int i = 0; figures[i] != NULL; i++)
    json_object_set(goods, figures[i], json_object_get(line, figures[i]));
  json_object_set_new(json_object_get(week_of(weeks, index, line), "lines"),
                      tm_json_get_string(line, "sku"), goods);
}

json_t *demand_plan(const json_t *demand, enum demand_figure figure)
{
  const json_t *all = json_object_get(demand, "lines");
  json_t **lines = sorted(all, by_goods);
  json_t *weeks = json_array(), *index = json_object(), *out = json_array();
  double sum = 0; /* of these goods up to this week, ... */
  json_int_t given = 0;
  for (size_t i = 0; lines != NULL && i < json_array_size(all); i++) {
    if (i == 0 || compare(lines[i], lines[i - 1], "shop") != 0 ||
        compare(lines[i], lines[i - 1], "sku") != 0) {
      sum = 0;
      given = 0;
    }
    sum += tm_json_get_number(lines[i], figures[figure]);
    json_int_t pieces = (json_int_t)floor(sum + 0.5) - given;
    given += pieces;
    if (pieces > 0)
      add_line(weeks, index, lines[i], pieces);
  }
  json_t **ordered = sorted(weeks, by_week);
  for (size_t i = 0; ordered != NULL && i < json_array_size(weeks); i++)
    json_array_append(out, ordered[i]);
  free(ordered);
  free(lines);
  json_decref(index);
  json_decref(weeks);
  return out;
}
