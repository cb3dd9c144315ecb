/* SPDX-License-Identifier: MIT */
#include "contrib/desk/chart/drawing.h"

#include "common/buf.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/number.h"
#include "contrib/desk/chart/axis.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Pixels of a drawing that is 1000 wide; a page scales it. */
#define LEFT      56.0
#define RIGHT     990.0
#define TOP       24.0
#define MAIN_LOW  314.0
#define BARS_TOP  340.0
#define BARS_LOW  448.0
#define TEXT_DROP 4.0
#define MAX_TEXT  (1 << 20)
/* From here on a label beside the axis is too narrow for all figures. */
#define TICK_GROUPED 1e6

struct frame {
  const json_t *series;
  json_t *out;
  int64_t first, last; /* days */
  double top;          /* of the upper axis, in units of the data */
  double low;          /* pixels: where the upper axis begins */
  bool upper, lower;   /* is there a capacity panel, and one of maxima */
};

/* One element [DATE, a, b, c] of an array of the series. */
struct row {
  int64_t day;
  double value[3];
};

static bool row_read(const json_t *element, struct row *row)
{
  int64_t t;
  const char *date = json_string_value(json_array_get(element, 0));
  if (date == NULL || tm_time_parse(date, &t) != 0)
    return false;
  row->day = t / TM_DAY;
  for (size_t i = 0; i < 3; i++) {
    const json_t *value = json_array_get(element, i + 1);
    row->value[i] = json_is_number(value) ? json_number_value(value) : NAN;
  }
  return true;
}

static double x_of(const struct frame *f, int64_t day)
{
  double span = f->last > f->first ? (double)(f->last - f->first) : 1;
  return LEFT + (RIGHT - LEFT) * (double)(day - f->first) / span;
}

static double y_of(const struct frame *f, double value)
{
  return f->low - (f->low - TOP) * value / f->top;
}

static json_t *pixels(double value)
{
  char text[32];
  snprintf(text, sizeof(text), "%.1f", value);
  return json_string(text);
}

static void set_text(json_t *object, const char *key, struct tm_buf *text)
{
  if (text->len > 0)
    json_object_set_new(object, key, json_string(text->ptr));
  tm_buf_release(text);
}

static void add_tick(json_t *ticks, double y, const char *text, bool base)
{
  json_array_append_new(ticks, json_pack("{s:o, s:o, s:s, s:b}", "y", pixels(y), "text_y",
                                         pixels(y + TEXT_DROP), "text", text, "base", base));
}

static void upper_ticks(struct frame *f)
{
  const char *name, *unit = tm_json_get_string(f->series, "unit");
  double scale = axis_unit(unit, f->top, &name);
  double step = axis_step(f->top / scale, 6);
  if (step < 1 && unit != NULL && strcmp(unit, "pieces") == 0)
    step = 1;
  json_t *ticks = json_array();
  for (int i = 0; i * step <= f->top / scale * 1.0001; i++) {
    double v = i * step;
    char text[48];
    snprintf(text, sizeof(text), step < 1 ? "%.1f %s" : "%.0f %s", v, name);
    add_tick(ticks, y_of(f, v * scale), text, v <= 0);
  }
  json_object_set_new(f->out, "ticks", ticks);
}

/* Mondays, as many as there is room for. */
static void week_ticks(struct frame *f)
{
  json_t *list = json_array();
  int64_t monday = f->first + (7 - (f->first + 3) % 7) % 7; /* 1970-01-01 was a Thursday */
  double room = (RIGHT - LEFT) / (double)(f->last - f->first);
  int64_t every = (int64_t)ceil(70 / (7 * room));
  for (int64_t day = monday; day <= f->last; day += 7 * every) {
    char date[TM_DATE_SIZE];
    json_array_append_new(list, json_pack("{s:o, s:s}", "x", pixels(x_of(f, day)), "text",
                                          tm_date_format_days(date, day) + 5));
  }
  json_object_set_new(f->out, "months", list);
}

