/* SPDX-License-Identifier: MIT */
#include "analyzer/graph/plot.h"

#include "common/json.h"
#include "common/text.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_FROM 631152000LL    /* 1990-01-01: librrd takes no time before 1980 */
#define LONGEST_S  6311520000LL   /* 200 years */
#define LAST_TIME  253402300799LL /* 9999-12-31 */

/* --- reading ---------------------------------------------------------------------------------- */

static double number(const json_t *v)
{
  return json_is_number(v) ? json_number_value(v) : NAN;
}

static int64_t time_of(const json_t *v)
{
  if (!json_is_integer(v) || json_integer_value(v) < 0 || json_integer_value(v) > LAST_TIME)
    return PLOT_NONE;
  return json_integer_value(v);
}

static void text_of(char *out, size_t size, const json_t *document, const char *key)
{
  const char *s = tm_json_get_string(document, key);
  tm_text_clean(out, size, s == NULL ? "" : s, s == NULL ? 0 : strlen(s));
}

/* The tuple at index i of a table: its first n_times members are times, the rest numbers. Times
 * ascend. */
struct tuple {
  int64_t time[2];
  double value[3];
};

static int tuple_of(struct tuple *out, const json_t *row, size_t n_times, size_t n, int64_t before)
{
  if (!json_is_array(row) || json_array_size(row) != n)
    return -EINVAL;
  for (size_t i = 0; i < n_times; i++)
    out->time[i] = time_of(json_array_get(row, i));
  for (size_t i = n_times; i < n; i++)
    out->value[i - n_times] = number(json_array_get(row, i));
  if (out->time[0] == PLOT_NONE || out->time[n_times - 1] == PLOT_NONE || out->time[0] < before)
    return -EINVAL;
  return 0;
}

/* Reads the table `key`, which the caller frees. An absent table is an empty one. */
static int table_of(struct tuple **out, size_t *n_out, const json_t *owner, const char *key,
                    size_t n_times, size_t n, struct tm_error *err)
{
  const json_t *table = json_object_get(owner, key);
  size_t len = json_array_size(table);
  int64_t before = 0;
  *out = NULL;
  *n_out = 0;
  if (table == NULL || json_is_null(table))
    return 0;
  if (!json_is_array(table) || len > PLOT_MAX_ROWS)
    return tm_fail(err, -EINVAL, "%s: not an array, or longer than %d", key, PLOT_MAX_ROWS);
  struct tuple *rows = calloc(len + 1, sizeof(*rows));
  if (rows == NULL)
    return tm_fail(err, -ENOMEM, "%s: out of memory", key);
  for (size_t i = 0; i < len; i++) {
    if (tuple_of(&rows[i], json_array_get(table, i), n_times, n, before) < 0) {
      free(rows);
      return tm_fail(err, -EINVAL, "%s: row %zu is not %zu numbers with ascending times", key, i,
                     n);
    }
    before = rows[i].time[0];
  }
  *out = rows;
  *n_out = len;
  return 0;
}

static int rows_of(struct plot *p, const json_t *document, struct tm_error *err)
{
  struct tuple *t = NULL;
  int rc = table_of(&t, &p->n_rows, document, "rows", 1, 3, err);
  if (rc < 0)
    return rc;
  p->rows = calloc(p->n_rows + 1, sizeof(*p->rows));
  if (p->rows == NULL) {
    free(t);
    return tm_fail(err, -ENOMEM, "rows: out of memory");
  }
  for (size_t i = 0; i < p->n_rows; i++)
    p->rows[i] = (struct plot_row){t[i].time[0], t[i].value[0], t[i].value[1]};
  free(t);
  return 0;
}

static int band_of(struct plot *p, const json_t *document, struct tm_error *err)
{
  struct tuple *t = NULL;
  int rc = table_of(&t, &p->n_band, document, "forecast", 1, 4, err);
  if (rc < 0)
    return rc;
  p->band = calloc(p->n_band + 1, sizeof(*p->band));
  if (p->band == NULL) {
    free(t);
    return tm_fail(err, -ENOMEM, "forecast: out of memory");
  }
  for (size_t i = 0; i < p->n_band; i++)
    p->band[i] = (struct plot_band){t[i].time[0], t[i].value[0], t[i].value[1], t[i].value[2]};
  free(t);
  return 0;
}

static int days_of(struct plot *p, const json_t *maxima, struct tm_error *err)
{
  struct tuple *t = NULL;
  int rc = table_of(&t, &p->n_days, maxima, "days", 2, 3, err);
  if (rc < 0)
    return rc;
  p->days = calloc(p->n_days + 1, sizeof(*p->days));
  if (p->days == NULL) {
    free(t);
    return tm_fail(err, -ENOMEM, "days: out of memory");
  }
  for (size_t i = 0; i < p->n_days; i++)
    p->days[i] = (struct plot_day){t[i].time[0], t[i].time[1], t[i].value[0]};
  free(t);
  text_of(p->maxima_label, sizeof(p->maxima_label), maxima, "label");
  return 0;
}

static void events_of(struct plot *p, const json_t *events)
{
  size_t i = 0;
  json_t *event = NULL;
  json_array_foreach(events, i, event)
  {
    struct plot_event *e = &p->events[p->n_events];
    if (p->n_events == PLOT_MAX_EVENTS)
      return;
    e->time = time_of(json_object_get(event, "time"));
    text_of(e->text, sizeof(e->text), event, "text");
    if (e->time != PLOT_NONE)
      p->n_events++;
  }
}

