/* SPDX-License-Identifier: MIT */
/*
 * One self-contained page: no script, no file beside it, light and dark, good on paper. The most
 * urgent device stands first.
 */
#include "analyzer/report/chart.h"
#include "analyzer/report/report.h"
#include "analyzer/report/urgency.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/number.h"
#include "common/room.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define NEVER URGENCY_NEVER

struct told { /* owned */
  json_t *summary;
  struct urgency urgency;
};

struct report {
  FILE *out;
  struct told *told;
  size_t len;
  size_t cap;
};

static const char head[] =
    "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
    "<title>Tidemark report</title><style>\n"
    ":root{--ink:#1c2426;--soft:#5b676b;--line:#d8dedf;--page:#fbfcfc;--panel:#fff;--teal:#0f766e;"
    "--teal-soft:#0f766e33;--late:#b42318;--soon:#9a5b00;--bar:#7b8a8e}\n"
    "@media(prefers-color-scheme:dark){:root{--ink:#e6ecec;--soft:#9fadb0;--line:#344044;"
    "--page:#14191b;--panel:#1b2224;--teal:#5cc4b8;--teal-soft:#5cc4b833;--late:#ff8a7d;"
    "--soon:#f0b25a;--bar:#87979b}}\n"
    "*{box-sizing:border-box}body{margin:0;background:var(--page);color:var(--ink);"
    "font:15px/1.5 system-ui,sans-serif;font-variant-numeric:tabular-nums}\n"
    "main{max-width:72rem;margin:0 auto;padding:24px 16px}h1{font-size:1.5rem;margin:0}"
    "h2{font-size:1.1rem;margin:0;overflow-wrap:anywhere}\n"
    ".answer{color:var(--soft);margin:4px 0 24px}.device{background:var(--panel);"
    "border:1px solid var(--line);border-radius:6px;padding:16px;margin:0 0 16px;"
    "break-inside:avoid}\n"
    ".device p{margin:4px 0 12px}.device p.advice{margin:8px 0 0;padding-top:8px;border-top:1px "
    "solid var(--line)}.late{color:var(--late)}.soon{color:var(--soon)}"
    ".body{display:grid;grid-template-columns:minmax(0,2fr) minmax(0,1fr);gap:16px}\n"
    "@media(max-width:760px){.body{grid-template-columns:minmax(0,1fr)}}\n"
    "dl{display:grid;grid-template-columns:auto 1fr;gap:2px 12px;margin:0;align-content:start}"
    "dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}\n"
    ".chart{width:100%;height:auto}.chart-used,.chart-capacity,.chart-middle,.chart-axis{fill:none}"
    ".chart-used{stroke:var(--teal);stroke-width:2}\n"
    ".chart-capacity{stroke:var(--ink);stroke-width:1.2}.chart-middle{stroke:var(--teal);"
    "stroke-dasharray:4 4}.chart-range{fill:var(--teal-soft)}.chart-axis{stroke:var(--line)}"
    ".chart-max{fill:var(--bar)}.chart-label{fill:var(--soft);font-size:13px}\n"
    "@media(max-width:760px){.chart-label{font-size:19px}}\n"
    "@media print{:root{--ink:#000;--soft:#444;--line:#bbb;--page:#fff;--panel:#fff;--teal:#0f766e;"
    "--teal-soft:#0f766e22;--late:#b42318;--soon:#9a5b00;--bar:#777}main{max-width:none;padding:0}}"
    "\n"
    "</style></head><body><main>\n";

static struct report *html_begin(const struct report_settings *settings)
{
  struct report *r = calloc(1, sizeof(*r));
  if (r != NULL)
    r->out = settings->out;
  return r;
}

static void html_free(struct report *r)
{
  if (r == NULL)
    return;
  for (size_t i = 0; i < r->len; i++) {
    json_decref(r->told[i].summary);
    urgency_release(&r->told[i].urgency);
  }
  free(r->told);
  free(r);
}

static int html_add(struct report *r, const char *line, size_t len, const json_t *summary)
{
  (void)line;
  (void)len;
  if (TM_ROOM(r->told, r->cap, r->len) < 0)
    return -ENOMEM;
  struct told *t = &r->told[r->len];
  int rc = urgency_read(&t->urgency, summary);
  if (rc < 0)
    return rc;
  t->summary = json_incref((json_t *)summary);
  r->len++;
  return 0;
}

