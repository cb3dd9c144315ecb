/* SPDX-License-Identifier: MIT */
#include "contrib/desk/chart/series.h"

#include "common/clock.h"
#include "common/json.h"
#include "common/number.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define GAP_DAYS        3
#define EXPANSION_SHARE 0.005 /* a capacity that differs by less has only been rounded */
#define DAYS_AHEAD_MIN  90
#define DAYS_AHEAD_MAX  730

/* Which members of the history tell how full it is. */
struct measure {
  const char *unit, *used, *capacity, *growth;
};
static const struct measure bytes_of_it = {"bytes", "used_bytes", "capacity_bytes",
                                           "growth_bytes_per_day"};
static const struct measure slots_of_it = {"slots", "slots_used", "slots_total",
                                           "growth_slots_per_day"};

struct building {
  const struct series_input *in;
  const struct measure *measure; /* NULL: nothing that fills up */
  json_t *out;
  json_t *events;  /* found so far, in the order of their dates */
  double capacity; /* the newest */
  double used;
};

static bool date_of(const json_t *day, int64_t *date)
{
  *date = tm_json_day(day, "date");
  return *date != INT64_MIN;
}

static json_t *date_json(int64_t days)
{
  char text[TM_DATE_SIZE];
  return json_string(tm_date_format_days(text, days));
}

static bool any_known(const json_t *days, const char *member)
{
  size_t i;
  const json_t *day;
  json_array_foreach(days, i, day) if (!isnan(tm_json_get_number(day, member))) return true;
  return false;
}

static void add_event(struct building *b, json_t *date, const char *text, const char *what)
{
  json_t *event = json_pack("{s:o, s:s}", "date", date, "text", text);
  if (event != NULL && what != NULL && what[0] != '\0')
    json_object_set_new(event, "what", json_string(what));
  json_array_append_new(b->events, event);
}

static void say_amount(const struct building *b, char *out, size_t size, double value)
{
  if (b->measure == &bytes_of_it)
    tm_format_bytes(out, size, value);
  else
    snprintf(out, size, "%.0f %s", value, b->measure->unit);
}

static void expansion(struct building *b, int64_t date, double from, double to)
{
  char before[32], after[32], text[96];
  say_amount(b, before, sizeof(before), from);
  say_amount(b, after, sizeof(after), to);
  snprintf(text, sizeof(text), "Capacity %s \xe2\x86\x92 %s", before, after);
  add_event(b, date_json(date), text,
            to > from ? "installed; the forecast starts anew here" : "taken away");
}

static void gap(struct building *b, int64_t from, int64_t to)
{
  char text[64], until[TM_DATE_SIZE], what[96];
  snprintf(text, sizeof(text), "No data for %lld days", (long long)(to - from));
  snprintf(what, sizeof(what), "until %s; the gap is left empty, not filled in",
           tm_date_format_days(until, to));
  add_event(b, date_json(from), text, what);
}

/* Days that are missing in the list are as unknown as days without a number. */
static void walk_days(struct building *b)
{
  json_t *used = json_array(), *capacity = json_array();
  int64_t next = 0, date, known = INT64_MIN;
  double standing = NAN;
  size_t i;
  const json_t *day;
  json_array_foreach(b->in->days, i, day)
  {
    if (!date_of(day, &date))
      continue;
    for (; json_array_size(used) > 0 && next < date; next++)
      json_array_append_new(used, json_pack("[o, n]", date_json(next)));
    double now = tm_json_get_number(day, b->measure->used);
    double limit = tm_json_get_number(day, b->measure->capacity);
    json_array_append_new(used, json_pack("[o, o]", date_json(date), tm_json_number(now)));
    next = date + 1;
    if (!isnan(limit) && (isnan(standing) || fabs(limit - standing) > EXPANSION_SHARE * standing)) {
      if (!isnan(standing))
        expansion(b, date, standing, limit);
      json_array_append_new(capacity, json_pack("[o, o]", date_json(date), tm_json_number(limit)));
      standing = limit;
    }
    if (isnan(now))
      continue;
    if (known != INT64_MIN && date - known > GAP_DAYS)
      gap(b, known + 1, date);
    known = date;
    b->used = now;
  }
  b->capacity = standing;
  json_object_set_new(b->out, "used", used);
  if (json_array_size(capacity) > 0)
    json_object_set_new(b->out, "capacity", capacity);
  else
    json_decref(capacity);
}

/* Days from today until the date of a quantile; NAN where it is not told. */
static double days_until(const json_t *fill, const char *quantile, int64_t today)
{
  int64_t t;
  return tm_json_get_time(fill, quantile, &t) ? (double)t / TM_DAY - (double)today : NAN;
}

/* How far a straight line has come after `ahead` days that reaches the capacity after `reach`. */
static double on_the_way(const struct building *b, double reach, double per_day, double ahead)
{
  if (isnan(reach))
    return b->used + per_day * ahead;
  if (reach < 1)
    return ahead > 0 ? fmax(b->used, b->capacity) : b->used;
  return b->used + (b->capacity - b->used) / reach * ahead;
}

static void add_fill(struct building *b, const json_t *fill)
{
  static const char *const names[][2] = {{"0.1", "low"}, {"0.5", "mid"}, {"0.9", "high"}};
  json_t *out = json_object();
  for (size_t i = 0; i < 3; i++) {
    int64_t t;
    char date[TM_DATE_SIZE];
    if (tm_json_get_time(fill, names[i][0], &t))
      json_object_set_new(out, names[i][1], json_string(tm_date_format_utc(date, t)));
  }
  if (json_object_size(out) > 0)
    json_object_set_new(b->out, "fill", out);
  else
    json_decref(out);
}

