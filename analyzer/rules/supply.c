/* SPDX-License-Identifier: MIT */
/* A supply ends before a new one could be there. */
#include "analyzer/rules/rules.h"

#include "common/clock.h"
#include "common/json.h"
#include "common/number.h"
#include "common/text.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define LEVEL "supply_level-"

/* "Black_Toner" is "black toner": collectd's file names have no blanks. "Black_Toner~2" is so too:
 * one of several that share the name (collectd-tidemark(5)). */
static bool is_named(const char *seen, const char *name)
{
  while (*seen != '\0' && *name != '\0') {
    char a = isalnum((unsigned char)*seen) ? (char)tolower((unsigned char)*seen) : ' ';
    char b = isalnum((unsigned char)*name) ? (char)tolower((unsigned char)*name) : ' ';
    if (a != b)
      return false;
    seen++;
    name++;
  }
  return *name == '\0' && (*seen == '\0' || *seen == '~');
}

static const struct catalogue_item *supply_of(const struct rule_facts *f, const char *name)
{
  for (size_t i = 0; i < f->model->n_options; i++) {
    const struct catalogue_item *o = f->model->options[i];
    if (o->type != CATALOGUE_SUPPLY)
      continue;
    for (size_t m = 0; m < json_array_size(o->matches); m++)
      if (is_named(name, json_string_value(json_array_get(o->matches, m))))
        return catalogue_current(o);
  }
  return NULL;
}

/* The share of the pages that uses this supply up, over the life of the printer; 1 when unknown:
 * then it ends a little later than it is said to. */
static double share_of_pages(const struct rule_facts *f, const struct catalogue_item *item)
{
  if (item->counts == NULL || strcmp(item->counts, "color") != 0)
    return 1;
  double share = rule_level(f, "page_count-color") / rule_level(f, "page_count-total");
  return share > 0 && share <= 1 ? share : 1;
}

/* Days that the rest lasts by the pages of the last month, and their standard deviation; NAN where
 * pages or yield are unknown. */
static double days_left(const struct rule_facts *f, const struct catalogue_item *item, double share,
                        double *spread)
{
  double error = 0;
  double per_day = rule_pages_per_month(f, &error) / 30 * share_of_pages(f, item);
  double left = share * item->yield_pages / per_day;
  *spread = per_day > 0 ? left * (error / 30) * share_of_pages(f, item) / per_day : NAN;
  return per_day > 0 ? left : NAN;
}

static void add(const struct rule_facts *f, struct need *need, const struct catalogue_item *item,
                const char *name, double share, double left, double spread)
{
  size_t len = strlen(need->reason);
  int64_t ends = f->now + (int64_t)((isnan(left) ? item->lead_time_days : left) * TM_DAY);
  int64_t due = ends - (int64_t)((item->lead_time_days + f->thresholds->supply_days) * TM_DAY);
  char time[TM_TIME_SIZE];
  char shown[61];
  tm_text_copy(shown, sizeof(shown), name);
  snprintf(need->reason + len, sizeof(need->reason) - len, "%s%s at %.0f %%%s%.10s",
           len > 0 ? "; " : "", shown, tm_percent(share, 1), isnan(left) ? "" : ", ends about ",
           isnan(left) ? "" : tm_time_format(time, ends));
  need_put_text(need, "name", need->n_lines + 1, name);
  need_put_number(need, "share", need->n_lines + 1, share);
  need_put_number(need, "days_left", need->n_lines + 1, left);
  need->lines[need->n_lines++] = (struct need_line){item, 1};
  if (!need->holds || due < need->order_by) {
    need->order_by = due;
    outlook_normal(&need->when, ends, isnan(spread) ? 0 : spread * TM_DAY);
  }
  double ahead = item->lead_time_days + f->thresholds->supply_days;
  double p = spread > 0 ? 0.5 * (1 + erf((ahead - left) / spread / M_SQRT2)) : 1;
  need->confidence = fmax(need->confidence, p);
  need->holds = true;
}

static void look_at(const struct rule_facts *f, struct need *need, const char *name, double level)
{
  char max_name[160];
  const struct catalogue_item *item = supply_of(f, name);
  snprintf(max_name, sizeof(max_name), "supply_max-%s", name);
  double share = level / rule_level(f, max_name);
  if (item == NULL || !(share >= 0 && share <= 1))
    return;
  double spread = NAN;
  double left = days_left(f, item, share, &spread);
  double ahead = item->lead_time_days + f->thresholds->supply_days;
  if (isnan(left) ? share <= f->thresholds->supply_share : left - 1.2816 * spread <= ahead)
    add(f, need, item, name, share, left, spread);
}

int rule_supply(const struct rule_facts *f, struct need *need, struct tm_error *err)
{
  (void)err;
  const json_t *levels = json_object_get(f->status, "levels");
  for (size_t i = 0; i < json_array_size(levels) && need->n_lines < NEED_MAX_LINES; i++) {
    const json_t *l = json_array_get(levels, i);
    const char *name = tm_json_get_string(l, "name");
    double now = tm_json_get_number(l, "now");
    if (name != NULL && strncmp(name, LEVEL, strlen(LEVEL)) == 0 && now >= 0)
      look_at(f, need, name + strlen(LEVEL), now);
  }
  return 0;
}
