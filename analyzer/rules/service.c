/* SPDX-License-Identifier: MIT */
/* Maintenance is due by pages or by age, or the model is soon no longer maintained. */
#include "analyzer/rules/rules.h"

#include "common/clock.h"
#include "common/json.h"
#include "common/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void add(struct need *need, const struct catalogue_item *item, int64_t due, const char *why)
{
  size_t len = strlen(need->reason);
  char time[TM_TIME_SIZE];
  char date[16];
  snprintf(date, sizeof(date), "%.10s", tm_time_format(time, due));
  snprintf(need->reason + len, sizeof(need->reason) - len, "%s%.190s", len > 0 ? "; " : "", why);
  need_put_text(need, "sku", need->n_lines + 1, item->sku);
  need_put_text(need, "due_on", need->n_lines + 1, date);
  need->lines[need->n_lines++] = (struct need_line){item, 1};
  int64_t order_by = due - (int64_t)(item->lead_time_days * TM_DAY);
  if (!need->holds || order_by < need->order_by) {
    need->order_by = order_by;
    outlook_at(&need->when, due);
  }
  need->holds = true;
}

/* The next multiple of the interval: whether the last one was done is not in the data, and to ask
 * for it for ever would be noise. */
static void by_pages(const struct rule_facts *f, struct need *need,
                     const struct catalogue_item *item)
{
  double error = 0;
  double pages = rule_level(f, "page_count-total");
  double per_day = rule_pages_per_month(f, &error) / 30;
  double next = (floor(pages / item->every_pages) + 1) * item->every_pages;
  double days = (next - pages) / per_day;
  char why[192];
  if (!(days <= f->thresholds->service_days + item->lead_time_days))
    return;
  snprintf(why, sizeof(why), "%.0f pages printed, maintenance is due at %.0f, in about %.0f days",
           pages, next, ceil(days));
  add(need, item, f->now + (int64_t)(days * TM_DAY), why);
}

static void by_age(const struct rule_facts *f, struct need *need, const struct catalogue_item *item)
{
  if (f->sold_on == INT64_MIN || f->now < f->sold_on)
    return;
  double every = item->every_days * TM_DAY;
  double age = (double)(f->now - f->sold_on);
  double next = (floor(age / every) + 1) * every;
  double days = (next - age) / TM_DAY;
  char why[128];
  char time[TM_TIME_SIZE];
  int64_t due = f->sold_on + (int64_t)next;
  if (!(days <= f->thresholds->service_days + item->lead_time_days))
    return;
  snprintf(why, sizeof(why), "maintenance every %.0f days since the sale is due on %.10s",
           item->every_days, tm_time_format(time, due));
  add(need, item, due, why);
}

/* A device that nobody maintains any more needs its successor. */
static void by_end(const struct rule_facts *f, struct need *need)
{
  int64_t end = f->model->end_of_service_on;
  const struct catalogue_item *successor = catalogue_current(f->model);
  char why[192];
  char time[TM_TIME_SIZE];
  char old[41], new[41];
  if (end == INT64_MIN || successor == f->model ||
      end > f->now + (int64_t)(f->thresholds->end_of_service_days * TM_DAY))
    return;
  tm_text_copy(old, sizeof(old), f->model->sku);
  tm_text_copy(new, sizeof(new), successor->sku);
  snprintf(why, sizeof(why), "%s is maintained until %.10s; %s takes its place", old,
           tm_time_format(time, end), new);
  add(need, successor, end, why);
  need->replace = true;
  need->order_by = INT64_MIN; /* follows from the successor's lead time */
}

int rule_service(const struct rule_facts *f, struct need *need, struct tm_error *err)
{
  (void)err;
  need->confidence = 1; /* it is known, not forecast */
  by_end(f, need);
  /* What is to be replaced is not maintained at length before. */
  for (size_t i = 0; !need->replace && i < f->model->n_options && need->n_lines < NEED_MAX_LINES;
       i++) {
    const struct catalogue_item *o = f->model->options[i];
    if (o->type != CATALOGUE_SERVICE || o->replaced_by != NULL)
      continue;
    if (!isnan(o->every_pages))
      by_pages(f, need, o);
    else if (!isnan(o->every_days))
      by_age(f, need, o);
  }
  return 0;
}
