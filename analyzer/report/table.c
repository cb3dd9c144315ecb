/* SPDX-License-Identifier: MIT */
/*
 * The table that an administrator reads: the most urgent device first, columns dropped from the
 * least needed on when the terminal is narrow, a last column that says in words what is behind it.
 */
#include "analyzer/report/report.h"

#include "analyzer/report/urgency.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/number.h"
#include "common/room.h"
#include "common/text.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum column { NAME, USED, CAPACITY, SHARE, GROWTH, FILL, RANGE, BUSIEST, REMARK, COLUMNS };

/* Nobody has to widen a terminal for what can be asked for: the first to go is the last in need. */
static const struct {
  const char *head;
  bool right;
  unsigned need; /* 0: never dropped; else the highest goes first */
} columns[COLUMNS] = {
    [NAME] = {"DEVICE", false, 0},
    [USED] = {"USED", true, 0},
    [CAPACITY] = {"CAPACITY", true, 0},
    [SHARE] = {"FULL", true, 1},
    [GROWTH] = {"PER DAY", true, 5},
    [FILL] = {"FILLS UP", false, 0},
    [RANGE] = {"8 CHANCES IN 10", false, 2},
    [BUSIEST] = {"BUSIEST INTERVAL", false, 4},
    [REMARK] = {"", false, 3},
};

#define NEVER URGENCY_NEVER

struct row {
  char *cell[COLUMNS];
  struct urgency urgency;
};

struct report {
  struct report_settings settings;
  struct row *rows;
  size_t len;
  size_t cap;
  int64_t now;
};

static struct report *table_begin(const struct report_settings *settings)
{
  struct report *r = calloc(1, sizeof(*r));
  if (r != NULL)
    r->settings = *settings;
  return r;
}

static void table_free(struct report *r)
{
  if (r == NULL)
    return;
  for (size_t i = 0; i < r->len; i++) {
    for (int c = 0; c < COLUMNS; c++)
      free(r->rows[i].cell[c]);
    urgency_release(&r->rows[i].urgency);
  }
  free(r->rows);
  free(r);
}

static int set(struct row *row, enum column c, const char *text)
{
  row->cell[c] = strdup(text);
  return row->cell[c] != NULL ? 0 : -ENOMEM;
}

/* "2027-01-03", or "-" where there is no date. */
static const char *date_of(const json_t *fill, const char *quantile, char out[TM_DATE_SIZE])
{
  int64_t t = tm_json_time_or(fill, quantile, NEVER);
  return t != NEVER ? tm_date_format_utc(out, t) : "-";
}

static int set_capacity(struct row *row, const json_t *status)
{
  char text[32];
  double used = tm_json_get_number(status, "used_bytes");
  double capacity = tm_json_get_number(status, "capacity_bytes");
  bool slots = isnan(capacity) && !isnan(tm_json_get_number(status, "slots_total"));
  if (slots) {
    used = tm_json_get_number(status, "slots_used");
    capacity = tm_json_get_number(status, "slots_total");
  }
  char *(*format)(char *, size_t, double) = slots ? tm_format_count : tm_format_bytes;
  if (set(row, USED, isnan(used) ? "-" : format(text, sizeof(text), used)) < 0 ||
      set(row, CAPACITY, isnan(capacity) ? "-" : format(text, sizeof(text), capacity)) < 0)
    return -ENOMEM;
  if (capacity > 0 && used >= 0)
    snprintf(text, sizeof(text), "%.0f %%", tm_percent(used, capacity));
  else
    snprintf(text, sizeof(text), "-");
  return set(row, SHARE, text);
}

static int set_forecast(struct row *row, const json_t *forecast)
{
  char text[64];
  char from[TM_DATE_SIZE];
  char to[TM_DATE_SIZE];
  const json_t *fill = json_object_get(forecast, "fill");
  double growth = tm_json_get_number(forecast, "growth_bytes_per_day");
  if (isnan(growth))
    snprintf(text, sizeof(text), "-");
  else
    snprintf(text, sizeof(text), "%s%s", growth > 0 ? "+" : "",
             tm_format_bytes(from, sizeof(from), growth));
  if (set(row, GROWTH, text) < 0 || set(row, FILL, date_of(fill, "0.5", from)) < 0)
    return -ENOMEM;
  if (row->urgency.early != NEVER)
    snprintf(text, sizeof(text), "%s to %s", date_of(fill, "0.1", from),
             tm_json_time_or(fill, "0.9", NEVER) != NEVER ? date_of(fill, "0.9", to) : "later");
  else
    snprintf(text, sizeof(text), "-");
  return set(row, RANGE, text);
}

