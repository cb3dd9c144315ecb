/* SPDX-License-Identifier: MIT */
#include "analyzer/graph/document.h"

#include "analyzer/graph/fan.h"
#include "analyzer/graph/plot.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/number.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SOON_S     (90LL * TM_DAY)
#define LATE_S     (30LL * TM_DAY)
#define SHORTEST_S 3600 /* of an axis */
#define YEAR_S     (366LL * TM_DAY)
/* Rows are means, so a change of capacity within one shows as two smaller ones. */
#define CHANGE_SHARE 0.01

/* --- the axis --------------------------------------------------------------------------------- */

struct axis {
  int64_t from, last, to; /* last: where history ends */
};

/* After the likely date, and after the late edge too where that is not much farther away. */
static int64_t end_of(const struct forecast_result *r, const struct axis *a)
{
  int64_t span = a->last - a->from;
  int64_t far = a->last + (2 * span > YEAR_S ? 2 * span : YEAR_S);
  int64_t middle = r->fill[FAN_MIDDLE];
  int64_t late = r->fill[FAN_LATE];
  if (middle == FORECAST_NONE || middle > far)
    return a->last + span / 4;
  int64_t near = a->last + (middle - a->last) * 5 / 2;
  int64_t end = late != FORECAST_NONE && late < near ? late : middle + (middle - a->last) / 2;
  return end + (end - a->last) / 10 + span / 50;
}

static bool is_anything_known(const struct series *s)
{
  for (size_t i = 0; i < s->n; i++)
    if (isfinite(s->used[i]) || (s->capacity != NULL && isfinite(s->capacity[i])))
      return true;
  for (size_t i = 0; i < s->maxima.n; i++)
    if (isfinite(s->maxima.day[i].max))
      return true;
  return false;
}

static int axis_find(struct axis *axis, const struct series *s, const struct forecast_result *r,
                     struct tm_error *err)
{
  const struct maxima *m = &s->maxima;
  struct axis a = {0};
  if (!is_anything_known(s))
    return tm_fail(err, -ENODATA, "%s/%s: nothing to draw: no value is known", s->host, s->device);
  a.last = s->n > 0 ? s->time[s->n - 1] : m->day[m->n - 1].end;
  a.from = s->n > 0 ? s->time[0] - s->step_s : m->day[0].start;
  a.from = a.from < a.last - SHORTEST_S ? a.from : a.last - SHORTEST_S;
  a.to = fan_known(r) ? end_of(r, &a) : a.last;
  *axis = a;
  return 0;
}

/* --- tables ----------------------------------------------------------------------------------- */

static json_t *rows_of(const struct series *s)
{
  json_t *rows = json_array();
  for (size_t i = 0; i < s->n; i++)
    json_array_append_new(rows,
                          json_pack("[I, o, o]", (json_int_t)s->time[i], tm_json_number(s->used[i]),
                                    tm_json_number(s->capacity[i])));
  return rows;
}

static int compare_times(const void *a, const void *b)
{
  int64_t x = *(const int64_t *)a;
  int64_t y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

/* Lines bend only where an edge reaches the limit. */
static json_t *band_of(const struct forecast_result *r, int64_t to)
{
  int64_t farthest = r->last_time + (int64_t)FORECAST_FAR_DAYS * TM_DAY;
  int64_t late = r->fill[FAN_LATE] == FORECAST_NONE ? farthest : r->fill[FAN_LATE];
  int64_t times[] = {r->last_time, r->fill[FAN_EARLY], r->fill[FAN_MIDDLE], late, to};
  json_t *rows = json_array();
  qsort(times, sizeof(times) / sizeof(times[0]), sizeof(times[0]), compare_times);
  for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
    int64_t t = times[i];
    if (t < r->last_time || t > to)
      continue;
    struct fan fan = fan_at(r, t);
    if (fan_is_open(r) && t > r->fill[FAN_MIDDLE])
      fan.middle = NAN; /* the line ends at the limit */
    json_array_append_new(rows, json_pack("[I, o, o, o]", (json_int_t)t, tm_json_number(fan.low),
                                          tm_json_number(fan.middle), tm_json_number(fan.high)));
  }
  return rows;
}

