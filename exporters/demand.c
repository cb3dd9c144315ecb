/* SPDX-License-Identifier: MIT */
#include "exporters/demand.h"

#include "common/json.h"
#include "common/log.h"
#include "exporters/envelope.h"
#include "exporters/factory.h"
#include "exporters/input.h"
#include "exporters/state.h"
#include "exporters/tell.h"
#include "exporters/tryton/forecast.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

/* One document; the last one of several that were given would have replaced the others. */
struct giver {
  const struct demand_order *order;
  struct factory factory;
  char note[160];
  size_t documents;
  int status;
};

static int open_issue(struct giver *g, const json_t *demand, json_t **issue, struct tm_error *err)
{
  const char *state_dir = g->order->conf->state_dir;
  char digest[TM_SHA256_HEX];
  json_t *last = state_read(state_dir, g->note, err);
  if (last == NULL)
    return err->code;
  int64_t had = tm_json_time_or(last, "generated_at", INT64_MIN);
  const char *was = tm_json_get_string(last, "sha256");
  json_int_t number = json_integer_value(json_object_get(last, "issue"));
  int rc = 0;
  /* The figure is part of it: another one makes other forecasts. */
  json_t *content = json_pack("{s:O,s:i}", "lines", json_object_get(demand, "lines"), "figure",
                              (int)g->order->figure);
  json_object_set(content, "from", json_object_get(demand, "from"));
  envelope_digest(digest, content);
  json_decref(content);
  if (tm_json_time_or(demand, "generated_at", INT64_MIN) < had)
    rc = tm_fail(err, -EBADMSG, "generated_at: older than issue %lld, which it would replace",
                 (long long)number);
  bool same = was != NULL && strcmp(was, digest) == 0;
  if (rc == 0) {
    *issue = json_pack("{s:I,s:s,s:O,s:o,s:b}", "issue", number + !same, "sha256", digest,
                       "generated_at", json_object_get(demand, "generated_at"), "at",
                       tm_json_time(g->order->now), "complete", 0);
    rc = state_write(state_dir, g->note, *issue, err);
  }
  json_decref(last);
  return rc;
}

static int give(struct giver *g, const json_t *demand, json_t *issue, struct tm_error *err)
{
  struct stock stock;
  struct forecast_counts counts;
  char title[128];
  json_t *plan = demand_plan(demand, g->order->figure), *warnings = json_array(), *text;
  size_t i;
  json_int_t number = json_integer_value(json_object_get(issue, "issue"));
  snprintf(title, sizeof(title), "Tidemark demand, issue %lld of %.10s", (long long)number,
           tm_json_get_string(demand, "generated_at"));
  int rc = stock_load(&stock, g->factory.writer.rpc, g->factory.target->factory, err);
  if (rc == 0)
    rc = forecast_issue(&stock, plan, tm_json_get_string(demand, "from"), title, &counts, warnings,
                        err);
  json_array_foreach(warnings, i, text)
  {
    tm_log_warning("%s: %s", g->factory.target->name, json_string_value(text));
    g->status = EX_DATAERR;
  }
  if (rc == 0) {
    json_object_set_new(issue, "complete", json_true());
    rc = state_write(g->order->conf->state_dir, g->note, issue, err);
  }
  if (rc == 0)
    rc = tell_line(err, "issue %lld %s: %zu written, %zu unchanged, %zu taken back, %zu left",
                   (long long)number, g->factory.target->name, counts.written, counts.unchanged,
                   counts.taken_back, counts.left);
  stock_release(&stock);
  json_decref(warnings);
  json_decref(plan);
  return rc;
}

static int take_demand(void *arg, const json_t *demand, const char *where, struct tm_error *err)
{
  struct giver *g = arg;
  json_t *issue = NULL;
  (void)where;
  if (g->documents++ > 0)
    return tm_fail(err, -EBADMSG,
                   "one demand document is wanted: a second would replace the first");
  int rc = demand_check(demand, err);
  if (rc == 0)
    rc = open_issue(g, demand, &issue, err);
  if (rc == 0)
    rc = give(g, demand, issue, err);
  json_decref(issue);
  if (rc == 0 || rc == -EBADMSG)
    return rc;
  tm_log_error("%s: %s", g->factory.target->name, err->text);
  g->status = factory_status(rc);
  return -ECANCELED;
}

int demand_run(const struct demand_order *order, const char *file)
{
  struct giver g = {.order = order, .status = EX_OK};
  struct tm_error err = {0};
  struct input_counts counts = {0};
  char *files[] = {(char *)file, NULL};
  int rc = factory_open(&g.factory, order->conf, order->target, &err);
  if (rc == 0) {
    snprintf(g.note, sizeof(g.note), "%s.demand", g.factory.target->name);
    input_read(order->conf, files, take_demand, &g, &counts);
    if (g.status == EX_OK)
      g.status = input_status(&counts);
  } else {
    tm_log_error("%s", err.text);
    g.status = factory_status(rc);
  }
  factory_close(&g.factory);
  return g.status;
}
