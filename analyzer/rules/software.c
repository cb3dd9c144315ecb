/* SPDX-License-Identifier: MIT */
/* What runs on the device is older than what is offered. */
#include "analyzer/rules/rules.h"

#include "analyzer/version_order.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/text.h"

#include <stdio.h>
#include <string.h>

/* The newest release of this software that fits the model and is out. */
static const struct catalogue_item *newest(const struct rule_facts *f, const char *name)
{
  const struct catalogue_item *best = NULL;
  for (size_t i = 0; i < f->model->n_options; i++) {
    const struct catalogue_item *o = f->model->options[i];
    if (o->type != CATALOGUE_SOFTWARE || o->replaced_by != NULL || o->released_on > f->now ||
        !catalogue_same_name(o->software, name))
      continue;
    if (best == NULL || version_order(best->version, o->version) < 0)
      best = o;
  }
  return best;
}

/* Adds "firmware 4.3.0 is older than 4.4.2 of 2026-09-07". */
static void add(const struct rule_facts *f, struct need *need, const char *name,
                const char *version, const struct catalogue_item *release)
{
  char time[TM_TIME_SIZE];
  char what[61], is[61], could_be[61];
  size_t len = strlen(need->reason);
  int64_t due = release->released_on + (int64_t)(f->thresholds->software_days * TM_DAY);
  due = due > f->now ? due : f->now;
  tm_text_copy(what, sizeof(what), name);
  tm_text_copy(is, sizeof(is), version);
  tm_text_copy(could_be, sizeof(could_be), release->version);
  snprintf(need->reason + len, sizeof(need->reason) - len, "%s%s %s is older than %s of %.10s",
           len > 0 ? "; " : "", what, is, could_be, tm_time_format(time, release->released_on));
  need_put_text(need, "name", need->n_lines + 1, name);
  need_put_text(need, "version", need->n_lines + 1, version);
  need_put_text(need, "newest", need->n_lines + 1, release->version);
  need->lines[need->n_lines++] = (struct need_line){release, 1};
  if (!need->holds || due < need->order_by)
    need->order_by = due;
  need->holds = true;
}

int rule_software(const struct rule_facts *f, struct need *need, struct tm_error *err)
{
  (void)err;
  const json_t *list = json_object_get(f->product, "software");
  for (size_t i = 0; i < json_array_size(list) && need->n_lines < NEED_MAX_LINES; i++) {
    const json_t *entry = json_array_get(list, i);
    const char *name = tm_json_get_string(entry, "name");
    const char *version = tm_json_get_string(entry, "version");
    if (name == NULL || !version_known(version))
      continue;
    const struct catalogue_item *release = newest(f, name);
    if (release != NULL && version_order(version, release->version) < 0)
      add(f, need, name, version, release);
  }
  need->confidence = 1; /* it is known, not forecast */
  if (need->holds)
    outlook_at(&need->when, need->order_by);
  return 0;
}