static int heads_of(struct plot *p, const json_t *d, struct tm_error *err)
{
  const char *schema = tm_json_get_string(d, "schema");
  const char *format = tm_json_get_string(d, "format");
  const char *state = tm_json_get_string(d, "full_state");
  double width = tm_json_get_number(d, "width");
  if (schema == NULL || strcmp(schema, PLOT_SCHEMA) != 0)
    return tm_fail(err, -EINVAL, "schema: not %s", PLOT_SCHEMA);
  if (format == NULL || (strcmp(format, "png") != 0 && strcmp(format, "svg") != 0))
    return tm_fail(err, -EINVAL, "format: neither png nor svg");
  if (!(width >= 300 && width <= 4000))
    return tm_fail(err, -EINVAL, "width: not within 300..4000");
  p->format = format[0] == 's' ? PLOT_SVG : PLOT_PNG;
  p->width = (unsigned)width;
  p->from = time_of(json_object_get(d, "from"));
  p->to = time_of(json_object_get(d, "to"));
  if (p->from < FIRST_FROM || p->to <= p->from || p->to - p->from > LONGEST_S)
    return tm_fail(err, -EINVAL, "from, to: not two ascending times from 1990 on");
  p->full = time_of(json_object_get(d, "full"));
  p->full_state = state == NULL                ? PLOT_CALM
                  : strcmp(state, "late") == 0 ? PLOT_LATE
                  : strcmp(state, "soon") == 0 ? PLOT_SOON
                                               : PLOT_CALM;
  text_of(p->title, sizeof(p->title), d, "title");
  text_of(p->subtitle, sizeof(p->subtitle), d, "subtitle");
  text_of(p->timezone, sizeof(p->timezone), d, "timezone");
  text_of(p->unit, sizeof(p->unit), d, "unit");
  return 0;
}

int plot_read(struct plot *p, const json_t *document, struct tm_error *err)
{
  struct plot q = {0};
  int rc = heads_of(&q, document, err);
  if (rc == 0)
    rc = rows_of(&q, document, err);
  if (rc == 0)
    rc = band_of(&q, document, err);
  if (rc == 0)
    rc = days_of(&q, json_object_get(document, "maxima"), err);
  if (rc < 0) {
    plot_release(&q);
    return rc;
  }
  events_of(&q, json_object_get(document, "events"));
  *p = q;
  return 0;
}

void plot_release(struct plot *p)
{
  free(p->rows);
  free(p->band);
  free(p->days);
  *p = (struct plot){0};
}

/* --- asking ----------------------------------------------------------------------------------- */

static double straight(double a, double b, double part)
{
  return a + (b - a) * part;
}

/* The first row at or after t. The hint moves forward only, for times are asked in order. */
static size_t row_after(const struct plot *p, int64_t t, size_t *hint)
{
  while (*hint < p->n_rows && p->rows[*hint].time < t)
    (*hint)++;
  return *hint;
}

double plot_used_at(const struct plot *p, int64_t t, size_t *hint)
{
  size_t i = row_after(p, t, hint);
  if (i == p->n_rows || (i == 0 && p->rows[0].time > t))
    return NAN;
  const struct plot_row *b = &p->rows[i];
  if (b->time == t)
    return b->used;
  const struct plot_row *a = b - 1;
  return straight(a->used, b->used, (double)(t - a->time) / (double)(b->time - a->time));
}

double plot_capacity_at(const struct plot *p, int64_t t, size_t *hint)
{
  size_t i = row_after(p, t, hint);
  if (i < p->n_rows)
    return i == 0 && p->rows[0].time > t ? NAN : p->rows[i].capacity;
  /* Ahead of the last row the last known capacity holds, as far as the forecast goes. */
  if (p->n_band == 0 || t > p->band[p->n_band - 1].time)
    return NAN;
  while (i > 0 && isnan(p->rows[i - 1].capacity))
    i--;
  return i > 0 ? p->rows[i - 1].capacity : NAN;
}

struct plot_band plot_band_at(const struct plot *p, int64_t t, size_t *hint)
{
  while (*hint < p->n_band && p->band[*hint].time < t)
    (*hint)++;
  size_t i = *hint;
  if (i == p->n_band || (i == 0 && p->band[0].time > t))
    return (struct plot_band){t, NAN, NAN, NAN};
  const struct plot_band *b = &p->band[i];
  if (b->time == t)
    return *b;
  const struct plot_band *a = b - 1;
  double part = (double)(t - a->time) / (double)(b->time - a->time);
  return (struct plot_band){t, straight(a->low, b->low, part), straight(a->middle, b->middle, part),
                            straight(a->high, b->high, part)};
}

double plot_max_at(const struct plot *p, int64_t t, int64_t span_s, size_t *hint)
{
  double max = NAN;
  while (*hint < p->n_days && p->days[*hint].end <= t - span_s)
    (*hint)++;
  for (size_t i = *hint; i < p->n_days && p->days[i].start < t; i++)
    max = isnan(max) ? p->days[i].max : fmax(max, p->days[i].max);
  return max;
}