/* "2.80 M in 300 s" where transfers or pages were counted; a rate, a load or a share as such. */
static void busiest_text(char *out, size_t size, const json_t *transfers, double max)
{
  char text[32];
  double interval = tm_json_get_number(transfers, "interval_s");
  const char *unit = tm_json_get_string(transfers, "unit");
  bool bytes = unit != NULL && strcmp(unit, "bytes") == 0;
  const char *number =
      bytes ? tm_format_bytes(text, sizeof(text), max) : tm_format_count(text, sizeof(text), max);
  if (unit != NULL && (strcmp(unit, "load") == 0 || strcmp(unit, "percent") == 0))
    snprintf(out, size, "%s%s", number, unit[0] == 'p' ? " %" : "");
  else if (interval > 1)
    snprintf(out, size, "%s in %.0f s", number, interval);
  else
    snprintf(out, size, "%s/s", number);
}

static int set_busiest(struct row *row, const json_t *transfers)
{
  double max = tm_json_get_number(transfers, "max_per_interval");
  const char *resolution = tm_json_get_string(transfers, "resolution");
  char what[64];
  char text[128] = "-";
  char date[TM_DATE_SIZE];
  int64_t at = NEVER;
  if (!isnan(max)) {
    bool exact = resolution != NULL && strcmp(resolution, "exact") == 0;
    busiest_text(what, sizeof(what), transfers, max);
    tm_json_get_time(transfers, "max_at", &at);
    snprintf(text, sizeof(text), "%s%s%s%s", exact ? "" : "~", what, at != NEVER ? ", " : "",
             at != NEVER ? tm_date_format(date, at) : "");
  }
  return set(row, BUSIEST, text);
}

/* "1 x ESX-80, 1 x ES-FW-6.2.1: order by 2026-12-06"; its reasons stand in the summary. */
static void advice_text(char *out, size_t size, const json_t *advice)
{
  size_t i;
  size_t n = 0;
  const json_t *line;
  double late = tm_json_get_number(advice, "late_by_days");
  const char *by = tm_json_get_string(advice, "order_by");
  out[0] = '\0';
  json_array_foreach(json_object_get(advice, "lines"), i, line)
  {
    const char *sku = tm_json_get_string(line, "sku");
    snprintf(out + n, size - n, "%s%.0f x %s", i > 0 ? ", " : "",
             tm_json_get_number(line, "quantity"), sku != NULL ? sku : "?");
    n += strlen(out + n);
  }
  if (late > 0)
    snprintf(out + n, size - n, ": order now, %.0f day%s late", late, late > 1 ? "s" : "");
  else
    snprintf(out + n, size - n, ": order by %s", by != NULL ? by : "?");
}

static int set_remark(struct row *row, const json_t *summary)
{
  char text[512];
  const json_t *first = json_array_get(json_object_get(summary, "recommendations"), 0);
  const json_t *forecast = json_object_get(summary, "forecast");
  const char *verdict = tm_json_get_string(forecast, "verdict");
  const char *reason = tm_json_get_string(forecast, "reason");
  if (first != NULL)
    advice_text(text, sizeof(text), first);
  else if (reason != NULL && verdict != NULL && strcmp(verdict, "growing") != 0)
    snprintf(text, sizeof(text), "%s", reason); /* the dates of a growing one say it already */
  else
    text[0] = '\0';
  tm_text_end_whole(text, strlen(text)); /* a long one is cut anywhere */
  return set(row, REMARK, text);
}

static int table_add(struct report *r, const char *line, size_t len, const json_t *summary)
{
  (void)line;
  (void)len;
  if (TM_ROOM(r->rows, r->cap, r->len) < 0)
    return -ENOMEM;
  struct row *row = &r->rows[r->len++];
  *row = (struct row){0};
  const json_t *status = json_object_get(summary, "status");
  int64_t made = tm_json_time_or(summary, "generated_at", NEVER);
  if (made != NEVER && made > r->now)
    r->now = made;
  if (urgency_read(&row->urgency, summary) < 0 || set(row, NAME, row->urgency.name) < 0 ||
      set_capacity(row, status) < 0 ||
      set_forecast(row, json_object_get(summary, "forecast")) < 0 ||
      set_busiest(row, json_object_get(status, "transfers")) < 0 || set_remark(row, summary) < 0)
    return -ENOMEM;
  return 0;
}