static const json_t *fill_of(const json_t *summary)
{
  return json_object_get(json_object_get(summary, "forecast"), "fill");
}

static int by_urgency(const void *a, const void *b)
{
  return urgency_compare(&((const struct told *)a)->urgency, &((const struct told *)b)->urgency);
}

static void put_row(FILE *out, const char *name, const char *value)
{
  if (value == NULL || value[0] == '\0')
    return;
  fprintf(out, "<dt>%s</dt><dd>", name);
  chart_put_text(out, value);
  fputs("</dd>", out);
}

/* The sentence under a device's name: the answer first. */
static void put_answer(FILE *out, const json_t *summary)
{
  char date[3][TM_DATE_SIZE];
  const json_t *forecast = json_object_get(summary, "forecast");
  const json_t *fill = fill_of(summary);
  int64_t now = tm_json_time_or(summary, "generated_at", NEVER);
  int64_t early = tm_json_time_or(fill, "0.1", NEVER);
  int64_t middle = tm_json_time_or(fill, "0.5", NEVER);
  int64_t late = tm_json_time_or(fill, "0.9", NEVER);
  if (early == NEVER) {
    fputs("<p>", out);
    chart_put_text(out, tm_json_get_string(forecast, "reason"));
    fputs("</p>", out);
    return;
  }
  bool is_late = early - now <= 30 * (int64_t)TM_DAY;
  bool is_soon = middle != NEVER && middle - now <= 90 * (int64_t)TM_DAY;
  fprintf(out, "<p class=\"%s\">%s",
          is_late   ? "late"
          : is_soon ? "soon"
                    : "",
          is_late   ? "&#9650; "
          : is_soon ? "&#9670; "
                    : "");
  if (middle != NEVER && middle <= now) {
    fputs("It is full.", out);
  } else {
    tm_date_format_utc(date[0], early);
    if (late != NEVER)
      fprintf(out, "Fills up between %s and %s with 8 chances in 10", date[0],
              tm_date_format_utc(date[2], late));
    else
      fprintf(out, "Fills up before %s with only 1 chance in 10", date[0]);
    if (middle != NEVER)
      fprintf(out, ", as likely before %s as after", tm_date_format_utc(date[1], middle));
    fputc('.', out);
  }
  fputs("</p>", out);
}

/* "2026-08-04 02:00 UTC" of a time in the summary. */
static void put_time_row(FILE *out, const char *name, const json_t *object, const char *key)
{
  char text[TM_TIME_SIZE];
  char shown[40];
  int64_t t = 0;
  if (!tm_json_get_time(object, key, &t))
    return;
  tm_time_format(text, t);
  snprintf(shown, sizeof(shown), "%.10s %.5s UTC", text, text + 11);
  put_row(out, name, shown);
}

/* The kinds in words. */
static const char *kind_text(const char *kind)
{
  static const char *const words[][2] = {{"disk_array", "disk array"},
                                         {"media_library", "media library"},
                                         {"network", "network link"}};
  for (size_t i = 0; kind != NULL && i < sizeof(words) / sizeof(words[0]); i++) {
    if (strcmp(kind, words[i][0]) == 0)
      return words[i][1];
  }
  return kind;
}

static void put_level(FILE *out, const json_t *status)
{
  char used[32];
  char capacity[32];
  char text[160];
  bool slots = json_object_get(status, "slots_total") != NULL;
  double u = tm_json_get_number(status, slots ? "slots_used" : "used_bytes");
  double c = tm_json_get_number(status, slots ? "slots_total" : "capacity_bytes");
  char *(*format)(char *, size_t, double) = slots ? tm_format_count : tm_format_bytes;
  if (isnan(u) && isnan(c))
    return;
  int n = snprintf(text, sizeof(text), "%s of\xc2\xa0%s", format(used, sizeof(used), u),
                   format(capacity, sizeof(capacity), c));
  if (c > 0 && u >= 0 && n > 0)
    snprintf(text + n, sizeof(text) - (size_t)n, " (%.0f\xc2\xa0%%)", tm_percent(u, c));
  put_row(out, slots ? "Slots" : "Used", text);
}