static json_t *maxima_of(const struct maxima *m)
{
  char label[PLOT_TEXT];
  char resolution[MAXIMA_TEXT_SIZE];
  const struct maxima_day *newest = NULL;
  json_t *days = json_array();
  for (size_t i = 0; i < m->n; i++) {
    const struct maxima_day *d = &m->day[i];
    if (newest == NULL && isnan(d->max))
      continue; /* before anything was known */
    json_array_append_new(days, json_pack("[I, I, o]", (json_int_t)d->start, (json_int_t)d->end,
                                          tm_json_number(d->max)));
    newest = isnan(d->max) ? newest : d;
  }
  if (m->source == MAXIMA_COUNT)
    snprintf(label, sizeof(label), "Most %s in any %lld s, by day", m->unit,
             (long long)m->interval_s);
  else
    snprintf(label, sizeof(label), "Most %s a second, by day", m->unit == NULL ? "" : m->unit);
  if (newest != NULL) {
    size_t len = strlen(label);
    snprintf(label + len, sizeof(label) - len, " (%s)", maxima_resolution(resolution, m, newest));
  }
  return json_pack("{s:s, s:o}", "label", label, "days", days);
}

/* --- marks ------------------------------------------------------------------------------------ */

static void event_add(json_t *events, const struct series *s, int64_t time, double before,
                      double after)
{
  char text[PLOT_TEXT];
  char amount[32];
  char date[TM_DATE_SIZE];
  double by = fabs(after - before);
  if (strcmp(s->unit, "bytes") == 0)
    tm_format_bytes(amount, sizeof(amount), by);
  else
    snprintf(amount, sizeof(amount), "%.0f %s", by, s->unit);
  snprintf(text, sizeof(text), "%s by %s on %s", after > before ? "Expanded" : "Reduced", amount,
           tm_date_format(date, time));
  json_array_append_new(events, json_pack("{s:I, s:s}", "time", (json_int_t)time, "text", text));
}

static bool differs(double a, double b)
{
  return fabs(a - b) > CHANGE_SHARE * fmax(fabs(a), fabs(b));
}

/* The start of the first row from `i` on that has more than half of the change. */
static int64_t halfway(const struct series *s, size_t i, double before, double after)
{
  while (!(fabs(s->capacity[i] - before) > fabs(after - before) / 2))
    i++;
  return s->time[i] - s->step_s;
}

/* Changes of capacity; the newest ones when there are more than a picture can name. */
static json_t *events_of(const struct series *s)
{
  json_t *events = json_array();
  double settled = NAN; /* the capacity before the change that is under way */
  double last = NAN;
  size_t since = 0;
  for (size_t i = 0; i < s->n; i++) {
    double c = s->capacity[i];
    if (isnan(c))
      continue;
    bool moves = !isnan(last) && differs(c, last);
    if (moves && isnan(settled)) {
      settled = last;
      since = i;
    } else if (!moves && !isnan(settled)) {
      if (differs(settled, c))
        event_add(events, s, halfway(s, since, settled, c), settled, c);
      settled = NAN;
    }
    last = c;
  }
  if (!isnan(settled) && differs(settled, last))
    event_add(events, s, halfway(s, since, settled, last), settled, last);
  while (json_array_size(events) > PLOT_MAX_EVENTS)
    json_array_remove(events, 0);
  return events;
}

static const char *state_of(const struct forecast_result *r)
{
  int64_t left = r->fill[FAN_MIDDLE] - r->last_time;
  return left <= LATE_S ? "late" : left <= SOON_S ? "soon" : "calm";
}

/* --- words ------------------------------------------------------------------------------------ */

static void amount_of(char *out, size_t size, const struct series *s, double value)
{
  if (strcmp(s->unit, "bytes") == 0)
    tm_format_bytes(out, size, value);
  else if (isnan(value))
    snprintf(out, size, "unknown");
  else
    snprintf(out, size, "%.4g %s", value, s->unit);
}