static void month_ticks(struct frame *f)
{
  static const int every_of[] = {1, 2, 3, 6, 12};
  double months = (double)(f->last - f->first) / 30.4;
  int every = 12;
  for (size_t i = 0; i < 5; i++)
    if (months / every_of[i] <= (RIGHT - LEFT) / 90) {
      every = every_of[i];
      break;
    }
  json_t *list = json_array();
  for (int64_t day = f->first; day <= f->last; day++) {
    char date[TM_DATE_SIZE];
    tm_date_format_days(date, day);
    int month = (date[5] - '0') * 10 + date[6] - '0';
    if (strcmp(date + 8, "01") != 0 || (month - 1) % every != 0 || x_of(f, day) < LEFT + 16)
      continue;
    date[7] = '\0';
    json_array_append_new(list, json_pack("{s:o, s:s}", "x", pixels(x_of(f, day)), "text", date));
  }
  json_object_set_new(f->out, "months", list);
}

/* Lines of known days; a gap ends one and begins the next. */
static void used_lines(struct frame *f)
{
  json_t *lines = json_array();
  struct tm_buf points = TM_BUF_INIT(MAX_TEXT);
  size_t i;
  const json_t *element;
  json_array_foreach(json_object_get(f->series, "used"), i, element)
  {
    struct row row;
    if (!row_read(element, &row))
      continue;
    if (!isnan(row.value[0])) {
      tm_buf_printf(&points, "%s%.1f,%.1f", points.len > 0 ? " " : "", x_of(f, row.day),
                    y_of(f, row.value[0]));
    } else if (points.len > 0) {
      json_array_append_new(lines, json_string(points.ptr));
      tm_buf_reset(&points);
    }
  }
  if (points.len > 0)
    json_array_append_new(lines, json_string(points.ptr));
  tm_buf_release(&points);
  json_object_set_new(f->out, "used", lines);
}

static void capacity_line(struct frame *f)
{
  struct tm_buf path = TM_BUF_INIT(MAX_TEXT);
  size_t i;
  const json_t *element;
  json_array_foreach(json_object_get(f->series, "capacity"), i, element)
  {
    struct row row;
    if (!row_read(element, &row))
      continue;
    double x = x_of(f, row.day), y = y_of(f, row.value[0]);
    if (path.len == 0)
      tm_buf_printf(&path, "M%.1f,%.1f", x, y);
    else
      tm_buf_printf(&path, "H%.1fV%.1f", x, y);
  }
  if (path.len > 0)
    tm_buf_printf(&path, "H%.0f", RIGHT);
  set_text(f->out, "capacity", &path);
}

static void forecast_fan(struct frame *f)
{
  const json_t *rows = json_object_get(f->series, "forecast");
  struct tm_buf fan = TM_BUF_INIT(MAX_TEXT), middle = TM_BUF_INIT(MAX_TEXT);
  struct row row;
  size_t n = json_array_size(rows);
  for (size_t i = 0; i < n; i++) {
    if (!row_read(json_array_get(rows, i), &row))
      continue;
    tm_buf_printf(&fan, "%s%.1f,%.1f", fan.len > 0 ? " " : "", x_of(f, row.day),
                  y_of(f, row.value[0]));
    tm_buf_printf(&middle, "%s%.1f,%.1f", middle.len > 0 ? " " : "", x_of(f, row.day),
                  y_of(f, row.value[1]));
  }
  for (size_t i = n; i-- > 0;)
    if (row_read(json_array_get(rows, i), &row))
      tm_buf_printf(&fan, " %.1f,%.1f", x_of(f, row.day), y_of(f, row.value[2]));
  set_text(f->out, "fan", &fan);
  set_text(f->out, "middle", &middle);
}

static bool day_of(const json_t *object, const char *key, int64_t *day)
{
  *day = tm_json_day(object, key);
  return *day != INT64_MIN;
}

/* The days between which it fills up, drawn on the capacity's line. */
static void fill_range(struct frame *f)
{
  const json_t *fill = json_object_get(f->series, "fill");
  const json_t *steps = json_object_get(f->series, "capacity");
  int64_t low, mid, high;
  struct row capacity;
  if (!day_of(fill, "low", &low) || low > f->last || json_array_size(steps) == 0 ||
      !row_read(json_array_get(steps, json_array_size(steps) - 1), &capacity))
    return;
  bool open = !day_of(fill, "high", &high) || high > f->last;
  double y = y_of(f, capacity.value[0]);
  json_t *range =
      json_pack("{s:o, s:o, s:o, s:o}", "x1", pixels(x_of(f, low)), "x2",
                pixels(open ? RIGHT : x_of(f, high)), "y", pixels(y), "text_y", pixels(y + 24));
  if (day_of(fill, "mid", &mid) && mid <= f->last)
    json_object_set_new(range, "mid", pixels(x_of(f, mid)));
  json_object_set_new(f->out, "range", range);
}