static void add_forecast(struct building *b, int64_t today)
{
  const json_t *forecast = json_object_get(b->in->summary, "forecast");
  const json_t *fill = json_object_get(forecast, "fill");
  double early = days_until(fill, "0.1", today), late = days_until(fill, "0.9", today);
  double middle = days_until(fill, "0.5", today);
  if (isnan(early) || isnan(b->used) || isnan(b->capacity))
    return;
  double growth = tm_json_get_number(forecast, b->measure->growth);
  growth = isnan(growth) ? 0 : fmax(growth, 0);
  double last = isnan(late) ? (isnan(middle) ? early : middle) : late;
  int64_t ahead = (int64_t)fmin(fmax(last * 1.15, DAYS_AHEAD_MIN), DAYS_AHEAD_MAX);
  /* A middle that is not reached within ten years still lies between the edges. */
  double early_per_day = (b->capacity - b->used) / fmax(early, 1);
  double middle_per_day = fmin(growth, early_per_day);
  json_t *rows = json_array();
  for (int64_t d = 0; d <= ahead; d += d < 7 ? 1 : 7)
    json_array_append_new(
        rows, json_pack("[o, o, o, o]", date_json(today + d),
                        tm_json_number(on_the_way(b, late, 0, (double)d)),
                        tm_json_number(on_the_way(b, middle, middle_per_day, (double)d)),
                        tm_json_number(on_the_way(b, early, 0, (double)d))));
  json_object_set_new(b->out, "forecast", rows);
  add_fill(b, fill);
}

static void add_maxima(struct building *b)
{
  if (!any_known(b->in->days, "transfers_max"))
    return;
  const json_t *told = json_object_get(json_object_get(b->in->summary, "status"), "transfers");
  json_t *days = json_array(), *maxima = json_object(), *peak = NULL;
  double highest = -1;
  size_t i;
  const json_t *day;
  json_array_foreach(b->in->days, i, day)
  {
    int64_t date;
    if (!date_of(day, &date))
      continue;
    double max = tm_json_get_number(day, "transfers_max");
    json_array_append_new(days, json_pack("[o, o]", date_json(date), tm_json_number(max)));
    if (!(max > highest))
      continue;
    highest = max;
    json_decref(peak);
    peak = json_pack("{s:o, s:o, s:O*}", "date", date_json(date), "value", tm_json_number(max),
                     "at", json_object_get(day, "transfers_max_at"));
  }
  json_object_set_new(maxima, "interval_s", tm_json_number(tm_json_get_number(told, "interval_s")));
  json_object_set_new(maxima, "unit", tm_json_text(tm_json_get_string(told, "unit")));
  json_object_set_new(maxima, "days", days);
  if (peak != NULL)
    json_object_set_new(maxima, "peak", peak);
  json_object_set_new(b->out, "maxima", maxima);
}

/* Those that were found and those that were given, by date; the newest, marked A, B, … */
static void add_events(struct building *b)
{
  size_t i;
  const json_t *change;
  json_array_foreach(b->in->changes, i, change)
  {
    const char *date = tm_json_get_string(change, "date");
    const char *text = tm_json_get_string(change, "text");
    if (date != NULL && text != NULL)
      add_event(b, json_string(date), text, tm_json_get_string(change, "what"));
  }
  json_t *sorted = json_array();
  while (json_array_size(b->events) > 0) {
    size_t first = 0;
    for (size_t k = 1; k < json_array_size(b->events); k++)
      if (strcmp(tm_json_get_string(json_array_get(b->events, k), "date"),
                 tm_json_get_string(json_array_get(b->events, first), "date")) < 0)
        first = k;
    json_array_append(sorted, json_array_get(b->events, first));
    json_array_remove(b->events, first);
  }
  while (json_array_size(sorted) > SERIES_MAX_EVENTS)
    json_array_remove(sorted, 0);
  for (size_t k = 0; k < json_array_size(sorted); k++) {
    char mark[2] = {(char)('A' + k), '\0'};
    json_object_set_new(json_array_get(sorted, k), "mark", json_string(mark));
  }
  json_object_set_new(b->out, "events", sorted);
}

json_t *series_document(const struct series_input *in)
{
  const json_t *customer = json_object_get(in->summary, "customer");
  const json_t *device = json_object_get(json_object_get(in->summary, "product"), "device");
  const char *id = tm_json_get_string(customer, "id");
  struct building b = {.in = in, .capacity = NAN, .used = NAN, .events = json_array()};
  int64_t today;
  b.measure = any_known(in->days, bytes_of_it.used)   ? &bytes_of_it
              : any_known(in->days, slots_of_it.used) ? &slots_of_it
                                                      : NULL;
  b.out = json_pack("{s:s, s:o, s:O*, s:s*, s:s?, s:s}", "schema", "tidemark.series/1", "device",
                    json_sprintf("%s/%s", id != NULL ? id : "",
                                 json_is_string(device) ? json_string_value(device) : ""),
                    "generated_at", json_object_get(in->summary, "generated_at"), "timezone",
                    in->timezone, "unit", b.measure != NULL ? b.measure->unit : NULL, "today",
                    in->today);
  if (b.out == NULL || b.events == NULL || tm_time_parse(in->today, &today) != 0) {
    json_decref(b.out);
    json_decref(b.events);
    return NULL;
  }
  if (b.measure != NULL) {
    walk_days(&b);
    add_forecast(&b, today / TM_DAY);
  }
  if (in->order_by != NULL)
    json_object_set_new(b.out, "order_by", json_string(in->order_by));
  add_maxima(&b);
  add_events(&b);
  json_decref(b.events);
  return b.out;
}