/* "88.1 TiB of 120 TiB (73 %), +128 GiB a day; full between … and … (8 chances in 10)" */
static void subtitle_of(char *out, size_t size, const struct series *s,
                        const struct forecast_result *r)
{
  char used[32];
  char capacity[32];
  char from[TM_DATE_SIZE];
  char to[TM_DATE_SIZE];
  int n = 0;
  out[0] = '\0';
  if (s->unit == NULL || s->n == 0)
    return;
  amount_of(used, sizeof(used), s, s->used_now);
  amount_of(capacity, sizeof(capacity), s, s->capacity_now);
  n = snprintf(out, size, "%s of %s", used, capacity);
  if (s->capacity_now > 0 && s->used_now >= 0)
    n +=
        snprintf(out + n, size - (size_t)n, " (%.0f %%)", tm_percent(s->used_now, s->capacity_now));
  if (r == NULL)
    return;
  if (fan_known(r) && isfinite(r->growth_per_day)) {
    amount_of(used, sizeof(used), s, fabs(r->growth_per_day));
    n += snprintf(out + n, size - (size_t)n, ", %s%s a day", r->growth_per_day < 0 ? "−" : "+",
                  used);
  }
  if (r->fill[FAN_MIDDLE] == FORECAST_NONE || r->fill[FAN_EARLY] == FORECAST_NONE)
    snprintf(out + n, size - (size_t)n, "; %s", r->reason);
  else if (r->fill[FAN_LATE] == FORECAST_NONE)
    snprintf(out + n, size - (size_t)n, "; full after %s (9 chances in 10)",
             tm_date_format(from, r->fill[FAN_EARLY]));
  else
    snprintf(out + n, size - (size_t)n, "; full between %s and %s (8 chances in 10)",
             tm_date_format(from, r->fill[FAN_EARLY]), tm_date_format(to, r->fill[FAN_LATE]));
}

static void title_of(char *out, size_t size, const struct tm_conf *conf, const struct series *s)
{
  if (conf->customer_name != NULL && conf->site != NULL)
    snprintf(out, size, "%s (%s, %s)", s->device, conf->customer_name, conf->site);
  else
    snprintf(out, size, "%s (%s)", s->device, s->host);
}

/* --- the whole -------------------------------------------------------------------------------- */

int graph_document(json_t **document, const struct tm_conf *conf, const struct series *s,
                   const struct forecast_result *r, const char *format, unsigned width,
                   struct tm_error *err)
{
  char title[PLOT_TEXT];
  char subtitle[PLOT_TEXT];
  struct axis axis = {0};
  int rc = axis_find(&axis, s, r, err);
  if (rc < 0)
    return rc;
  title_of(title, sizeof(title), conf, s);
  subtitle_of(subtitle, sizeof(subtitle), s, r);
  json_t *d =
      json_pack("{s:s, s:s, s:i, s:o, s:o, s:s, s:I, s:I, s:o}", "schema", PLOT_SCHEMA, "format",
                format, "width", (int)width, "title", tm_json_text(title), "subtitle",
                tm_json_text(subtitle), "unit", s->unit == NULL ? "" : s->unit, "from",
                (json_int_t)axis.from, "to", (json_int_t)axis.to, "rows", rows_of(s));
  if (d == NULL)
    return tm_fail(err, -ENOMEM, "%s/%s: out of memory", s->host, s->device);
  if (conf->timezone != NULL)
    json_object_set_new(d, "timezone", json_string(conf->timezone));
  if (fan_known(r))
    json_object_set_new(d, "forecast", band_of(r, axis.to));
  if (fan_known(r) && r->fill[FAN_MIDDLE] != FORECAST_NONE) {
    json_object_set_new(d, "full", json_integer(r->fill[FAN_MIDDLE]));
    json_object_set_new(d, "full_state", json_string(state_of(r)));
  }
  if (s->maxima.source != MAXIMA_NONE && s->maxima.n > 0)
    json_object_set_new(d, "maxima", maxima_of(&s->maxima));
  if (s->unit != NULL)
    json_object_set_new(d, "events", events_of(s));
  *document = d;
  return 0;
}
