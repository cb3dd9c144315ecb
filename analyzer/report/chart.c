/* SPDX-License-Identifier: MIT */
#include "analyzer/report/chart.h"

#include "common/clock.h"
#include "common/json.h"
#include "common/number.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#define NEVER INT64_MAX

/* The drawing's own units; the page scales it to its width. */
enum {
  WIDTH = 640,
  LEFT = 92,
  RIGHT = 12,
  TOP = 10,
  LEVEL = 170,
  GAP = 26,
  LOAD = 60,
  BOTTOM = 22
};
enum { HEIGHT = TOP + LEVEL + GAP + LOAD + BOTTOM, BASE = TOP + LEVEL, LOAD_TOP = BASE + GAP };

struct chart {
  FILE *out;
  const json_t *history;
  const char *used_key;
  const char *capacity_key;
  int64_t from;
  int64_t to;
  double top; /* the level at the upper edge */
  double load_top;
  double capacity; /* now */
  double used;
  int64_t now;
  int64_t early;
  int64_t middle;
  int64_t late;
};

void chart_put_text(FILE *out, const char *text)
{
  for (; text != NULL && *text != '\0'; text++) {
    switch (*text) {
    case '<':
      fputs("&lt;", out);
      break;
    case '>':
      fputs("&gt;", out);
      break;
    case '&':
      fputs("&amp;", out);
      break;
    case '"':
      fputs("&quot;", out);
      break;
    case '\'':
      fputs("&#39;", out);
      break;
    default:
      fputc(*text, out);
    }
  }
}

static double x_of(const struct chart *c, int64_t t)
{
  double share = (double)(t - c->from) / (double)(c->to - c->from);
  return LEFT + (share < 0 ? 0 : share > 1 ? 1 : share) * (WIDTH - LEFT - RIGHT);
}

static double y_of(const struct chart *c, double level)
{
  double share = c->top > 0 ? level / c->top : 0;
  return BASE - (share < 0 ? 0 : share > 1 ? 1 : share) * LEVEL;
}

/* What the axes must hold. False when there is nothing to draw. */
static bool measure(struct chart *c, const json_t *summary)
{
  const json_t *status = json_object_get(summary, "status");
  const json_t *fill = json_object_get(json_object_get(summary, "forecast"), "fill");
  bool slots = json_object_get(status, "slots_total") != NULL;
  c->used_key = slots ? "slots_used" : "used_bytes";
  c->capacity_key = slots ? "slots_total" : "capacity_bytes";
  c->history = json_object_get(summary, "history");
  c->used = tm_json_get_number(status, c->used_key);
  c->capacity = tm_json_get_number(status, c->capacity_key);
  c->early = c->middle = c->late = NEVER;
  tm_json_get_time(fill, "0.1", &c->early);
  tm_json_get_time(fill, "0.5", &c->middle);
  tm_json_get_time(fill, "0.9", &c->late);
  if (!tm_json_get_time(status, "observed_at", &c->now) || json_array_size(c->history) == 0)
    return false;
  c->from = tm_json_time_or(json_array_get(c->history, 0), "date", NEVER);
  if (c->from >= c->now)
    c->from = c->now - TM_DAY;
  /* The axis ends after the fill date, but not so late that the history becomes a stripe. */
  int64_t ahead = (c->now - c->from) * 2;
  int64_t last = c->late != NEVER ? c->late : c->middle != NEVER ? c->middle : c->now;
  c->to = last > c->now + ahead ? c->now + ahead : last;
  c->to += (c->to - c->from) / 20 + 1;
  size_t i;
  const json_t *day;
  json_array_foreach(c->history, i, day)
  {
    c->top = fmax(c->top, tm_json_get_number(day, c->used_key));
    c->top = fmax(c->top, tm_json_get_number(day, c->capacity_key));
    c->load_top = fmax(c->load_top, tm_json_get_number(day, "transfers_max"));
  }
  c->top = fmax(c->top, isnan(c->capacity) ? 0 : c->capacity) * 1.05;
  return c->top > 0 || c->load_top > 0;
}

/* One line through the days of a key, with a gap where a day is unknown. */
static void put_line(const struct chart *c, const char *key, const char *class)
{
  fprintf(c->out, "<path class=\"%s\" d=\"", class);
  bool pen_down = false;
  size_t i;
  const json_t *day;
  json_array_foreach(c->history, i, day)
  {
    double v = tm_json_get_number(day, key);
    int64_t t = tm_json_time_or(day, "date", NEVER);
    if (isnan(v) || t == NEVER) {
      pen_down = false;
      continue;
    }
    fprintf(c->out, "%c%.1f %.1f", pen_down ? 'L' : 'M', x_of(c, t + TM_DAY / 2), y_of(c, v));
    pen_down = true;
  }
  fputs("\"/>", c->out);
}