static int by_urgency(const void *a, const void *b)
{
  return urgency_compare(&((const struct row *)a)->urgency, &((const struct row *)b)->urgency);
}

/* Widths of the columns that are shown; 0 for those dropped. */
static void lay_out(const struct report *r, size_t width[COLUMNS])
{
  size_t total = 0;
  for (int c = 0; c < COLUMNS; c++) {
    width[c] = strlen(columns[c].head);
    bool empty = true;
    for (size_t i = 0; i < r->len; i++) {
      const char *cell = r->rows[i].cell[c];
      size_t w = tm_text_columns(cell);
      if (w > width[c])
        width[c] = w;
      empty = empty && (cell[0] == '\0' || strcmp(cell, "-") == 0);
    }
    /* A column that says nothing about any device is left out, but for those that are the point. */
    if (empty && columns[c].need > 0)
      width[c] = 0;
    total += width[c] > 0 ? width[c] + 2 : 0;
  }
  if (r->settings.columns == 0)
    return;
  while (total > r->settings.columns + 2) {
    int drop = -1;
    for (int c = 0; c < COLUMNS; c++) {
      if (width[c] > 0 && columns[c].need > 0 && (drop < 0 || columns[c].need > columns[drop].need))
        drop = c;
    }
    /* The remark is cut while it still says what to do, and before it goes, to a few words. */
    size_t over = total - r->settings.columns - 2;
    if (width[REMARK] >= over + (drop == GROWTH ? 34 : 12)) {
      width[REMARK] -= over;
      return;
    }
    if (drop < 0)
      return; /* the terminal wraps */
    total -= width[drop] + 2;
    width[drop] = 0;
  }
}

/* A cell in its width, cut with an ellipsis where it is too long. */
static void print_cell(const struct report *r, const char *text, size_t width, bool right,
                       bool last)
{
  size_t w = tm_text_columns(text);
  if (w > width) {
    /* Bytes equal columns but for names in other scripts: cut at a character's border. */
    size_t keep = width > 3 ? width - 3 : 0;
    while (keep > 0 && ((unsigned char)text[keep] & 0xc0) == 0x80)
      keep--;
    fprintf(r->settings.out, "%.*s...", (int)keep, text);
    return;
  }
  if (right)
    fprintf(r->settings.out, "%*s", (int)(width - w), "");
  fputs(text, r->settings.out);
  if (!right && !last)
    fprintf(r->settings.out, "%*s", (int)(width - w), "");
}

static void print_row(const struct report *r, char *const cells[COLUMNS],
                      const size_t width[COLUMNS], const char *paint)
{
  int last = 0;
  for (int c = 0; c < COLUMNS; c++)
    last = width[c] > 0 && cells[c][0] != '\0' ? c : last;
  bool first = true;
  if (paint != NULL)
    fputs(paint, r->settings.out);
  for (int c = 0; c < COLUMNS; c++) {
    if (width[c] == 0 || c > last)
      continue;
    if (!first)
      fputs("  ", r->settings.out);
    first = false;
    print_cell(r, cells[c], width[c], columns[c].right, c == last);
  }
  fputs(paint != NULL ? "\033[0m\n" : "\n", r->settings.out);
}

/* Red: the early edge is within a month; amber: as likely as not within a quarter. */
static const char *paint_of(const struct report *r, const struct row *row)
{
  if (!r->settings.color)
    return NULL;
  if (row->urgency.early != NEVER && row->urgency.early - r->now <= 30 * (int64_t)TM_DAY)
    return "\033[31m";
  if (row->urgency.middle != NEVER && row->urgency.middle - r->now <= 90 * (int64_t)TM_DAY)
    return "\033[33m";
  return NULL;
}

static int table_end(struct report *r, size_t unread)
{
  (void)unread;
  if (r->len == 0)
    return EX_OK;
  qsort(r->rows, r->len, sizeof(*r->rows), by_urgency);
  size_t width[COLUMNS];
  lay_out(r, width);
  char *heads[COLUMNS];
  for (int c = 0; c < COLUMNS; c++)
    heads[c] = (char *)columns[c].head;
  print_row(r, heads, width, r->settings.color ? "\033[1m" : NULL);
  for (size_t i = 0; i < r->len; i++)
    print_row(r, r->rows[i].cell, width, paint_of(r, &r->rows[i]));
  return EX_OK;
}

const struct report_format report_table = {
    .name = "table",
    .begin = table_begin,
    .add = table_add,
    .end = table_end,
    .free = table_free,
};