static void put_facts(FILE *out, const json_t *summary)
{
  char text[160];
  char number[32];
  const json_t *product = json_object_get(summary, "product");
  const json_t *status = json_object_get(summary, "status");
  const json_t *forecast = json_object_get(summary, "forecast");
  const json_t *transfers = json_object_get(status, "transfers");
  double growth = tm_json_get_number(forecast, "growth_bytes_per_day");
  double max = tm_json_get_number(transfers, "max_per_interval");
  fputs("<dl>", out);
  put_row(out, "Kind", kind_text(tm_json_get_string(product, "kind")));
  put_row(out, "Model", tm_json_get_string(product, "model"));
  put_level(out, status);
  if (!isnan(growth)) {
    snprintf(text, sizeof(text), "%s%s a day", growth > 0 ? "+" : "",
             tm_format_bytes(number, sizeof(number), growth));
    put_row(out, "Growth", text);
  }
  if (!isnan(max)) {
    snprintf(text, sizeof(text), "%s in %.0f s", tm_format_count(number, sizeof(number), max),
             tm_json_get_number(transfers, "interval_s"));
    put_row(out, "Busiest interval", text);
    put_time_row(out, "at", transfers, "max_at");
    put_row(out, "Resolution", tm_json_get_string(transfers, "resolution"));
  }
  put_row(out, "Track record", tm_json_get_string(json_object_get(forecast, "backtest"), "record"));
  put_time_row(out, "Seen", status, "observed_at");
  put_row(out, "Note", tm_json_get_string(product, "configuration"));
  fputs("</dl>", out);
}

static void put_advice(FILE *out, const json_t *summary)
{
  size_t i;
  const json_t *advice;
  json_array_foreach(json_object_get(summary, "recommendations"), i, advice)
  {
    fputs("<p class=\"advice\">", out);
    chart_put_text(out, tm_json_get_string(advice, "reason"));
    fputs("</p>", out);
  }
}

static void put_device(FILE *out, const json_t *summary)
{
  fputs("<section class=\"device\"><h2>", out);
  chart_put_text(out, tm_json_get_string(json_object_get(summary, "customer"), "host"));
  fputs(" / ", out);
  chart_put_text(out, tm_json_get_string(json_object_get(summary, "product"), "device"));
  fputs("</h2>", out);
  put_answer(out, summary);
  fputs("<div class=\"body\"><div>", out);
  chart_write(out, summary);
  fputs("</div>", out);
  put_facts(out, summary);
  fputs("</div>", out);
  put_advice(out, summary);
  fputs("</section>\n", out);
}

static int html_end(struct report *r, size_t unread)
{
  (void)unread;
  int64_t now = 0;
  size_t soon = 0;
  char text[TM_TIME_SIZE];
  for (size_t i = 0; i < r->len; i++) {
    int64_t made = 0;
    if (tm_json_get_time(r->told[i].summary, "generated_at", &made) && made > now)
      now = made;
  }
  for (size_t i = 0; i < r->len; i++) {
    int64_t middle = r->told[i].urgency.middle;
    soon += middle != NEVER && middle - now <= 90 * (int64_t)TM_DAY;
  }
  if (r->len > 0)
    qsort(r->told, r->len, sizeof(*r->told), by_urgency);
  fputs(head, r->out);
  fprintf(r->out, "<h1>When it fills up</h1><p class=\"answer\">%zu device%s as of %s; ", r->len,
          r->len == 1 ? "" : "s", tm_time_format(text, now));
  if (soon == 0)
    fputs("none is likely to be full within 90 days.</p>\n", r->out);
  else
    fprintf(r->out, "%zu %s likely to be full within 90 days.</p>\n", soon,
            soon == 1 ? "is" : "are");
  for (size_t i = 0; i < r->len; i++)
    put_device(r->out, r->told[i].summary);
  fputs("</main></body></html>\n", r->out);
  return EX_OK;
}

const struct report_format report_html = {
    .name = "html",
    .begin = html_begin,
    .add = html_add,
    .end = html_end,
    .free = html_free,
};