static void put_forecast(const struct chart *c)
{
  if (c->early == NEVER || isnan(c->used) || isnan(c->capacity) || c->used >= c->capacity)
    return;
  /* Where the late edge is not known the range runs to the end of the axis, below capacity. */
  int64_t late = c->late != NEVER ? c->late : c->to;
  double late_level = c->capacity;
  if (c->late == NEVER || late > c->to) {
    double share = c->late != NEVER ? (double)(c->to - c->now) / (double)(late - c->now) : 0.5;
    late_level = c->used + share * (c->capacity - c->used);
    late = c->to;
  }
  fprintf(c->out, "<path class=\"chart-range\" d=\"M%.1f %.1fL%.1f %.1f", x_of(c, c->now),
          y_of(c, c->used), x_of(c, c->early), y_of(c, c->capacity));
  if (late_level < c->capacity)
    fprintf(c->out, "L%.1f %.1f", x_of(c, late), y_of(c, c->capacity));
  fprintf(c->out, "L%.1f %.1fZ\"/>", x_of(c, late), y_of(c, late_level));
  if (c->middle != NEVER && c->middle <= c->to)
    fprintf(c->out, "<path class=\"chart-middle\" d=\"M%.1f %.1fL%.1f %.1f\"/>", x_of(c, c->now),
            y_of(c, c->used), x_of(c, c->middle), y_of(c, c->capacity));
}

static void put_load(const struct chart *c)
{
  double width = fmax(1, (x_of(c, c->from + TM_DAY) - x_of(c, c->from)) * 0.8);
  size_t i;
  const json_t *day;
  json_array_foreach(c->history, i, day)
  {
    double v = tm_json_get_number(day, "transfers_max");
    int64_t t = tm_json_time_or(day, "date", NEVER);
    if (isnan(v) || t == NEVER || c->load_top <= 0)
      continue;
    double h = LOAD * v / c->load_top;
    fprintf(c->out,
            "<rect class=\"chart-max\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>",
            x_of(c, t), LOAD_TOP + LOAD - h, width, h);
  }
}

static void put_label(const struct chart *c, double x, double y, const char *anchor,
                      const char *text)
{
  fprintf(c->out, "<text class=\"chart-label\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", x, y,
          anchor);
  chart_put_text(c->out, text);
  fputs("</text>", c->out);
}

static void put_axes(const struct chart *c, bool slots)
{
  char text[48];
  char date[TM_DATE_SIZE];
  char *(*format)(char *, size_t, double) = slots ? tm_format_count : tm_format_bytes;
  for (int i = 0; c->top > 0 && i <= 2; i++) {
    double level = c->top / 1.05 * i / 2;
    fprintf(c->out, "<path class=\"chart-axis\" d=\"M%d %.1fH%d\"/>", LEFT, y_of(c, level),
            WIDTH - RIGHT);
    put_label(c, LEFT - 6, y_of(c, level) + 4, "end", format(text, sizeof(text), level));
  }
  fprintf(c->out, "<path class=\"chart-axis\" d=\"M%d %dH%d\"/>", LEFT, LOAD_TOP + LOAD,
          WIDTH - RIGHT);
  if (c->load_top > 0)
    put_label(c, LEFT - 6, LOAD_TOP + 8, "end", tm_format_count(text, sizeof(text), c->load_top));
  put_label(c, LEFT, HEIGHT - 6, "start", tm_date_format(date, c->from));
  /* Beside the first day: the day of filling where it is in view, else where the axis ends. */
  bool middle_seen = c->middle != NEVER && c->middle <= c->to && c->middle > c->now;
  put_label(c, WIDTH - RIGHT, HEIGHT - 6, "end", tm_date_format(date, c->to));
  if (middle_seen && x_of(c, c->middle) < WIDTH - RIGHT - 150 && x_of(c, c->middle) > LEFT + 150)
    put_label(c, x_of(c, c->middle), HEIGHT - 6, "middle", tm_date_format_utc(date, c->middle));
}

void chart_write(FILE *out, const json_t *summary)
{
  struct chart c = {.out = out};
  if (!measure(&c, summary))
    return;
  bool slots = strcmp(c.used_key, "slots_used") == 0;
  int above = c.top > 0 ? 0 : LOAD_TOP - TOP; /* what has no level has no empty room for one */
  fprintf(out, "<svg class=\"chart\" viewBox=\"0 %d %d %d\" role=\"img\" aria-label=\"%s\">", above,
          WIDTH, HEIGHT - above,
          c.top > 0 ? "Used capacity, capacity, forecast and interval maxima"
                    : "Interval maxima of each day");
  put_axes(&c, slots);
  put_forecast(&c);
  put_line(&c, c.capacity_key, "chart-capacity");
  put_line(&c, c.used_key, "chart-used");
  put_load(&c);
  fputs("</svg>\n", out);
}
