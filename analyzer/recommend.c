/* SPDX-License-Identifier: MIT */
#include "analyzer/recommend.h"

#include "analyzer/expansion.h"
#include "analyzer/plan.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/text.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { KEY_SIZE = 640, REASON_SIZE = 1000, HISTORY_MAX = 4000 };

static char *date_text(char out[16], int64_t t)
{
  char time[TM_TIME_SIZE];
  snprintf(out, 16, "%.10s", tm_time_format(time, t));
  return out;
}

/* Days count as dates, whatever the hour: from midnight to midnight UTC. */
static int64_t midnight(int64_t t)
{
  int64_t rest = t % TM_DAY;
  return t - (rest < 0 ? rest + TM_DAY : rest);
}

static const char *or_dash(const char *text)
{
  return text != NULL && text[0] != '\0' ? text : "-";
}

/* When the device got the capacity that it has: as the site knows it, else as this history shows,
 * else the day of the sale. */
static void baseline(const struct rule_facts *f, char out[16])
{
  const char *told = tm_json_get_string(f->status, "capacity_changed_on");
  int64_t since = INT64_MIN;
  int64_t time[HISTORY_MAX];
  double capacity[HISTORY_MAX];
  size_t n = 0;
  if (told != NULL && tm_time_parse(told, &since) == 0) {
    date_text(out, since);
    return;
  }
  size_t days = json_array_size(f->history);
  for (size_t i = days > HISTORY_MAX ? days - HISTORY_MAX : 0; i < days; i++) {
    const json_t *day = json_array_get(f->history, i);
    const char *date = tm_json_get_string(day, "date");
    if (date == NULL || tm_time_parse(date, &time[n]) < 0)
      continue;
    time[n] += TM_DAY; /* what is told of a day is how it ended */
    capacity[n++] = tm_json_get_number(day, f->slots ? "slots_total" : "capacity_bytes");
  }
  since = expansion_last(time, capacity, n);
  if (since == INT64_MIN)
    since = f->sold_on;
  if (since == INT64_MIN)
    snprintf(out, 16, "-");
  else
    date_text(out, since);
}

static void make_key(const struct rule_facts *f, enum need_action action, const char *since,
                     char out[KEY_SIZE])
{
  const json_t *customer = json_object_get(f->summary, "customer");
  const char *const names[] = {
      tm_json_get_string(customer, "id"), tm_json_get_string(customer, "site"),
      tm_json_get_string(customer, "host"), tm_json_get_string(f->product, "device")};
  char part[4][129];
  for (size_t i = 0; i < 4; i++)
    tm_text_copy(part[i], sizeof(part[i]), or_dash(names[i]));
  snprintf(out, KEY_SIZE, "%s/%s/%s/%s/%s/%s", part[0], part[1], part[2], part[3],
           need_action_name(action), since);
}

static int64_t total_price(const struct plan *p)
{
  int64_t total = 0;
  for (size_t i = 0; i < p->n_lines; i++)
    total += p->lines[i].quantity * p->lines[i].item->price;
  return total;
}

static json_t *lines_json(const struct rule_facts *f, const struct plan *p)
{
  json_t *lines = json_array();
  for (size_t i = 0; i < p->n_lines; i++) {
    const struct need_line *l = &p->lines[i];
    json_array_append_new(lines, json_pack("{s:s, s:s, s:i, s:o}", "sku", l->item->sku, "name",
                                           l->item->name, "quantity", (int)l->quantity, "price",
                                           catalogue_price_json(f->catalogue, l->item->price)));
  }
  return lines;
}