static void add_mark(const struct frame *f, json_t *marks, int64_t day, const char *text)
{
  if (day < f->first || day > f->last)
    return;
  double width = strlen(text) > 2 ? 42 : 16, x = x_of(f, day);
  double box = fmin(fmax(x - width / 2, 0), 1000 - width);
  json_array_append_new(marks, json_pack("{s:o, s:o, s:o, s:o, s:s}", "x", pixels(x), "box_x",
                                         pixels(box), "box_w", pixels(width), "text_x",
                                         pixels(box + width / 2), "text", text));
}

static void all_marks(struct frame *f)
{
  json_t *marks = json_array();
  int64_t day;
  size_t i;
  const json_t *event;
  json_array_foreach(json_object_get(f->series, "events"), i,
                     event) if (day_of(event, "date", &day))
      add_mark(f, marks, day, tm_json_get_string(event, "mark"));
  if (day_of(f->series, "today", &day))
    add_mark(f, marks, day, "today");
  json_object_set_new(f->out, "marks", marks);
  if (f->upper && day_of(f->series, "order_by", &day) && day >= f->first && day <= f->last) {
    double x = x_of(f, day);
    bool room = x > LEFT + 170;
    json_object_set_new(f->out, "order_by",
                        json_pack("{s:o, s:o, s:s, s:s}", "x", pixels(x), "text_x",
                                  pixels(room ? x - 6 : x + 6), "anchor", room ? "end" : "start",
                                  "text", tm_json_get_string(f->series, "order_by")));
  }
}

static void bars(struct frame *f)
{
  const json_t *maxima = json_object_get(f->series, "maxima");
  const json_t *peak = json_object_get(maxima, "peak");
  double highest = tm_json_get_number(peak, "value"), low = f->upper ? BARS_LOW : f->low;
  double scale = (low - (f->upper ? BARS_TOP : TOP)) / (highest > 0 ? highest * 1.1 : 1);
  struct tm_buf path = TM_BUF_INIT(MAX_TEXT);
  size_t i;
  const json_t *element;
  json_array_foreach(json_object_get(maxima, "days"), i, element)
  {
    struct row row;
    if (!row_read(element, &row) || isnan(row.value[0]))
      continue;
    tm_buf_printf(&path, "M%.1f,%.0fV%.1f", x_of(f, row.day), low, low - row.value[0] * scale);
  }
  set_text(f->out, "bars", &path);
  int64_t day;
  if (day_of(peak, "date", &day)) {
    char text[64];
    snprintf(text, sizeof(text), "M%.1f,%.0fV%.1f", x_of(f, day), low, low - highest * scale);
    json_object_set_new(f->out, "peak", json_string(text));
  }
  json_t *ticks = json_array();
  double step = highest > 0 ? axis_step(highest * 1.1, 2.5) : 1;
  for (int k = 0; k * step <= highest * 1.1; k++) {
    double v = k * step;
    char plain[32], text[48];
    snprintf(plain, sizeof(plain), "%.0f", v);
    if (v > 0 && (step < 1 || highest >= TICK_GROUPED))
      tm_format_count(text, sizeof(text), v);
    else
      tm_format_grouped(text, sizeof(text), plain);
    add_tick(ticks, low - v * scale, text, v <= 0);
  }
  json_object_set_new(f->out, "bar_ticks", ticks);
}

/* The axis holds all days; its top leaves room above used and capacity, while the forecast may
 * leave the picture. */
