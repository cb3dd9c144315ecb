/* SPDX-License-Identifier: MIT */
#include "analyzer/graph/document.h"

#include "analyzer/graph/plot.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/number.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define SOON_S (90LL * TM_DAY)
#define LATE_S (30LL * TM_DAY)
/* Rows are means, so a change of capacity within one shows as two smaller ones. */
#define CHANGE_SHARE 0.01

const double graph_quantile[GRAPH_QUANTILES] = {0.1, 0.5, 0.9};

enum { EARLY = 1, MIDDLE = 3, LATE = 5 }; /* in forecast_quantile: 0.1, 0.5, 0.9 */

bool graph_has_forecast(const struct forecast_result *r)
{
  return r != NULL && (r->verdict == FORECAST_GROWING || r->verdict == FORECAST_FLAT ||
                       r->verdict == FORECAST_RECEDING);
}

/* --- the axis --------------------------------------------------------------------------------- */

static int64_t later(int64_t a, int64_t b)
{
  return a > b ? a : b;
}

/* After the likely date, and after the late edge too where that is not much farther away. */
static int64_t end_of(const struct forecast_result *r, int64_t last, int64_t span)
{
  int64_t far = last + 2 * span;
  int64_t middle = r->fill[MIDDLE];
  int64_t late = r->fill[LATE];
  if (middle == FORECAST_NONE)
    return last + span / 4;
  int64_t end = middle;
  if (late != FORECAST_NONE)
    end = late < far ? late : later(middle, far);
  return end + (end - last) / 10 + span / 50;
}

int graph_axis_find(struct graph_axis *axis, const struct series *s,
                    const struct forecast_result *r, struct tm_error *err)
{
  struct graph_axis a = {0};
  if (s->n == 0 && s->maxima.n == 0)
    return tm_fail(err, -ENODATA, "%s/%s: nothing to draw: no value is known", s->host, s->device);
  int64_t last = s->n > 0 ? s->time[s->n - 1] : s->maxima.day[s->maxima.n - 1].end;
  a.from = s->n > 0 ? s->time[0] - s->step_s : s->maxima.day[0].start;
  a.from = a.from < last ? a.from : last - 1;
  a.to = last;
  if (graph_has_forecast(r) && r->step_s > 0) {
    a.to = end_of(r, last, last - a.from);
    a.steps = (size_t)((a.to - last + r->step_s - 1) / r->step_s);
    a.steps = a.steps > FORECAST_MAX_STEPS ? FORECAST_MAX_STEPS : a.steps;
  }
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

static double within(double v, double limit)
{
  return v < 0 ? 0 : v > limit ? limit : v;
}

/* The band starts at what is known, so that it hangs together with the history. */
static json_t *band_of(const struct forecast_result *r, size_t steps)
{
  json_t *rows = json_array();
  json_t *now = tm_json_number(r->last_used);
  json_array_append_new(rows, json_pack("[I, O, O, o]", (json_int_t)r->last_time, now, now, now));
  for (size_t i = 0; i < steps; i++) {
    const double *q = r->values + i * GRAPH_QUANTILES;
    int64_t at = r->last_time + (int64_t)(i + 1) * r->step_s;
    json_array_append_new(rows, json_pack("[I, o, o, o]", (json_int_t)at,
                                          tm_json_number(within(q[0], r->limit)),
                                          tm_json_number(within(q[1], r->limit)),
                                          tm_json_number(within(q[2], r->limit))));
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

/* Changes of capacity; the newest ones when there are more than a picture can name. */
static json_t *events_of(const struct series *s)
{
  json_t *events = json_array();
  double settled = NAN; /* the capacity before the change that is under way */
  double last = NAN;
  int64_t since = 0;
  for (size_t i = 0; i < s->n; i++) {
    double c = s->capacity[i];
    if (isnan(c))
      continue;
    bool moves = !isnan(last) && differs(c, last);
    if (moves && isnan(settled)) {
      settled = last;
      since = s->time[i] - s->step_s;
    } else if (!moves && !isnan(settled)) {
      event_add(events, s, since, settled, c);
      settled = NAN;
    }
    last = c;
  }
  if (!isnan(settled) && differs(settled, last))
    event_add(events, s, since, settled, last);
  while (json_array_size(events) > PLOT_MAX_EVENTS)
    json_array_remove(events, 0);
  return events;
}

static const char *state_of(const struct forecast_result *r)
{
  int64_t left = r->fill[MIDDLE] - r->last_time;
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
    n += snprintf(out + n, size - (size_t)n, " (%.0f %%)",
                  floor(100 * s->used_now / s->capacity_now));
  if (r == NULL)
    return;
  if (graph_has_forecast(r) && isfinite(r->growth_per_day)) {
    amount_of(used, sizeof(used), s, fabs(r->growth_per_day));
    n += snprintf(out + n, size - (size_t)n, ", %s%s a day", r->growth_per_day < 0 ? "−" : "+",
                  used);
  }
  if (r->fill[MIDDLE] == FORECAST_NONE)
    snprintf(out + n, size - (size_t)n, "; %s", r->reason);
  else if (r->fill[EARLY] != FORECAST_NONE)
    snprintf(out + n, size - (size_t)n, "; full between %s and %s (8 chances in 10)",
             tm_date_format(from, r->fill[EARLY]),
             r->fill[LATE] == FORECAST_NONE ? "later" : tm_date_format(to, r->fill[LATE]));
}

static void title_of(char *out, size_t size, const struct tm_conf *conf, const struct series *s)
{
  if (conf->customer_name != NULL && conf->site != NULL)
    snprintf(out, size, "%s (%s, %s)", s->device, conf->customer_name, conf->site);
  else
    snprintf(out, size, "%s (%s)", s->device, s->host);
}

/* --- the whole -------------------------------------------------------------------------------- */

json_t *graph_document(const struct tm_conf *conf, const struct series *s,
                       const struct forecast_result *r, const struct graph_axis *axis,
                       const char *format, unsigned width)
{
  char title[PLOT_TEXT];
  char subtitle[PLOT_TEXT];
  title_of(title, sizeof(title), conf, s);
  subtitle_of(subtitle, sizeof(subtitle), s, r);
  json_t *d =
      json_pack("{s:s, s:s, s:i, s:o, s:o, s:s, s:I, s:I, s:o}", "schema", PLOT_SCHEMA, "format",
                format, "width", (int)width, "title", tm_json_text(title), "subtitle",
                tm_json_text(subtitle), "unit", s->unit == NULL ? "" : s->unit, "from",
                (json_int_t)axis->from, "to", (json_int_t)axis->to, "rows", rows_of(s));
  if (conf->timezone != NULL)
    json_object_set_new(d, "timezone", json_string(conf->timezone));
  if (graph_has_forecast(r) && r->values != NULL && axis->steps > 0)
    json_object_set_new(d, "forecast", band_of(r, axis->steps));
  if (graph_has_forecast(r) && r->fill[MIDDLE] != FORECAST_NONE) {
    json_object_set_new(d, "full", json_integer(r->fill[MIDDLE]));
    json_object_set_new(d, "full_state", json_string(state_of(r)));
  }
  if (s->maxima.source != MAXIMA_NONE && s->maxima.n > 0)
    json_object_set_new(d, "maxima", maxima_of(&s->maxima));
  if (s->unit != NULL)
    json_object_set_new(d, "events", events_of(s));
  return d;
}