/* The numbers of every need, so that anybody can do the sum again: a flat list. */
static json_t *evidence_json(const struct rule_facts *f, const struct plan *p)
{
  char text[100] = "";
  char key[64];
  char date[16];
  json_t *e = json_object();
  for (size_t i = 0; i < p->n_needs; i++) {
    size_t len = strlen(text);
    snprintf(text + len, sizeof(text) - len, "%s%s", len > 0 ? ", " : "",
             need_action_name(p->needs[i]->action));
  }
  json_object_set_new(e, "needs", json_string(text));
  json_object_set_new(e, "as_of", json_string(date_text(date, f->now)));
  json_object_set_new(e, "observed_at", tm_json_time(f->observed_at));
  json_object_set_new(e, "model", json_string(f->model->sku));
  json_object_set_new(e, "catalogue_of", json_string(date_text(date, f->catalogue->issued_on)));
  json_object_set_new(e, "lead_time_days", tm_json_number(p->lead_time_days));
  json_object_set_new(e, "sales_cycle_days", tm_json_number(f->catalogue->sales_cycle_days));
  json_object_set_new(e, "cheapest", json_boolean(p->cheapest));
  json_object_set_new(e, "carries_share", tm_json_number(p->share));
  if (p->replacement != NULL)
    json_object_set_new(e, "replaces_device_with", json_string(p->replacement->sku));
  for (size_t i = 0; i < p->n_needs; i++) {
    const struct need *n = p->needs[i];
    json_object_update(e, n->evidence);
    snprintf(key, sizeof(key), "%s_confidence", need_action_name(n->action));
    json_object_set_new(e, key, tm_json_number(round(n->confidence * 1e3) / 1e3));
  }
  return e;
}

static void add_text(char *out, const char *text)
{
  size_t len = strlen(out);
  snprintf(out + len, REASON_SIZE - len, "%s%s", len > 0 ? " " : "", text);
}

/* "4 × SHELF-20T and 1 × FW-DS200-4.4.2: JPY 9,720,000." */
static void say_lines(const struct rule_facts *f, const struct plan *p, char *out)
{
  char text[160];
  char price[64];
  char sku[101];
  if (p->n_lines == 0) {
    add_text(out, "Nothing in the catalogue carries this; it needs a proposal by hand.");
    return;
  }
  for (size_t i = 0; i < p->n_lines; i++) {
    const char *joint = i == 0 ? "" : i + 1 < p->n_lines ? ", " : " and ";
    size_t len = strlen(out);
    tm_text_copy(sku, sizeof(sku), p->lines[i].item->sku);
    snprintf(text, sizeof(text), "%u \xc3\x97 %s", p->lines[i].quantity, sku);
    snprintf(out + len, REASON_SIZE - len, "%s%s", i == 0 ? " " : joint, text);
  }
  snprintf(text, sizeof(text), ": %s.",
           catalogue_price_text(price, sizeof(price), f->catalogue, total_price(p)));
  size_t len = strlen(out);
  snprintf(out + len, REASON_SIZE - len, "%s", text);
  if (p->share < 1)
    add_text(out, p->share == 0.5
                      ? "It carries half the way to what will be needed; nothing in the "
                        "catalogue carries all."
                      : "It carries a quarter of the way to what will be needed; "
                        "nothing in the catalogue carries more.");
  if (p->replacement != NULL)
    add_text(out, "It takes the place of the device.");
  else if (p->action == NEED_FASTER)
    add_text(out, "It stands beside the device and shares its work.");
}

static void say_dates(const struct rule_facts *f, const struct plan *p, int late, char *out)
{
  char text[200];
  char date[16];
  size_t n = 0;
  if (p->needs[0]->order_by == INT64_MIN)
    n += (size_t)snprintf(text, sizeof(text),
                          "Delivery takes %g days and the sale %g: ", p->lead_time_days,
                          f->catalogue->sales_cycle_days);
  n += (size_t)snprintf(text + n, sizeof(text) - n, "%srder by %s", n > 0 ? "o" : "O",
                        date_text(date, p->order_by));
  if (late > 0)
    n +=
        (size_t)snprintf(text + n, sizeof(text) - n, ", %d day%s late", late, late == 1 ? "" : "s");
  snprintf(text + n, sizeof(text) - n, ".");
  add_text(out, text);
}