static bool measure(struct frame *f)
{
  static const char *const arrays[] = {"used", "forecast"};
  struct row row;
  size_t i;
  const json_t *element;
  f->first = INT64_MAX, f->last = INT64_MIN;
  for (size_t k = 0; k < 2; k++)
    json_array_foreach(json_object_get(f->series, arrays[k]), i,
                       element) if (row_read(element, &row))
    {
      f->first = row.day < f->first ? row.day : f->first;
      f->last = row.day > f->last ? row.day : f->last;
      if (k == 0)
        f->top = fmax(f->top, row.value[0]);
      else if (json_object_get(f->series, "used") == NULL) /* the forecast is all there is */
        f->top = fmax(f->top, row.value[2]);
    }
  json_array_foreach(json_object_get(f->series, "capacity"), i,
                     element) if (row_read(element, &row)) f->top = fmax(f->top, row.value[0]);
  f->upper = f->top > 0;
  json_array_foreach(json_object_get(json_object_get(f->series, "maxima"), "days"), i,
                     element) if (row_read(element, &row))
  {
    f->lower = true;
    f->first = row.day < f->first ? row.day : f->first;
    f->last = row.day > f->last ? row.day : f->last;
  }
  f->top *= 1.14;
  f->low = MAIN_LOW;
  return (f->upper || f->lower) && f->last > f->first;
}

/* Of a demand: where it ends, and what stands against it. */
static void demand_words(const struct frame *f, struct tm_buf *text)
{
  const json_t *rows = json_object_get(f->series, "forecast");
  const json_t *steps = json_object_get(f->series, "capacity");
  const char *sku = tm_json_get_string(f->series, "sku");
  char date[TM_DATE_SIZE];
  struct row row;
  if (sku == NULL || !row_read(json_array_get(rows, json_array_size(rows) - 1), &row))
    return;
  tm_buf_printf(text, "Running demand for %s reaches %.0f pieces (range %.0f to %.0f) by %s.", sku,
                row.value[1], row.value[0], row.value[2], tm_date_format_days(date, row.day));
  if (row_read(json_array_get(steps, json_array_size(steps) - 1), &row))
    tm_buf_printf(text, " Supply is %.0f.", row.value[0]);
}

/* What the picture says, in words. */
static void words(struct frame *f)
{
  const json_t *used = json_object_get(f->series, "used"),
               *fill = json_object_get(f->series, "fill");
  const char *unit = tm_json_get_string(f->series, "unit");
  struct tm_buf text = TM_BUF_INIT(1024);
  char amount[40];
  struct row row;
  for (size_t i = json_array_size(used); i-- > 0;)
    if (row_read(json_array_get(used, i), &row) && !isnan(row.value[0])) {
      char date[TM_DATE_SIZE];
      if (unit != NULL && strcmp(unit, "bytes") == 0)
        tm_format_bytes(amount, sizeof(amount), row.value[0]);
      else
        snprintf(amount, sizeof(amount), "%.0f %s", row.value[0], unit != NULL ? unit : "");
      tm_buf_printf(&text, "Used on %s: %s.", tm_date_format_days(date, row.day), amount);
      break;
    }
  const char *low = tm_json_get_string(fill, "low"), *high = tm_json_get_string(fill, "high");
  if (low != NULL && high != NULL)
    tm_buf_printf(&text, " The forecast reaches the capacity between %s and %s.", low, high);
  else if (low != NULL)
    tm_buf_printf(&text, " The forecast may reach the capacity from %s on.", low);
  demand_words(f, &text);
  if (f->lower)
    tm_buf_printf(&text, "%sThe busiest interval of each day stands %s.", text.len > 0 ? " " : "",
                  f->upper ? "below" : "here");
  set_text(f->out, "label", &text);
}

json_t *drawing_model(const json_t *series)
{
  struct frame f = {.series = series, .out = json_object()};
  if (f.out == NULL || !measure(&f)) {
    json_decref(f.out);
    return NULL;
  }
  double bottom = f.upper && f.lower ? BARS_LOW : f.low;
  char viewbox[32];
  snprintf(viewbox, sizeof(viewbox), "0 0 1000 %.0f", bottom + 26);
  json_object_set_new(f.out, "viewbox", json_string(viewbox));
  json_object_set_new(f.out, "mark_bottom", pixels(bottom));
  json_object_set_new(f.out, "month_y", pixels(bottom + 17));
  json_object_set_new(f.out, "low", pixels(f.low));
  if (f.upper) {
    upper_ticks(&f);
    used_lines(&f);
    capacity_line(&f);
    forecast_fan(&f);
    fill_range(&f);
  }
  if (f.lower)
    bars(&f);
  all_marks(&f);
  if (f.last - f.first > 100)
    month_ticks(&f);
  else
    week_ticks(&f);
  words(&f);
  return f.out;
}
