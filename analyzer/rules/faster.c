/* SPDX-License-Identifier: MIT */
/*
 * The load rises towards what the device carries and no cache module carries it; or a printer
 * prints more than it is made for: a faster model, or a second one beside it.
 */
#include "analyzer/rules/rules.h"

#include "common/number.h"

#include "analyzer/rules/load.h"

#include <math.h>
#include <stdio.h>

static bool prints_too_much(const struct rule_facts *f, struct need *need)
{
  double error = 0;
  double duty = f->model->duty_pages_per_month;
  double limit = duty * f->thresholds->duty_share;
  double pages = rule_pages_per_month(f, &error);
  if (!(pages > limit))
    return false;
  need->holds = true;
  need->want_duty = pages / f->thresholds->duty_share;
  need->order_by = f->now;
  need->confidence = error > 0 ? 0.5 * (1 + erf((pages - limit) / error / M_SQRT2)) : 1;
  outlook_at(&need->when, f->now);
  snprintf(need->reason, sizeof(need->reason),
           "%.0f pages in 30 days against a duty of %.0f (%.0f %%)", pages, duty,
           tm_percent(pages, duty));
  need_put_number(need, "pages_per_month", 0, round(pages));
  need_put_number(need, "standard_error", 0, round(error));
  need_put_number(need, "duty_pages_per_month", 0, duty);
  need_put_number(need, "days", 0, f->thresholds->duty_days);
  return true;
}

int rule_faster(const struct rule_facts *f, struct need *need, struct tm_error *err)
{
  (void)err;
  const struct catalogue_item *module;
  double want;
  if (prints_too_much(f, need) || !rule_load_nears(f) || rule_cache_helps(f, &want, &module))
    return 0;
  load_need(f, rule_load_after(f, f->thresholds->planning_days), need);
  return 0;
}