static json_t *plan_json(const struct rule_facts *f, const struct plan *p, const char *since)
{
  char key[KEY_SIZE];
  char reason[REASON_SIZE] = "";
  char date[16];
  double confidence = 0;
  int64_t late_s = midnight(f->now) - midnight(p->order_by);
  int late = late_s > 0 ? (int)(late_s / TM_DAY) : 0;
  for (size_t i = 0; i < p->n_needs; i++) {
    char text[NEED_REASON + 2];
    tm_text_copy(text, NEED_REASON, p->needs[i]->reason);
    tm_text_end_whole(text, strlen(text)); /* a long one is cut anywhere */
    memcpy(text + strlen(text), ".", sizeof("."));
    if (text[0] >= 'a' && text[0] <= 'z')
      text[0] = (char)(text[0] - 'a' + 'A');
    add_text(reason, text);
    if (i == 0 || p->needs[i]->action != NEED_SOFTWARE)
      confidence = fmax(confidence, p->needs[i]->confidence);
  }
  say_lines(f, p, reason);
  say_dates(f, p, late, reason);
  tm_text_end_whole(reason, strlen(reason));
  make_key(f, p->action, since, key);
  return json_pack("{s:s, s:s, s:o, s:o, s:s, s:s, s:i, s:o, s:o, s:o}", "key", key, "action",
                   need_action_name(p->action), "lines", lines_json(f, p), "price",
                   p->n_lines > 0 ? catalogue_price_json(f->catalogue, total_price(p))
                                  : json_null(),
                   "reason", reason, "order_by", date_text(date, p->order_by), "late_by_days", late,
                   "fill", outlook_json(&p->when, f->now), "evidence", evidence_json(f, p),
                   "confidence", tm_json_number(round(confidence * 1e3) / 1e3));
}

static int judge(const struct rule_facts *f, struct need needs[NEED_ACTIONS], struct tm_error *err)
{
  static rule *const rules[NEED_ACTIONS] = {
      [NEED_GROW] = rule_grow,         [NEED_CACHE] = rule_cache,   [NEED_FASTER] = rule_faster,
      [NEED_SOFTWARE] = rule_software, [NEED_SUPPLY] = rule_supply, [NEED_SERVICE] = rule_service};
  int rc = 0;
  for (int i = 0; rc == 0 && i < NEED_ACTIONS; i++) {
    needs[i].action = (enum need_action)i;
    needs[i].want_size = needs[i].want_speed = needs[i].want_duty = NAN;
    needs[i].order_by = INT64_MIN;
    rc = rules[i](f, &needs[i], err);
  }
  return rc;
}

int recommend(const json_t *summary, const struct catalogue *c, const struct rule_thresholds *t,
              int64_t now, json_t **recommendations, struct tm_error *err)
{
  if (!json_is_object(summary))
    return tm_fail(err, -EBADMSG, "not a summary");
  json_t *made = json_array();
  if (made == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  int rc = 0;
  struct need needs[NEED_ACTIONS] = {0};
  struct plan plans[PLAN_MAX];
  struct rule_facts f;
  const struct catalogue_item *model = catalogue_model_of(c, json_object_get(summary, "product"));
  if (model != NULL) {
    char since[16];
    rc = rule_facts_read(&f, summary, c, model, t, now, err);
    if (rc == 0)
      rc = judge(&f, needs, err);
    size_t n = rc == 0 ? plan_make(&f, needs, plans) : 0;
    if (n > 0)
      baseline(&f, since);
    for (size_t i = 0; rc == 0 && i < n; i++)
      if (json_array_append_new(made, plan_json(&f, &plans[i], since)) < 0)
        rc = tm_fail(err, -ENOMEM, "out of memory");
  }
  for (int i = 0; i < NEED_ACTIONS; i++)
    need_release(&needs[i]);
  if (rc == 0)
    *recommendations = made;
  else
    json_decref(made);
  return rc;
}
